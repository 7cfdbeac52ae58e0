/**
 * Whether every node ends up with the sum: the checker of g-counter and pn-counter.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { type CheckResult, type Finding, type History, MAX_FINDINGS, type Op } from "../history.ts";
import {
  anyOf,
  type CompletedPair,
  endsOf,
  integerJson,
  integerOf,
  Pairs,
  type PlacedPair,
  plural,
  resultOf,
  show,
  valueOf,
  Warnings,
  whoAndWhen,
} from "./checker.ts";

/** The verdict on a counter. */
export interface CounterResult extends CheckResult {
  /** The final reads that are wrong. */
  readonly errors: readonly Op[];
  /** What every final read returned. */
  readonly finalReads: readonly Json[];
  /** What a final read may return, as pairs of the least and the greatest integer. */
  readonly acceptable: readonly (readonly Json[])[];
}

/** All integers from the first to the second, both included. */
type Interval = readonly [bigint, bigint];

/** Beyond this many separate intervals, only their hull is kept. */
const MAX_INTERVALS = 4096;

/** How many of the unknown adds a finding shows. */
const MAX_ADDS_SHOWN = 4;

/**
 * Checks that every final read is the sum of the acknowledged adds, with or without each add whose
 * outcome is unknown.
 *
 * Reads before the final phase may return anything; what no adds account for is warned of. Without
 * an acknowledged final read all is well.
 */
export function checkCounter(history: History): CounterResult {
  const warnings = new Warnings();
  const pairs = new Pairs(history, warnings);
  const { sum, addCount, knownCount, unknown, odd } = readAdds(pairs);
  for (const { invoke } of odd) {
    warnings.add("Add of no integer", () => `${show(invoke.value)}, by ${whoAndWhen(invoke)}`);
  }
  const { acceptable, exact } = possibleSums(sum, unknown.map((add) => delta(add) ?? 0n));
  const reads = finalReads(pairs);
  warnOfImpossible(pairs, warnings);
  const wrong = reads.filter((read) => !isAcceptable(read, acceptable));
  const figures = {
    errors: wrong.map(({ completion }) => completion),
    finalReads: reads.map(({ completion }) => valueOf(completion)),
    acceptable: acceptable.map((interval) => interval.map(integerJson)),
  };
  const findings = odd.length > 0
    ? [oddAdds(odd)]
    : addCount === 0 && wrong.length === 0
    ? [nothingAdded(reads)]
    : wrong.slice(0, MAX_FINDINGS).map((read) =>
      wrongRead(read, sum, knownCount, unknown, acceptable)
    );
  const valid = odd.length > 0 || (addCount === 0 && wrong.length === 0)
    ? "unknown"
    : wrong.length > 0
    ? false
    : exact || reads.length === 0
    ? true
    : "unknown";
  return resultOf(valid, figures, findings, warnings);
}

/** The sum of the acknowledged adds, those that may have happened, and those of no integer. */
function readAdds(pairs: Pairs): {
  readonly sum: bigint;
  readonly addCount: number;
  readonly knownCount: number;
  readonly unknown: readonly PlacedPair[];
  readonly odd: readonly PlacedPair[];
} {
  const unknown: PlacedPair[] = [];
  const odd: { readonly known: PlacedPair[]; readonly unknown: PlacedPair[] } = {
    known: [],
    unknown: [],
  };
  let [sum, addCount, knownCount] = [0n, 0, 0];
  for (let number = 0; number < pairs.length; number++) {
    if (pairs.fOf(number) !== "add") continue;
    addCount++;
    const type = pairs.endOf(number);
    if (type === "fail") continue;
    const change = integerOf(pairs.valueOf(number));
    if (type === "ok") {
      knownCount++;
      if (change === undefined) odd.known.push(pairs.at(number));
      else sum += change;
    } else {
      unknown.push(pairs.at(number));
      if (change === undefined) odd.unknown.push(pairs.at(number));
    }
  }
  return { sum, addCount, knownCount, unknown, odd: [...odd.known, ...odd.unknown] };
}

/** The acknowledged reads of the final phase. */
function finalReads(pairs: Pairs): CompletedPair[] {
  const reads: CompletedPair[] = [];
  for (let number = 0; number < pairs.length; number++) {
    if (pairs.fOf(number) !== "read" || pairs.endOf(number) !== "ok") continue;
    const [invoke, completion] = [pairs.invokedAt[number] ?? 0, pairs.completion(number)];
    if ((pairs.ops.finalAt(completion) ?? pairs.ops.finalAt(invoke)) !== true) continue;
    reads.push(pairs.at(number) as CompletedPair);
  }
  return reads;
}

