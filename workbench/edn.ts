/**
 * EDN, the notation that Jepsen writes its histories in, read as JSON with exact numbers, and
 * written.
 *
 * @module
 */

import { isRawNumber, type Json, type JsonObject, parseJson } from "@eddy/maelstrom";

/** How deep forms may nest; histories stay below ten, exceptions below thirty. */
export const MAX_DEPTH = 256;

const space = /[\s,]*/y;
const comment = /;[^\n]*/y;
const unescaped = /[^"\\]*/y;
const escape = /\\(?:u[\da-fA-F]{4}|[^]?)/y;
/** After the backslash any character may stand, as in `\{`. */
const character = /\\[^]?[^\s,"()[\]{};\\]*/y;
/** A keyword, symbol, number or tag. */
const token = /[^\s,"()[\]{};\\]*/y;
/** An integer that a double holds exactly. */
const shortInteger = /^(?:0|-?[1-9]\d{0,14})$/;
/** Any other number of EDN; what it captures is JSON. */
const number = /^\+?(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)[NM]?$/;

const constants = new Map([["nil", null], ["true", true], ["false", false]]);
const characters = new Map([
  ["newline", "\n"],
  ["return", "\r"],
  ["space", " "],
  ["tab", "\t"],
  ["formfeed", "\f"],
  ["backspace", "\b"],
]);

/**
 * Reads the top-level forms of an EDN text one by one, each with the line it begins at. If the text
 * begins with a vector or list, these are the forms in it, so that a history may be one vector or
 * one operation a line.
 *
 * Keywords (without their colon), symbols, characters, ratios and infinities become strings, sets
 * and lists become arrays, keys of maps become strings, and tags are left out.
 *
 * @throws {SyntaxError} if the text is not EDN, naming the line and, but at its end, the column.
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
export function readEdn(text: string): Generator<{ line: number; value: Json }> {
  return new EdnReader(text).topLevel();
}

class EdnReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  *topLevel(): Generator<{ line: number; value: Json }> {
    this.#skip();
    const first = this.#text[this.#at];
    if (first === "[" || first === "(") yield* this.#lines(this.#at++, first === "[" ? "]" : ")");
    yield* this.#lines(this.#at, "");
  }

  *#lines(open: number, closer: string): Generator<{ line: number; value: Json }> {
    let line = 1;
    let counted = 0;
    while (this.#hasNext(open, closer)) {
      line += newlines(this.#text, counted, this.#at);
      counted = this.#at;
      yield { line, value: this.#form() };
    }
  }

  #form(): Json {
    const char = this.#text[this.#at];
    if (char === "{") return this.#map();
    if (char === "[") return this.#items(1, "]");
    if (char === "(") return this.#items(1, ")");
    if (char === '"') return this.#string();
    if (char === "\\") return this.#character();
    if (char !== "#") return this.#atom();
    return this.#text[this.#at + 1] === "{" ? this.#items(2, "}") : this.#tagged();
  }

  #map(): JsonObject {
    const open = this.#enter(1);
    const entries: [string, Json][] = [];
    while (this.#hasNext(open, "}")) {
      const key = this.#form();
      if (!this.#hasNext(open, "}")) throw this.#error(open, "a key of a map has no value");
      entries.push([typeof key === "string" ? key : JSON.stringify(key), this.#form()]);
    }
    this.#depth--;
    return Object.fromEntries(entries);
  }

  #items(opening: number, closer: string): Json[] {
    const open = this.#enter(opening);
    const items: Json[] = [];
    while (this.#hasNext(open, closer)) items.push(this.#form());
    this.#depth--;
    return items;
  }

  /** Goes to the next form between brackets, or past the closing one and returns false. */
  #hasNext(open: number, closer: string): boolean {
    this.#skip();
    const char = this.#text[this.#at] ?? "";
    if (char === closer) {
      this.#at++;
      return false;
    }
    if (char === "") {
      const line = 1 + newlines(this.#text, 0, open);
      throw new SyntaxError(`Cannot parse line ${line}: it ends before a "${closer}"`);
    }
    if (!isCloser(char)) return true;
    const wanted = closer === "" ? "no bracket" : `"${closer}"`;
    throw this.#error(this.#at, `"${char}" stands where ${wanted} should`);
  }

  /** Passes white space, commas, comments and discarded forms. */
  #skip(): void {
    for (;;) {
      this.#match(space);
      if (this.#text[this.#at] === ";") this.#match(comment);
      else if (this.#text.startsWith("#_", this.#at)) this.#operand("#_", 2);
      else return;
    }
  }

  #tagged(): Json {
    const start = this.#at;
    const tag = this.#match(token);
    if (/^##-?(?:Inf|NaN)$/.test(tag)) return tag;
    this.#at = start;
    if (/^#(?:#|$)/.test(tag)) throw this.#error(start, "a tag has no name");
    return this.#operand("a tag", tag.length);
  }

  /** Reads the form that a tag or `#_` stands before. */
  #operand(what: string, length: number): Json {
    const start = this.#enter(length);
    this.#skip();
    const char = this.#text[this.#at] ?? "";
    if (char === "" || isCloser(char)) throw this.#error(start, `${what} stands before nothing`);
    const value = this.#form();
    this.#depth--;
    return value;
  }

  /** Passes an opening bracket or a tag, and returns where it begins. */
  #enter(length: number): number {
    const start = this.#at;
    if (++this.#depth > MAX_DEPTH) throw this.#error(start, `it nests deeper than ${MAX_DEPTH}`);
    this.#at += length;
    return start;
  }

  #string(): string {
    const start = this.#at++;
    let content = "";
    for (;;) {
      content += this.#match(unescaped);
      const char = this.#text[this.#at];
      if (char === undefined) throw this.#error(start, "a string has no end");
      if (char === "\\") content += this.#escape();
      else {
        this.#at++;
        return content;
      }
    }
  }

  /** Reads an escape of a string; JSON's are EDN's. */
  #escape(): string {
    const start = this.#at;
    const text = this.#match(escape);
    try {
      return JSON.parse(`"${text}"`);
    } catch {
      throw this.#error(start, `Unexpected escape ${text}`);
    }
  }

  #character(): string {
    const start = this.#at;
    const name = this.#match(character).slice(1);
    if (/^u[\da-fA-F]{4}$/.test(name)) return String.fromCharCode(parseInt(name.slice(1), 16));
    if (/^o[0-3]?[0-7]{1,2}$/.test(name)) return String.fromCharCode(parseInt(name.slice(1), 8));
    const char = [...name].length === 1 ? name : characters.get(name);
    if (char === undefined) throw this.#error(start, `"\\${name}" is no character`);
    return char;
  }

  #atom(): Json {
    const text = this.#match(token);
    if (text.startsWith(":")) return text.slice(1);
    if (shortInteger.test(text)) return Number(text);
    const constant = constants.get(text);
    if (constant !== undefined) return constant;
    const [, digits] = number.exec(text) ?? [];
    return digits === undefined ? text : parseJson(digits);
  }

  #match(pattern: RegExp): string {
    const start = this.#at;
    pattern.lastIndex = start;
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex;
    return this.#text.slice(start, this.#at);
  }

  #error(at: number, why: string): SyntaxError {
    const line = 1 + newlines(this.#text, 0, at);
    const column = at - this.#text.lastIndexOf("\n", at - 1);
    return new SyntaxError(`Cannot parse line ${line}: ${why}, at column ${column}`);
  }
}

