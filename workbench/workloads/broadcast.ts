/**
 * The `broadcast` workload: does every message reach every node?
 *
 * @module
 */

import { broadcastSchema } from "@eddy/handlers";
import { checkSetFull } from "../checkers/set_full.ts";
import { addsAndReads, anyValue, isList, mappedErrors, type Workload } from "../generator.ts";
import type { RunOptions } from "../options.ts";

/** The `broadcast` workload. */
export const broadcast: Workload = {
  operations: { broadcast: anyValue, read: isList },
  errors: mappedErrors("read"),
  reusableClients: false,
  session: (call) => async ({ f, value }) => {
    if (f === "read") return (await call({ type: "read" }, broadcastSchema.read.reply)).messages;
    await call({ type: "broadcast", message: value }, broadcastSchema.broadcast.reply);
    return value;
  },
  async setup(call, { topology, nodeIds }) {
    const request = { type: "topology", topology: topologyOf(topology, nodeIds) };
    await call(request, broadcastSchema.topology.reply);
  },
  generator: (_options, random) =>
    addsAndReads("broadcast", { f: "read", value: null, final: true }, random),
  check: (history) => checkSetFull(history, "broadcast"),
};

/** Each node's neighbours. */
type Topology = Record<string, string[]>;

/**
 * The neighbours of every node in one of Maelstrom's topologies.
 *
 * - `line`: a chain in the order of nodes; a single node is left out altogether
 * - `grid`: rows of a square as small as holds all nodes, up to four neighbours each
 * - `tree` (the same as `tree2`), `tree3`, `tree4`: a heap with that many children to a parent;
 *   a node's parent comes before its children
 * - `total`: everyone is everyone's neighbour
 *
 * @example
 * ```ts
 * import { topologyOf } from "./broadcast.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(topologyOf("line", ["n0", "n1", "n2"]), {
 *   n0: ["n1"],
 *   n1: ["n0", "n2"],
 *   n2: ["n1"],
 * });
 * ```
 */
export function topologyOf(name: RunOptions["topology"], nodeIds: readonly string[]): Topology {
  switch (name) {
    case "line":
      return nodeIds.length < 2 ? {} : neighbours(nodeIds, (i) => [i - 1, i + 1]);
    case "grid":
      return grid(nodeIds);
    case "tree":
    case "tree2":
      return tree(nodeIds, 2);
    case "tree3":
      return tree(nodeIds, 3);
    case "tree4":
      return tree(nodeIds, 4);
    case "total":
      return neighbours(nodeIds, (i) => nodeIds.flatMap((_, j) => j === i ? [] : [j]));
  }
}

function grid(nodeIds: readonly string[]): Topology {
  const side = Math.ceil(Math.sqrt(nodeIds.length));
  return neighbours(nodeIds, (i) => {
    const column = i % side;
    const sideways = [...(column + 1 < side ? [i + 1] : []), ...(column > 0 ? [i - 1] : [])];
    return [i + side, i - side, ...sideways];
  });
}

function tree(nodeIds: readonly string[], branches: number): Topology {
  return neighbours(nodeIds, (i) => {
    const children = Array.from({ length: branches }, (_, child) => i * branches + child + 1);
    return i === 0 ? children : [Math.floor((i - 1) / branches), ...children];
  });
}

/** Names what is given by position, leaving out positions where there is no node. */
function neighbours(nodeIds: readonly string[], of: (i: number) => number[]): Topology {
  return Object.fromEntries(
    nodeIds.map((id, i) => [id, of(i).flatMap((j) => j < 0 ? [] : nodeIds[j] ?? [])]),
  );
}
