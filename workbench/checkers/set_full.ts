/**
 * Whether what was added stays readable: the checker of broadcast and g-set.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { type CheckResult, type Finding, MAX_FINDINGS, type Op } from "../history.ts";
import {
  type CompletedPair,
  inOrder,
  isOk,
  keyOf,
  type PlacedPair,
  placedPairs,
  plural,
  quantile,
  resultOf,
  seconds,
  show,
  sortJson,
  valueOf,
  Warnings,
  who,
  whoAndWhen,
} from "./checker.ts";

/** How to read the history. */
interface SetFullOptions {
  /** The operation that adds an element: `broadcast`, or g-set's `add`. */
  readonly addF: "broadcast" | "add";
}

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

/**
 * Checks that every element known to have been added is in the reads that begin later.
 *
 * An element is lost when the last read invoked after it was known missed it: `false`. With none
 * lost and none stable either nothing was tested: `unknown`. Elements that show up late are stale,
 * and no failure. An element twice in one read, and one that was never added, are warned of; Maelstrom
 * passes both over.
 */
export function checkSetFull(history: readonly Op[], options: SetFullOptions): SetFullResult {
  const warnings = new Warnings();
  const pairs = placedPairs(history, warnings);
  const elements = elementsOf(pairs.filter(({ invoke }) => invoke.f === options.addF));
  const reads = readsOf(pairs, warnings);
  const duplicated = follow(elements, reads, warnings);
  const outcomes = inElementOrder([...elements.values()]).map(outcomeOf);
  const stable = outcomes.filter(({ outcome }) => outcome === "stable");
  const lost = outcomes.filter(({ outcome }) => outcome === "lost");
  const valid = lost.length > 0 ? false : stable.length === 0 ? "unknown" : true;
  const findings = lost.length > 0
    ? lostFindings(lost, reads.map(({ pair }) => pair))
    : stable.length === 0
    ? [nothingStable(outcomes, reads.length)]
    : [];
  return resultOf(valid, figuresOf(outcomes, duplicated), findings, warnings);
}

/** What is known of one element: when it was known to exist, and who last saw or missed it. */
interface ElementState {
  readonly element: Json;
  readonly add: PlacedPair;
  /** The end of the add, or of a read that contains it, whichever came first. */
  known?: { op: Op; at: number };
  /** Of the reads that contain it, the one invoked last. */
  lastPresent?: CompletedPair;
  /** Of the reads that do not, the one invoked last. */
  lastAbsent?: CompletedPair;
}

/** Elements by key, in the order of their last add: adding again starts over, as in Maelstrom. */
function elementsOf(adds: readonly PlacedPair[]): Map<number | string, ElementState> {
  const elements = new Map<number | string, ElementState>();
  for (const add of adds) {
    const element = valueOf(add.invoke);
    const key = keyOf(element);
    elements.delete(key);
    elements.set(key, { element, add });
  }
  for (const add of adds) {
    const state = elements.get(keyOf(valueOf(add.invoke)));
    if (state !== undefined && isOk(add) && add.completedAt > state.add.invokedAt) {
      learn(state, add);
    }
  }
  return elements;
}

/** A read and what it returned. */
interface Read {
  readonly pair: CompletedPair;
  readonly elements: readonly Json[];
}

function readsOf(pairs: readonly PlacedPair[], warnings: Warnings): Read[] {
  const reads: Read[] = [];
  for (const pair of pairs) {
    if (pair.invoke.f !== "read" || !isOk(pair)) continue;
    const value = valueOf(pair.completion);
    if (value === null || Array.isArray(value)) reads.push({ pair, elements: value ?? [] });
    else {
      warnings.add(
        "Read that returned no list",
        () => `${show(value)}, by ${whoAndWhen(pair.completion)}`,
      );
    }
  }
  return reads;
}

/**
 * Notes for each element which reads held it and which did not, from the last read to the first.
 *
 * A read costs what it holds, plus a bit for every element added by then: the first read met that
 * misses an element is the last that did, so each element is settled once.
 *
 * @returns for each element that stood twice in one read, how often at most.
 */
