/**
 * Graphs of transactions or other operations, in flat arrays so that ten million are cheap.
 *
 * Beside the transactions a graph has waypoints: nodes that stand for no transaction and let
 * "each of these before each of those" take as many edges as there are ends, not their product.
 *
 * @module
 */

import { Integers } from "../number_lists.ts";

/** Why one transaction comes before another; each is a bit, so that a set of them is a number. */
export const WW = 1;
/** A reader comes after the writer of what it read. */
export const WR = 2;
/** A reader comes before the writer of what replaced what it read. */
export const RW = 4;
/** One process ran one transaction, then the other. */
export const PROCESS = 8;
/** One transaction completed before the other was invoked. */
export const REALTIME = 16;
/** The way on from a waypoint: the same reason as the edge that led to it. */
export const THROUGH = 32;

/** A graph to walk: node `u`'s edges are those from `start[u]` up to `start[u + 1]`. */
export interface Graph {
  /** How many nodes there are. */
  readonly size: number;
  /** The nodes below this one are transactions, the others waypoints. */
  readonly txns: number;
  readonly start: Int32Array;
  readonly to: Int32Array;
  readonly kind: Uint8Array;
}

/** Up to this many edges per end, a product is cheaper than waypoints. */
const DIRECT = 4;

/** Transactions by their numbers. */
type Ids = ArrayLike<number> & Iterable<number>;

/** Collects edges and turns them into a {@linkcode Graph}. */
export class GraphBuilder {
  #size: number;
  readonly #txns: number;
  #from = new Integers();
  #to = new Integers();
  /** The kinds of four edges in each. */
  #kinds = new Integers();
  #edges = 0;

  /**
   * @param txns how many transactions there are; they are the nodes from 0 on.
   * @param size how many nodes there are.
   */
  constructor(txns: number, size = txns) {
    this.#size = size;
    this.#txns = txns;
  }

  /** How many edges there are. */
  get edges(): number {
    return this.#edges;
  }

  /** Adds an edge; one from a node to itself is left out. */
  link(from: number, to: number, kind: number): void {
    if (from === to) return;
    this.#edges++;
    const place = this.#from.push(from);
    this.#to.push(to);
    const shift = 8 * (place % 4);
    if (shift === 0) this.#kinds.push(kind);
    else this.#kinds.set(place >> 2, this.#kinds.at(place >> 2) | kind << shift);
  }

  /** Adds a node that stands for no transaction. */
  waypoint(): number {
    return this.#size++;
  }

  /**
   * Adds an edge from each of some transactions to each of others, but none to itself.
   *
   * @param froms transactions, without repeats.
   * @param tos transactions, without repeats.
   */
  linkAll(froms: Ids, tos: Ids, kind: number): void {
    if (froms.length * tos.length <= DIRECT * (froms.length + tos.length)) {
      for (const from of froms) for (const to of tos) this.link(from, to, kind);
      return;
    }
    // One chain of waypoints leads to ever later transactions, the other to ever earlier ones, so
    // that a transaction on both sides reaches all others and not itself.
    const ends = [...tos].sort((a, b) => a - b);
    const up = ends.map(() => this.waypoint());
    const down = ends.map(() => this.waypoint());
    ends.forEach((end, i) => {
      this.#chain(up[i], end, up[i + 1]);
      this.#chain(down[i], end, down[i - 1]);
    });
    for (const from of froms) {
      const i = lowerBound(ends, from);
      const later = up[ends[i] === from ? i + 1 : i];
      const earlier = down[i - 1];
      if (later !== undefined) this.link(from, later, kind);
      if (earlier !== undefined) this.link(from, earlier, kind);
    }
  }

