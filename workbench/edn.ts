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
export function* readEdn(text: string): Generator<EdnForm> {
  yield* new EdnForms().end(text);
}

/** A top-level form, and the line that it begins at. */
export interface EdnForm {
  readonly line: number;
  readonly value: Json;
}

/** The same for a text that comes in pieces, of which no more is kept than one form is long. */
export class EdnForms {
  /** What was not read yet, up to the end of a line, and the line and column that it begins at. */
  #text = "";
  #line = 1;
  #column = 1;
  /** What came since. */
  #pieces: string[] = [];
  #length = 0;
  /** What ends the vector or list around the forms, and where it began; unknown at first. */
  #closer: string | undefined;
  #openedAt = 0;
  /** Where in the text at hand the next form, or the space before it, begins. */
  #start = 0;

  /** Takes a piece, and reads the forms that end in it. */
  *add(piece: string): Generator<EdnForm> {
    this.#pieces.push(piece);
    this.#length += piece.length;
    // Each time a long form is read in vain, as much again must come first.
    if (this.#length < this.#text.length) return;
    const end = piece.lastIndexOf("\n") + 1;
    if (end === 0) return;
    // No token goes on behind the end of its line.
    this.#pieces[this.#pieces.length - 1] = piece.slice(0, end);
    const text = this.#text + this.#pieces.join("");
    this.#pieces = [piece.slice(end)];
    this.#length = piece.length - end;
    yield* this.#read(text, false);
  }

  /** Takes the last piece, and reads the forms that are left. */
  *end(piece = ""): Generator<EdnForm> {
    yield* this.#read(this.#text + this.#pieces.join("") + piece, true);
  }

  *#read(text: string, isLast: boolean): Generator<EdnForm> {
    const reader = new EdnReader(text, this.#line, this.#column);
    for (;;) {
      this.#start = reader.at;
      let form: EdnForm | undefined;
      try {
        form = this.#next(reader);
        if (form === undefined && isLast) this.#checkClosed();
      } catch (error) {
        if (isLast || !reader.isAtEnd) throw error;
        this.#keep(reader, this.#start);
        return;
      }
      if (form === undefined) return this.#keep(reader, text.length);
      yield form;
    }
  }

  #keep(reader: EdnReader, start: number): void {
    this.#line = reader.lineOf(start);
    this.#column = reader.columnOf(start);
    this.#text = reader.textFrom(start);
  }

  #next(reader: EdnReader): EdnForm | undefined {
    for (;;) {
      const char = reader.nextChar();
      if (char === "") return undefined;
      if (this.#closer === undefined) {
        this.#closer = char === "[" ? "]" : char === "(" ? ")" : "";
        if (this.#closer === "") continue;
        this.#openedAt = reader.line;
      } else if (char !== this.#closer) {
        return { line: reader.line, value: reader.read(this.#closer) };
      } else this.#closer = "";
      reader.pass();
      // A bracket counts once, even if the form after it has not ended yet.
      this.#start = reader.at;
    }
  }

  #checkClosed(): void {
    if (!this.#closer) return;
    throw new SyntaxError(
      `Cannot parse line ${this.#openedAt}: it ends before a "${this.#closer}"`,
    );
  }
}

class EdnReader {
  readonly #text: string;
  readonly #firstLine: number;
  readonly #firstColumn: number;
  /** The line of the place up to which lines were counted. */
  #line: number;
  #counted = 0;
  #at = 0;
  #depth = 0;

  /** @param firstLine the line that the text begins at, and then the column */
  constructor(text: string, firstLine: number, firstColumn: number) {
    this.#text = text;
    this.#firstLine = firstLine;
    this.#firstColumn = firstColumn;
    this.#line = firstLine;
  }

  /** How far it was read. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The line that it was read up to. */
  get line(): number {
    this.#line += newlines(this.#text, this.#counted, this.#at);
    this.#counted = this.#at;
    return this.#line;
  }

  /** The line of any place. */
  lineOf(at: number): number {
    return this.#firstLine + newlines(this.#text, 0, at);
  }

  /** The column of any place. */
  columnOf(at: number): number {
    const lineEnd = at === 0 ? -1 : this.#text.lastIndexOf("\n", at - 1);
    return lineEnd === -1 ? this.#firstColumn + at : at - lineEnd;
  }

  textFrom(start: number): string {
    return this.#text.slice(start);
  }

  /** Goes to the next character of a form or bracket; empty at the end. */
  nextChar(): string {
    this.#skip();
    return this.#text[this.#at] ?? "";
  }

  /** Passes one character. */
  pass(): void {
    this.#at++;
  }

  /** Reads the form that is next. */
  read(closer: string): Json {
    this.#checkOpen(this.#text[this.#at] ?? "", closer);
    return this.#form();
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
      throw new SyntaxError(
        `Cannot parse line ${this.lineOf(open)}: it ends before a "${closer}"`,
      );
    }
    this.#checkOpen(char, closer);
    return true;
  }

  #checkOpen(char: string, closer: string): void {
    if (!isCloser(char)) return;
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
    const [line, column] = [this.lineOf(at), this.columnOf(at)];
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
