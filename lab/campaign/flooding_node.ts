/**
 * The node of Maelstrom's chapter on broadcast performance: it forwards each new value to all
 * neighbours but the sender, once, with no acknowledgement and no retry.
 *
 * @module
 */

import { broadcastSchema } from "@eddy/handlers";
import { canonical, type Json, type Node } from "@eddy/maelstrom";

/** Makes `node` serve the `broadcast` workload by flooding. */
export function serveFlooding(node: Node): void {
  const values = new Map<string, Json>();
  let neighbours: readonly string[] = [];
  node.on("topology", ({ body }) => {
    neighbours = body.topology[node.id] ?? [];
    return {};
  }, { schema: broadcastSchema.topology });
  node.on("broadcast", ({ src, body: { message } }) => {
    const key = canonical(message);
    if (!values.has(key)) {
      values.set(key, message);
      for (const neighbour of neighbours) {
        if (neighbour !== src) node.send(neighbour, { type: "broadcast", message });
      }
    }
    return {};
  }, { schema: broadcastSchema.broadcast });
  node.on("read", () => ({ messages: [...values.values()] }), { schema: broadcastSchema.read });
}
