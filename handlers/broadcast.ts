/**
 * The `broadcast` workload: a value sent to one node reaches every node.
 *
 * @module
 */

import * as v from "valibot";
import type { Json, Node, RpcSchema } from "@eddy/maelstrom";
import { oneOf } from "@eddy/maelstrom/flags";
import { NodeGossip } from "./gossip/host.ts";
import { ValueSet } from "./gossip/crdts.ts";
import { anyList, dictionary, json, type List, noKeys, reply } from "./schema.ts";
import { type LatencyOptions, maxLatencyFlag, type Workload, workload } from "./workload.ts";

/** The messages of the `broadcast` workload. */
export const broadcastSchema: {
  topology: RpcSchema<{ topology: Record<string, string[]> }, object>;
  broadcast: RpcSchema<{ message: Json }, object>;
  read: RpcSchema<object, { messages: List<Json> }>;
} = {
  topology: {
    request: v.object({ topology: dictionary(v.array(v.string())) }),
    reply: reply("topology_ok", {}),
  },
  broadcast: { request: v.object({ message: json }), reply: reply("broadcast_ok", {}) },
  read: { request: noKeys, reply: reply("read_ok", { messages: anyList }) },
};

/** Options of {@linkcode serveBroadcast}. */
export interface BroadcastOptions extends LatencyOptions {
  /**
   * Whether to send along the edges of the topology given, or over an overlay of the node's own.
   *
   * @default "own"
   */
  readonly topology?: "own" | "given" | undefined;
}

const DEFAULT_MAX_LATENCY_MS = 580;

/** Makes `node` serve the `broadcast` workload. */
export function serveBroadcast(node: Node, options: BroadcastOptions = {}): void {
  const { maxLatencyMs = DEFAULT_MAX_LATENCY_MS, topology = "own" } = options;
  const set = node.state.attach("broadcast", new ValueSet());
  const gossip = new NodeGossip(node, set, { maxLatencyMs });
  node.on("topology", ({ body }) => {
    if (topology === "given" && Object.hasOwn(body.topology, node.id)) {
      gossip.follow(body.topology[node.id] ?? [], eccentricity(body.topology, node.id));
    }
    return {};
  }, { schema: broadcastSchema.topology });
  node.on("broadcast", ({ body }) => {
    if (set.add(gossip.core.stream, body.message)) gossip.appended();
    return {};
  }, { schema: broadcastSchema.broadcast });
  node.on("read", () => ({ messages: set.values as Json[] }), { schema: broadcastSchema.read });
}

const broadcastFlags = {
  "max-latency": { ...maxLatencyFlag, default: DEFAULT_MAX_LATENCY_MS },
  topology: {
    help: "own: an overlay of the node's own; given: along the edges that Maelstrom suggests",
    value: "NAME",
    ...oneOf(["own", "given"]),
    default: "own" as const,
  },
};

/** The `broadcast` workload of the node binary. */
export const broadcast: Workload = /* @__PURE__ */ workload(
  "values sent to one node that reach every node",
  broadcastFlags,
  (node, { "max-latency": maxLatencyMs, topology }) =>
    serveBroadcast(node, { maxLatencyMs, topology }),
);

/**
 * How many links there are from `start` to the farthest node that can be reached.
 *
 * @param topology the neighbours of each node
 */
export function eccentricity(
  topology: Readonly<Record<string, readonly string[]>>,
  start: string,
): number {
  const neighbours = new Map(Object.entries(topology)); // A name may be that of an object's own key.
  const seen = new Set([start]);
  let frontier = [start];
  let steps = 0;
  while (true) {
    const next: string[] = [];
    for (const node of frontier) {
      for (const neighbour of neighbours.get(node) ?? []) {
        if (seen.has(neighbour)) continue;
        seen.add(neighbour);
        next.push(neighbour);
      }
    }
    if (next.length === 0) return steps;
    frontier = next;
    steps++;
  }
}
