/**
 * Whether what was added stays readable: the checker of broadcast and g-set.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { type CheckResult, type Finding, MAX_FINDINGS, type Op } from "../history.ts";
import {
  type CompletedPair,
  endsOf,
  inOrder,
  isOk,
  jsonOrder,
  keyOf,
  type PlacedPair,
  placedPairs,
  plural,
  quantile,
  resultOf,
  seconds,
  show,
  valueOf,
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
export function checkSetFull(history: readonly Op[], addF: "broadcast" | "add"): SetFullResult {
  const warnings = new Warnings();
  const { elements, reads, duplicated } = followElements(history, addF, warnings);
  warnOfMissing(elements, reads, quietFrom(history, addF), warnings);
  const outcomes = [...elements.values()]
    .sort((a, b) => jsonOrder(a.element, b.element))
    .map(outcomeOf);
  const lost = outcomes.filter(({ outcome }) => outcome === "lost");
  const figures = figuresOf(outcomes, duplicated);
  if (lost.length > 0) {
    const findings = lost.slice(0, MAX_FINDINGS).map(({ state }) => lostFinding(state, reads));
    return resultOf(false, figures, findings, warnings);
  }
  if (figures.stableCount > 0) return resultOf(true, figures, [], warnings);
  return resultOf("unknown", figures, [nothingStable(outcomes, reads.length)], warnings);
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
  history: readonly Op[],
  addF: "broadcast" | "add",
): ElementLatency[] {
  const { elements } = followElements(history, addF, new Warnings());
  const latencies = [...elements.values()].flatMap((state): ElementLatency[] => {
    const { outcome, stableLatency, lostLatency } = outcomeOf(state);
    const [known, latencyMs] = [state.known?.completion, stableLatency ?? lostLatency];
    if (known === undefined || latencyMs === null || outcome === "never-read") return [];
    return [{ element: state.element, outcome, latencyMs, known }];
  });
  return latencies.sort((a, b) => a.known.time - b.known.time);
}

/** What a history says of each element, and the reads that say it. */
function followElements(history: readonly Op[], addF: string, warnings: Warnings) {
  const pairs = placedPairs(history, warnings);
  const elements = elementsOf(pairs.filter(({ invoke }) => invoke.f === addF));
  const reads = readsOf(pairs, warnings);
  return { elements, reads, duplicated: follow(elements, reads, warnings) };
}

/** What is known of one element: when it was known to exist, and who last saw or missed it. */
interface ElementState {
  readonly element: Json;
  readonly add: PlacedPair;
  /** The add, or a read that contains it, whichever came back first. */
  known?: CompletedPair;
  /** Of the reads that contain it, the one invoked last. */
  lastPresent?: CompletedPair;
  /** Of the reads that do not, the one invoked last. */
  lastAbsent?: CompletedPair;
  /** Of the reads looked at so far the latest that contains it, and how often that one does. */
  holder?: CompletedPair;
  timesHeld: number;
}

/** Elements by key, in the order of their last add: adding again starts over, as in Maelstrom. */
function elementsOf(adds: readonly PlacedPair[]): Map<number | string, ElementState> {
  const elements = new Map<number | string, ElementState>();
  for (const add of adds) {
    const element = valueOf(add.invoke);
    const key = keyOf(element);
    elements.delete(key);
    elements.set(key, { element, add, timesHeld: 0 });
  }
  for (const add of adds) {
    const state = elements.get(keyOf(valueOf(add.invoke)));
    if (state !== undefined && isOk(add) && add.completedAt > state.add.invokedAt) {
      learn(state, add);
    }
  }
  return elements;
}

/** An acknowledged read and what it returned. */
interface Read extends CompletedPair {
  readonly elements: readonly Json[];
}

/** A read whose elements are fetched when they are asked for: all at once may take much memory. */
function readOf(pair: CompletedPair): Read {
  return {
    ...pair,
    get elements() {
      const value = valueOf(pair.completion);
      return Array.isArray(value) ? value : [];
    },
  };
}

