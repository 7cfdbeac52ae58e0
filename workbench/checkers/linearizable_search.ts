/**
 * The search for an order in which one register's operations can have taken effect.
 *
 * Wing and Gong's search (Testing and verifying concurrent objects, 1993) with Lowe's cache of
 * configurations (Testing for linearizability, 2017), over a linked list of events. Three things
 * keep it small:
 *
 * - A read of the value that stands there is placed at once: it changes nothing, so whatever
 *   works without it works after it.
 * - Operations that may never have happened are placed only where they explain something; see
 *   `UnknownOperations`. Of two ways to the same point, the one that used no more of them is
 *   as good as the other.
 * - The cache knows a configuration by the first completion still ahead, the operations already
 *   placed among those open there, and the value: what lies behind is the same for all.
 *
 * @module
 */

import type { Validity } from "../history.ts";
import type { PlacedPair } from "./checker.ts";

/** What an operation requires that can happen at any value. */
export const ANY = -1;

/** A register's first value, `null`, among the numbers that stand for its values. */
export const INITIAL = 0;

/**
 * An operation on one register. Values are numbered: a read of 3 requires and leaves 3, a write of 3
 * requires nothing, a cas from 3 to 4 requires 3 and leaves 4.
 */
export interface RegisterCall {
  readonly pair: PlacedPair;
  /** The value it takes place at, or {@linkcode ANY}. */
  readonly requires: number;
  readonly leaves: number;
  /** Its place in the history; it takes effect later. */
  readonly invokedAt: number;
  /** It takes effect before this place. */
  readonly completedAt: number;
}

/** How many dead ends are kept to find what the register can have held there. */
const MAX_STUCK_POINTS = 256;

/** What a search found. */
export interface SearchOutcome {
  /** Whether there is an order; `unknown` when the search was cut short. */
  readonly verdict: Validity;
  /** How many configurations it took. */
  readonly configurations: number;
  /** Without an order: the first operation whose completion no order can account for. */
  readonly stuck?: { readonly call: RegisterCall; readonly possible: readonly number[] };
  /**
   * The order; where there is none, or none was found, the longest of those up to the furthest
   * completion that was reached. Operations that may not have happened are in it where they explain
   * something, unless the looser question alone was decided.
   */
  readonly order: () => readonly RegisterCall[];
}

/** One operation placed, and what else could be placed there instead. */
interface Frame {
  /** The operation whose placing led here; none at the root. */
  readonly placed?: number;
  readonly stateBefore: number;
  readonly usedBefore: Used;
  /** Whether the moves by way of unknown operations have been added to the rest. */
  explained: boolean;
  /** Next moves: an operation and what of the unknown ones is used after it. */
  moves: readonly SearchMove[];
  next: number;
}

/** Operations as they were placed, and what of the unknown ones is used before each and in the end. */
interface Way {
  readonly calls: number[];
  readonly usedBefore: Used[];
  used: Used;
}

interface SearchMove {
  readonly call: number;
  readonly used: Used;
}

/**
 * Looks for an order of all the known operations and any of the unknown ones in which each finds what
 * it requires, and none comes before one that had completed when it was invoked.
 *
 * @param maxSteps how many placings to try before giving up, on the exact question and
 * then once more on a looser one, which can still show that there is no order.
 */
export function searchOrder(
  known: readonly RegisterCall[],
  unknown: readonly RegisterCall[],
  maxSteps: number,
): SearchOutcome {
  const needed = known.map(({ requires }) => requires);
  const exact = new Search(known, new UnknownOperations(unknown, needed), maxSteps).run();
  if (exact.verdict !== "unknown") return exact;
  const looser = new UnknownOperations(unknown, needed, true);
  const loose = new Search(known, looser, maxSteps).run();
  const configurations = exact.configurations + loose.configurations;
  return { ...loose.verdict === false ? loose : exact, configurations };
}

class Search {
  readonly #calls: readonly RegisterCall[];
  readonly #unknowns: UnknownOperations;
  readonly #events: LinkedEvents;
  readonly #maxSteps: number;
  /** By the operation whose completion is next: how little of the unknown ones got there. */
  readonly #seen: (Map<number | string, Used | Used[]> | undefined)[] = [];
  /** Where the furthest completion ever next was not reached from: value and what is used. */
  readonly #stuckPoints = new Map<string, [number, Used]>();
  #stuckAt: number | undefined;
  /** One operation placed after another, each with what else could be there; the root is first. */
  readonly #frames: Frame[] = [];
  /** The longest way to the furthest completion. */
  readonly #longest: Way = { calls: [], usedBefore: [], used: NONE_USED };
  /** How far the longest way is that of the frames. */
  #shared = 0;
  #state = INITIAL;
  #used: Used = NONE_USED;
  #steps = 0;
  #configurations = 0;

