/**
 * Whether what was added stays readable: the checker of broadcast and g-set.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { type CheckResult, type Finding, type History, MAX_FINDINGS, type Op } from "../history.ts";
import type { OpReader } from "../op_reader.ts";
import {
  endsOf,
  jsonOrder,
  keyOf,
  Pairs,
  type PlacedPair,
  plural,
  quantile,
  resultOf,
  seconds,
  show,
  Warnings,
  who,
  whoAndWhen,
} from "./checker.ts";

/** The verdict on a set; latencies are whole milliseconds. */
export interface SetFullResult extends CheckResult {
  /** How many elements were to be added. */
  readonly attemptCount: number;
  /** How many the last reads held. */
  readonly stableCount: number;
  /** How many were known and then missing. */
  readonly lostCount: number;
  /** Those elements. */
  readonly lost: readonly Json[];
  /** How many are neither stable nor lost. */
  readonly neverReadCount: number;
  /** Those elements. */
  readonly neverRead: readonly Json[];
  /** How many are stale. */
  readonly staleCount: number;
  /** Elements that a read missed after they were known, and that are stable now. */
  readonly stale: readonly Json[];
  /** Those that took longest, longest first. */
  readonly worstStale: readonly StaleElement[];
  /** How long until elements were stable; absent when none is. */
  readonly stableLatencies?: LatencyQuantiles | undefined;
  /** How long until elements were lost; absent when none is. */
  readonly lostLatencies?: LatencyQuantiles | undefined;
  /** How many elements stood more than once in one read. */
  readonly duplicatedCount: number;
  /** How often an element stood in one read at most, by its text. */
  readonly duplicated: Readonly<Record<string, number>>;
}

/** Milliseconds by share of the elements: `0.5` is the median, `1` the greatest. */
export type LatencyQuantiles = Readonly<Record<"0" | "0.5" | "0.95" | "0.99" | "1", number>>;

/** An element that became stable late. */
export interface StaleElement {
  /** The element. */
  readonly element: Json;
  /** What became of it. */
  readonly outcome: "stable" | "lost" | "never-read";
  /** How long until it was stable. */
  readonly stableLatency: number | null;
  /** How long until it was lost. */
  readonly lostLatency: number | null;
  /** The operation by which it was known. */
  readonly known: Op | null;
  /** The invocation of the last read that missed it. */
  readonly lastAbsent: Op | null;
}

/** How many elements `duplicated` lists. */
const MAX_DUPLICATED = 48;

/** How many elements `worstStale` lists. */
const MAX_STALE = 8;

/** No pair, no position. */
const NONE = -1;

/**
 * Checks that every element known to have been added is in the reads that begin later.
 *
 * An element is lost when the last read invoked after it was known missed it: `false`. With none
 * lost and none stable either nothing was tested: `unknown`. Elements that show up late are stale,
 * and no failure. An element twice in one read, and one that was never added, are warned of; Maelstrom
 * passes both over.
 *
 * @param addF the operation that adds an element
 */
export function checkSetFull(history: History, addF: "broadcast" | "add"): SetFullResult {
  const warnings = new Warnings();
  const pairs = new Pairs(history, warnings);
  const set = new SetHistory(pairs, addF, warnings);
  const duplicated = set.follow(warnings);
  warnOfMissing(set, quietFrom(pairs.ops, addF), warnings);
  const outcomes = new Outcomes(set);
  const figures = figuresOf(set, outcomes, duplicated);
  if (figures.lostCount > 0) {
    const first = outcomes.of("lost").subarray(0, MAX_FINDINGS);
    const findings = Array.from(first, (one) => lostFinding(set, one));
    return resultOf(false, figures, findings, warnings);
  }
  if (figures.stableCount > 0) return resultOf(true, figures, [], warnings);
  return resultOf("unknown", figures, [nothingStable(set, outcomes)], warnings);
}

