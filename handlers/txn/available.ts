/**
 * Transactions on registers that need nobody else: totally available, and weakly consistent.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import { NodeGossip } from "../gossip/node_gossip.ts";
import { txnRwRegister } from "../messages.ts";
import { RegisterStore } from "./register_store.ts";

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
