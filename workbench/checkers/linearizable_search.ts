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

/** What an operation requires that can happen at any value. */
export const ANY = -1;

/** A register's first value, `null`, among the numbers that stand for its values. */
export const INITIAL = 0;

/**
 * An operation on one register. Values are numbered: a read of 3 requires and leaves 3, a write of 3
 * requires nothing, a cas from 3 to 4 requires 3 and leaves 4.
 */
export interface RegisterCall {
  /** The number of its pair. */
  readonly pair: number;
  /** The value it takes place at, or {@linkcode ANY}. */
  readonly requires: number;
  readonly leaves: number;
  /** Its place in the history; it takes effect later. */
  readonly invokedAt: number;
  /** It takes effect before this place; {@linkcode NEVER} for one whose end is not known. */
  readonly completedAt: number;
}

/** Behind every place in a history. */
export const NEVER = 2 ** 31 - 1;

/** Operations on one register in the order of invocation, in columns. */
export class RegisterCalls {
  readonly pair: Int32Array;
  readonly requires: Int32Array;
  readonly leaves: Int32Array;
  readonly invokedAt: Int32Array;
  readonly completedAt: Int32Array;
  #length = 0;

  /** @param capacity how many there are at most */
  constructor(capacity: number) {
    const column = () => new Int32Array(capacity);
    [this.pair, this.requires, this.leaves] = [column(), column(), column()];
    [this.invokedAt, this.completedAt] = [column(), column()];
  }

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds one. */
  push(call: RegisterCall): void {
    const i = this.#length++;
    this.pair[i] = call.pair;
    this.requires[i] = call.requires;
    this.leaves[i] = call.leaves;
    this.invokedAt[i] = call.invokedAt;
    this.completedAt[i] = call.completedAt;
  }

  /** One of them, made anew each time. */
  at(i: number): RegisterCall {
    return {
      pair: this.pair[i] ?? 0,
      requires: this.requires[i] ?? ANY,
      leaves: this.leaves[i] ?? INITIAL,
      invokedAt: this.invokedAt[i] ?? NEVER,
      completedAt: this.completedAt[i] ?? NEVER,
    };
  }

