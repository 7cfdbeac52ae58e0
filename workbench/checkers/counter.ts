/**
 * Whether every node ends up with the sum: the checker of g-counter and pn-counter.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { CheckResult, Finding, Op } from "../history.ts";
import {
  anyOf,
  type CompletedPair,
  endsOf,
  integerJson,
  integerOf,
  isOk,
  type PlacedPair,
  placedPairs,
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
export function checkCounter(history: readonly Op[]): CounterResult {
  const warnings = new Warnings();
  const pairs = placedPairs(history, warnings);
  const adds = pairs.filter(({ invoke }) => invoke.f === "add");
  const known = adds.filter(isOk);
  const unknown = adds.filter(({ completion }) =>
    completion === undefined || completion.type === "info"
  );
  const odd = [...known, ...unknown].filter((add) => delta(add) === undefined);
  for (const { invoke } of odd) {
    warnings.add("Add of no integer", () => `${show(invoke.value)}, by ${whoAndWhen(invoke)}`);
  }
  const sum = known.reduce((total, add) => total + (delta(add) ?? 0n), 0n);
  const { acceptable, exact } = possibleSums(sum, unknown.map((add) => delta(add) ?? 0n));
  const reads = pairs.filter(isOk).filter(({ invoke, completion }) =>
    invoke.f === "read" && (completion.final ?? invoke.final) === true
  );
  warnOfImpossible(pairs, warnings);
  const wrong = reads.filter((read) => !isAcceptable(read, acceptable));
  const figures = {
    errors: wrong.map(({ completion }) => completion),
    finalReads: reads.map(({ completion }) => valueOf(completion)),
    acceptable: acceptable.map((interval) => interval.map(integerJson)),
  };
  const findings = odd.length > 0
    ? [oddAdds(odd)]
    : adds.length === 0 && wrong.length === 0
    ? [nothingAdded(reads)]
    : wrong.map((read) => wrongRead(read, sum, known.length, unknown, acceptable));
  const valid = odd.length > 0 || (adds.length === 0 && wrong.length === 0)
    ? "unknown"
    : wrong.length > 0
    ? false
    : exact || reads.length === 0
    ? true
    : "unknown";
  return resultOf(valid, figures, findings, warnings);
}

/** Warns of reads that no choice of the adds invoked by then, without those that failed, adds up to. */
function warnOfImpossible(pairs: readonly PlacedPair[], warnings: Warnings): void {
  const adds = pairs.filter(({ invoke, completion }) =>
    invoke.f === "add" && completion?.type !== "fail"
  );
  let [least, greatest, begun] = [0n, 0n, 0];
  const reads = pairs.filter(isOk).filter(({ invoke }) => invoke.f === "read");
  for (const { completion, completedAt } of reads.sort((a, b) => a.completedAt - b.completedAt)) {
    for (let add = adds[begun]; add !== undefined && add.invokedAt < completedAt;) {
      const change = delta(add) ?? 0n;
      if (change < 0n) least += change;
      else greatest += change;
      add = adds[++begun];
    }
    const value = integerOf(valueOf(completion));
    if (value !== undefined && value >= least && value <= greatest) continue;
    warnings.add(
      "Read that no sum of adds accounts for, which Maelstrom overlooks before the end",
      () =>
        `${show(valueOf(completion))}, by ${
          whoAndWhen(completion)
        }, when the sum of what had been ` +
        `added, or may have been, was from ${least} to ${greatest}`,
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
