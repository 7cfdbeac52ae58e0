/**
 * The `txn-rw-register` workload: strict-serializable transactions on consensus of our own.
 *
 * @module
 */

import type { Node } from "../node/node.ts";
import { txnRwRegister } from "./messages.ts";
import { type ConsensusOptions, serveReplicated } from "./raft/serve.ts";
import { RegisterMachine } from "./txn/register_machine.ts";
import { isReadOnly, type RegisterTxn, toCommand } from "./txn/operations.ts";

/**
 * Makes `node` serve the `txn-rw-register` workload.
 *
 * A transaction is one entry of a replicated log and is executed whole, in the log's order: it
 * never conflicts and never aborts. One that only reads needs no entry. The options' defaults and
 * errors are those of lin-kv.
 */
export function serveTxnRwRegister(node: Node, options: ConsensusOptions = {}): void {
  const store = serveReplicated(node, new RegisterMachine(), options);
  node.on("txn", ({ body: { txn } }) => {
    const command = toCommand(txn);
    const done = isReadOnly(txn) ? store.query(command) : store.execute(command);
    return done as Promise<{ txn: RegisterTxn }>;
  }, { schema: txnRwRegister.txn });
}
