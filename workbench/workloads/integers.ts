/**
 * Arithmetic on integers as they come in replies: numbers, or their text beyond 2^53.
 *
 * @module
 */

import type { Integer } from "@eddy/handlers/schema";
import { type Json, parseJson } from "@eddy/maelstrom";

/** An integer's exact value. */
function exact(integer: Integer): bigint {
  return BigInt(typeof integer === "number" ? integer : integer.rawJSON);
}

/** The greater of two integers. */
export function greater(a: Integer, b: Integer): Integer {
  if (typeof a === "number" && typeof b === "number") return a < b ? b : a;
  return exact(a) < exact(b) ? b : a;
}

/** The integer after one. */
export function successor(integer: Integer): Integer {
  if (typeof integer === "number" && integer < Number.MAX_SAFE_INTEGER) return integer + 1;
  return parseJson(String(exact(integer) + 1n)) as Integer;
}

/** Whether `a` is at least `b`. */
export function atLeast(a: Integer, b: Integer): boolean {
  if (typeof a === "number" && typeof b === "number") return a >= b;
  return exact(a) >= exact(b);
}

/** Whether a JSON value that is known to be an offset or a message is an integer. */
export function isInteger(value: Json | undefined): value is Integer {
  return typeof value === "number" ||
    (typeof value === "object" && value !== null && "rawJSON" in value &&
      typeof value.rawJSON === "string" && /^-?\d+$/.test(value.rawJSON));
}
