import { assert, assertEquals, assertLess } from "@std/assert";
import type { Json } from "@eddy/maelstrom";
import { defaultOptions, type RunSettings } from "../options.ts";
import { seededRandom } from "../random.ts";
import { linKv, linKvTimeoutMs } from "./lin_kv.ts";
import { emitted, ScriptedThreads, take, takeFrom, tally } from "../testing.ts";

function keyOf(value: Json): Json {
  return Array.isArray(value) ? value[0] ?? null : null;
}

function fixture(settings: RunSettings) {
  const options = defaultOptions("lin-kv", settings);
  const threads = new ScriptedThreads(options.concurrency);
  return { generator: linKv.generator(options, seededRandom(9, "")), threads };
}

Deno.test("half of a group's threads read, the others write once and cas twice of three times", () => {
  const total = 12_000;
  const ops = take("lin-kv", total, { nodeCount: 3 });
  for (const { thread, op } of ops) assertEquals(op.f === "read", thread < 3);
  const counts = tally(ops.map(({ op }) => op.f));
  const near = (count: number | undefined, wanted: number) =>
    assertLess(Math.abs((count ?? 0) - wanted), 300);
  near(counts.read, total / 2);
  near(counts.write, total / 6);
  near(counts.cas, total / 3);
});

Deno.test("values are 0 to 4, each as likely, and keyed", () => {
  const ops = take("lin-kv", 12_000, { nodeCount: 1 }).map(({ op }) => op);
  const writes = tally(ops.filter(({ f }) => f === "write").map(({ value }) => `${value}`));
  assertEquals(Object.keys(writes).toSorted(), ["0,0", "0,1", "0,2", "0,3", "0,4"]);
  for (const count of Object.values(writes)) assertLess(Math.abs(count - 400), 110);
  const cases = ops.filter(({ f }) => f === "cas");
  assertEquals(new Set(cases.map(({ value }) => JSON.stringify(value))).size, 25);
  for (const { value } of cases) assert(/^\[0,\[[0-4],[0-4]\]\]$/.test(JSON.stringify(value)));
  assertEquals(ops.find(({ f }) => f === "read")?.value, [0, null]);
});

Deno.test("of two groups only the first reads: a quarter reads and half are cas, as in Maelstrom", () => {
  const total = 12_000;
  const ops = take("lin-kv", total, { nodeCount: 3, concurrency: "4n" });
  const readers = ops.filter(({ op }) => op.f === "read").map(({ thread }) => thread);
  assertEquals(new Set(readers), new Set([0, 1, 2]));
  assertLess(Math.abs(readers.length - total / 4), 200);
  assertLess(Math.abs((tally(ops.map(({ op }) => op.f)).cas ?? 0) - total / 2), 200);
  const all = new Set(ops.map(({ thread }) => thread));
  assertEquals(all.size, 12);
});

Deno.test("every group has a key of its own, and with everyGroupReads it reads it", () => {
  const settings = { nodeCount: 2, concurrency: "6n", everyGroupReads: true } as const;
  const ops = take("lin-kv", 6000, settings);
  const keys = tally(
    ops.map(({ thread, op }) => `${Math.floor(thread / 4)} on ${keyOf(op.value)}`),
  );
  assertEquals(Object.keys(keys).toSorted(), ["0 on 0", "1 on 1", "2 on 2"]);
  for (const count of Object.values(keys)) assertLess(Math.abs(count - 2000), 200);
  const reads = ops.filter(({ op }) => op.f === "read");
  assertEquals(new Set(reads.map(({ thread }) => thread)), new Set([0, 1, 4, 5, 8, 9]));
});

Deno.test("a group does what its free threads can do", () => {
  const settings = { nodeCount: 2, concurrency: "4n", everyGroupReads: true } as const;
  const { generator, threads } = fixture(settings);
  for (const thread of [0, 1, 2, 4, 5, 6, 7]) threads.busy.add(thread);
  for (let i = 0; i < 20; i++) {
    const { thread, op } = emitted(generator.next(threads, 0));
    assertEquals(thread, 3);
    assert(op.f !== "read");
  }
  threads.busy.add(3);
  assertEquals(generator.next(threads, 0), "pending");
  threads.busy.delete(5);
  const { thread, op } = emitted(generator.next(threads, 0));
  assertEquals([thread, op], [5, { f: "read", value: [1, null] }]);
});

Deno.test("a key is retired when more than 20 processes have had a part in it", () => {
  // Of 5 nodes a group has 10 threads: ten crashes bring the processes to 20, the next retires.
  const { generator, threads } = fixture({});
  const keysAfterCrash = Array.from({ length: 24 }, () => {
    const keys = new Set(takeFrom(generator, 5, threads).map(({ op }) => keyOf(op.value)));
    threads.processes[3] = (threads.processes[3] ?? 0) + 10;
    assertEquals(keys.size, 1);
    return [...keys][0];
  });
  assertEquals(keysAfterCrash, [...Array(11).fill(0), ...Array(11).fill(1), 2, 2]);
});

Deno.test("a group moves on to a key that no other group has had", () => {
  const { generator, threads } = fixture({ nodeCount: 1, concurrency: "4n" });
  takeFrom(generator, 50, threads);
  for (let crash = 0; crash < 19; crash++) {
    threads.processes[0] = (threads.processes[0] ?? 0) + 4;
    threads.busy = new Set([2, 3]);
    emitted(generator.next(threads, 0));
  }
  threads.busy = new Set();
  const keys = takeFrom(generator, 50, threads).map(({ thread, op }) =>
    `${thread < 2 ? "first" : "second"} on ${keyOf(op.value)}`
  );
  assertEquals(Object.keys(tally(keys)).toSorted(), ["first on 2", "second on 1"]);
});

Deno.test("with more than 10 nodes, a group still works, and changes its key at each crash", () => {
  const { generator, threads } = fixture({ nodeCount: 12 });
  assertEquals(keyOf(emitted(generator.next(threads, 0)).op.value), 0);
  threads.processes[0] = 24;
  assertEquals(keyOf(emitted(generator.next(threads, 0)).op.value), 1);
});

Deno.test("clients wait ten times the latency, and a second at least", () => {
  const timeout = (meanMs: number) =>
    linKvTimeoutMs(defaultOptions("lin-kv", { latency: { meanMs } }));
  assertEquals([0, 99, 100, 101, 500].map(timeout), [1000, 1000, 1000, 1010, 5000]);
});