  constructor(calls: readonly RegisterCall[], unknowns: UnknownOperations, maxSteps: number) {
    this.#calls = calls;
    this.#unknowns = unknowns;
    this.#events = new LinkedEvents(calls);
    this.#maxSteps = maxSteps;
  }

  run(): SearchOutcome {
    const frames = this.#frames;
    const root = this.#enter();
    if (root !== undefined) frames.push(root);
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const move = this.#nextMove(frame);
      if (move === undefined) {
        frames.pop();
        this.#shared = Math.min(this.#shared, Math.max(0, frames.length - 1));
        this.#undo(frame);
        continue;
      }
      if (this.#steps++ + this.#unknowns.work > this.#maxSteps) return this.#outcome("unknown");
      const before = { placed: move.call, stateBefore: this.#state, usedBefore: this.#used };
      this.#place(move);
      if (this.#events.isEmpty) {
        this.#keepWay(before);
        return this.#outcome(true);
      }
      const entered = this.#enter(before);
      if (entered === undefined) this.#undo(before);
      else frames.push(entered);
    }
    if (this.#calls.length === 0) return this.#outcome(true);
    return this.#outcome(this.#unknowns.truncated ? "unknown" : false);
  }

  #outcome(verdict: Validity): SearchOutcome {
    const configurations = this.#configurations;
    const order = () => this.#orderOf(this.#longest);
    const call = this.#calls[this.#stuckAt ?? -1];
    if (verdict !== false || call === undefined) return { verdict, configurations, order };
    const possible = new Set<number>();
    for (const [state, used] of this.#stuckPoints.values()) {
      for (const value of this.#unknowns.reachable(state, used, call.completedAt)) {
        possible.add(value);
      }
    }
    return { verdict, configurations, stuck: { call, possible: [...possible] }, order };
  }

  #place({ call, used }: SearchMove): void {
    this.#events.take(call);
    this.#state = this.#calls[call]?.leaves ?? this.#state;
    this.#used = used;
  }

