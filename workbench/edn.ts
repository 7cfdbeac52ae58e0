/**
 * EDN, the notation that Jepsen writes its histories in, read as JSON with exact numbers.
 *
 * The `edn-data` library does the reading. It turns every number into a double and does not mind a
 * missing bracket, so each form first passes a scanner that finds where the form ends, checks its
 * brackets, and hands on as text what the library would blur.
 *
 * @module
 */

import { parseEDNString } from "edn-data";
import { isRawNumber, type Json, parseJson } from "@eddy/maelstrom";

/** One form of an EDN text. */
export interface EdnForm {
  /** The line it begins at, from 1. */
  readonly line: number;
  /**
   * What it says: keywords, symbols and characters are strings (keywords without their colon), sets
   * and lists are arrays, keys of maps are strings, and a tag leaves only what it tags.
   */
  readonly value: Json;
}

/** How deep forms may nest; histories stay below ten, exceptions below thirty. */
const MAX_DEPTH = 256;

/** Strings, comments, characters, brackets, line ends, and everything else up to the next of them. */
const token =
  /"[^"\\]*(?:\\[^][^"\\]*)*"|"|;[^\n]*|\\[^][^\s,"()[\]{};\\]*|[()[\]{}]|[^\s,"()[\]{};\\]+|\n/g;

const closers: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** Numbers that a double may not give back as written; short integers are left to the library. */
const delicateNumber = /^[-+]?\d(?:\d{15}|.*[^\d])/;

/** Carries a number's text past the library. */
const EXACT_TAG = "exact-number";

const options: Parameters<typeof parseEDNString>[1] = {
  mapAs: "map",
  setAs: "array",
  listAs: "array",
  keywordAs: "string",
  symbolAs: "string",
  charAs: "string",
  tagHandlers: { [EXACT_TAG]: exactNumber, inst: (value: unknown) => value },
};

/**
 * Reads the top-level forms of an EDN text one by one; a vector or list around them all is looked
 * into, so that a history written as one vector reads like one written line by line.
 *
 * @throws {SyntaxError} if a form is not EDN, naming the line it begins at.
 *
 * @example
 * ```ts
 * import { readEdn } from "./edn.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...readEdn("{:f :read, :value #{1}}")], [
 *   { line: 1, value: { f: "read", value: [1] } },
 * ]);
 * ```
 */
export function* readEdn(text: string): Generator<EdnForm> {
  let line = 1;
  const scanner = new FormScanner(text);
  for (const { 0: piece, index } of text.matchAll(token)) {
    if (piece === "\n") {
      line++;
      continue;
    }
    const form = scanner.take(piece, index, line);
    if (form !== undefined) yield { line: form.line, value: parseForm(form.edn, form.line) };
    if (piece.length > 1 && piece.includes("\n")) line += piece.split("\n").length - 1;
  }
  scanner.end();
}

/** Finds where forms end, and rewrites the tokens that the library would blur. */
class FormScanner {
  readonly #text: string;
  /** The form so far, up to {@linkcode #copied}. */
  #edn = "";
  #copied = 0;
  /** Where the form begins; 0 when none has. */
  #line = 0;
  /** The brackets still to come, innermost last. */
  readonly #awaited: string[] = [];
  /** How many brackets stand around all forms: 1 inside the vector that is the whole text. */
  #base = 0;
  #outerLine = 0;
  #begun = false;

  constructor(text: string) {
    this.#text = text;
  }

  take(piece: string, index: number, line: number): { edn: string; line: number } | undefined {
    const first = piece[0];
    if (this.#line === 0) {
      if (first === ";" || this.#isOuter(piece, line)) return undefined;
      this.#line = line;
      this.#copied = index;
    }
    const isBracket = piece.length === 1 && "()[]{}".includes(piece);
    if (isBracket) {
      if (!this.#isInner(piece, line)) return undefined;
    } else {
      const carried = first === ";" ? " " : carry(piece, this.#line);
      if (carried !== piece) this.#replace(piece, index, carried);
      if (first === "#" || first === ";") return undefined;
    }
    return this.#awaited.length === this.#base ? this.#flush(index + piece.length) : undefined;
  }

  end(): void {
    const awaited = this.#awaited.at(-1);
    if (awaited !== undefined) {
      throw cannotParse(this.#line || this.#outerLine, `it ends before a "${awaited}"`);
    }
    if (this.#line > 0) throw cannotParse(this.#line, "a tag stands before nothing");
  }

  /** Whether this opens the vector around all forms. */
  #isOuter(piece: string, line: number): boolean {
    const first = !this.#begun;
    this.#begun = true;
    if (!first || (piece !== "[" && piece !== "(")) return false;
    this.#awaited.push(piece === "[" ? "]" : ")");
    this.#base = 1;
    this.#outerLine = line;
    return true;
  }

  /** Keeps count of a bracket; false if it closes the vector around all forms. */
  #isInner(piece: string, line: number): boolean {
    const closer = closers[piece];
    if (closer !== undefined) {
      if (this.#awaited.length >= MAX_DEPTH) {
        throw cannotParse(this.#line, `it nests deeper than ${MAX_DEPTH}`);
      }
      this.#awaited.push(closer);
      return true;
    }
    const awaited = this.#awaited.pop();
    if (awaited !== piece) {
      const wanted = awaited === undefined ? "no bracket" : `"${awaited}"`;
      throw cannotParse(line, `"${piece}" stands where ${wanted} should`);
    }
    if (this.#awaited.length >= this.#base) return true;
    this.#base = 0;
    this.#line = 0;
    return false;
  }

  #replace(piece: string, index: number, by: string): void {
    this.#edn += this.#text.slice(this.#copied, index) + by;
    this.#copied = index + piece.length;
  }

  #flush(end: number): { edn: string; line: number } {
    const form = { edn: this.#edn + this.#text.slice(this.#copied, end), line: this.#line };
    this.#edn = "";
    this.#line = 0;
    return form;
  }
}

/** A token as the library should see it. */
function carry(piece: string, line: number): string {
  const first = piece[0];
  if (first === '"') {
    if (piece.length < 2) throw cannotParse(line, "a string has no end");
    return piece;
  }
  // The library takes a bracket for a bracket even in `\{`, but knows `\u007b`.
  if (first === "\\" && piece.length === 2) {
    return `\\u${piece.charCodeAt(1).toString(16).padStart(4, "0")}`;
  }
  if (piece.startsWith("##")) return JSON.stringify(piece);
  return delicateNumber.test(piece) ? `#${EXACT_TAG} "${piece}"` : piece;
}

/** An integer, double or decimal of any size; ratios and what is no number stay text. */
function exactNumber(text: unknown): unknown {
  const digits = /^\+?(-?\d+(?:N|(?:\.\d+)?(?:[eE][-+]?\d+)?M?))$/.exec(String(text))?.[1];
  if (digits === undefined) return text;
  try {
    return parseJson(digits.replace(/[NM]$/, ""));
  } catch {
    return text;
  }
}

function parseForm(edn: string, line: number): Json {
  try {
    return plain(parseEDNString(edn, options));
  } catch (error) {
    throw cannotParse(line, error instanceof Error ? error.message : String(error));
  }
}

/** What the library returns, as JSON. The scanner has bounded the depth. */
function plain(value: unknown): Json {
  if (value === null || isRawNumber(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) {
    const entries: [string, Json][] = [];
    for (const [key, inner] of value) entries.push([keyText(plain(key)), plain(inner)]);
    return Object.fromEntries(entries);
  }
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "object":
      return "val" in value ? plain(value.val) : null;
    default:
      throw new Error("A value is missing");
  }
}

function keyText(key: Json): string {
  return typeof key === "string" ? key : JSON.stringify(key);
}

function cannotParse(line: number, why: string): SyntaxError {
  return new SyntaxError(`Cannot parse line ${line}: ${why}`);
}