/** The reads in the order of invocation. */
function readsOf(pairs: readonly PlacedPair[], warnings: Warnings): Read[] {
  const reads: Read[] = [];
  for (const pair of pairs) {
    if (pair.invoke.f !== "read" || !isOk(pair)) continue;
    const value = valueOf(pair.completion);
    if (value === null || Array.isArray(value)) reads.push(readOf(pair));
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
 * A read costs no more than what it holds: the first read met that misses an element is the last
 * that did, so each element is missed once.
 *
 * @returns for each element that stood twice in one read, how often at most.
 */
function follow(
  elements: ReadonlyMap<number | string, ElementState>,
  reads: readonly Read[],
  warnings: Warnings,
): Map<Json, number> {
  const duplicated = new Map<Json, number>();
  const neverMissed = new Set(elements.values());
  for (const read of reads.toReversed()) {
    for (const state of holdAll(elements, read, warnings)) {
      const { element, timesHeld } = state;
      duplicated.set(element, Math.max(timesHeld, duplicated.get(element) ?? 0));
      warnings.add(
        "Element more than once in one read",
        () => `${show(element)} stands ${timesHeld} times in the read by ${readBy(read)}`,
      );
    }
    for (const state of neverMissed) {
      // The elements stand in the order of their adds: the others were added after the read.
      if (state.add.invokedAt > read.completedAt) break;
      if (state.holder === read) continue;
      state.lastAbsent = read;
      neverMissed.delete(state);
    }
  }
  return duplicated;
}

/** Notes what a read holds, and returns what it holds more than once. */
function holdAll(
  elements: ReadonlyMap<number | string, ElementState>,
  read: Read,
  warnings: Warnings,
): Set<ElementState> {
  const repeated = new Set<ElementState>();
  for (const element of read.elements) {
    const state = elements.get(keyOf(element));
    if (state === undefined || state.add.invokedAt > read.completedAt) {
      warnings.add(
        "Element read that was never added",
        () => `${show(element)}, by ${readBy(read)}`,
      );
    } else if (state.holder === read) {
      state.timesHeld += 1;
      repeated.add(state);
    } else {
      state.holder = read;
      state.timesHeld = 1;
      state.lastPresent ??= read;
      learn(state, read);
    }
  }
  return repeated;
}

function readBy({ completion }: Read): string {
  return whoAndWhen(completion);
}

function learn(state: ElementState, pair: CompletedPair): void {
  if (state.known === undefined || pair.completedAt < state.known.completedAt) state.known = pair;
}

/** How long a run leaves its nodes for recovery before the last reads. */
const RECOVERY_NS = 10e9;

/** From when on every element should be everywhere: a while after the last add and the last fault. */
function quietFrom(history: readonly Op[], addF: string): number {
  const last = history.findLast(({ process, f }) => process === "nemesis" || f === addF);
  return (last?.time ?? 0) + RECOVERY_NS;
}

/**
 * Warns of acknowledged elements that some of the last reads missed.
 *
 * Maelstrom goes by the one read that was invoked last, and so overlooks what others missed.
 */
function warnOfMissing(
  elements: ReadonlyMap<number | string, ElementState>,
  reads: readonly Read[],
  fromNs: number,
  warnings: Warnings,
): void {
  const missing = new Map<ElementState, Read>();
  const acknowledged = [...elements.values()].filter(({ add }) => isOk(add));
  for (const read of reads) {
    if (read.invoke.time < fromNs) continue;
    const held = new Set(read.elements.map((element) => elements.get(keyOf(element))));
    for (const state of acknowledged) {
      if (!held.has(state) && !missing.has(state)) missing.set(state, read);
    }
  }
  for (const [state, read] of missing) {
    // What none of them has is lost.
    if (state.lastPresent === undefined || state.lastPresent.invoke.time < fromNs) continue;
    warnings.add(
      "Some of the last reads miss an element that others have, which Maelstrom may overlook",
      () =>
        `element ${show(state.element)}, added by ${
          whoAndWhen(state.add.invoke)
        }, is not in the read by ` +
        readBy(read),
      "element",
    );
  }
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
    known.completedAt < absent;
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
  return Math.trunc(Math.max(0, end - (known?.completion.time ?? 0)) / 1e6);
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
      known: state.known?.completion ?? null,
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

/** Describes a lost element. */
function lostFinding(state: ElementState, reads: readonly Read[]): Finding {
  const { element, add, known, lastPresent, lastAbsent } = state;
  const since = Math.max(known?.completedAt ?? -1, lastPresent?.invokedAt ?? -1);
  const missing = reads.filter(({ invokedAt }) => invokedAt > since);
  const how = known === undefined
    ? "was added"
    : known === add
    ? `was acknowledged to ${whoAndWhen(known.completion)}`
    : `was first read by ${whoAndWhen(known.completion)}`;
  const seen = lastPresent === undefined
    ? "no read ever had it"
    : `the last read that had it was by ${whoAndWhen(lastPresent.invoke)}`;
  const ends = endsOf([add, lastPresent, missing[0], lastAbsent]);
  return {
    anomaly: "lost",
    what: `Element ${show(element)} ${how}; ${seen}${missedBy(missing, lastAbsent)}`,
    ops: inOrder([...ends, known?.completion]),
  };
}

function missedBy([first, ...others]: readonly Read[], last: PlacedPair | undefined): string {
  if (first === undefined) return "";
  const at = ({ invoke }: PlacedPair) => `${seconds(invoke)} (${who(invoke)})`;
  const until = last === undefined || last === first ? "" : ` to ${at(last)}`;
  return `, and ${plural(others.length + 1, "read")} begun later missed it, from ${
    at(first)
  }${until}`;
}

/** Describes why a run without a lost element proves nothing. */
function nothingStable(outcomes: readonly ElementOutcome[], readCount: number): Finding {
  return {
    anomaly: "never-read",
    what: `None of ${plural(outcomes.length, "added element")} was seen to stay in ` +
      `${plural(readCount, "acknowledged read")}, so nothing was tested`,
    ops: endsOf(outcomes.slice(0, 4).map(({ state }) => state.add)),
  };
}