function follow(
  elements: ReadonlyMap<number | string, ElementState>,
  reads: readonly Read[],
  warnings: Warnings,
): Map<Json, number> {
  const states = [...elements.values()];
  const ids = new Map([...elements.keys()].map((key, id) => [key, id]));
  const unsettled = new Bits(states.length);
  unsettled.fill(states.length);
  const held = new Bits(states.length);
  const duplicated = new Map<Json, number>();
  for (const { pair, elements: present } of reads.toReversed()) {
    held.clear();
    const repeats = new Map<number, number>();
    for (const element of present) {
      const id = ids.get(keyOf(element)) ?? -1;
      const state = states[id];
      if (state === undefined || state.add.invokedAt > pair.completedAt) {
        warnings.add(
          "Element read that was never added",
          () => `${show(element)}, by ${whoAndWhen(pair.completion)}`,
        );
      } else if (held.has(id)) {
        repeats.set(id, (repeats.get(id) ?? 1) + 1);
      } else {
        held.add(id);
        state.lastPresent ??= pair;
        learn(state, pair);
      }
    }
    for (const [id, times] of repeats) {
      warnTwice(states[id], times, pair, duplicated, warnings);
    }
    const added = addedBefore(states, pair.completedAt);
    unsettled.takeExcept(held, added, (id) => {
      const state = states[id];
      if (state !== undefined) state.lastAbsent = pair;
    });
  }
  return duplicated;
}

function warnTwice(
  state: ElementState | undefined,
  times: number,
  read: CompletedPair,
  duplicated: Map<Json, number>,
  warnings: Warnings,
): void {
  if (state === undefined) return;
  const { element } = state;
  duplicated.set(element, Math.max(times, duplicated.get(element) ?? 0));
  warnings.add(
    "Element more than once in one read",
    () => `${show(element)} stands ${times} times in the read by ${whoAndWhen(read.completion)}`,
  );
}

function learn(state: ElementState, pair: CompletedPair): void {
  if (state.known === undefined || pair.completedAt < state.known.at) {
    state.known = { op: pair.completion, at: pair.completedAt };
  }
}

