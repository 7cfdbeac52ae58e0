/**
 * What the node binary serves: each workload's schema checks its messages and gives them their types,
 * each one's serve function registers its handlers on a node.
 *
 * @example A node of your own, with the messages of the `broadcast` workload
 * ```ts
 * import { type Json, Node } from "@eddy/maelstrom";
 * import { broadcastSchema } from "@eddy/handlers";
 *
 * const node = new Node();
 * const messages: Json[] = [];
 * node.on("broadcast", ({ body }) => {
 *   messages.push(body.message);
 *   return {};
 * }, { schema: broadcastSchema.broadcast });
 * node.on("read", () => ({ messages }), { schema: broadcastSchema.read });
 * ```
 *
 * @example A node with Eddy's handlers
 * ```ts
 * import { Node } from "@eddy/maelstrom";
 * import { serveBroadcast } from "@eddy/handlers";
 *
 * serveBroadcast(new Node(), { maxLatencyMs: 1500 });
 * ```
 *
 * @module
 */

export { type BroadcastOptions, broadcastSchema, serveBroadcast } from "./broadcast.ts";
export { counterSchema, serveGCounter, servePnCounter } from "./counter.ts";
export { echoSchema, serveEcho } from "./echo.ts";
export { gSetSchema, serveGSet } from "./g_set.ts";
export { kafkaSchema, serveKafka } from "./kafka.ts";
export { linKvSchema, serveLinKv } from "./lin_kv.ts";
export type { Integer, List } from "./schema.ts";
export {
  type AppendTxn,
  type MicroOp,
  type RegisterTxn,
  serveTxnListAppend,
  serveTxnRwRegister,
  txnListAppendSchema,
  type TxnRwRegisterOptions,
  txnRwRegisterSchema,
} from "./txn.ts";
export type { Timing } from "./raft/raft.ts";
export { serveUniqueIds, uniqueIdsSchema } from "./unique_ids.ts";
export {
  commonFlags,
  type ConsensusOptions,
  dataFlags,
  type LatencyOptions,
  type Workload,
} from "./workload.ts";
export type { NodeCommand, WorkloadName } from "./workloads.ts";