/** How long an element took until it was stable or, where it is lost, until it was lost. */
export interface ElementLatency {
  readonly element: Json;
  readonly outcome: "stable" | "lost";
  /** Whole milliseconds. */
  readonly latencyMs: number;
  /** The operation by which it was known. */
  readonly known: Op;
}

/** The latencies of each element that is stable or lost, in the order in which they were known. */
export function elementLatencies(
  history: History,
  addF: "broadcast" | "add",
): ElementLatency[] {
  const set = new SetHistory(new Pairs(history), addF, new Warnings());
  set.follow(new Warnings());
  const latencies: ElementLatency[] = [];
  for (let one = 0; one < set.size; one++) {
    const { outcome, latencyMs } = outcomeOf(set, one);
    const pair = set.known[one] ?? NONE;
    const known = pair === NONE ? undefined : set.pairs.at(pair).completion;
    if (known === undefined || outcome === "never-read") continue;
    latencies.push({ element: set.elementOf(one), outcome, latencyMs, known });
  }
  return latencies.sort((a, b) => a.known.time - b.known.time);
}

/** Numbers for elements; those that are small integers, as most are, need no `Map`. */
class ElementNumbers {
  /** For each integer the number after its own; 0 where it has none. */
  readonly #small: Int32Array;
  readonly #others = new Map<number | string, number>();

  /** @param count how many elements there are at most */
  constructor(count: number) {
    this.#small = new Int32Array(4 * count + 1024);
  }

  get(element: Json): number {
    const key = typeof element === "number" ? element : keyOf(element);
    const small = typeof key === "number" ? this.#small[key] ?? 0 : 0;
    return small > 0 ? small - 1 : this.#others.get(key) ?? NONE;
  }

  set(element: Json, number: number): void {
    const key = keyOf(element);
    if (typeof key === "number" && this.#small[key] !== undefined) this.#small[key] = number + 1;
    else this.#others.set(key, number);
  }
}

/**
 * What a history says of each element, which go by their numbers, in the order of their last adds:
 * adding again starts over, as in Maelstrom. A pair goes by its number, too.
 */
class SetHistory {
  readonly pairs: Pairs;
  /** How many elements there are. */
  readonly size: number;
  /** The last add of each element. */
  readonly adds: Int32Array;
  /** The add, or a read that contains it, whichever came back first. */
  readonly known: Int32Array;
  /** Of the reads that contain it, the one invoked last. */
  readonly lastPresent: Int32Array;
  /** Of the reads that do not, the one invoked last. */
  readonly lastAbsent: Int32Array;
  /** The acknowledged reads of lists, in the order of invocation. */
  readonly reads: readonly number[];
  readonly #numbers: ElementNumbers;
  /** Of the reads looked at so far the latest that contains it, and how often that one does. */
  readonly #holders: Int32Array;
  readonly #timesHeld: Int32Array;

