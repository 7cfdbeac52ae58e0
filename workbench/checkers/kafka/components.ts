/**
 * Strongly connected components, and short cycles within them.
 *
 * @module
 */

import { components as stronglyConnected, cycles } from "../elle/components.ts";
import { GraphBuilder, WR } from "../elle/graph.ts";

/** Each vertex's successors, both as numbers from 0. */
export type Graph = readonly (readonly number[])[];

/** The components of more than one vertex, the smallest first, each in ascending order. */
export function components(graph: Graph): number[][] {
  const edges = new GraphBuilder(graph.length);
  for (const [vertex, successors] of graph.entries()) {
    for (const successor of successors) edges.link(vertex, successor, WR);
  }
  return cycles(stronglyConnected(edges.build(), WR));
}

/**
 * A shortest cycle from a vertex back to itself.
 *
 * @param isInside which vertices it may pass through
 * @returns its vertices from `start` on, or undefined if there is none
 */
export function shortestCycle(
  graph: Graph,
  start: number,
  isInside: (vertex: number) => boolean,
): number[] | undefined {
  const from = new Map<number, number>();
  const queue = [start];
  for (const vertex of queue) {
    for (const successor of graph[vertex] ?? []) {
      if (successor === start) return pathTo(vertex, from);
      if (from.has(successor) || !isInside(successor)) continue;
      from.set(successor, vertex);
      queue.push(successor);
    }
  }
  return undefined;
}

function pathTo(end: number, from: ReadonlyMap<number, number>): number[] {
  const path: number[] = [];
  for (let vertex: number | undefined = end; vertex !== undefined; vertex = from.get(vertex)) {
    path.push(vertex);
  }
  return path.reverse();
}
