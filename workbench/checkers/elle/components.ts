/**
 * Strongly connected components, by Tarjan's algorithm ("Depth-first search and linear graph
 * algorithms", 1972) without recursion: a history is as deep as it is long.
 *
 * @module
 */

import { at, type Graph, THROUGH } from "./graph.ts";

/** Which component each node belongs to. */
export interface Components {
  readonly count: number;
  readonly of: Int32Array;
  /** How many nodes each component has. */
  readonly sizes: Int32Array;
}

/**
 * Finds the strongly connected components of a graph, in linear time.
 *
 * @param kinds the kinds of edges to follow, besides those through waypoints.
 */
export function components(graph: Graph, kinds: number): Components {
  const { size, start, to, kind } = graph;
  const follow = kinds | THROUGH;
  const order = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const of = new Int32Array(size).fill(-1);
  const edge = start.slice();
  const open: number[] = [];
  const path: number[] = [];
  const sizes: number[] = [];
  let clock = 0;

  function enter(node: number): void {
    order[node] = low[node] = clock++;
    open.push(node);
    path.push(node);
  }

  function leave(node: number): void {
    path.pop();
    const parent = path[path.length - 1];
    if (parent !== undefined) low[parent] = Math.min(at(low, parent), at(low, node));
    if (at(low, node) !== at(order, node)) return;
    const label = sizes.length;
    let members = 0;
    for (let member = open.pop(); member !== undefined; member = open.pop()) {
      of[member] = label;
      members++;
      if (member === node) break;
    }
    sizes.push(members);
  }

  for (let root = 0; root < size; root++) {
    if (at(order, root) >= 0) continue;
    enter(root);
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      const e = at(edge, node);
      if (e === at(start, node + 1)) {
        leave(node);
        continue;
      }
      edge[node] = e + 1;
      if (!(at(kind, e) & follow)) continue;
      const next = at(to, e);
      if (at(order, next) < 0) enter(next);
      else if (at(of, next) < 0) low[node] = Math.min(at(low, node), at(order, next));
    }
  }
  return { count: sizes.length, of, sizes: Int32Array.from(sizes) };
}

/** The components of more than one node, each in ascending order, the smallest first. */
export function cycles(found: Components): number[][] {
  const groups = new Map<number, number[]>();
  found.of.forEach((label, node) => {
    if (at(found.sizes, label) < 2) return;
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [node]);
    else group.push(node);
  });
  return [...groups.values()].sort((a, b) => a.length - b.length);
}
