/**
 * The `txn-list-append` workload: strict-serializable transactions on consensus of our own.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import { txnListAppend } from "./messages.ts";
import { serveStore, type StoreOptions } from "./txn/store.ts";
import { ListMachine } from "./txn/list_machine.ts";
import { type AppendTxn, isReadOnly, toCommand } from "./txn/operations.ts";

/**
 * Makes `node` serve the `txn-list-append` workload.
 *
 * A transaction is one entry of a replicated log and is executed whole, in the log's order: it
 * never conflicts and never aborts. One that only reads needs no entry. The options' defaults and
 * errors are those of lin-kv.
 */
export function serveTxnListAppend(node: Node, options: StoreOptions = {}): void {
  const store = serveStore(node, new ListMachine(), options);
  node.on("txn", ({ body: { txn } }) => {
    const command = toCommand(txn);
    const done = isReadOnly(txn) ? store.query(command) : store.execute(command);
    return done as Promise<{ txn: AppendTxn }>;
  }, { schema: txnListAppend.txn });
}