/** Warns of reads that no choice of the adds invoked by then, without those that failed, adds up to. */
function warnOfImpossible(pairs: Pairs, warnings: Warnings): void {
  const { ops } = pairs;
  const numbers = pairs.numbers();
  let [least, greatest] = [0n, 0n];
  for (let position = 0; position < ops.length; position++) {
    const number = numbers[position] ?? -1;
    if (number < 0) continue;
    const isBegin = pairs.invokedAt[number] === position;
    const f = pairs.fOf(number);
    if (f === "add" && isBegin && pairs.endOf(number) !== "fail") {
      const change = integerOf(pairs.valueOf(number)) ?? 0n;
      if (change < 0n) least += change;
      else greatest += change;
    }
    if (f !== "read" || isBegin || ops.typeAt(position) !== "ok") continue;
    const value = integerOf(ops.valueAt(position));
    if (value !== undefined && value >= least && value <= greatest) continue;
    const [from, to] = [least, greatest];
    warnings.add(
      "Read that no sum of adds accounts for, which Maelstrom overlooks before the end",
      () =>
        `${show(ops.valueAt(position))}, by ${whoAndWhen(ops.opAt(position))}, when the sum of ` +
        `what had been added, or may have been, was from ${from} to ${to}`,
    );
  }
}

function delta({ invoke }: PlacedPair): bigint | undefined {
  return integerOf(valueOf(invoke));
}

/** What the counter may stand at, as intervals in order with gaps between them. */
function possibleSums(
  sum: bigint,
  deltas: readonly bigint[],
): { acceptable: Interval[]; exact: boolean } {
  let acceptable: Interval[] = [[sum, sum]];
  let exact = true;
  for (const delta of deltas) {
    acceptable = union(acceptable, acceptable.map(([low, high]) => [low + delta, high + delta]));
    if (acceptable.length <= MAX_INTERVALS) continue;
    acceptable = [[acceptable[0]?.[0] ?? sum, acceptable.at(-1)?.[1] ?? sum]];
    exact = false;
  }
  return { acceptable, exact };
}

/** Merges two lists of intervals, joining those that overlap or touch. */
function union(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const merged: [bigint, bigint][] = [];
  const append = ([low, high]: Interval) => {
    const last = merged.at(-1);
    if (last === undefined || low > last[1] + 1n) merged.push([low, high]);
    else if (high > last[1]) last[1] = high;
  };
  let [i, j] = [0, 0];
  while (true) {
    const [x, y] = [a[i], b[j]];
    if (x === undefined && y === undefined) return merged;
    if (y === undefined || (x !== undefined && x[0] <= y[0])) {
      if (x !== undefined) append(x);
      i += 1;
    } else {
      append(y);
      j += 1;
    }
  }
}

function isAcceptable(read: CompletedPair, acceptable: readonly Interval[]): boolean {
  const value = integerOf(valueOf(read.completion));
  return value !== undefined && acceptable.some(([low, high]) => low <= value && value <= high);
}

function wrongRead(
  read: CompletedPair,
  sum: bigint,
  knownCount: number,
  unknown: readonly PlacedPair[],
  acceptable: readonly Interval[],
): Finding {
  const { completion } = read;
  const ranges = acceptable.map(([low, high]) => low === high ? `${low}` : `${low} to ${high}`);
  const otherwise = unknown.length === 0
    ? ""
    : `; with ${plural(unknown.length, "add")} of unknown outcome it may be ${anyOf(ranges)}`;
  return {
    anomaly: "wrong-final-read",
    what: `The final read by ${whoAndWhen(completion)} returned ${show(completion.value)}, ` +
      `but the sum of ${plural(knownCount, "acknowledged add")} is ${sum}${otherwise}`,
    ops: endsOf([...unknown.slice(0, MAX_ADDS_SHOWN), read]),
  };
}

function oddAdds(odd: readonly PlacedPair[]): Finding {
  return {
    anomaly: "unreadable-add",
    what: `${plural(odd.length, "add")} carry no integer, so the sum is not known`,
    ops: endsOf(odd.slice(0, MAX_ADDS_SHOWN)),
  };
}

function nothingAdded(reads: readonly PlacedPair[]): Finding {
  return {
    anomaly: "nothing-tested",
    what: "Nothing was ever added, so the sum was not tested",
    ops: endsOf(reads.slice(0, MAX_ADDS_SHOWN)),
  };
}
