import { assertEquals, assertThrows } from "@std/assert";
import { ClientIds } from "./client.ts";
import { defaultOptions, type RunSettings } from "./options.ts";
import { Workers } from "./workers.ts";
import { workloads } from "./workloads/mod.ts";
import { createVirtualWorld } from "./world.ts";

function fixture(concurrency: number, settings: RunSettings = {}) {
  const world = createVirtualWorld(1);
  const options = defaultOptions("echo", { nodeCount: 2, concurrency, ...settings });
  const context = {
    workload: workloads.echo,
    ids: new ClientIds(),
    random: world.random("threads"),
  };
  return { network: world.network, workers: new Workers({ ...world, ...context, options }) };
}

Deno.test("turns go round, over all threads or some", () => {
  const { workers } = fixture(6);
  assertEquals(workers.nextFree(), 0);
  workers.release(workers.take(3), false);
  assertEquals([workers.nextFree(), workers.nextFree(0, 4), workers.nextFree(2, 6)], [4, 0, 4]);
  const [four, five] = [workers.take(4), workers.take(5)];
  assertEquals([workers.nextFree(), workers.nextFree(4, 6)], [0, undefined]);
  assertEquals(workers.busyCount, 2);
  workers.release(four, false);
  workers.release(five, false);
  assertEquals(workers.nextFree(4, 6), 4);
});

Deno.test("turns can be left to chance: any free thread, each about as often", () => {
  const { workers } = fixture(6, { threadOrder: "random" });
  const busy = workers.take(2);
  const counts = [0, 0, 0, 0, 0, 0];
  for (let n = 0; n < 6000; n++) {
    const thread = workers.nextFree() ?? -1;
    counts[thread] = (counts[thread] ?? 0) + 1;
  }
  // What would have been the busy one's turn is the next one's.
  assertEquals(counts.map((count) => Math.round(count / 1000)), [1, 1, 0, 2, 1, 1]);
  assertEquals(workers.nextFree(2, 3), undefined);
  workers.release(busy, false);
  assertEquals(workers.nextFree(2, 3), 2);
});

Deno.test("a busy thread is not taken, nor one that does not exist", () => {
  const { workers } = fixture(2);
  workers.take(1);
  assertThrows(() => workers.take(1), Error, "it is busy");
  assertThrows(() => workers.take(2), RangeError, "there is none");
});

Deno.test("processes go up by the number of threads at each crash", () => {
  const { workers } = fixture(3);
  const processes = Array.from({ length: 3 }, () => {
    workers.release(workers.take(1), true);
    return workers.process(1);
  });
  assertEquals(processes, [4, 7, 10]);
  assertEquals([workers.process(0), workers.process(2)], [0, 2]);
});

Deno.test("a crashed client stays open until its thread does something again", () => {
  const { workers, network } = fixture(2);
  const first = workers.take(0);
  workers.session(first);
  assertEquals(network.has("c0"), true);
  workers.release(first, true);
  assertEquals(network.has("c0"), true);
  workers.session(workers.take(0));
  assertEquals([network.has("c0"), network.has("c1")], [false, true]);
  workers.close();
  assertEquals(network.has("c1"), false);
});
