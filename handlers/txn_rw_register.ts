/**
 * The `txn-rw-register` workload: transactions on registers, strict or always available.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import { txnRwRegister } from "./messages.ts";
import { serveStore, type StoreOptions } from "./txn/store.ts";
import { AVAILABLE_MAX_LATENCY_MS, serveAvailableRegisters } from "./txn/available.ts";
import { RegisterMachine } from "./txn/register_machine.ts";
import { isReadOnly, type RegisterTxn, toCommand } from "./txn/operations.ts";

/** Settings of the `txn-rw-register` workload. */
export interface TxnRwRegisterOptions extends StoreOptions {
  /**
   * What transactions promise each other. Short of strict-serializable, every node answers by
   * itself whatever happens to the network, and `maxLatencyMs` (500 unless stated) is what a write
   * may take to reach the others; see {@linkcode serveAvailableRegisters}. Both weaker models are
   * served alike.
   *
   * @default "strict-serializable"
   */
  readonly consistency?: "strict-serializable" | "read-committed" | "read-uncommitted";
}

/**
 * Makes `node` serve the `txn-rw-register` workload.
 *
 * By default a transaction is one entry of a replicated log and is executed whole, in its order: it
 * never conflicts and never aborts. One that only reads needs no entry. The options' defaults and
 * errors are those of lin-kv.
 */
export function serveTxnRwRegister(node: Node, options: TxnRwRegisterOptions = {}): void {
  const { consistency = "strict-serializable", maxLatencyMs } = options;
  if (consistency !== "strict-serializable") {
    return serveAvailableRegisters(node, maxLatencyMs ?? AVAILABLE_MAX_LATENCY_MS);
  }
  const store = serveStore(node, new RegisterMachine(), options);
  node.on("txn", ({ body: { txn } }) => {
    const command = toCommand(txn);
    const done = isReadOnly(txn) ? store.query(command) : store.execute(command);
    return done as Promise<{ txn: RegisterTxn }>;
  }, { schema: txnRwRegister.txn });
}
