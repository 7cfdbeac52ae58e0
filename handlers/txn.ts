/**
 * The `txn-list-append` workload: strict-serializable transactions on consensus of our own.
 *
 * @module
 */

import type { Json, Node } from "@eddy/maelstrom";
import { NodeGossip } from "./gossip/host.ts";
import { type MicroOp, txnListAppend, txnRwRegister } from "./schema.ts";
import { ListMachine, RegisterMachine } from "./raft/state_machines.ts";
import { RegisterStore } from "./gossip/crdts.ts";
import { serveStore, type StoreOptions } from "./raft/host.ts";

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

/** A transaction of reads and appends. */
export type AppendTxn = MicroOp<"append">[];

/** A transaction of reads and writes. */
export type RegisterTxn = MicroOp<"w">[];

/** Whether a transaction changes nothing. */
export function isReadOnly(txn: readonly MicroOp<string>[]): boolean {
  return txn.every(([f]) => f === "r");
}

/** A transaction as a command for a log, where it is one value among others. */
export function toCommand(txn: AppendTxn | RegisterTxn): Json {
  return txn as Json[];
}

/** What a write may take to reach every node unless stated, in milliseconds. */
export const AVAILABLE_MAX_LATENCY_MS = 500;

/**
 * Makes `node` execute transactions on registers by itself, and tell the others afterwards.
 *
 * A transaction reads one state of this node and adds its writes to it, with nothing in between.
 * Others take its writes all at once; of two writes of a key the one with the higher Lamport stamp
 * stays. That is read committed and monotonic atomic view (Bailis et al., "Highly available
 * transactions", 2013), and for a client that stays with its node also read your writes and
 * monotonic reads. It rules out dirty writes (G0), aborted and intermediate reads (G1a, G1b),
 * circular information flow (G1c), and transactions that are seen in part. What remains, as it must
 * where every node answers for itself: lost updates, write skew and other anti-dependency cycles
 * (G-single, G2), reads of old values, and different nodes seeing independent writes in different
 * orders.
 *
 * @param maxLatencyMs what a write may take to reach every node; 0 sends at once, to everyone
 */
export function serveAvailableRegisters(node: Node, maxLatencyMs: number): void {
  const store = node.state.attach("registers", new RegisterStore());
  const gossip = new NodeGossip(node, store, { maxLatencyMs });
  // A process that lost its memory begins its clock again: it must not pass for its former self.
  node.onInit(() => {
    const place = node.nodeIds.indexOf(node.id);
    store.begin(gossip.core.stream, place * 2 ** 40 + Math.floor(node.random.next() * 2 ** 40));
  });
  node.on("txn", ({ body }) => {
    const { done, wrote } = store.execute(body.txn);
    if (wrote) gossip.appended();
    return { txn: done };
  }, { schema: txnRwRegister.txn });
}