  #chain(at: number | undefined, end: number, next: number | undefined): void {
    if (at === undefined) return;
    this.link(at, end, THROUGH);
    if (next !== undefined) this.link(at, next, THROUGH);
  }

  /** The same as {@linkcode build}, for the last time: the edges are given up, which take memory. */
  take(): Graph {
    const graph = this.build();
    [this.#from, this.#to, this.#kinds] = [new Integers(), new Integers(), new Integers()];
    return graph;
  }

  /** The graph of all edges so far; the edges of a node keep their order. */
  build(): Graph {
    const start = new Int32Array(this.#size + 1);
    for (let i = 0; i < this.edges; i++) {
      const from = this.#from.at(i);
      start[from + 1] = at(start, from + 1) + 1;
    }
    for (let u = 0; u < this.#size; u++) start[u + 1] = at(start, u + 1) + at(start, u);
    const next = start.slice();
    const to = new Int32Array(this.edges);
    const kind = new Uint8Array(this.edges);
    for (let i = 0; i < this.edges; i++) {
      const from = this.#from.at(i);
      const slot = at(next, from);
      next[from] = slot + 1;
      to[slot] = this.#to.at(i);
      kind[slot] = this.#kinds.at(i >> 2) >> 8 * (i % 4);
    }
    return { size: this.#size, txns: this.#txns, start, to, kind };
  }
}

/** The first index whose element is not less than `value`. */
function lowerBound(ordered: readonly number[], value: number): number {
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ordered[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** An element of a flat array that is known to be there. */
export function at(array: Int32Array | Uint8Array, i: number): number {
  return array[i] as number;
}

/**
 * The part of a graph that lies within some of its nodes.
 *
 * @param nodes the nodes to keep, in ascending order; the part's node `i` is `nodes[i]`.
 */
export function subgraph(graph: Graph, nodes: readonly number[]): Graph {
  const places = new Map(nodes.map((node, i) => [node, i]));
  const txns = nodes.filter((node) => node < graph.txns).length;
  const builder = new GraphBuilder(txns, nodes.length);
  nodes.forEach((node, i) => {
    for (let e = at(graph.start, node); e < at(graph.start, node + 1); e++) {
      const place = places.get(at(graph.to, e));
      if (place !== undefined) builder.link(i, place, at(graph.kind, e));
    }
  });
  return builder.build();
}

/**
 * A graph whose cycles are those of `kinds` and `RW` with no two `RW` in a row.
 *
 * It has each node twice: the way to `u + size` ends with an anti-dependency, and none leaves it;
 * the way to `u` ends with any other edge.
 */
export function nonadjacent(graph: Graph, kinds: number): Graph {
  const { size, start } = graph;
  const builder = new GraphBuilder(2 * size);
  for (let u = 0; u < size; u++) {
    for (let e = at(start, u); e < at(start, u + 1); e++) {
      const kind = at(graph.kind, e);
      const v = at(graph.to, e);
      if (kind === RW) builder.link(u, v + size, THROUGH);
      else if (kind === THROUGH || kind & kinds) {
        builder.link(u, v, THROUGH);
        builder.link(u + size, kind === THROUGH ? v + size : v, THROUGH);
      }
    }
  }
  return builder.build();
}

/** Which component each node belongs to. */
interface Components {
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

/**
 * The components of more than one node, the smallest first; the nodes of each in ascending order.
 *
 * @param kinds the kinds of edges to follow, besides those through waypoints.
 */
export function cyclicComponents(graph: Graph, kinds: number): number[][] {
  const { of, sizes } = components(graph, kinds);
  const groups = new Map<number, number[]>();
  of.forEach((label, node) => {
    if (at(sizes, label) < 2) return;
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [node]);
    else group.push(node);
  });
  return [...groups.values()].sort((a, b) => a.length - b.length);
}

/**
 * A shortest cycle from a node back to itself.
 *
 * @param graph a graph without waypoints.
 * @param kinds the kinds of edges to follow.
 * @param isInside which nodes it may pass through.
 * @returns its nodes from `start` on, or undefined if there is none.
 */
export function shortestCycle(
  graph: Graph,
  kinds: number,
  start: number,
  isInside: (node: number) => boolean,
): number[] | undefined {
  const from = new Map<number, number>();
  const queue = [start];
  for (const node of queue) {
    for (let e = at(graph.start, node); e < at(graph.start, node + 1); e++) {
      const next = at(graph.to, e);
      if (!(at(graph.kind, e) & kinds)) continue;
      if (next === start) return pathTo(node, from);
      if (from.has(next) || !isInside(next)) continue;
      from.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
}

function pathTo(end: number, from: ReadonlyMap<number, number>): number[] {
  const path: number[] = [];
  for (let node: number | undefined = end; node !== undefined; node = from.get(node)) {
    path.push(node);
  }
  return path.reverse();
}
