/**
 * Whether generated ids are all different: the checker of unique-ids.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { type CheckResult, type Finding, type History, MAX_FINDINGS } from "../history.ts";
import {
  compareJson,
  type CompletedPair,
  endsOf,
  keyOf,
  Pairs,
  plural,
  resultOf,
  show,
  Warnings,
  whoAndWhen,
} from "./checker.ts";

import { hashOf, repeated } from "./repeated.ts";

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
export function checkUniqueIds(history: History): UniqueIdsResult {
  const warnings = new Warnings();
  const pairs = new Pairs(history, warnings);
  let attemptedCount = 0;
  const acknowledged = new Int32Array(pairs.length);
  let acknowledgedCount = 0;
  for (let number = 0; number < pairs.length; number++) {
    if (pairs.fOf(number) !== "generate") continue;
    attemptedCount++;
    if (pairs.endOf(number) === "ok") acknowledged[acknowledgedCount++] = number;
  }
  const numbers = acknowledged.subarray(0, acknowledgedCount);
  const duplicated = duplicatesAmong(pairs, numbers).sort((a, b) => b.count - a.count);
  const { range, clash } = rangeOf(pairs, numbers);
  const figures = {
    attemptedCount,
    acknowledgedCount,
    duplicatedCount: duplicated.length,
    duplicated: Object.fromEntries(
      duplicated.slice(0, MAX_DUPLICATED).map(({ id, count }) => [show(id), count]),
    ),
    range,
  };
  const duplicates = duplicated.slice(0, MAX_FINDINGS).map(({ id, count, first }) =>
    duplicateFinding(id, count, first.map((number) => pairs.at(number) as CompletedPair))
  );
  if (clash === undefined) return resultOf(duplicated.length === 0, figures, duplicates, warnings);
  const [a, b] = clash.map((number) => pairs.at(number) as CompletedPair);
  const found = a === undefined || b === undefined ? [] : [clashFinding(a, b)];
  return resultOf("unknown", figures, [...found, ...duplicates], warnings);
}

/** An id that was returned more than once. */
interface Duplicate {
  readonly id: Json;
  count: number;
  /** The first that got it. */
  readonly first: number[];
}

/** The ids that some pairs got more than once, in the order in which they were first met. */
function duplicatesAmong(pairs: Pairs, numbers: Int32Array): Duplicate[] {
  const suspects = repeated(hashesOf(pairs, numbers));
  if (suspects.size === 0) return [];
  const byKey = new Map<number | string, Duplicate>();
  for (const number of numbers) {
    const id = pairs.resultOf(number);
    const key = keyOf(id);
    if (!suspects.has(hashOf(key))) continue;
    let same = byKey.get(key);
    if (same === undefined) byKey.set(key, same = { id, count: 0, first: [] });
    same.count++;
    if (same.first.length < MAX_OPS_SHOWN) same.first.push(number);
  }
  return [...byKey.values()].filter(({ count }) => count > 1);
}

function hashesOf(pairs: Pairs, numbers: Int32Array): Float64Array {
  const hashes = new Float64Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    hashes[i] = hashOf(keyOf(pairs.resultOf(numbers[i] ?? 0)));
  }
  return hashes;
}

/** The least and the greatest id, or the first two met that cannot be compared, by their pairs. */
function rangeOf(
  pairs: Pairs,
  numbers: Int32Array,
): { range: [Json, Json] | null; clash?: [number, number] } {
  let [least, greatest] = [numbers[0], numbers[0]];
  if (least === undefined || greatest === undefined) return { range: null };
  let [leastId, greatestId] = [pairs.resultOf(least), pairs.resultOf(greatest)];
  for (let i = 1; i < numbers.length; i++) {
    const number = numbers[i] ?? 0;
    const id = pairs.resultOf(number);
    const [low, high] = [compareJson(id, leastId), compareJson(id, greatestId)];
    if (low === undefined) return { range: null, clash: [least, number] };
    if (high === undefined) return { range: null, clash: [greatest, number] };
    if (low < 0) [least, leastId] = [number, id];
    if (high > 0) [greatest, greatestId] = [number, id];
  }
  return { range: [leastId, greatestId] };
}

function duplicateFinding(id: Json, count: number, first: readonly CompletedPair[]): Finding {
  const [one, other] = first.map(({ completion }) => whoAndWhen(completion));
  const others = count > 2 ? `, and ${plural(count - 2, "more time")}` : "";
  return {
    anomaly: "duplicated",
    what: `Id ${show(id)} was given to ${one} and again to ${other}${others}`,
    ops: endsOf(first),
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
