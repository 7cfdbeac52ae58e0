/**
 * Keys and order for JSON values, so that elements and ids can be counted and sorted.
 *
 * @module
 */

import { canonical, isRawNumber, type Json, parseJson } from "@eddy/maelstrom";

/**
 * What to look a value up by in a `Map`: two values share it exactly when {@linkcode canonical}
 * calls them equal, and a plain number is its own key, which is what makes long reads cheap.
 */
export function keyOf(value: Json): number | string {
  if (typeof value === "number") return value;
  const text = canonical(value);
  if (!isRawNumber(value)) return text;
  const number = Number(text);
  return String(number) === text ? number : text;
}

/** A value's integer, exact at any size; nothing for what Maelstrom reads as anything else. */
export function integerOf(value: Json): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (isRawNumber(value) && /^-?\d+$/.test(value.rawJSON)) return BigInt(value.rawJSON);
  return undefined;
}

/** The JSON of an integer of any size. */
export function integerJson(integer: bigint): Json {
  return parseJson(integer.toString());
}

/**
 * Compares two values as the JVM would: numbers by size, texts by code unit, `null` first, lists by
 * length and then element by element.
 *
 * @returns a negative number, 0 or a positive one, or nothing where the JVM would throw: between
 * kinds, and between objects.
 */
export function compareJson(a: Json, b: Json): number | undefined {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  if (isNumber(a)) return isNumber(b) ? compareNumbers(a, b) : undefined;
  if (Array.isArray(a)) return Array.isArray(b) ? compareLists(a, b) : undefined;
  if (typeof a !== typeof b || typeof a === "object") return undefined;
  return a < b ? -1 : Number(a > b);
}

function compareLists(a: Json[], b: Json[]): number | undefined {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) {
    const order = compareJson(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function isNumber(value: Json): boolean {
  return typeof value === "number" || isRawNumber(value);
}

function compareNumbers(a: Json, b: Json): number {
  const [x, y] = [integerOf(a) ?? doubleOf(a), integerOf(b) ?? doubleOf(b)];
  return x < y ? -1 : Number(x > y);
}

function doubleOf(value: Json): number {
  return Number(isRawNumber(value) ? value.rawJSON : value);
}

/** Sorts values for people to read: comparable ones in order, others by their text. */
export function sortJson(values: readonly Json[]): Json[] {
  return values.toSorted((a, b) => {
    const order = compareJson(a, b);
    if (order !== undefined) return order;
    const [x, y] = [canonical(a), canonical(b)];
    return x < y ? -1 : Number(x > y);
  });
}