function isCloser(char: string): boolean {
  return char === ")" || char === "]" || char === "}";
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (text.charCodeAt(i) === 10) count++;
  return count;
}

/** What a keyword, written with a colon, may consist of. */
const name = /^[A-Za-z*!_?$%&=<>][\w*!?$%&=<>.+-]*$/;

/** A keyword; a text, where it cannot be one. */
export function ednKeyword(text: string): string {
  return name.test(text) ? `:${text}` : ednString(text);
}

function ednString(text: string): string {
  // Who reads line by line may take these for the end of one.
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16)}`;
  });
}

/**
 * Writes JSON as EDN, on one line. Keys of objects are keywords where they can be, numbers keep
 * their text, and {@linkcode readEdn} reads the same JSON.
 *
 * @example
 * ```ts
 * import { writeEdn } from "./edn.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(writeEdn({ echo: "hi", list: [1, null] }), '{:echo "hi", :list [1 nil]}');
 * ```
 */
export function writeEdn(value: Json): string {
  if (value === null) return "nil";
  if (typeof value === "string") return ednString(value);
  if (typeof value !== "object") return String(value);
  if (isRawNumber(value)) return value.rawJSON;
  if (Array.isArray(value)) {
    // Reads of sets have thousands of numbers.
    const isPlain = value.every((each) => typeof each === "number");
    return `[${(isPlain ? value : value.map(writeEdn)).join(" ")}]`;
  }
  return `{${entriesOf(value).map(([key, each]) => `${key} ${writeEdn(each)}`).join(", ")}}`;
}

function entriesOf(value: JsonObject): [key: string, value: Json][] {
  return Object.entries(value).map(([key, each]) => [ednKeyword(key), each]);
}

/** How long a line is that {@linkcode indentEdn} leaves as it is. */
const COLUMNS = 100;

/**
 * Writes JSON as EDN, with what is in maps, and in lists of maps or lists, on lines of its own where
 * it is long.
 *
 * @param indent how many spaces stand before what follows a line's end
 */
export function indentEdn(value: Json, indent: number = 0): string {
  const line = writeEdn(value);
  if (indent + line.length <= COLUMNS || isLeaf(value)) return line;
  const gap = `\n${" ".repeat(indent + 1)}`;
  if (Array.isArray(value)) {
    if (value.every(isLeaf)) return line;
    return `[${value.map((each) => indentEdn(each, indent + 1)).join(gap)}]`;
  }
  const entries = entriesOf(value).map(([key, each]) => {
    return `${key} ${indentEdn(each, indent + 1 + key.length + 1)}`;
  });
  return `{${entries.join(`,${gap}`)}}`;
}

function isLeaf(value: Json): value is Exclude<Json, Json[] | JsonObject> {
  return typeof value !== "object" || value === null || isRawNumber(value);
}
