import { assert, assertEquals } from "@std/assert";
import { serveLinKv, serveTxnListAppend, serveTxnRwRegister } from "@eddy/handlers";
import type { Node } from "@eddy/maelstrom";
import { simulate, type SimulateOptions } from "@eddy/workbench";

const serve = {
  "lin-kv": serveLinKv,
  "txn-list-append": serveTxnListAppend,
  "txn-rw-register": serveTxnRwRegister,
};

interface Figures {
  readonly okFraction: number;
  readonly infoFraction: number;
  readonly perOperation: number;
  readonly messages: number;
  /** How long the slowest operation took that was served. */
  readonly slowestMs: number;
}

/** Runs a workload in the workbench, with reads of every group in lin-kv; it must be valid. */
async function run(
  workload: keyof typeof serve,
  options: Partial<SimulateOptions>,
  maxLatencyMs = 0,
): Promise<Figures> {
  const install = (node: Node) => serve[workload](node, { maxLatencyMs });
  const { results } = await simulate({
    workload,
    install,
    concurrency: "4n",
    everyGroupReads: true,
    ...options,
  });
  assertEquals(results.valid, true, JSON.stringify(results.findings));
  const { msgsPerOp: perOperation, sendCount: messages } = results.net.servers;
  const info = Number(results.stats.infoCount);
  const count = Number(results.stats.count);
  const okFraction = Number(results.availability.okFraction);
  const slowestMs = results.latencies.max ?? 0;
  return {
    okFraction,
    infoFraction: info / count,
    perOperation: perOperation ?? 0,
    messages,
    slowestMs,
  };
}

Deno.test("lin-kv takes few messages at any rate", async () => {
  const usual = { nodeCount: 3, rate: 30, timeLimitSeconds: 30, seed: 1 };
  const { perOperation } = await run("lin-kv", usual);
  assert(perOperation <= 3, `${perOperation} at rate 30`);
  const shared = await run("lin-kv", usual, 50);
  assert(shared.perOperation <= 2.2, `${shared.perOperation} at rate 30, waiting 50 ms`);
  const busy = { nodeCount: 3, rate: 1000, concurrency: "12n", timeLimitSeconds: 5 } as const;
  const { perOperation: underLoad } = await run("lin-kv", busy);
  assert(underLoad <= 0.8, `${underLoad} at rate 1000`);
});

Deno.test("where no message is lost none is asked for again", async () => {
  const usual = { timeLimitSeconds: 10, seed: 1 };
  for (
    const [workload, nodeCount, rate, meanMs, expected] of [
      ["lin-kv", 3, 30, 0, 750],
      ["lin-kv", 3, 3, 0, 425],
      ["lin-kv", 3, 30, 100, 596],
      ["lin-kv", 5, 100, 10, 5174],
      ["txn-list-append", 3, 30, 0, 719],
      ["txn-list-append", 5, 100, 10, 6371],
    ] as const
  ) {
    const options = { ...usual, nodeCount, rate, latency: { meanMs } };
    const { messages } = await run(workload, options);
    assertEquals(messages, expected, `${workload}, ${nodeCount} nodes, rate ${rate}, ${meanMs} ms`);
  }
});

Deno.test("transactions take few messages, and never conflict", async () => {
  for (const workload of ["txn-list-append", "txn-rw-register"] as const) {
    const usual = await run(workload, { nodeCount: 3, rate: 100, timeLimitSeconds: 10 });
    assertEquals(usual.okFraction, 1);
    assert(usual.perOperation <= 2.2, `${usual.perOperation}`);
  }
});

Deno.test("a minority says so at once, and little stays unknown", async () => {
  const options = { nodeCount: 3, rate: 30, timeLimitSeconds: 60, nemesisIntervalSeconds: 10 };
  for (const seed of [1, 2, 3]) {
    const { okFraction, infoFraction } = await run("lin-kv", {
      ...options,
      nemesis: ["partition"],
      seed,
    });
    assert(infoFraction <= 0.01, `${infoFraction} unknown with seed ${seed}`);
    assert(okFraction >= 0.3, `${okFraction} ok with seed ${seed}`);
  }
});

Deno.test("three nodes that hear each other one way round serve through the third", async () => {
  // With this seed Maelstrom's ring of cuts is there from the first second to the last.
  const options = { nodeCount: 3, rate: 100, timeLimitSeconds: 15, seed: 12 } as const;
  const { okFraction, slowestMs } = await run("txn-list-append", {
    ...options,
    nemesis: ["partition"],
  });
  assertEquals(okFraction, 1);
  assert(slowestMs < 500, `${slowestMs} ms`);
});

Deno.test("a slow network needs no option", async () => {
  const options = { nodeCount: 3, rate: 30, timeLimitSeconds: 20, latency: { meanMs: 100 } };
  const { okFraction } = await run("lin-kv", options);
  assert(okFraction > 0.6, `${okFraction}`);
});

Deno.test("nothing the nemesis knows makes consensus wrong", async () => {
  for (const workload of ["lin-kv", "txn-list-append", "txn-rw-register"] as const) {
    for (const nodeCount of [3, 5]) {
      await run(workload, {
        nodeCount,
        rate: 100,
        timeLimitSeconds: 15,
        nemesis: ["partition", "one-way", "loss", "duplicate", "slow", "pause"],
        nemesisIntervalSeconds: 3,
        seed: nodeCount,
      });
    }
  }
});
