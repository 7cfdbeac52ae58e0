/**
 * Operations on registers, told as what each one requires and what it leaves.
 *
 * @module
 */

import { canonical, type Json } from "@eddy/maelstrom";
import type { Op } from "../history.ts";
import { keyOf } from "./json_order.ts";
import { isOk, type PlacedPair, valueOf } from "./pairing.ts";
import type { Warnings } from "./warnings.ts";
import { show, whoAndWhen } from "./wording.ts";

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

/** What happened to one key. */
export interface RegisterHistory {
  readonly key: Json;
  /** How many operations there were, whatever came of them. */
  operationCount: number;
  /** The operations that happened, in the order of invocation. */
  readonly known: RegisterCall[];
  /** The operations that may have happened, at any time since, in the order of invocation. */
  readonly unknown: RegisterCall[];
  /** The operations that failed, so did not happen; only to tell of. */
  readonly failed: RegisterCall[];
  /** The values by number. */
  readonly values: Json[];
}

/** Every key's history, and how many operations could not be made out. */
export interface RegisterHistories {
  readonly byKey: ReadonlyMap<string, RegisterHistory>;
  readonly oddCount: number;
}

/**
 * Splits a history by key.
 *
 * What constrains nothing is dropped: a read that was not acknowledged, one that returned `null`,
 * and an unknown cas to the value it is from.
 */
export function registerHistories(
  pairs: readonly PlacedPair[],
  warnings: Warnings,
): RegisterHistories {
  const byKey = new Map<string, RegisterHistory & { numbers: Map<number | string, number> }>();
  let oddCount = 0;
  for (const pair of pairs) {
    const asked = keyAndValue(pair.invoke);
    const requirement = asked && requirementOf(pair, asked);
    if (asked === undefined || requirement === undefined) {
      oddCount += 1;
      warnings.add(
        "Operation that makes no sense on a register",
        () =>
          `${pair.invoke.f} of ${show((pair.completion ?? pair.invoke).value)}, ` +
          `by ${whoAndWhen(pair.invoke)}`,
      );
      continue;
    }
    const name = canonical(asked[0]);
    let history = byKey.get(name);
    if (history === undefined) {
      history = {
        key: asked[0],
        operationCount: 0,
        known: [],
        unknown: [],
        failed: [],
        values: [null],
        numbers: new Map([[keyOf(null), INITIAL]]),
      };
      byKey.set(name, history);
    }
    history.operationCount += 1;
    if (requirement === "nothing") continue;
    const { values, numbers } = history;
    const numberOf = (value: Json): number => {
      const number = numbers.get(keyOf(value)) ?? values.length;
      if (number === values.length) {
        numbers.set(keyOf(value), number);
        values.push(value);
      }
      return number;
    };
    const call = {
      pair,
      requires: requirement.from === undefined ? ANY : numberOf(requirement.from),
      leaves: numberOf(requirement.to),
      invokedAt: pair.invokedAt,
      completedAt: isOk(pair) ? pair.completedAt : Infinity,
    };
    if (pair.completion?.type === "fail") history.failed.push(call);
    else (isOk(pair) ? history.known : history.unknown).push(call);
  }
  return { byKey, oddCount };
}

/** Operations' values are pairs of key and value. */
function keyAndValue(op: Op): [key: Json, value: Json] | undefined {
  const value = valueOf(op);
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  return [value[0] ?? null, value[1] ?? null];
}

/** What an operation needs to find, if it needs that, and what it leaves; nothing for nonsense. */
function requirementOf(
  pair: PlacedPair,
  [key, value]: [Json, Json],
): { from?: Json; to: Json } | "nothing" | undefined {
  switch (pair.invoke.f) {
    case "read": {
      if (!isOk(pair)) return "nothing";
      const got = keyAndValue(pair.completion);
      if (got === undefined || canonical(got[0]) !== canonical(key)) return undefined;
      return got[1] === null ? "nothing" : { from: got[1], to: got[1] };
    }
    case "write":
      return { to: value };
    case "cas": {
      if (!Array.isArray(value) || value.length !== 2) return undefined;
      const [from, to] = [value[0] ?? null, value[1] ?? null];
      return !isOk(pair) && canonical(from) === canonical(to) ? "nothing" : { from, to };
    }
    default:
      return undefined;
  }
}