/** How many elements had their add invoked before a place in the history. */
function addedBefore(states: readonly ElementState[], position: number): number {
  let [low, high] = [0, states.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((states[middle]?.add.invokedAt ?? Infinity) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What became of an element; latencies are whole milliseconds. */
interface ElementOutcome {
  readonly state: ElementState;
  readonly outcome: "stable" | "lost" | "never-read";
  readonly stableLatency: number | null;
  readonly lostLatency: number | null;
}

/**
 * Decides what became of an element.
 *
 * It is stable if the last read that could contain it had it. It is lost if that read missed it and
 * had begun after the element was known; otherwise a miss may have come before the add, and it was
 * never read.
 */
function outcomeOf(state: ElementState): ElementOutcome {
  const { known, lastPresent, lastAbsent } = state;
  const present = lastPresent?.invokedAt ?? -1;
  const absent = lastAbsent?.invokedAt ?? -1;
  const stable = lastPresent !== undefined && absent < present;
  const lost = known !== undefined && lastAbsent !== undefined && present < absent &&
    known.at < absent;
  return {
    state,
    outcome: stable ? "stable" : lost ? "lost" : "never-read",
    stableLatency: stable ? latency(state, lastAbsent?.invoke.time) : null,
    lostLatency: lost ? latency(state, lastPresent?.invoke.time) : null,
  };
}

/** Milliseconds from when the element was known to just after the last read of the other kind. */
function latency({ known }: ElementState, time: number | undefined): number {
  const end = time === undefined ? 0 : time + 1;
  return Math.trunc(Math.max(0, end - (known?.op.time ?? 0)) / 1e6);
}

function inElementOrder(states: readonly ElementState[]): ElementState[] {
  const byKey = new Map(states.map((state) => [keyOf(state.element), state]));
  return sortJson(states.map(({ element }) => element))
    .flatMap((element) => byKey.get(keyOf(element)) ?? []);
}

function figuresOf(
  outcomes: readonly ElementOutcome[],
  duplicated: ReadonlyMap<Json, number>,
): Omit<SetFullResult, keyof CheckResult> {
  const of = (wanted: string) =>
    outcomes.filter(({ outcome }) => outcome === wanted).map(({ state }) => state.element);
  const stale = outcomes.filter(({ stableLatency }) => (stableLatency ?? 0) > 0);
  const [lost, neverRead] = [of("lost"), of("never-read")];
  return {
    attemptCount: outcomes.length,
    stableCount: of("stable").length,
    lostCount: lost.length,
    lost,
    neverReadCount: neverRead.length,
    neverRead,
    staleCount: stale.length,
    stale: stale.map(({ state }) => state.element),
    worstStale: worstStale(stale),
    stableLatencies: quantilesOf(outcomes.map(({ stableLatency }) => stableLatency)),
    lostLatencies: quantilesOf(outcomes.map(({ lostLatency }) => lostLatency)),
    duplicatedCount: duplicated.size,
    duplicated: Object.fromEntries(
      [...duplicated].slice(0, MAX_DUPLICATED).map(([element, times]) => [show(element), times]),
    ),
  };
}

function worstStale(stale: readonly ElementOutcome[]): StaleElement[] {
  return stale
    .toSorted((a, b) => (a.stableLatency ?? 0) - (b.stableLatency ?? 0))
    .toReversed()
    .slice(0, 8)
    .map(({ state, outcome, ...latencies }) => ({
      element: state.element,
      outcome,
      ...latencies,
      known: state.known?.op ?? null,
      lastAbsent: state.lastAbsent?.invoke ?? null,
    }));
}

/** Quantiles of those latencies that there are; nothing when there are none. */
function quantilesOf(latencies: readonly (number | null)[]): LatencyQuantiles | undefined {
  const sorted = latencies.filter((latency) => latency !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const at = (q: number) => quantile(sorted, q) ?? 0;
  return { "0": at(0), "0.5": at(0.5), "0.95": at(0.95), "0.99": at(0.99), "1": at(1) };
}

/**
 * Describes the first few lost elements.
 *
 * @param reads every acknowledged read, in the order of invocation.
 */
function lostFindings(
  lost: readonly ElementOutcome[],
  reads: readonly CompletedPair[],
): Finding[] {
  return lost.slice(0, MAX_FINDINGS).map((outcome) => lostFinding(outcome, reads));
}

function lostFinding({ state }: ElementOutcome, reads: readonly CompletedPair[]): Finding {
  const { element, add, known, lastPresent, lastAbsent } = state;
  const since = Math.max(known?.at ?? -1, lastPresent?.invokedAt ?? -1);
  const missing = reads.filter(({ invokedAt }) => invokedAt > since);
  const first = missing[0] ?? lastAbsent;
  const how = known === undefined
    ? "was added"
    : known.op === add.completion
    ? `was acknowledged to ${whoAndWhen(known.op)}`
    : `was first read by ${whoAndWhen(known.op)}`;
  const seen = lastPresent === undefined
    ? "no read ever had it"
    : `the last read that had it was by ${whoAndWhen(lastPresent.invoke)}`;
  const miss = first === undefined
    ? ""
    : `, and ${plural(missing.length, "read")} begun later missed it, from ${
      seconds(first.invoke)
    }` +
      ` (${who(first.invoke)})` +
      (lastAbsent === undefined || lastAbsent === first
        ? ""
        : ` to ${seconds(lastAbsent.invoke)} (${who(lastAbsent.invoke)})`);
  return {
    anomaly: "lost",
    what: `Element ${show(element)} ${how}; ${seen}${miss}`,
    ops: inOrder([
      add.invoke,
      add.completion,
      known?.op,
      ...[lastPresent, first, lastAbsent].flatMap((read) => [read?.invoke, read?.completion]),
    ]),
  };
}

/** Describes why a run without a lost element proves nothing. */
function nothingStable(outcomes: readonly ElementOutcome[], readCount: number): Finding {
  const adds = outcomes.slice(0, 4).map(({ state }) => state.add);
  return {
    anomaly: "never-read",
    what: `None of ${plural(outcomes.length, "added element")} was seen to stay in ` +
      `${plural(readCount, "acknowledged read")}, so nothing was tested`,
    ops: inOrder(adds.flatMap(({ invoke, completion }) => [invoke, completion])),
  };
}

/** A set of small integers, one bit each. */
class Bits {
  readonly #words: Int32Array;

  /** @param size one more than the largest integer it can hold. */
  constructor(size: number) {
    this.#words = new Int32Array((size + 31) >>> 5);
  }

  /** Whether an integer is in the set. */
  has(id: number): boolean {
    return ((this.#words[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0;
  }

  /** Puts an integer in. */
  add(id: number): void {
    this.#words[id >>> 5] = (this.#words[id >>> 5] ?? 0) | (1 << (id & 31));
  }

  /** Takes everything out. */
  clear(): void {
    this.#words.fill(0);
  }

  /** Adds every integer below `count`. */
  fill(count: number): void {
    for (let id = 0; id < count; id++) this.add(id);
  }

  /** Takes out, one by one, the members below `count` that are not in `others`. */
  takeExcept(others: Bits, count: number, taken: (id: number) => void): void {
    for (let at = 0; at << 5 < count; at++) {
      const word = this.#words[at] ?? 0;
      const kept = count - (at << 5) < 32 ? -1 << (count & 31) : 0;
      let out = word & ~(others.#words[at] ?? 0) & ~kept;
      this.#words[at] = word & ~out;
      while (out !== 0) {
        taken((at << 5) + 31 - Math.clz32(out & -out));
        out &= out - 1;
      }
    }
  }
}
