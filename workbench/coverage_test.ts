import { assert, assertEquals } from "@std/assert";
import { Coverage } from "./coverage.ts";
import { Packet } from "./network.ts";
import type { RunResult } from "./run.ts";
import { defaultOptions } from "./options.ts";

function packet(src: string, dest: string, body: object): Packet {
  return new Packet(0, src, dest, JSON.stringify(body));
}

Deno.test("a run's states, messages, faults and outcomes are reached together", () => {
  const coverage = new Coverage();
  const startMs = 1000;
  const at = (ms: number) => startMs + ms;
  const vote = packet("n1", "n0", { type: "vote", granted: true, term: 7 });
  coverage.add({ type: "send", timeMs: at(1), message: vote });
  coverage.add({ type: "recv", timeMs: at(2), message: packet("c1", "n0", { type: "read" }) });
  coverage.add({ type: "recv", timeMs: at(12), message: vote });
  coverage.add({ type: "drop", timeMs: at(13), message: vote, why: "partition" });
  coverage.add({ type: "recv", timeMs: at(14), message: packet("n0", "c1", { type: "read_ok" }) });
  const read = { index: 0, process: 0, f: "read", value: null } as const;
  const result: Pick<RunResult, "history" | "observations" | "startMs" | "options" | "plan"> = {
    history: [
      { ...read, time: 0, type: "invoke" },
      { ...read, time: 1, type: "fail", error: { code: 20, text: "no such key" } },
    ],
    observations: [
      { time: 5e6, node: "n0", observation: { observe: { role: "leader", term: 3 } } },
      { time: 6e6, node: "n0", observation: { sometimes: "leads" } },
    ],
    startMs,
    options: defaultOptions("lin-kv", { nodeCount: 3, seed: 0 }),
    plan: () => ({
      ops: [],
      links: [],
      faults: [{ kind: "partition", drawn: "", drops: { n0: ["n2"] }, fromMs: 8, toMs: 20 }],
    }),
  };
  assertEquals(
    new Set(coverage.reached(result)),
    new Set([
      "client's read in ",
      "client's read after ",
      "sometimes leads",
      "vote granted=true in role=leader",
      "vote granted=true after client's read",
      "vote granted=true under partition",
      "vote granted=true lost by partition in role=leader",
      "role=leader after , 1 times",
      "partition in role=leader, 1 times",
      "partition in , 1 times",
      "read fail 20, 1 times",
    ]),
  );
});

Deno.test("what a run reaches is bounded, whatever its nodes send", () => {
  const coverage = new Coverage();
  for (let i = 0; i < 20_000; i++) {
    const message = packet("n1", "n0", { type: `type ${i} ${"x".repeat(1000)}` });
    coverage.add({ type: "recv", timeMs: i, message });
  }
  const reached = coverage.reached({
    history: [],
    observations: [],
    startMs: 0,
    options: defaultOptions("echo", { nodeCount: 2, seed: 0 }),
    plan: () => ({ ops: [], faults: [], links: [] }),
  });
  assertEquals(reached.length, 10_000);
  assert(reached.every((text) => text.length < 250));
});
