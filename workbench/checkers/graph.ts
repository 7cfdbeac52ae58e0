/**
 * Graphs of transactions, kept in flat arrays so that fifty thousand of them are cheap.
 *
 * Beside the transactions a graph has waypoints: nodes that stand for no transaction and let
 * "each of these before each of those" take as many edges as there are ends, not their product.
 *
 * @module
 */

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

/** What a single edge may be. */
export type Kind =
  | typeof WW
  | typeof WR
  | typeof RW
  | typeof PROCESS
  | typeof REALTIME
  | typeof THROUGH;

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

/** Collects edges and turns them into a {@linkcode Graph}. */
export class GraphBuilder {
  #size: number;
  readonly #txns: number;
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #kind: Kind[] = [];

  /** @param txns how many transactions there are; they are the nodes from 0 on. */
  constructor(txns: number) {
    this.#size = txns;
    this.#txns = txns;
  }

  /** How many edges there are. */
  get edges(): number {
    return this.#from.length;
  }

  /** Adds an edge; one from a node to itself is left out. */
  link(from: number, to: number, kind: Kind): void {
    if (from === to) return;
    this.#from.push(from);
    this.#to.push(to);
    this.#kind.push(kind);
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
  linkAll(froms: readonly number[], tos: readonly number[], kind: Kind): void {
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

  /** The graph of all edges so far. */
  build(): Graph {
    return pack(this.#size, this.#txns, this.#from, this.#to, this.#kind);
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

/** Sorts edges by the node they leave. */
export function pack(
  size: number,
  txns: number,
  from: readonly number[],
  tos: readonly number[],
  kinds: readonly number[],
): Graph {
  const start = new Int32Array(size + 1);
  for (const u of from) start[u + 1] = at(start, u + 1) + 1;
  for (let u = 0; u < size; u++) start[u + 1] = at(start, u + 1) + at(start, u);
  const next = start.slice();
  const to = new Int32Array(from.length);
  const kind = new Uint8Array(from.length);
  from.forEach((u, i) => {
    const slot = at(next, u);
    next[u] = slot + 1;
    to[slot] = tos[i] ?? 0;
    kind[slot] = kinds[i] ?? 0;
  });
  return { size, txns, start, to, kind };
}

/** An element of a flat array that is known to be there. */
export function at(array: Int32Array | Uint8Array, i: number): number {
  return array[i] as number;
}

/**
 * The part of a graph that lies within some of its nodes.
 *
 * @param nodes the nodes to keep, in ascending order; the part's node `i` is `nodes[i]`.
 * @param scratch as long as the graph is large, all -1; it is left so.
 */
export function part(graph: Graph, nodes: readonly number[], scratch: Int32Array): Graph {
  nodes.forEach((node, i) => scratch[node] = i);
  const from: number[] = [];
  const to: number[] = [];
  const kind: number[] = [];
  let txns = 0;
  nodes.forEach((node, i) => {
    if (node < graph.txns) txns++;
    for (let e = at(graph.start, node); e < at(graph.start, node + 1); e++) {
      const target = at(scratch, at(graph.to, e));
      if (target < 0) continue;
      from.push(i);
      to.push(target);
      kind.push(at(graph.kind, e));
    }
  });
  nodes.forEach((node) => scratch[node] = -1);
  return pack(nodes.length, txns, from, to, kind);
}

/**
 * Twice the graph: node `u` is reached by anything but an anti-dependency, node `u + size` by
 * one, and it offers no other. A cycle in it is one of `kinds` and `RW` with no two `RW` in a row.
 */
export function apart(graph: Graph, kinds: number): Graph {
  const { size, start } = graph;
  const from: number[] = [];
  const to: number[] = [];
  for (let u = 0; u < size; u++) {
    for (let e = at(start, u); e < at(start, u + 1); e++) {
      const kind = at(graph.kind, e);
      const v = at(graph.to, e);
      if (kind === THROUGH) {
        from.push(u, u + size);
        to.push(v, v + size);
      } else if (kind === RW) {
        from.push(u);
        to.push(v + size);
      } else if (kind & kinds) {
        from.push(u, u + size);
        to.push(v, v);
      }
    }
  }
  return pack(size * 2, size * 2, from, to, from.map(() => THROUGH));
}

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

/** Each vertex's successors, both as numbers from 0. */
export type Successors = readonly (readonly number[])[];

/** The components of more than one vertex, the smallest first, each in ascending order. */
export function cyclicComponents(graph: Successors): number[][] {
  const edges = new GraphBuilder(graph.length);
  for (const [vertex, successors] of graph.entries()) {
    for (const successor of successors) edges.link(vertex, successor, WR);
  }
  return cycles(components(edges.build(), WR));
}

/**
 * A shortest cycle from a vertex back to itself.
 *
 * @param isInside which vertices it may pass through
 * @returns its vertices from `start` on, or undefined if there is none
 */
export function shortestCycle(
  graph: Successors,
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
