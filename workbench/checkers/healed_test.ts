import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { ErrorCode, type Node, RpcError } from "@eddy/maelstrom";
import { simulate, type SimulateOptions } from "../simulate.ts";

const options = {
  workload: "echo",
  nodeCount: 3,
  concurrency: "3n",
  rate: 20,
  timeLimitSeconds: 3,
  nemesis: ["pause"],
  nemesisIntervalSeconds: 1,
  heal: true,
  seed: 1,
} as const satisfies SimulateOptions;

/** Answers until the time limit, and then does something else. */
function install(later: (node: Node, reply: object) => object | Promise<object>) {
  return (node: Node) =>
    node.on(
      "echo",
      ({ body: { echo } }) => node.clock.now() < 3000 ? { echo } : later(node, { echo }),
    );
}

Deno.test("clients go on after the time limit, without faults, and are answered", async () => {
  const { results, history, plan } = await simulate(options);
  assertEquals([results.valid, results.findings], [true, []]);
  assertGreater(history.at(-1)?.time ?? 0, 12e9);
  assertEquals(results.faults.filter(({ toNs = Infinity }) => toNs > 3e9), []);
  const again = await simulate({ ...options, plan: plan() });
  assertEquals(again.history, history);
});

Deno.test("what is never answered in the end is a finding", async () => {
  const silent = install(() => new Promise(() => {}));
  const { results } = await simulate({ ...options, install: silent });
  assertEquals([results.valid, results.findings.map(({ anomaly }) => anomaly)], [
    false,
    ["unfinished"],
  ]);
  assertMatch(
    results.findings[0]?.what ?? "",
    /^\d+ operations of \d+, begun 5 s and more after the time limit, with no fault on, had no answer: echo of process \d+ on n\d$/,
  );
  const { results: unasked } = await simulate({ ...options, install: silent, heal: false });
  assertEquals(unasked.findings.map(({ anomaly }) => anomaly), []);
});

Deno.test("the request that a node waits for is named", async () => {
  const asks = (node: Node) => {
    node.on("echo", async ({ body: { echo } }) => {
      const peer = node.nodeIds.find((id) => id !== node.id) ?? "";
      if (node.clock.now() > 3000) await node.rpc(peer, { type: "copy" }, { timeoutMs: 60_000 });
      return { echo };
    });
    node.on("copy", () => new Promise(() => {}));
  };
  const { results } = await simulate({ ...options, install: asks });
  assertMatch(
    results.findings[0]?.what ?? "",
    /echo of process \d+ on (n\d), where \1 has no reply of n\d to its "copy" of \d+\.\d{3} s$/,
  );
});

Deno.test("a request is named if others pass it on, or an earlier operation sent it", async () => {
  const silent = (node: Node) => node.on("copy", () => new Promise(() => {}));
  const ask = (node: Node) => {
    const peer = node.nodeIds.find((id) => id !== node.id) ?? "";
    return node.rpc(peer, { type: "copy" });
  };
  const asksAlways = (node: Node) => {
    silent(node);
    node.on("echo", async ({ body: { echo } }) => {
      // Time-outs make the node suspect its peer, so that later requests are routed.
      for (;;) if (node.clock.now() < 3000 || await ask(node).catch(() => false)) return { echo };
    });
  };
  const asksOnce = (node: Node) => {
    silent(node);
    let held: Promise<unknown> | undefined;
    node.on("echo", async ({ body: { echo } }) => {
      if (node.clock.now() > 3000) await (held ??= ask(node).catch(() => new Promise(() => {})));
      return { echo };
    });
  };
  for (const install of [asksAlways, asksOnce]) {
    const { results } = await simulate({ ...options, nemesis: [], install });
    assertMatch(results.findings[0]?.what ?? "", /where (n\d) has no reply of n\d to its "copy"/);
  }
});

Deno.test("a node that refuses everything in the end is one, too, and one refusal is none", async () => {
  const refuse = () => {
    throw new RpcError(ErrorCode.temporarilyUnavailable, "Not now");
  };
  const ids = (isRefused: (node: Node) => boolean): SimulateOptions => ({
    ...options,
    workload: "unique-ids",
    install(node) {
      let count = 0;
      node.on("generate", () => isRefused(node) ? refuse() : { id: `${node.id} ${count++}` });
    },
  });
  const { results } = await simulate(ids((node) => node.id === "n1" && node.clock.now() > 3000));
  assertEquals(results.findings.map(({ anomaly }) => anomaly), ["unserved"]);
  assertMatch(results.findings[0]?.what ?? "", /^n1 refused all \d+ operations/);
  let asked = 0;
  const { results: others } = await simulate(ids(() => ++asked % 5 === 0));
  assertEquals(others.findings, []);
});
