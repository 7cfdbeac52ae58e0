import { assert, assertEquals } from "@std/assert";
import {
  KeyValueMachine,
  ListMachine,
  RegisterMachine,
} from "@eddy/handlers/raft/state_machines.ts";
import { linKvSchema, txnListAppendSchema, txnRwRegisterSchema } from "@eddy/handlers";
import { isReadOnly } from "@eddy/handlers/txn.ts";
import type { Node } from "@eddy/maelstrom";
import { simulate, type SimulateOptions } from "@eddy/workbench";
import { SharedLog } from "./shared_log.ts";

/** The handlers of Eddy's node, on this log. */
const serve = {
  "lin-kv"(node: Node) {
    const machine = new KeyValueMachine();
    const log = new SharedLog(node, machine);
    node.on("read", ({ body }) => log.query(() => machine.read(body.key)), {
      schema: linKvSchema.read,
    });
    node.on("write", ({ body }) => log.execute(["write", body.key, body.value]), {
      schema: linKvSchema.write,
    });
    node.on("cas", ({ body }) => log.execute(["cas", body.key, body.from, body.to]), {
      schema: linKvSchema.cas,
    });
  },
  "txn-list-append"(node: Node) {
    const machine = new ListMachine();
    const log = new SharedLog(node, machine);
    node.on(
      "txn",
      ({ body: { txn } }) =>
        isReadOnly(txn) ? log.query(() => machine.read(txn)) : log.execute(txn),
      { schema: txnListAppendSchema.txn },
    );
  },
  "txn-rw-register"(node: Node) {
    const machine = new RegisterMachine();
    const log = new SharedLog(node, machine);
    node.on(
      "txn",
      ({ body: { txn } }) =>
        isReadOnly(txn) ? log.query(() => machine.read(txn)) : log.execute(txn),
      { schema: txnRwRegisterSchema.txn },
    );
  },
};

const usual = { nodeCount: 3, concurrency: "4n", rate: 100, timeLimitSeconds: 10 } as const;

async function run(workload: keyof typeof serve, options: Partial<SimulateOptions>) {
  const install = serve[workload];
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

Deno.test("no node is left out where setting the root takes long", async () => {
  const results = await run("txn-rw-register", { latency: { meanMs: 10 } });
  const fraction = Number(results.availability.okFraction);
  assert(fraction >= 0.99, `${fraction}`);
});
