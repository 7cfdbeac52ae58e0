/**
 * Who could reach whom in a run, from the faults of its plan, and what its operations could expect.
 *
 * At each moment the running nodes and the links that no cut is on make a directed graph. Nodes that
 * reach each other, by way of others too, are a strongly connected component of it, and at most one
 * component is a majority of all nodes: only there an algorithm that needs majorities can go on.
 *
 * @module
 */

import { majority } from "@eddy/workbench/faults.ts";
import type { PlanFault } from "@eddy/workbench/nemesis.ts";

/** A time in which nothing about connectivity changes; it includes its beginning, not its end. */
export interface Segment {
  readonly fromMs: number;
  /** `Infinity` for the last one. */
  readonly toMs: number;
  /** The nodes that are neither killed nor paused. */
  readonly running: ReadonlySet<string>;
  /** The component that is a majority of all nodes; empty if there is none. */
  readonly majority: ReadonlySet<string>;
  /** Names that component: two are the same if they have the same nodes, none started again. */
  readonly majorityName: string;
}

/**
 * The segments of a run, from the beginning of its history on.
 *
 * Cuts of any kind, kills and pauses count; loss, duplication and slowness do not. A node that
 * several kills name counts as down until the last of them ends.
 */
export function segmentsOf(nodeIds: readonly string[], faults: readonly PlanFault[]): Segment[] {
  const counted = faults.filter(({ drops, kind }) => drops !== undefined || STOPS.has(kind));
  const times = counted.flatMap(({ fromMs, toMs = Infinity }) => [fromMs, toMs]);
  const starts = [...new Set([0, ...times])].filter(Number.isFinite).sort((a, b) => a - b);
  const segments: Segment[] = [];
  let previous: State | undefined;
  for (const [index, fromMs] of starts.entries()) {
    const state = stateAt(nodeIds, counted, fromMs);
    const toMs = starts[index + 1] ?? Infinity;
    const last = segments.at(-1);
    if (last !== undefined && state.name === previous?.name) {
      segments[segments.length - 1] = { ...last, toMs };
    } else segments.push({ fromMs, toMs, ...componentOf(nodeIds, state) });
    previous = state;
  }
  return segments;
}

const STOPS: ReadonlySet<string> = new Set(["kill", "pause"]);

/** What is so at a moment. */
interface State {
  readonly running: ReadonlySet<string>;
  /** How often each node has been killed so far. */
  readonly lives: ReadonlyMap<string, number>;
  /** Whether messages from one running node reach another. */
  readonly reaches: (src: string, dest: string) => boolean;
  /** Two states are the same if their names are. */
  readonly name: string;
}

function stateAt(nodeIds: readonly string[], faults: readonly PlanFault[], atMs: number): State {
  const down = new Set<string>();
  const lives = new Map(nodeIds.map((node) => [node, 0]));
  const cut = new Map(nodeIds.map((node) => [node, new Set<string>()]));
  for (const { kind, fromMs, toMs = Infinity, nodes = [], drops = {} } of faults) {
    if (fromMs > atMs) continue;
    if (kind === "kill") { for (const node of nodes) lives.set(node, (lives.get(node) ?? 0) + 1); }
    if (toMs <= atMs) continue;
    if (STOPS.has(kind)) { for (const node of nodes) down.add(node); }
    for (const [dest, srcs] of Object.entries(drops)) {
      for (const src of srcs) cut.get(dest)?.add(src);
    }
  }
  const running = new Set(nodeIds.filter((node) => !down.has(node)));
  const name = JSON.stringify(nodeIds.map((node) => {
    return [running.has(node), lives.get(node), [...cut.get(node) ?? []].sort()];
  }));
  return { running, lives, name, reaches: (src, dest) => !cut.get(dest)?.has(src) };
}

/** The component that is a majority, by the transitive closure of the links (Warshall). */
function componentOf(
  nodeIds: readonly string[],
  { running, lives, reaches }: State,
): Omit<Segment, "fromMs" | "toMs"> {
  const nodes = [...running];
  const closure = nodes.map((src) => nodes.map((dest) => src === dest || reaches(src, dest)));
  for (const via of nodes.keys()) {
    for (const row of closure) {
      if (!row[via]) continue;
      for (const dest of nodes.keys()) row[dest] ||= closure[via]?.[dest] === true;
    }
  }
  const enough = majority(nodeIds.length);
  const components = nodes.map((_, src) =>
    nodes.filter((_, dest) => closure[src]?.[dest] && closure[dest]?.[src])
  );
  const found = components.find(({ length }) => length >= enough) ?? [];
  const majorityName = JSON.stringify(found.map((node) => [node, lives.get(node)]));
  return { running, majority: new Set(found), majorityName };
}

/** A time, in ms of the history; both ends belong to it. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Where a node was for all of an interval: `inside` the same majority, `outside` of any although it
 * ran, or in neither state throughout, as before the history begins.
 *
 * A cut that ends at the beginning of the interval does not touch it, one that begins at its end does.
 */
export function placeOf(
  segments: readonly Segment[],
  node: string,
  { fromMs, toMs }: Interval,
): "inside" | "outside" | undefined {
  const touched = segments.filter((segment) => segment.fromMs <= toMs && segment.toMs > fromMs);
  const [first] = touched;
  if (first === undefined || fromMs < first.fromMs) return undefined;
  const isInside = touched.every((segment) =>
    segment.majority.has(node) && segment.majorityName === first.majorityName
  );
  if (isInside) return "inside";
  const isOutside = touched.every(({ running, majority }) =>
    running.has(node) && !majority.has(node)
  );
  return isOutside ? "outside" : undefined;
}
