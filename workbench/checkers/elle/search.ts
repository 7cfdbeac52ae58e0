/**
 * Search for a short cycle of a given shape in a strongly connected graph.
 *
 * Breadth first from each transaction over pairs of a node and what the way there has shown so
 * far, so that each start costs a few times the number of edges and no more. Steps are counted
 * rather than timed: the same history gives the same answer on every machine.
 *
 * @module
 */

import { at, components, type Graph, PROCESS, REALTIME, RW, THROUGH, WR, WW } from "../graph.ts";

/** What a cycle must look like. */
interface Shape {
  /** Kinds of edges it may have any number of. */
  readonly rels: number;
  /**
   * Its anti-dependencies: none, just one, several but no two in a row, or two in a row; `any`
   * where `rels` says.
   */
  readonly rw: "none" | "one" | "nonadjacent" | "adjacent" | "any";
  /** What its first edge is. */
  readonly first: number;
  /** A kind of edge that it must have besides, or 0. */
  readonly need: number;
}

/** How many steps a search may take; it counts down. */
interface Budget {
  steps: number;
}

/** A cycle, or that the budget ran out before one was found. */
interface SearchResult<T> {
  readonly cycle?: T;
  readonly exhausted: boolean;
}

/** Once there is a cycle, how many steps go into looking for a shorter one. */
const POLISH = 300_000;
/** How many walks from one start may turn out not to be what was looked for. */
const TRIES = 4;

// What a walk has shown so far, as bits.
const NEEDED = 1;
const AFTER_RW = 2;
const TWICE = 4;
const STATES = 8;

function begin(shape: Shape, kind: number): number {
  const needed = kind === shape.need || shape.need === 0 ? NEEDED : 0;
  return shape.rw === "none" || shape.rw === "any" ? needed : needed | AFTER_RW;
}

/** What a walk has shown after one more edge, or -1 if the edge does not fit. */
function advance(shape: Shape, state: number, kind: number): number {
  if (kind === RW && shape.rw !== "any") {
    if (shape.rw === "nonadjacent") return state & AFTER_RW ? -1 : state | AFTER_RW | TWICE;
    return shape.rw === "adjacent" ? (state & ~AFTER_RW) | TWICE : -1;
  }
  if (!(kind & shape.rels)) return -1;
  // Two in a row means the first two.
  if (shape.rw === "adjacent" && state & AFTER_RW) return -1;
  const free = shape.rw === "nonadjacent" ? state & ~AFTER_RW : state;
  return kind === shape.need ? free | NEEDED : free;
}

function complete(shape: Shape, state: number): boolean {
  if (!(state & NEEDED)) return false;
  if (shape.rw === "nonadjacent") return (state & TWICE) !== 0 && !(state & AFTER_RW);
  return shape.rw !== "adjacent" || (state & TWICE) !== 0;
}

/** The kinds of edges that a cycle of some shape can have. */
function kindsOf(shape: Shape): number {
  return shape.rels | shape.first | shape.need;
}

class Searcher<T> {
  readonly #graph: Graph;
  readonly #shape: Shape;
  readonly #budget: Budget;
  readonly #accept: (nodes: readonly number[]) => T | undefined;
  readonly #label: Int32Array;
  readonly #distance: Int32Array;
  readonly #parent: Int32Array;
  /** The start of the search in which an entry of the arrays above was last written. */
  readonly #stamp: Int32Array;
  /** Cycles must be shorter than this. */
  #limit = Infinity;
  #best: T | undefined;

  constructor(
    graph: Graph,
    shape: Shape,
    budget: Budget,
    accept: (nodes: readonly number[]) => T | undefined,
  ) {
    this.#graph = graph;
    this.#shape = shape;
    this.#budget = budget;
    this.#accept = accept;
    this.#label = components(graph, kindsOf(shape)).of;
    this.#distance = new Int32Array(graph.size * STATES);
    this.#parent = new Int32Array(graph.size * STATES);
    this.#stamp = new Int32Array(graph.size * STATES).fill(-1);
  }

