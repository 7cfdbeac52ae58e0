/**
 * The `unique-ids` workload: ids that a node makes without asking another.
 *
 * An id is the node's name, a tag drawn when the process started, and a count: unique across nodes
 * by the name, across restarts by the tag, within a process by the count. Nothing is stored.
 *
 * @module
 */

import type { Json, Node, RpcSchema } from "@eddy/maelstrom";
import { json, noKeys, reply } from "./schema.ts";
import { type Workload, workload } from "./workload.ts";

/** The messages of the `unique-ids` workload. */
export const uniqueIdsSchema: { generate: RpcSchema<object, { id: Json }> } = {
  generate: { request: noKeys, reply: reply("generate_ok", { id: json }) },
};

/** Makes `node` serve the `unique-ids` workload. */
export function serveUniqueIds(node: Node): void {
  // 52 bits: two of a thousand starts of one node share theirs with a chance of about 1e-10
  // (n^2 / 2^53).
  const tag = Math.floor(node.random.next() * 2 ** 52).toString(36);
  const state = node.state.attach("unique-ids", { tag, count: 0 });
  node.on("generate", () => ({ id: `${node.id}-${state.tag}-${(state.count++).toString(36)}` }), {
    schema: uniqueIdsSchema.generate,
  });
}

/** The `unique-ids` workload of the node binary. */
export const uniqueIds: Workload = /* @__PURE__ */ workload(
  "makes ids that no other node makes",
  {},
  serveUniqueIds,
);