  /** All of them, each made when it is its turn. */
  *[Symbol.iterator](): Generator<RegisterCall> {
    for (let i = 0; i < this.#length; i++) yield this.at(i);
  }
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

/** No operation: what the root of the search has placed. */
const NONE = -1;

/** Operations that were placed one after the other, each with what else could be placed there. */
class Frames {
  /** How many there are; the root is the first. */
  depth = 0;
  /** The operation whose placing led to each. */
  readonly placed: Int32Array;
  readonly stateBefore: Int32Array;
  readonly usedBefore: Int32Array;
  /** Whether the moves by way of unknown operations have been added to the rest. */
  readonly #isExplained: Uint8Array;
  /** Where its moves begin, and the next of them. */
  readonly #begin: Int32Array;
  readonly #next: Int32Array;
  /** The moves of all frames one after another: an operation, and what is used after it. */
  readonly #calls: number[] = [];
  readonly #used: Used[] = [];

  constructor(capacity: number) {
    const column = () => new Int32Array(capacity);
    [this.placed, this.stateBefore, this.usedBefore] = [column(), column(), column()];
    [this.#begin, this.#next] = [column(), column()];
    this.#isExplained = new Uint8Array(capacity);
  }

  /** The place behind the last move. */
  get end(): number {
    return this.#calls.length;
  }

  /** Adds a move for a frame to come, or to the last one. */
  addMove(call: number, used: Used): void {
    this.#calls.push(call);
    this.#used.push(used);
  }

  /** Takes moves back. */
  cut(end: number): void {
    this.#calls.length = this.#used.length = end;
  }

  /** Adds a frame, whose moves were added from some place on. */
  push(placed: number, stateBefore: number, used: Used, begin: number, isExplained: boolean): void {
    const i = this.depth++;
    this.placed[i] = placed;
    this.stateBefore[i] = stateBefore;
    this.usedBefore[i] = used;
    this.#begin[i] = this.#next[i] = begin;
    this.#isExplained[i] = Number(isExplained);
  }

  /** Takes the last frame away. */
  pop(): void {
    this.cut(this.#begin[--this.depth] ?? 0);
  }

  /** The next move of the last frame; -1 where it has none left. */
  nextMove(): number {
    const i = this.depth - 1;
    const move = this.#next[i] ?? 0;
    if (move >= this.end) return NONE;
    this.#next[i] = move + 1;
    return move;
  }

  /** Whether the last frame has not had its moves by way of unknown operations yet; it has then. */
  mustExplain(): boolean {
    const i = this.depth - 1;
    if (this.#isExplained[i] === 1) return false;
    this.#isExplained[i] = 1;
    this.cut(this.#begin[i] ?? 0);
    this.#next[i] = this.end;
    return true;
  }

  callOf(move: number): number {
    return this.#calls[move] ?? NONE;
  }

  usedAfter(move: number): Used {
    return this.#used[move] ?? NONE_USED;
  }
}

/**
 * Looks for an order of all the known operations and any of the unknown ones in which each finds what
 * it requires, and none comes before one that had completed when it was invoked.
 *
 * @param maxSteps how many placings to try before giving up, on the exact question and
 * then once more on a looser one, which can still show that there is no order.
 */
export function searchOrder(
  known: RegisterCalls,
  unknown: RegisterCalls,
  maxSteps: number,
): SearchOutcome {
  const needed = new Set(known.requires.subarray(0, known.length));
  const exact = new Search(known, new UnknownOperations(unknown, needed), maxSteps).run();
  if (exact.verdict !== "unknown") return exact;
  const looser = new UnknownOperations(unknown, needed, true);
  const loose = new Search(known, looser, maxSteps).run();
  const configurations = exact.configurations + loose.configurations;
  return { ...loose.verdict === false ? loose : exact, configurations };
}

/** Stands in place of what is used, where a configuration has several entries. */
const SEVERAL = -1;

class Search {
  readonly #calls: RegisterCalls;
  readonly #unknowns: UnknownOperations;
  readonly #events: LinkedEvents;
  readonly #maxSteps: number;
  /**
   * By the operation whose completion is next: the first configuration that was met there, and how
   * little of the unknown ones got there. Most have no other.
   */
  readonly #firstKey: Float64Array;
  readonly #firstUsed: Int32Array;
  /** The others. */
  readonly #seen = new Map<number, Map<number | string, Used[]>>();
  /** Where the furthest completion ever next was not reached from: value and what is used. */
  readonly #stuckPoints = new Map<string, [number, Used]>();
  #stuckAt: number | undefined;
  readonly #frames: Frames;
  /** The longest way to the furthest completion: operations, and what is used before each. */
  readonly #longest: Int32Array;
  readonly #longestUsed: Int32Array;
  #longestLength = 0;
  #usedAtEnd: Used = NONE_USED;
  /** How far the longest way is that of the frames. */
  #shared = 0;
  #state = INITIAL;
  #used: Used = NONE_USED;
  #steps = 0;
  #configurations = 0;

  constructor(calls: RegisterCalls, unknowns: UnknownOperations, maxSteps: number) {
    this.#calls = calls;
    this.#unknowns = unknowns;
    this.#events = new LinkedEvents(calls);
    this.#maxSteps = maxSteps;
    this.#firstKey = new Float64Array(calls.length + 1).fill(NaN);
    this.#firstUsed = new Int32Array(calls.length + 1);
    this.#frames = new Frames(calls.length + 2);
    this.#longest = new Int32Array(calls.length + 1);
    this.#longestUsed = new Int32Array(calls.length + 1);
  }

  run(): SearchOutcome {
    const frames = this.#frames;
    this.#enter(NONE, INITIAL, NONE_USED);
    while (frames.depth > 0) {
      const move = this.#nextMove();
      if (move === NONE) {
        const last = frames.depth - 1;
        frames.pop();
        this.#shared = Math.min(this.#shared, Math.max(0, frames.depth - 1));
        this.#undo(
          frames.placed[last] ?? NONE,
          frames.stateBefore[last] ?? INITIAL,
          frames.usedBefore[last] ?? NONE_USED,
        );
        continue;
      }
      if (this.#steps++ + this.#unknowns.work > this.#maxSteps) return this.#outcome("unknown");
      const [call, state, used] = [frames.callOf(move), this.#state, this.#used];
      this.#place(call, frames.usedAfter(move));
      if (this.#events.isEmpty) {
        this.#keepWay(call, used);
        return this.#outcome(true);
      }
      if (!this.#enter(call, state, used)) this.#undo(call, state, used);
    }
    if (this.#calls.length === 0) return this.#outcome(true);
    return this.#outcome(this.#unknowns.truncated ? "unknown" : false);
  }

  #outcome(verdict: Validity): SearchOutcome {
    const configurations = this.#configurations;
    const order = () => this.#order();
    const at = this.#stuckAt ?? NONE;
    if (verdict !== false || at === NONE) return { verdict, configurations, order };
    const call = this.#calls.at(at);
    const possible = new Set<number>();
    for (const [state, used] of this.#stuckPoints.values()) {
      for (const value of this.#unknowns.reachable(state, used, call.completedAt)) {
        possible.add(value);
      }
    }
    return { verdict, configurations, stuck: { call, possible: [...possible] }, order };
  }

  #place(call: number, used: Used): void {
    this.#events.take(call);
    this.#state = this.#calls.leaves[call] ?? this.#state;
    this.#used = used;
  }

  #undo(placed: number, stateBefore: number, usedBefore: Used): void {
    if (placed !== NONE) this.#events.putBack(placed);
    this.#state = stateBefore;
    this.#used = usedBefore;
  }

  /**
   * Opens the configuration just reached, unless one at least as good has been there before.
   *
   * @param placed the operation whose placing led here
   * @returns whether it was opened
   */
  #enter(placed: number, stateBefore: number, usedBefore: Used): boolean {
    const [events, frames, calls] = [this.#events, this.#frames, this.#calls];
    const begin = frames.end;
    let candidates = 0;
    let reader = NONE;
    for (let call = events.firstCandidate(); call !== NONE; call = events.candidateAfter(call)) {
      candidates++;
      const requires = calls.requires[call] ?? ANY;
      if (reader !== NONE || (requires !== ANY && requires !== this.#state)) continue;
      if (requires === calls.leaves[call]) reader = call;
      else frames.addMove(call, this.#used);
    }
    this.#steps += candidates >> 5;
    if (reader !== NONE) {
      frames.cut(begin);
      frames.addMove(reader, this.#used);
      frames.push(placed, stateBefore, usedBefore, begin, true);
      return true;
    }
    if (this.#isKnown()) {
      frames.cut(begin);
      return false;
    }
    this.#configurations += 1;
    this.#noteStuck(placed, usedBefore);
    frames.push(placed, stateBefore, usedBefore, begin, this.#unknowns.isEmpty);
    return true;
  }

  /** The next move of the last frame; -1 where it has none. */
  #nextMove(): number {
    const move = this.#frames.nextMove();
    if (move !== NONE || !this.#frames.mustExplain()) return move;
    this.#addExplainedMoves();
    return this.#frames.nextMove();
  }

  /** Adds the candidates that could come next after some of the unknown operations. */
  #addExplainedMoves(): void {
    const [events, calls] = [this.#events, this.#calls];
    const before = calls.completedAt[events.nextCompletion] ?? NEVER;
    for (let call = events.firstCandidate(); call !== NONE; call = events.candidateAfter(call)) {
      const requires = calls.requires[call] ?? ANY;
      if (requires === ANY || requires === this.#state) continue;
      for (const used of this.#unknowns.chains(this.#state, requires, this.#used, before)) {
        this.#frames.addMove(call, used);
      }
    }
  }

  /** Whether this configuration, or one that can do all that it can, was searched already. */
  #isKnown(): boolean {
    const next = this.#events.nextCompletion;
    const at = next === NONE ? this.#calls.length : next;
    const key = this.#events.placedKey(this.#state);
    const first = this.#firstKey[at] ?? NaN;
    if (Number.isNaN(first) && typeof key === "number") {
      this.#firstKey[at] = key;
      this.#firstUsed[at] = this.#used;
      return false;
    }
    const firstUsed = this.#firstUsed[at] ?? NONE_USED;
    const isFirst = first === key && firstUsed !== SEVERAL;
    const all = isFirst ? [firstUsed] : this.#seen.get(at)?.get(key) ?? [];
    if (all.some((used) => this.#unknowns.leavesNoLess(used, this.#used))) return true;
    const kept = all.filter((used) => !this.#unknowns.leavesNoLess(this.#used, used));
    if (isFirst && kept.length === 0) {
      this.#firstUsed[at] = this.#used;
      return false;
    }
    if (isFirst) this.#firstUsed[at] = SEVERAL;
    let seen = this.#seen.get(at);
    if (seen === undefined) this.#seen.set(at, seen = new Map());
    seen.set(key, [...kept, this.#used]);
    return false;
  }

  /** Remembers the furthest completion that was ever next, and what stood there before it. */
  #noteStuck(placed: number, usedBefore: Used): void {
    const at = this.#events.nextCompletion;
    if (at !== this.#stuckAt) {
      const { completedAt } = this.#calls;
      if ((completedAt[at] ?? NEVER) < (completedAt[this.#stuckAt ?? NONE] ?? NONE)) return;
      this.#stuckAt = at;
      this.#stuckPoints.clear();
      this.#keepWay(placed, usedBefore);
    } else if (this.#frames.depth > this.#longestLength) this.#keepWay(placed, usedBefore);
    if (this.#stuckPoints.size === MAX_STUCK_POINTS) return;
    this.#stuckPoints.set(`${this.#state} ${this.#used}`, [this.#state, this.#used]);
  }

  /**
   * Keeps the way here as the longest, of which what it shares with the one before is there already:
   * over a whole search that costs no more than the placings do.
   *
   * @param placed the operation placed last, which has no frame yet; the root has none
   */
  #keepWay(placed: number, usedBefore: Used): void {
    const frames = this.#frames;
    this.#longestLength = this.#shared;
    const push = (call: number, used: Used) => {
      if (call === NONE) return;
      this.#longest[this.#longestLength] = call;
      this.#longestUsed[this.#longestLength++] = used;
    };
    for (let i = this.#shared + 1; i < frames.depth; i++) {
      push(frames.placed[i] ?? NONE, frames.usedBefore[i] ?? NONE_USED);
    }
    push(placed, usedBefore);
    this.#usedAtEnd = this.#used;
    this.#shared = this.#longestLength;
  }

  #order(): RegisterCall[] {
    const order: RegisterCall[] = [];
    for (let i = 0; i < this.#longestLength; i++) {
      const call = this.#calls.at(this.#longest[i] ?? 0);
      const isLast = i === this.#longestLength - 1;
      const after = isLast ? this.#usedAtEnd : this.#longestUsed[i + 1] ?? NONE_USED;
      const before = this.#longestUsed[i] ?? NONE_USED;
      order.push(...this.#unknowns.chainOf(before, after, call.requires), call);
    }
    return order;
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

  constructor(calls: RegisterCalls) {
    const nodes = nodesOf(calls);
    this.#next = new Int32Array(nodes.length + 1);
    this.#previous = new Int32Array(nodes.length + 1);
    let last = HEAD;
    for (const node of nodes) {
      this.#next[last] = node;
      this.#previous[node] = last;
      last = node;
    }
    this.#previous[HEAD] = last;
    this.#bits = new Int32Array(calls.length);
    this.#placed = new Int32Array(Math.ceil(this.#assignBits(nodes) / 32));
  }

  /** Gives each operation the lowest bit that no operation open at its invocation has. */
  #assignBits(nodes: Int32Array): number {
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
    return node === HEAD ? NONE : (node - 1) >> 1;
  }

  /** The first operation that can come next: it was invoked before the first completion; -1: none. */
  firstCandidate(): number {
    return this.#candidateAt(this.#next[HEAD] ?? HEAD);
  }

  /** The candidate after one; -1 where there is none. */
  candidateAfter(call: number): number {
    return this.#candidateAt(this.#next[2 * call + 1] ?? HEAD);
  }

  #candidateAt(node: number): number {
    return isInvocation(node) ? (node - 1) >> 1 : NONE;
  }

  /** Takes an operation out. */
  take(call: number): void {
    this.#unlink(2 * call + 1);
    this.#unlink(2 * call + 2);
    this.#flip(call);
  }

  #unlink(node: number): void {
    const [before, after] = [this.#previous[node] ?? HEAD, this.#next[node] ?? HEAD];
    this.#next[before] = after;
    this.#previous[after] = before;
  }

  /** Puts an operation back; the last one taken goes first. */
  putBack(call: number): void {
    this.#link(2 * call + 2);
    this.#link(2 * call + 1);
    this.#flip(call);
  }

  #link(node: number): void {
    this.#next[this.#previous[node] ?? HEAD] = node;
    this.#previous[this.#next[node] ?? HEAD] = node;
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

/** The nodes of all events in the order of the history. */
function nodesOf({ length, invokedAt, completedAt }: RegisterCalls): Int32Array {
  // One number for a completion's place and its operation, so that no function compares them.
  const ends = new Float64Array(length);
  for (let call = 0; call < length; call++) ends[call] = (completedAt[call] ?? 0) * length + call;
  ends.sort();
  const nodes = new Int32Array(2 * length);
  let begun = 0;
  for (let ended = 0; ended < length; ended++) {
    const end = ends[ended] ?? 0;
    const call = end % length;
    const place = (end - call) / length;
    while (begun < length && (invokedAt[begun] ?? 0) < place) {
      nodes[begun + ended] = 2 * begun + 1;
      begun++;
    }
    nodes[begun + ended] = 2 * call + 2;
  }
  return nodes;
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
    operations: Iterable<RegisterCall>,
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
    return (this.#kinds[kind]?.operations[count]?.invokedAt ?? NEVER) < before;
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
