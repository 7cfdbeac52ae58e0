/**
 * JSON whose numbers come back as they came, and structural equality as Maelstrom sees it.
 *
 * A double cannot tell 3 from 3.0, nor hold 2^53 + 1. Maelstrom tells them apart, so a number
 * whose text a double would not give back is kept as a {@linkcode RawNumber}. Everything else is
 * plain JSON; for a line with no such number this costs two regular expressions.
 *
 * @module
 */

/** Any JSON value, as {@linkcode parseJson} returns it. */
export type Json = null | boolean | number | string | RawNumber | Json[] | { [key: string]: Json };

/** A JSON object. */
export type JsonObject = { [key: string]: Json };

/** A value as it may be sent: lists may be readonly, and a key that is undefined is left out. */
export type JsonInput =
  | null
  | boolean
  | number
  | string
  | RawNumber
  | readonly JsonInput[]
  | { readonly [key: string]: JsonInput | undefined };

/**
 * `T` where JSON can carry it, an interface too, and `never` in each place where it cannot: a
 * function, a symbol, a BigInt, a Map, a promise, `undefined` in a list.
 */
export type Sendable<T> = T extends JsonInput | undefined ? T
  : T extends ((...args: never[]) => unknown) | symbol | bigint ? never
  : T extends readonly unknown[] ? { [K in keyof T]: Exclude<Sendable<T[K]>, undefined> }
  : T extends object ? { [K in keyof T]: Sendable<T[K]> }
  : never;

/** `T` as it may be sent: readonly, and with any object where `T` takes any JSON. */
export type Given<T> = unknown extends T ? unknown
  : [Json] extends [T] ? null | boolean | number | string | object
  : [JsonObject] extends [T] ? object
  : { readonly [K in keyof T]: Given<T[K]> };

/** A number that a double would not give back as written: `1.0`, `-0`, `9007199254740993`. */
export interface RawNumber {
  /** The number as it stood in the text. */
  readonly rawJSON: string;
}

// `JSON.parse` with source text access and `JSON.rawJSON` (ES2026) are not in TypeScript's library.
const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: Json, context: { source?: string }) => Json,
  ): Json;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};

/** Matches every number with a point, exponent or minus zero; a false match costs a slower parse. */
const suspicious = /\d[.eE][+\-\d]|-0/;
/** Sixteen digits; `\d{16}` takes three times as long, and one expression for both still longer. */
const long = new RegExp("\\d".repeat(16));

/**
 * Parses JSON, keeping by its text each number that a double would not give back as written.
 *
 * @throws {SyntaxError} if the text is not JSON.
 * @throws {RangeError} if it is nested too deeply to walk.
 *
 * @example
 * ```ts
 * import { parseJson } from "@eddy/maelstrom";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(JSON.stringify(parseJson("[3, 3.0, 9007199254740993]")), "[3,3.0,9007199254740993]");
 * ```
 */
export function parseJson(text: string): Json {
  if (isPlain(text) || givesBack(text)) return JSON.parse(text);
  return json.parse(
    text,
    (_key, value, { source }) =>
      typeof value === "number" && source !== undefined && JSON.stringify(value) !== source
        ? json.rawJSON(source)
        : value,
  );
}

/** Whether no number of a text needs to be kept by its text. */
export function isPlain(text: string): boolean {
  return !suspicious.test(text) && !long.test(text);
}

/**
 * What of a text is a number that a double may not give back as written. Where no number can stand,
 * as in most texts, there is no match.
 */
const doubtful = /(?<=^|[[,:\s])(?:-?\d+[.eE][\d.eE+\-]*|-0|-?\d{16,})(?=[\],}\s]|$)/g;

/** Whether a double gives back each doubtful number as written; parsing with a reviver costs more. */
function givesBack(text: string): boolean {
  for (const number of text.match(doubtful) ?? []) {
    if (String(Number(number)) !== number) return false;
  }
  return true;
}

/** Whether a value is a {@linkcode RawNumber}. */
export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/** Whether a value is a JSON object, as against an array, `null` or a number kept by its text. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !json.isRawJSON(value);
}

/**
 * A text that two values share exactly when Maelstrom calls them equal: objects regardless of
 * the order of their keys, 3 not 3.0, integers exact at any size. Good as a key of a `Map`.
 *
 * @example
 * ```ts
 * import { canonical, parseJson } from "@eddy/maelstrom";
 * import { assert } from "@std/assert";
 *
 * assert(canonical({ a: 1, b: 2 }) === canonical({ b: 2, a: 1 }));
 * assert(canonical(1) !== canonical(parseJson("1.0")));
 * ```
 */
export function canonical(value: Json): string {
  // From 1e21 up a number is written with an exponent, which makes it a double.
  if (typeof value === "number") {
    return Math.abs(value) < 1e21 ? String(value) : canonicalNumber(String(value));
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (isRawNumber(value)) return canonicalNumber(value.rawJSON);
  const keys = Object.keys(value).sort();
  return `{${
    keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] as Json)}`).join(",")
  }}`;
}

function canonicalNumber(text: string): string {
  if (/^-?\d+$/.test(text)) return BigInt(text).toString();
  const double = Number(text);
  if (!Number.isFinite(double)) return text;
  return Number.isInteger(double) ? `${double === 0 ? 0 : double}.0` : String(double);
}

/**
 * Whether two values are equal as Maelstrom compares them; see {@linkcode canonical}.
 *
 * @example
 * ```ts
 * import { jsonEqual } from "@eddy/maelstrom";
 * import { assert } from "@std/assert";
 *
 * assert(jsonEqual({ a: [1, null] }, { a: [1, null] }));
 * ```
 */
export function jsonEqual(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (a === null || b === null || (typeof a !== "object" && typeof b !== "object")) return false;
  return canonical(a) === canonical(b);
}
