/**
 * The `g-set` workload: a set that only grows.
 *
 * @module
 */

import * as v from "valibot";
import type { Json, Node, RpcSchema } from "@eddy/maelstrom";
import { NodeGossip } from "./gossip/host.ts";
import { ValueSet } from "./gossip/crdts.ts";
import { anyList, json, type List, noKeys, reply } from "./schema.ts";
import { type LatencyOptions, maxLatencyFlag, type Workload, workload } from "./workload.ts";

/** The messages of the `g-set` workload. */
export const gSetSchema: {
  add: RpcSchema<{ element: Json }, object>;
  read: RpcSchema<object, { value: List<Json> }>;
} = {
  add: { request: v.object({ element: json }), reply: reply("add_ok", {}) },
  read: { request: noKeys, reply: reply("read_ok", { value: anyList }) },
};

const DEFAULT_MAX_LATENCY_MS = 2400;

/** Makes `node` serve the `g-set` workload. */
export function serveGSet(node: Node, options: LatencyOptions = {}): void {
  const { maxLatencyMs = DEFAULT_MAX_LATENCY_MS } = options;
  const set = node.state.attach("g-set", new ValueSet());
  const gossip = new NodeGossip(node, set, { maxLatencyMs });
  node.on("add", ({ body }) => {
    if (set.add(gossip.core.stream, body.element)) gossip.appended();
    return {};
  }, { schema: gSetSchema.add });
  node.on("read", () => ({ value: set.values as Json[] }), { schema: gSetSchema.read });
}

const gSetFlags = { "max-latency": { ...maxLatencyFlag, default: DEFAULT_MAX_LATENCY_MS } };

/** The `g-set` workload of the node binary. */
export const gSet: Workload = /* @__PURE__ */ workload(
  "a set that only grows",
  gSetFlags,
  (node, flags) => serveGSet(node, { maxLatencyMs: flags["max-latency"] }),
);
