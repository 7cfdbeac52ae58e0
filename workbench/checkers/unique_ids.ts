/**
 * Whether generated ids are all different: the checker of unique-ids.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { type CheckResult, type Finding, MAX_FINDINGS, type Op } from "../history.ts";
import {
  compareJson,
  type CompletedPair,
  endsOf,
  isOk,
  keyOf,
  placedPairs,
  plural,
  resultOf,
  show,
  valueOf,
  Warnings,
  whoAndWhen,
} from "./checker.ts";

/** How many duplicates `duplicated` lists. */
const MAX_DUPLICATED = 48;

/** How many of the operations that got one id a finding shows. */
const MAX_OPS_SHOWN = 4;

/** The verdict on ids. */
export interface UniqueIdsResult extends CheckResult {
  /** How many ids were asked for. */
  readonly attemptedCount: number;
  /** How many were returned. */
  readonly acknowledgedCount: number;
  /** How many were returned more than once. */
  readonly duplicatedCount: number;
  /** How often each duplicate was returned, by its text; the most frequent ones only. */
  readonly duplicated: Readonly<Record<string, number>>;
  /** The least and the greatest id; `null` without ids, or where they cannot be compared. */
  readonly range: readonly [Json, Json] | null;
}

/**
 * Checks that no two acknowledged `generate`s returned the same id.
 *
 * Ids may be any JSON. The range needs ids that the JVM can compare with each other: where it could
 * not (texts among numbers, objects), Maelstrom's checker crashes, and the verdict is `unknown`.
 */
export function checkUniqueIds(history: readonly Op[]): UniqueIdsResult {
  const warnings = new Warnings();
  const generates = placedPairs(history, warnings).filter(({ invoke }) => invoke.f === "generate");
  const acknowledged = generates.filter(isOk);
  const byId = Map.groupBy(acknowledged, (pair) => keyOf(valueOf(pair.completion)));
  const duplicated = [...byId.values()]
    .filter((pairs) => pairs.length > 1)
    .sort((a, b) => b.length - a.length);
  const { range, clash } = rangeOf(acknowledged);
  const figures = {
    attemptedCount: generates.length,
    acknowledgedCount: acknowledged.length,
    duplicatedCount: duplicated.length,
    duplicated: Object.fromEntries(
      duplicated.slice(0, MAX_DUPLICATED).map((pairs) => [idOf(pairs), pairs.length]),
    ),
    range,
  };
  const duplicates = duplicated.slice(0, MAX_FINDINGS).map(duplicateFinding);
  if (clash === undefined) return resultOf(duplicated.length === 0, figures, duplicates, warnings);
  return resultOf("unknown", figures, [clashFinding(...clash), ...duplicates], warnings);
}

/** The least and the greatest id, or the first two met that cannot be compared. */
function rangeOf(
  acknowledged: readonly CompletedPair[],
): { range: [Json, Json] | null; clash?: [CompletedPair, CompletedPair] } {
  let [least, greatest] = [acknowledged[0], acknowledged[0]];
  if (least === undefined || greatest === undefined) return { range: null };
  for (const pair of acknowledged.slice(1)) {
    const low = compare(pair, least);
    const high = compare(pair, greatest);
    if (low === undefined) return { range: null, clash: [least, pair] };
    if (high === undefined) return { range: null, clash: [greatest, pair] };
    if (low < 0) least = pair;
    if (high > 0) greatest = pair;
  }
  return { range: [valueOf(least.completion), valueOf(greatest.completion)] };
}

function compare(a: CompletedPair, b: CompletedPair): number | undefined {
  return compareJson(valueOf(a.completion), valueOf(b.completion));
}

/** The text of the id that all of some operations got. */
function idOf([first]: readonly CompletedPair[]): string {
  return show(first?.completion.value ?? null);
}

function duplicateFinding(pairs: readonly CompletedPair[]): Finding {
  const [first, second] = pairs.map(({ completion }) => whoAndWhen(completion));
  const others = pairs.length > 2 ? `, and ${plural(pairs.length - 2, "more time")}` : "";
  return {
    anomaly: "duplicated",
    what: `Id ${idOf(pairs)} was given to ${first} and again to ${second}${others}`,
    ops: endsOf(pairs.slice(0, MAX_OPS_SHOWN)),
  };
}

function clashFinding(a: CompletedPair, b: CompletedPair): Finding {
  return {
    anomaly: "incomparable-ids",
    what: `Ids ${show(a.completion.value)} (to ${whoAndWhen(a.completion)}) and ` +
      `${show(b.completion.value)} (to ${
        whoAndWhen(b.completion)
      }) cannot be put in order, which ` +
      "crashes Maelstrom's checker: give all ids one type, texts or numbers",
    ops: endsOf([a, b]),
  };
}