  run(): SearchResult<T> {
    let stopAt = 0;
    for (let start = 0; start < this.#graph.txns && this.#limit > 2; start++) {
      const before = this.#best;
      this.#from(start, stopAt);
      if (before === undefined && this.#best !== undefined) {
        stopAt = Math.max(0, this.#budget.steps - POLISH);
      }
      if (this.#budget.steps <= stopAt) break;
    }
    const exhausted = this.#best === undefined && this.#budget.steps <= 0;
    return this.#best === undefined ? { exhausted } : { cycle: this.#best, exhausted };
  }

  /** Edges through waypoints cost nothing, so a level may grow while it is walked. */
  #from(start: number, stopAt: number): void {
    let level = this.#firstLevel(start);
    let tries = TRIES;
    for (let distance = 1; level.length > 0 && distance < this.#limit; distance++) {
      const next: number[] = [];
      for (const entry of level) {
        if (at(this.#distance, entry) !== distance) continue;
        const node = Math.floor(entry / STATES);
        for (let e = at(this.#graph.start, node); e < at(this.#graph.start, node + 1); e++) {
          if (--this.#budget.steps <= stopAt) return;
          const state = this.#step(start, entry % STATES, e);
          if (state < 0) continue;
          const far = distance + (at(this.#graph.kind, e) === THROUGH ? 0 : 1);
          const to = at(this.#graph.to, e);
          if (to !== start) {
            if (this.#reach(to * STATES + state, entry, far, start)) {
              (far === distance ? level : next).push(to * STATES + state);
            }
          } else if (complete(this.#shape, state) && far < this.#limit) {
            if (!this.#close(start, entry, far) && --tries === 0) return;
          }
        }
      }
      level = next;
    }
  }

  #firstLevel(start: number): number[] {
    const level: number[] = [];
    for (let e = at(this.#graph.start, start); e < at(this.#graph.start, start + 1); e++) {
      const kind = at(this.#graph.kind, e);
      const to = at(this.#graph.to, e);
      if (!(kind & this.#shape.first) || at(this.#label, to) !== at(this.#label, start)) continue;
      const entry = to * STATES + begin(this.#shape, kind);
      if (this.#reach(entry, -1, 1, start)) level.push(entry);
    }
    return level;
  }

  #step(start: number, state: number, e: number): number {
    if (at(this.#label, at(this.#graph.to, e)) !== at(this.#label, start)) return -1;
    const kind = at(this.#graph.kind, e);
    return kind === THROUGH ? state : advance(this.#shape, state, kind);
  }

  #reach(entry: number, parent: number, distance: number, start: number): boolean {
    if (at(this.#stamp, entry) === start && at(this.#distance, entry) <= distance) return false;
    this.#stamp[entry] = start;
    this.#distance[entry] = distance;
    this.#parent[entry] = parent;
    return true;
  }

  /** Takes the walk that ends at `entry` and closes at `start`, if it has a cycle that will do. */
  #close(start: number, entry: number, length: number): boolean {
    const walk: number[] = [];
    for (let each = entry; each >= 0; each = at(this.#parent, each)) {
      const node = Math.floor(each / STATES);
      if (node < this.#graph.txns) walk.push(node);
    }
    walk.push(start);
    for (const cycle of simple(walk.reverse())) {
      const accepted = this.#accept(cycle);
      if (accepted === undefined) continue;
      this.#best = accepted;
      this.#limit = Math.min(length, cycle.length);
      return true;
    }
    return false;
  }
}

/** Cuts a closed walk into cycles that meet no node twice. */
export function simple(walk: readonly number[]): number[][] {
  const found: number[][] = [];
  const path: number[] = [];
  const place = new Map<number, number>();
  for (const node of walk) {
    const i = place.get(node);
    if (i !== undefined) {
      const cycle = path.splice(i);
      cycle.forEach((each) => place.delete(each));
      found.push(cycle);
    }
    place.set(node, path.length);
    path.push(node);
  }
  found.push(path);
  return found.filter((cycle) => cycle.length > 1);
}

/**
 * Looks for a short cycle of some shape.
 *
 * @param graph where to look.
 * @param shape what to look for.
 * @param budget how long to look.
 * @param accept turns a cycle's transactions, the first not repeated at the end, into what is
 * returned; `undefined` if it is not what was looked for after all.
 */
export function findCycle<T>(
  graph: Graph,
  shape: Shape,
  budget: Budget,
  accept: (nodes: readonly number[]) => T | undefined,
): SearchResult<T> {
  return new Searcher(graph, shape, budget, accept).run();
}

const dependencies = WW | WR;

/** What each of the data-dependency cycles looks like. */
const bases: Readonly<Record<string, Shape>> = {
  "G0": { rels: WW, rw: "none", first: WW, need: 0 },
  "G1c": { rels: dependencies, rw: "none", first: WR, need: 0 },
  "G-single-item": { rels: dependencies, rw: "one", first: RW, need: 0 },
  "G-nonadjacent-item": { rels: dependencies, rw: "nonadjacent", first: RW, need: 0 },
  "G2-item": { rels: dependencies, rw: "adjacent", first: RW, need: 0 },
};

/** The shape of each anomaly that is a cycle. */
export const SHAPES: ReadonlyMap<string, Shape> = new Map(
  Object.entries(bases).flatMap(([name, shape]) => [
    [name, shape],
    [`${name}-process`, { ...shape, rels: shape.rels | PROCESS, need: PROCESS }],
    [`${name}-realtime`, { ...shape, rels: shape.rels | REALTIME, need: REALTIME }],
  ]),
);