  constructor(pairs: Pairs, addF: string, warnings: Warnings) {
    this.pairs = pairs;
    const all = addsOf(pairs, addF);
    this.#numbers = new ElementNumbers(all.length);
    this.adds = lastAdds(pairs, all, this.#numbers);
    this.size = this.adds.length;
    for (let one = 0; one < this.size; one++) this.#numbers.set(this.elementOf(one), one);
    const columns = () => new Int32Array(this.size).fill(NONE);
    [this.known, this.lastPresent, this.lastAbsent] = [columns(), columns(), columns()];
    [this.#holders, this.#timesHeld] = [columns(), new Int32Array(this.size)];
    for (const add of all) {
      if (pairs.endOf(add) !== "ok") continue;
      const one = this.#numbers.get(pairs.valueOf(add));
      if (pairs.completion(add) > this.addedAt(one)) this.#learn(one, add);
    }
    this.reads = readsOf(pairs, warnings);
  }

  /** The element of a number. */
  elementOf(one: number): Json {
    return this.pairs.valueOf(this.adds[one] ?? NONE);
  }

  /** Where the last add of an element was invoked. */
  addedAt(one: number): number {
    return this.pairs.invokedAt[this.adds[one] ?? NONE] ?? NONE;
  }

  /** What a read returned: fetched each time, for all at once may take much memory. */
  listOf(read: number): readonly Json[] {
    const value = this.pairs.resultOf(read);
    return Array.isArray(value) ? value : [];
  }

  /** The number of an element; -1 for what was never added. */
  numberOf(element: Json): number {
    return this.#numbers.get(element);
  }

  /**
   * Notes for each element which reads held it and which did not, from the last read to the first.
   *
   * A read costs no more than what it holds: the first read met that misses an element is the last
   * that did, so each element is missed once.
   *
   * @returns for each element that stood twice in one read, how often at most.
   */
  follow(warnings: Warnings): Map<number, number> {
    const duplicated = new Map<number, number>();
    const neverMissed = new ElementList(this.size);
    for (const read of this.reads.toReversed()) {
      for (const one of this.#holdAll(read, warnings)) {
        const times = this.#timesHeld[one] ?? 0;
        duplicated.set(one, Math.max(times, duplicated.get(one) ?? 0));
        warnings.add(
          "Element more than once in one read",
          () =>
            `${show(this.elementOf(one))} stands ${times} times in the read by ${this.by(read)}`,
        );
      }
      const completedAt = this.pairs.completion(read);
      neverMissed.removeWhile((one) => {
        // The elements stand in the order of their adds: the others were added after the read.
        if (this.addedAt(one) > completedAt) return undefined;
        if (this.#holders[one] === read) return false;
        this.lastAbsent[one] = read;
        return true;
      });
    }
    return duplicated;
  }

  /** Notes what a read holds, and returns what it holds more than once. */
  #holdAll(read: number, warnings: Warnings): number[] {
    const repeated: number[] = [];
    const completedAt = this.pairs.completion(read);
    const list = this.listOf(read);
    for (let i = 0; i < list.length; i++) {
      const one = this.#numbers.get(list[i] ?? null);
      if (one === NONE || this.addedAt(one) > completedAt) {
        warnings.add(
          "Element read that was never added",
          () => `${show(list[i])}, by ${this.by(read)}`,
        );
      } else if (this.#holders[one] !== read) {
        this.#holders[one] = read;
        this.#timesHeld[one] = 1;
        if (this.lastPresent[one] === NONE) this.lastPresent[one] = read;
        this.#learn(one, read);
      } else {
        const times = (this.#timesHeld[one] ?? 0) + 1;
        this.#timesHeld[one] = times;
        if (times === 2) repeated.push(one);
      }
    }
    return repeated;
  }

  #learn(one: number, pair: number): void {
    const known = this.known[one] ?? NONE;
    if (known === NONE || this.pairs.completion(pair) < this.pairs.completion(known)) {
      this.known[one] = pair;
    }
  }

  /** Who completed a pair, and when. */
  by(pair: number): string {
    return whoAndWhen(this.pairs.ops.opAt(this.pairs.completion(pair)));
  }
}

/** The pairs that add an element. */
function addsOf(pairs: Pairs, addF: string): Int32Array {
  const adds = new Int32Array(pairs.length);
  let count = 0;
  for (let pair = 0; pair < pairs.length; pair++) {
    if (pairs.fOf(pair) === addF) adds[count++] = pair;
  }
  return adds.subarray(0, count);
}

/** The last add of each element, in order. */
function lastAdds(pairs: Pairs, adds: Int32Array, numbers: ElementNumbers): Int32Array {
  const last = new Int32Array(adds.length);
  let count = 0;
  for (const add of adds) {
    const element = pairs.valueOf(add);
    const known = numbers.get(element);
    if (known === NONE) numbers.set(element, count);
    last[known === NONE ? count++ : known] = add;
  }
  return last.subarray(0, count).sort();
}

/** The reads in the order of invocation. */
function readsOf(pairs: Pairs, warnings: Warnings): number[] {
  const reads: number[] = [];
  for (let pair = 0; pair < pairs.length; pair++) {
    if (pairs.fOf(pair) !== "read" || pairs.endOf(pair) !== "ok") continue;
    const value = pairs.resultOf(pair);
    if (value === null || Array.isArray(value)) reads.push(pair);
    else {
      warnings.add("Read that returned no list", () => {
        return `${show(value)}, by ${whoAndWhen(pairs.ops.opAt(pairs.completion(pair)))}`;
      });
    }
  }
  return reads;
}

/** The numbers from 0 up to some size, of which any can be taken out. */
class ElementList {
  /** The number after each; the last entry stands before the first number. */
  readonly #next: Int32Array;

  constructor(readonly size: number) {
    this.#next = Int32Array.from({ length: size + 1 }, (_, i) => i === size ? 0 : i + 1);
  }

  /** Goes through the numbers in order and takes out which is to be, until that is not known. */
  removeWhile(decide: (one: number) => boolean | undefined): void {
    let before = this.size;
    for (let one = this.#next[before] ?? this.size; one < this.size;) {
      const next = this.#next[one] ?? this.size;
      const isRemoved = decide(one);
      if (isRemoved === undefined) return;
      if (isRemoved) this.#next[before] = next;
      else before = one;
      one = next;
    }
  }
}

/** How long a run leaves its nodes for recovery before the last reads. */
const RECOVERY_NS = 10e9;

/** From when on every element should be everywhere: a while after the last add and the last fault. */
function quietFrom(ops: OpReader, addF: string): number {
  let last = ops.length - 1;
  while (last >= 0 && ops.processAt(last) !== "nemesis" && ops.fAt(last) !== addF) last--;
  return (last < 0 ? 0 : ops.timeAt(last)) + RECOVERY_NS;
}

/**
 * Warns of acknowledged elements that some of the last reads missed.
 *
 * Maelstrom goes by the one read that was invoked last, and so overlooks what others missed.
 */
function warnOfMissing(set: SetHistory, fromNs: number, warnings: Warnings): void {
  const { pairs } = set;
  const isLate = (pair: number) => pairs.ops.timeAt(pairs.invokedAt[pair] ?? 0) >= fromNs;
  const unmissed = new ElementList(set.size);
  unmissed.removeWhile((one) => pairs.endOf(set.adds[one] ?? NONE) !== "ok");
  const holders = new Int32Array(set.size).fill(NONE);
  for (const read of set.reads) {
    if (!isLate(read)) continue;
    for (const element of set.listOf(read)) {
      const one = set.numberOf(element);
      if (one !== NONE) holders[one] = read;
    }
    unmissed.removeWhile((one) => {
      if (holders[one] === read) return false;
      const lastPresent = set.lastPresent[one] ?? NONE;
      // What none of them has is lost.
      if (lastPresent === NONE || !isLate(lastPresent)) return true;
      warnings.add(
        "Some of the last reads miss an element that others have, which Maelstrom may overlook",
        () =>
          `element ${show(set.elementOf(one))}, added by ${
            whoAndWhen(pairs.at(set.adds[one] ?? NONE).invoke)
          }, is not in the read by ` + set.by(read),
        "element",
      );
      return true;
    });
  }
}

/** What becomes of elements, in the order of the numbers that stand for them. */
const OUTCOMES = ["stable", "lost", "never-read"] as const;
type OutcomeName = typeof OUTCOMES[number];

/**
 * Decides what became of an element; latencies are whole milliseconds.
 *
 * It is stable if the last read that could contain it had it. It is lost if that read missed it and
 * had begun after the element was known; otherwise a miss may have come before the add, and it was
 * never read.
 */
function outcomeOf(set: SetHistory, one: number): { outcome: OutcomeName; latencyMs: number } {
  const { pairs } = set;
  const known = set.known[one] ?? NONE;
  const lastPresent = set.lastPresent[one] ?? NONE;
  const lastAbsent = set.lastAbsent[one] ?? NONE;
  // Pairs are numbered in the order of invocation.
  if (lastPresent !== NONE && lastAbsent < lastPresent) {
    return { outcome: "stable", latencyMs: latency(pairs, known, lastAbsent) };
  }
  const isLost = known !== NONE && lastAbsent !== NONE && lastPresent < lastAbsent &&
    pairs.completion(known) < (pairs.invokedAt[lastAbsent] ?? NONE);
  if (!isLost) return { outcome: "never-read", latencyMs: 0 };
  return { outcome: "lost", latencyMs: latency(pairs, known, lastPresent) };
}

/** Milliseconds from when an element was known to just after the last read of the other kind. */
function latency({ ops, invokedAt, completedAt }: Pairs, known: number, read: number): number {
  const end = read === NONE ? 0 : ops.timeAt(invokedAt[read] ?? 0) + 1;
  const from = known === NONE ? 0 : ops.timeAt(completedAt[known] ?? 0);
  return Math.trunc(Math.max(0, end - from) / 1e6);
}

/** What became of all elements of a set. */
class Outcomes {
  /** The elements in order. */
  readonly order: Int32Array;
  /** For each element in its place there: what became of it, as an index of `OUTCOMES`. */
  readonly #outcomes: Uint8Array;
  readonly #latenciesMs: Float64Array;

  constructor(set: SetHistory) {
    const order = this.order = sortedElements(set);
    this.#outcomes = new Uint8Array(set.size);
    this.#latenciesMs = new Float64Array(set.size);
    for (let place = 0; place < set.size; place++) {
      const { outcome, latencyMs } = outcomeOf(set, order[place] ?? 0);
      this.#outcomes[place] = OUTCOMES.indexOf(outcome);
      this.#latenciesMs[place] = latencyMs;
    }
  }

  /** The elements of which that became, in order. */
  of(outcome: OutcomeName): Int32Array {
    const wanted = OUTCOMES.indexOf(outcome);
    return this.order.filter((_, place) => this.#outcomes[place] === wanted);
  }

  /** The latencies of those elements, sorted. */
  latenciesOf(outcome: OutcomeName): Float64Array {
    const wanted = OUTCOMES.indexOf(outcome);
    return this.#latenciesMs.filter((_, place) => this.#outcomes[place] === wanted).sort();
  }

  /** The elements that were stable late, in order, with how late. */
  *stale(): Generator<{ readonly one: number; readonly latencyMs: number }> {
    for (let place = 0; place < this.order.length; place++) {
      const latencyMs = this.#latenciesMs[place] ?? 0;
      if (this.#outcomes[place] === 0 && latencyMs > 0) {
        yield { one: this.order[place] ?? 0, latencyMs };
      }
    }
  }
}

/** All elements in the order of their values. */
function sortedElements(set: SetHistory): Int32Array {
  const order = Int32Array.from({ length: set.size }, (_, one) => one);
  const elements = Array.from(order, (one) => set.elementOf(one));
  const compare = (a: number, b: number) => jsonOrder(elements[a] ?? null, elements[b] ?? null);
  // Most histories count their elements up.
  for (let one = 1; one < order.length; one++) {
    if (compare(one - 1, one) > 0) return order.sort(compare);
  }
  return order;
}

function figuresOf(
  set: SetHistory,
  outcomes: Outcomes,
  duplicated: ReadonlyMap<number, number>,
): Omit<SetFullResult, keyof CheckResult> {
  const valuesOf = (elements: Int32Array) => Array.from(elements, (one) => set.elementOf(one));
  const [lost, neverRead] = [outcomes.of("lost"), outcomes.of("never-read")];
  const stale = Array.from(outcomes.stale(), ({ one }) => set.elementOf(one));
  return {
    attemptCount: set.size,
    stableCount: set.size - lost.length - neverRead.length,
    lostCount: lost.length,
    lost: valuesOf(lost),
    neverReadCount: neverRead.length,
    neverRead: valuesOf(neverRead),
    staleCount: stale.length,
    stale,
    worstStale: worstStale(set, outcomes),
    stableLatencies: quantilesOf(outcomes.latenciesOf("stable")),
    lostLatencies: quantilesOf(outcomes.latenciesOf("lost")),
    duplicatedCount: duplicated.size,
    duplicated: Object.fromEntries(
      Array.from(
        duplicated.entries().take(MAX_DUPLICATED),
        ([one, times]) => [show(set.elementOf(one)), times],
      ),
    ),
  };
}

function worstStale(set: SetHistory, outcomes: Outcomes): StaleElement[] {
  /** The longest first; of equals the later. */
  const worst: { readonly one: number; readonly latencyMs: number }[] = [];
  for (const stale of outcomes.stale()) {
    const place = worst.findIndex(({ latencyMs }) => latencyMs <= stale.latencyMs);
    if (place < 0 && worst.length === MAX_STALE) continue;
    worst.splice(place < 0 ? worst.length : place, 0, stale);
    worst.length = Math.min(worst.length, MAX_STALE);
  }
  const { pairs } = set;
  return worst.map(({ one, latencyMs }) => {
    const [known = NONE, lastAbsent = NONE] = [set.known[one], set.lastAbsent[one]];
    return {
      element: set.elementOf(one),
      outcome: "stable",
      stableLatency: latencyMs,
      lostLatency: null,
      known: known === NONE ? null : pairs.at(known).completion ?? null,
      lastAbsent: lastAbsent === NONE ? null : pairs.at(lastAbsent).invoke,
    };
  });
}

/** Quantiles of sorted latencies; nothing when there are none. */
function quantilesOf(sorted: Float64Array): LatencyQuantiles | undefined {
  if (sorted.length === 0) return undefined;
  const at = (q: number) => quantile(sorted, q) ?? 0;
  return { "0": at(0), "0.5": at(0.5), "0.95": at(0.95), "0.99": at(0.99), "1": at(1) };
}

/** Describes a lost element. */
function lostFinding(set: SetHistory, one: number): Finding {
  const { pairs } = set;
  const pairOf = (column: Int32Array) => {
    const pair = column[one] ?? NONE;
    return pair === NONE ? undefined : pairs.at(pair);
  };
  const [add, known] = [pairOf(set.adds), pairOf(set.known)];
  const [lastPresent, lastAbsent] = [pairOf(set.lastPresent), pairOf(set.lastAbsent)];
  const since = Math.max(known?.completedAt ?? -1, lastPresent?.invokedAt ?? -1);
  const missing = set.reads.filter((read) => (pairs.invokedAt[read] ?? NONE) > since);
  const first = missing[0] === undefined ? undefined : pairs.at(missing[0]);
  const how = known?.completion === undefined
    ? "was added"
    : known.invokedAt === add?.invokedAt
    ? `was acknowledged to ${whoAndWhen(known.completion)}`
    : `was first read by ${whoAndWhen(known.completion)}`;
  const seen = lastPresent === undefined
    ? "no read ever had it"
    : `the last read that had it was by ${whoAndWhen(lastPresent.invoke)}`;
  return {
    anomaly: "lost",
    what: `Element ${show(set.elementOf(one))} ${how}; ${seen}` +
      missedBy(first, missing.length, lastAbsent),
    ops: endsOf([add, lastPresent, first, lastAbsent], known),
  };
}

function missedBy(
  first: PlacedPair | undefined,
  count: number,
  last: PlacedPair | undefined,
): string {
  if (first === undefined) return "";
  const at = ({ invoke }: PlacedPair) => `${seconds(invoke)} (${who(invoke)})`;
  const until = last === undefined || last.invokedAt === first.invokedAt ? "" : ` to ${at(last)}`;
  return `, and ${plural(count, "read")} begun later missed it, from ${at(first)}${until}`;
}

/** Describes why a run without a lost element proves nothing. */
function nothingStable(set: SetHistory, { order }: Outcomes): Finding {
  const first = Array.from(order.subarray(0, 4), (one) => set.pairs.at(set.adds[one] ?? NONE));
  return {
    anomaly: "never-read",
    what: `None of ${plural(set.size, "added element")} was seen to stay in ` +
      `${plural(set.reads.length, "acknowledged read")}, so nothing was tested`,
    ops: endsOf(first),
  };
}
