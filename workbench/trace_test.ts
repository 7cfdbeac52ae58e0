import { assertEquals } from "@std/assert";
import type { Node } from "@eddy/maelstrom";
import type { NetEvent } from "./journal.ts";
import { Packet } from "./network.ts";
import { runJob } from "./sweep.ts";
import { defaultOptions } from "./options.ts";
import { Traces } from "./trace.ts";

function event(timeMs: number, id: number, text: string): NetEvent {
  return { type: "send", timeMs, message: new Packet(id, "n0", "n1", text) };
}

function compare(first: readonly NetEvent[], second: readonly NetEvent[]) {
  const traces = new Traces();
  first.forEach((each) => traces.addFirst(each));
  second.forEach((each) => traces.addSecond(each));
  return traces.parting;
}

const [a, b, c] = [event(1, 0, "{}"), event(2, 1, "{}"), event(3, 2, '{"x":1}')];

Deno.test("runs part at the first event that only one of them has", () => {
  const [textA, textB, textC] = [a, b, c].map(({ timeMs, message }) =>
    `${timeMs / 1000} s send ${message.toLine()}`
  );
  assertEquals(compare([a, b], [a, b]), undefined);
  assertEquals(compare([], []), undefined);
  assertEquals(compare([a, b, c], [a, c]), { common: 1, first: textB, second: textC });
  assertEquals(compare([a, b], [a]), { common: 1, first: textB, second: undefined });
  assertEquals(compare([], [a]), { common: 0, first: undefined, second: textA });
  assertEquals(compare([a], [event(1.5, 0, "{}")])?.common, 0, "the time counts");
});

let runs = 0;

/** Registers a handler that takes longer in each run of this thread. */
export function installMoody(node: Node): void {
  const tookMs = ++runs;
  node.on("echo", async ({ body }) => {
    await new Promise<void>((resolve) => void node.clock.schedule(tookMs, resolve));
    return { echo: body.echo };
  });
}

Deno.test("a run that is done twice is invalid if its nodes do not follow the seed", async () => {
  const options = defaultOptions("echo", { nodeCount: 1, timeLimitSeconds: 1, rate: 5, seed: 1 });
  const job = { options, args: [], twice: true };
  const own = await runJob(job);
  assertEquals([own.valid, own.anomalies], [true, []]);
  const install = { module: import.meta.url, name: "installMoody" };
  const { valid, anomalies, reason } = await runJob({ ...job, install });
  assertEquals([valid, anomalies], [false, ["not-deterministic"]]);
  assertEquals(reason.split("\n").length, 3);
});
