/**
 * Routing around cuts in whole clusters: whose calls come through, and what that costs.
 */

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Node } from "@eddy/maelstrom";
import { type FaultVerbs, simulate, type SimulateOptions, WORKLOADS } from "@eddy/workbench";

/** A node as its author would write it: a value is acknowledged when every node has it. */
function askAll(node: Node): void {
  const values = new Set<number>();
  node.on("topology", () => ({}));
  node.on("keep", ({ body }) => {
    values.add(Number(body.message));
    return {};
  });
  node.on("broadcast", async ({ body }) => {
    const message = Number(body.message);
    values.add(message);
    await Promise.all(
      node.otherNodes.map((peer) =>
        node.retry(() => node.rpc(peer, { type: "keep", message }, { timeoutMs: 500 }))
      ),
    );
    return {};
  });
  node.on("read", () => ({ messages: [...values] }));
}

const SECONDS = 30;

/** Has a cluster serve for 30 s and counts the wrapped messages, and those of them that are relayed. */
async function run(options: SimulateOptions) {
  const counts = { routed: 0, relayed: 0 };
  const { results } = await simulate({
    timeLimitSeconds: SECONDS,
    rate: 10,
    latency: { meanMs: 20, distribution: "exponential" },
    seed: 1,
    onMessage({ type, message }) {
      if (type !== "send" || message.type !== "routed") return;
      const { src, dest, body } = message;
      counts.routed++;
      if (src !== body.src || dest !== body.dest) counts.relayed++;
    },
    ...options,
  });
  return { results, ...counts };
}

/** Whose messages each node loses where it hears only those that follow it: `count` of them. */
function ring(names: readonly string[], count: number): Record<string, string[]> {
  const far = (i: number, j: number) => (j - i + names.length) % names.length > count;
  return Object.fromEntries(names.map((dest, i) => [dest, names.filter((_, j) => far(i, j))]));
}

for (const [nodeCount, heardCount] of [[3, 1], [5, 2]] as const) {
  const names = Array.from({ length: nodeCount }, (_, i) => `n${i}`);
  Deno.test(`in a ring of ${nodeCount} that is cut one way all the time, every call of a node comes through`, async () => {
    const drops = ring(names, heardCount);
    const script = (faults: FaultVerbs) => void faults.drop(drops);
    const { results } = await run({ workload: "broadcast", nodeCount, install: askAll, script });
    const { valid, stats: { byF: { broadcast } }, latencies } = results;
    assertEquals([valid, broadcast?.okCount], [true, broadcast?.count]);
    assertGreater(broadcast?.count, 100);
    // The first calls wait for timeouts; the others take as long as the way through a third node.
    assertLess(latencies.p95, 250);
    assertLess(latencies.max, 2500);
  });
}

Deno.test("a node that is cut off from all others costs a bounded number of messages more", async () => {
  const nodeCount = 5;
  const script = (faults: FaultVerbs) => void faults.isolate("n0");
  const { relayed, routed } = await run({
    workload: "broadcast",
    nodeCount,
    install: askAll,
    script,
  });
  assertGreater(routed, relayed);
  // Of n0 and of the other four, each: seven tries of a third node, one more every two seconds until
  // the last calls give up, and six times all three of them. Each is sent and passed on.
  assertLess(relayed, 8 * 2 * (7 + (SECONDS + 10) / 2 + 6 * 3));
});

Deno.test("while every call is answered in time, no message is wrapped", async () => {
  for (const workload of WORKLOADS) {
    for (const latency of [{ meanMs: 0 }, { meanMs: 20 }, { meanMs: 100 }]) {
      const { routed } = await run({ workload, timeLimitSeconds: 10, latency });
      assertEquals(routed, 0, `${workload} at ${latency.meanMs} ms`);
    }
  }
  const { routed } = await run({ workload: "broadcast", nodeCount: 3, install: askAll });
  assertEquals(routed, 0);
});
