import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import type { Node } from "@eddy/maelstrom";
import { simulate, type SimulateOptions } from "./simulate.ts";
import { WORKLOADS } from "./workloads/mod.ts";

const options = {
  nodeCount: 3,
  concurrency: "2n",
  rate: 50,
  timeLimitSeconds: 20,
  failFast: true,
  seed: 3,
} as const satisfies Partial<SimulateOptions>;

Deno.test("a run ends soon after its first violation, which is the only finding", async () => {
  let count = 0;
  const wrong = (node: Node) => node.on("generate", () => ({ id: Math.min(count++, 200) }));
  const given = { ...options, workload: "unique-ids", install: wrong } as const;
  const { results, history, plan } = await simulate(given);
  assertEquals([results.valid, results.findings.map(({ anomaly }) => anomaly)], [
    false,
    ["duplicated"],
  ]);
  assertEquals(results.broke, undefined);
  assertMatch(results.warnings[0] ?? "", /--fail-fast/);
  assertLess(history.at(-1)?.time ?? 0, 12e9);
  count = 0;
  const again = await simulate({ ...given, plan: plan() });
  assertEquals(again.results.findings, results.findings);
  count = 0;
  const whole = await simulate({ ...given, failFast: false });
  assert(whole.history.length > 1.5 * history.length);
});

Deno.test("what a node itself says is wrong ends a run, too, whatever the workload", async () => {
  const { results, history } = await simulate({
    ...options,
    workload: "echo",
    install(node) {
      node.on("echo", ({ body: { echo } }) => {
        node.always(node.clock.now() < 5000, "it is early");
        return { echo };
      });
    },
  });
  assertEquals([results.valid, results.findings.map(({ anomaly }) => anomaly)], [
    false,
    ["always"],
  ]);
  assertLess(history.at(-1)?.time ?? 0, 8e9);
});

Deno.test("a right node's run is the same, and what only its end can tell does not end it", async () => {
  for (const workload of WORKLOADS) {
    const short = { ...options, workload, timeLimitSeconds: 6, nemesis: ["partition"] } as const;
    const fast = await simulate(short);
    const whole = await simulate({ ...short, failFast: false });
    assertEquals(fast.history, whole.history, workload);
    assertEquals(fast.results.valid, true, workload);
  }
  const forgets = (node: Node) => {
    node.on("topology", () => ({}));
    node.on("broadcast", () => ({}));
    node.on("read", () => ({ messages: [] }));
  };
  const { results, history } = await simulate({
    ...options,
    workload: "broadcast",
    install: forgets,
  });
  assertEquals(results.valid, false);
  assert((history.at(-1)?.time ?? 0) > 20e9);
});
