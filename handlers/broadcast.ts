/**
 * The `broadcast` workload: what one node is told, all come to know.
 *
 * @module
 */

import type { Json, Node } from "@eddy/maelstrom";
import { eccentricity, NodeGossip } from "./gossip/host.ts";
import { ValueSet } from "./gossip/crdts.ts";
import { broadcast } from "./schema.ts";

/** Settings of the `broadcast` workload. */
export interface BroadcastOptions {
  /**
   * What a value may take to reach every node, in milliseconds; 0 sends at once, to everyone.
   *
   * @default 550
   */
  maxLatencyMs?: number;
  /**
   * Whether to send along the edges of the topology given, or over an overlay of the node's own.
   *
   * @default "own"
   */
  topology?: "own" | "given";
}

/** What a value may take to reach every node unless stated, in milliseconds. */
export const BROADCAST_MAX_LATENCY_MS = 550;

/** Makes `node` serve the `broadcast` workload. */
export function serveBroadcast(node: Node, options: BroadcastOptions = {}): void {
  const { maxLatencyMs = BROADCAST_MAX_LATENCY_MS, topology = "own" } = options;
  const set = node.state.attach("broadcast", new ValueSet());
  const gossip = new NodeGossip(node, set, { maxLatencyMs });
  node.on("topology", ({ body }) => {
    const neighbours = body.topology[node.id];
    if (topology === "given" && neighbours !== undefined) {
      gossip.follow(neighbours, eccentricity(body.topology, node.id));
    }
    return {};
  }, { schema: broadcast.topology });
  node.on("broadcast", ({ body }) => {
    if (set.add(gossip.core.stream, body.message)) gossip.appended();
    return {};
  }, { schema: broadcast.broadcast });
  node.on("read", () => ({ messages: set.values as Json[] }), { schema: broadcast.read });
}
