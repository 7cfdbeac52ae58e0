/**
 * The `g-set` workload: a set that only grows.
 *
 * @module
 */

import type { Json, Node } from "@eddy/maelstrom";
import { NodeGossip } from "./gossip/host.ts";
import { ValueSet } from "./gossip/crdts.ts";
import { gSet } from "./schema.ts";

/** Settings of the `g-set` workload. */
export interface GSetOptions {
  /**
   * What an element may take to reach every node, in milliseconds; 0 sends at once, to everyone.
   *
   * @default 2400
   */
  maxLatencyMs?: number;
}

/** What an element may take to reach every node unless stated, in milliseconds. */
export const G_SET_MAX_LATENCY_MS = 2400;

/** Makes `node` serve the `g-set` workload. */
export function serveGSet(node: Node, options: GSetOptions = {}): void {
  const { maxLatencyMs = G_SET_MAX_LATENCY_MS } = options;
  const set = node.state.attach("g-set", new ValueSet());
  const gossip = new NodeGossip(node, set, { maxLatencyMs });
  node.on("add", ({ body }) => {
    if (set.add(gossip.core.stream, body.element)) gossip.appended();
    return {};
  }, { schema: gSet.add });
  node.on("read", () => ({ value: set.values as Json[] }), { schema: gSet.read });
}