  #undo({ placed, stateBefore, usedBefore }: Pick<Frame, "placed" | "stateBefore" | "usedBefore">) {
    if (placed !== undefined) this.#events.putBack(placed);
    this.#state = stateBefore;
    this.#used = usedBefore;
  }

  /** Opens the configuration just reached, unless one at least as good has been there before. */
  #enter(
    before: Pick<Frame, "placed" | "stateBefore" | "usedBefore"> = {
      stateBefore: INITIAL,
      usedBefore: NONE_USED,
    },
  ): Frame | undefined {
    const candidates = this.#events.candidates();
    this.#steps += candidates.length >> 5;
    const used = this.#used;
    const moves: SearchMove[] = [];
    for (const call of candidates) {
      const { requires, leaves } = this.#calls[call] ?? { requires: ANY, leaves: ANY };
      if (requires !== ANY && requires !== this.#state) continue;
      if (requires === leaves) {
        return { ...before, explained: true, moves: [{ call, used }], next: 0 };
      }
      moves.push({ call, used });
    }
    if (this.#isKnown()) return undefined;
    this.#configurations += 1;
    this.#noteStuck(before);
    return { ...before, explained: this.#unknowns.isEmpty, moves, next: 0 };
  }

  #nextMove(frame: Frame): SearchMove | undefined {
    if (frame.next >= frame.moves.length && !frame.explained) {
      frame.moves = this.#explainedMoves();
      frame.next = 0;
      frame.explained = true;
    }
    return frame.moves[frame.next++];
  }

  /** The candidates that could come next after some of the unknown operations. */
  #explainedMoves(): SearchMove[] {
    const before = this.#calls[this.#events.nextCompletion]?.completedAt ?? Infinity;
    const moves: SearchMove[] = [];
    for (const call of this.#events.candidates()) {
      const requires = this.#calls[call]?.requires ?? ANY;
      if (requires === ANY || requires === this.#state) continue;
      for (const used of this.#unknowns.chains(this.#state, requires, this.#used, before)) {
        moves.push({ call, used });
      }
    }
    return moves;
  }

  /** Whether this configuration, or one that can do all that it can, was searched already. */
  #isKnown(): boolean {
    const seen = this.#seen[this.#events.nextCompletion] ??= new Map<number | string, Used>();
    const key = this.#events.placedKey(this.#state);
    const known = seen.get(key);
    if (known === undefined) {
      seen.set(key, this.#used);
      return false;
    }
    const all = typeof known === "number" ? [known] : known;
    if (all.some((used) => this.#unknowns.leavesNoLess(used, this.#used))) return true;
    const kept = all.filter((used) => !this.#unknowns.leavesNoLess(this.#used, used));
    seen.set(key, [...kept, this.#used]);
    return false;
  }

  /** Remembers the furthest completion that was ever next, and what stood there before it. */
  #noteStuck(last: Pick<Frame, "placed" | "usedBefore">): void {
    const at = this.#events.nextCompletion;
    if (at !== this.#stuckAt) {
      const before = this.#calls[at]?.completedAt ?? Infinity;
      if (before < (this.#calls[this.#stuckAt ?? -1]?.completedAt ?? -1)) return;
      this.#stuckAt = at;
      this.#stuckPoints.clear();
      this.#keepWay(last);
    } else if (this.#frames.length > this.#longest.calls.length) this.#keepWay(last);
    if (this.#stuckPoints.size === MAX_STUCK_POINTS) return;
    this.#stuckPoints.set(`${this.#state} ${this.#used}`, [this.#state, this.#used]);
  }

  /**
   * Keeps the way here as the longest, of which what it shares with the one before is there already:
   * over a whole search that costs no more than the placings do.
   *
   * @param last the operation placed last, which has no frame yet; the root has none
   */
  #keepWay({ placed, usedBefore }: Pick<Frame, "placed" | "usedBefore">): void {
    const { calls, usedBefore: used } = this.#longest;
    calls.length = used.length = this.#shared;
    const push = (call: number | undefined, before: Used) => {
      if (call === undefined) return;
      calls.push(call);
      used.push(before);
    };
    for (const frame of this.#frames.slice(this.#shared + 1)) push(frame.placed, frame.usedBefore);
    push(placed, usedBefore);
    this.#longest.used = this.#used;
    this.#shared = calls.length;
  }

  #orderOf({ calls, usedBefore, used }: Way): RegisterCall[] {
    return calls.flatMap((place, i) => {
      const call = this.#calls[place];
      if (call === undefined) return [];
      const after = usedBefore[i + 1] ?? used;
      const before = this.#unknowns.chainOf(usedBefore[i] ?? NONE_USED, after, call.requires);
      return [...before, call];
    });
  }
}

/** The list's two ends stand at this one node; operation `i` is at `2i + 1` and `2i + 2`. */
const HEAD = 0;

/** The events of the operations that are not placed yet. */
class LinkedEvents {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** The bit of an operation that is placed: no two operations open at once share one. */
  readonly #bits: Int32Array;
  readonly #placed: Int32Array;

  constructor(calls: readonly RegisterCall[]) {
    const nodes = calls.flatMap(({ invokedAt, completedAt }, call) => [
      { at: invokedAt, node: 2 * call + 1 },
      { at: completedAt, node: 2 * call + 2 },
    ]).sort((a, b) => a.at - b.at).map(({ node }) => node);
    this.#next = new Int32Array(nodes.length + 1);
    this.#previous = new Int32Array(nodes.length + 1);
    for (const [i, node] of nodes.entries()) {
      this.#next[nodes[i - 1] ?? HEAD] = node;
      this.#previous[node] = nodes[i - 1] ?? HEAD;
    }
    this.#previous[HEAD] = nodes.at(-1) ?? HEAD;
    this.#bits = new Int32Array(calls.length);
    this.#placed = new Int32Array(Math.ceil(this.#assignBits(nodes) / 32));
  }

  /** Gives each operation the lowest bit that no operation open at its invocation has. */
  #assignBits(nodes: readonly number[]): number {
    const free: number[] = [];
    let count = 0;
    for (const node of nodes) {
      const call = (node - 1) >> 1;
      if (isInvocation(node)) this.#bits[call] = free.pop() ?? count++;
      else free.push(this.#bits[call] ?? 0);
    }
    return count;
  }

  /** Whether every operation is placed. */
  get isEmpty(): boolean {
    return this.#next[HEAD] === HEAD;
  }

  /** The operation whose completion comes first in the list; -1 when the list is empty. */
  get nextCompletion(): number {
    let node = this.#next[HEAD] ?? HEAD;
    while (isInvocation(node)) node = this.#next[node] ?? HEAD;
    return node === HEAD ? -1 : (node - 1) >> 1;
  }

  /** The operations that can come next: those invoked before the first completion. */
  candidates(): number[] {
    const calls: number[] = [];
    let node = this.#next[HEAD] ?? HEAD;
    while (isInvocation(node)) {
      calls.push((node - 1) >> 1);
      node = this.#next[node] ?? HEAD;
    }
    return calls;
  }

  /** Takes an operation out. */
  take(call: number): void {
    for (const node of [2 * call + 1, 2 * call + 2]) {
      const [before, after] = [this.#previous[node] ?? HEAD, this.#next[node] ?? HEAD];
      this.#next[before] = after;
      this.#previous[after] = before;
    }
    this.#flip(call);
  }

  /** Puts an operation back; the last one taken goes first. */
  putBack(call: number): void {
    for (const node of [2 * call + 2, 2 * call + 1]) {
      this.#next[this.#previous[node] ?? HEAD] = node;
      this.#previous[this.#next[node] ?? HEAD] = node;
    }
    this.#flip(call);
  }

  /** A bit may pass on to a later operation: what completed before the next completion is all out. */
  #flip(call: number): void {
    const bit = this.#bits[call] ?? 0;
    this.#placed[bit >> 5] = (this.#placed[bit >> 5] ?? 0) ^ (1 << (bit & 31));
  }

  /** A key for which operations are placed and a value; unique for one next completion. */
  placedKey(value: number): number | string {
    if (this.#placed.length > 1 || value >= 2 ** 20) return `${this.#placed.join()} ${value}`;
    return ((this.#placed[0] ?? 0) >>> 0) * 2 ** 20 + value;
  }
}

function isInvocation(node: number): boolean {
  return (node & 1) === 1;
}

/** How many links of chains are followed for one question. */
const MAX_LINKS = 2000;

/** Unknown operations used so far: a number that stands for how many of each kind. */
type Used = number;

/** No unknown operation used. */
const NONE_USED: Used = 0;

/** Unknown operations that require and leave the same. */
interface Kind {
  readonly requires: number;
  readonly leaves: number;
  /** In the order of invocation: the first one invoked is the first one used. */
  readonly operations: RegisterCall[];
}

/** A chain's way back from the value it leads to. */
interface BackLink {
  readonly value: number;
  readonly used: Used;
  readonly next?: BackLink;
}

/** A store of unknown operations, and of what the search has used of it. */
class UnknownOperations {
  readonly #kinds: Kind[] = [];
  readonly #leaving = new Map<number, number[]>();
  readonly #counts: Int32Array[];
  readonly #numbers = new Map<string, Used>();
  readonly #inexhaustible: boolean;
  /** Links followed so far, and kinds compared or copied: what all this has cost. */
  work = 0;
  /** Whether an answer was cut short, so that a search that fails has not seen everything. */
  truncated = false;

  /**
   * @param needed the values that known operations require; what no chain to one of
   * these can use is dropped.
   * @param inexhaustible pretends that each operation can take effect again and again: what
   * cannot be explained even so cannot be explained at all.
   */
  constructor(
    operations: readonly RegisterCall[],
    needed: Iterable<number>,
    inexhaustible = false,
  ) {
    const kinds = new Map<string, Kind>();
    for (const operation of operations) {
      const { requires, leaves } = operation;
      const name = `${requires} ${leaves}`;
      const kind = kinds.get(name) ?? { requires, leaves, operations: [] };
      kind.operations.push(operation);
      kinds.set(name, kind);
    }
    this.#keepUseful([...kinds.values()], needed);
    this.#inexhaustible = inexhaustible;
    this.#counts = [new Int32Array(this.#kinds.length)];
    this.#numbers.set(this.#counts.join(), NONE_USED);
  }

  /** Walks back from what is needed, along the kinds that lead there. */
  #keepUseful(kinds: readonly Kind[], needed: Iterable<number>): void {
    const leaving = Map.groupBy(kinds, ({ leaves }) => leaves);
    const wanted = new Set(needed);
    for (const value of wanted) {
      for (const kind of leaving.get(value) ?? []) {
        const same = this.#leaving.get(value) ?? [];
        same.push(this.#kinds.length);
        this.#leaving.set(value, same);
        this.#kinds.push(kind);
        if (kind.requires !== ANY) wanted.add(kind.requires);
      }
    }
  }

  /** Whether any could ever be of use. */
  get isEmpty(): boolean {
    return this.#kinds.length === 0;
  }

  /**
   * Every way to get from one value to another by unknown operations alone, shortest first.
   *
   * @param before only what was invoked before this place can be used.
   * @returns what is used in all after each.
   */
  chains(from: number, to: number, used: Used, before: number): Used[] {
    const found = new Set<Used>();
    const links: BackLink[] = [{ value: to, used }];
    for (const link of links) {
      for (const kind of this.#leaving.get(link.value) ?? []) {
        if (!this.#isLeft(kind, link.used, before)) continue;
        const requires = this.#kinds[kind]?.requires ?? ANY;
        if (requires === ANY || requires === from) found.add(this.#use(kind, link.used));
        else if (!isOn(link, requires)) {
          links.push({ value: requires, used: this.#use(kind, link.used), next: link });
        }
      }
      if (links.length > MAX_LINKS) {
        this.truncated = true;
        break;
      }
      if (this.#inexhaustible && found.size > 0) break;
    }
    this.work += links.length;
    return [...found];
  }

  /**
   * The operations of a chain, in order.
   *
   * @param to the value that it leads to
   */
  chainOf(before: Used, after: Used, to: number): RegisterCall[] {
    if (before === after) return [];
    const [from = [], until = []] = [this.#counts[before], this.#counts[after]];
    const chain: RegisterCall[] = [];
    // No value comes twice in a chain, so what leads to each is one operation.
    for (let value = to; value !== ANY && chain.length < this.#kinds.length;) {
      const kind = this.#leaving.get(value)?.find((each) => (until[each] ?? 0) > (from[each] ?? 0));
      const operation = this.#kinds[kind ?? -1]?.operations[from[kind ?? -1] ?? 0];
      if (operation === undefined) break;
      chain.unshift(operation);
      value = operation.requires;
    }
    return chain;
  }

  /** Every value that unknown operations alone can lead to, the first one included. */
  reachable(from: number, used: Used, before: number): number[] {
    const values = new Set([from]);
    for (const { requires, leaves } of this.#leftKinds(used, before)) {
      if (requires === ANY) values.add(leaves);
    }
    for (const value of values) {
      for (const { requires, leaves } of this.#leftKinds(used, before)) {
        if (requires === value) values.add(leaves);
      }
    }
    return [...values];
  }

  *#leftKinds(used: Used, before: number): Generator<Kind> {
    for (const [number, kind] of this.#kinds.entries()) {
      if (this.#isLeft(number, used, before)) yield kind;
    }
  }

  /** Whether what is left after `a` includes what is left after `b`: no kind was used more often. */
  leavesNoLess(a: Used, b: Used): boolean {
    if (a === b || a === NONE_USED) return true;
    const [x, y] = [this.#counts[a], this.#counts[b]];
    if (x === undefined || y === undefined) return false;
    this.work += x.length >> 4;
    return x.every((count, kind) => count <= (y[kind] ?? 0));
  }

  #isLeft(kind: number, used: Used, before: number): boolean {
    const count = this.#counts[used]?.[kind] ?? 0;
    return (this.#kinds[kind]?.operations[count]?.invokedAt ?? Infinity) < before;
  }

  #use(kind: number, used: Used): Used {
    if (this.#inexhaustible) return NONE_USED;
    const counts = Int32Array.from(this.#counts[used] ?? []);
    this.work += counts.length >> 3;
    counts[kind] = (counts[kind] ?? 0) + 1;
    const name = counts.join();
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#counts.push(counts);
    this.#numbers.set(name, this.#counts.length - 1);
    return this.#counts.length - 1;
  }
}

function isOn(link: BackLink, value: number): boolean {
  for (let at: BackLink | undefined = link; at !== undefined; at = at.next) {
    if (at.value === value) return true;
  }
  return false;
}
