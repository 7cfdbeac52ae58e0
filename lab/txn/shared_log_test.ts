import { assert, assertEquals } from "@std/assert";
import { serveLinKv } from "@eddy/handlers/lin_kv.ts";
import { serveTxnListAppend, serveTxnRwRegister } from "@eddy/handlers/txn.ts";
import type { Node } from "@eddy/maelstrom";
import { simulate, type SimulateOptions } from "@eddy/workbench";

const serve = {
  "lin-kv": serveLinKv,
  "txn-list-append": serveTxnListAppend,
  "txn-rw-register": serveTxnRwRegister,
};

const usual = { nodeCount: 3, concurrency: "4n", rate: 100, timeLimitSeconds: 10 } as const;

async function run(workload: keyof typeof serve, options: Partial<SimulateOptions>) {
  const install = (node: Node) => serve[workload](node, { store: "lin-kv" });
  const { results } = await simulate({ workload, install, ...usual, ...options });
  assertEquals(results.valid, true, JSON.stringify(results.findings));
  return results;
}

for (const workload of ["lin-kv", "txn-list-append", "txn-rw-register"] as const) {
  Deno.test(`${workload} on the lin-kv service does not mind partitions`, async () => {
    const results = await run(workload, { nemesis: ["partition"], nemesisIntervalSeconds: 2 });
    assertEquals(results.stats.infoCount, 0);
    if (workload !== "lin-kv") assertEquals(results.availability.okFraction, 1);
  });
}

Deno.test("a log in the service stays right when messages are lost, late or double", async () => {
  for (const seed of [1, 2, 3]) {
    await run("txn-list-append", { nemesis: ["loss", "slow", "duplicate"], seed });
  }
});

Deno.test("nobody is left out where setting the root takes long", async () => {
  const results = await run("txn-rw-register", { latency: { meanMs: 10 } });
  const fraction = Number(results.availability.okFraction);
  assert(fraction >= 0.99, `${fraction}`);
});
