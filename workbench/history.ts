/**
 * Histories, which are all that a checker sees: the operations of clients and of the nemesis in the
 * order of time, and the formats of their files.
 *
 * @module
 */

import {
  ErrorCode,
  errorText,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "@eddy/maelstrom";
import { EdnForms, MAX_DEPTH, readEdn } from "./edn.ts";

/** An operation begins (`invoke`), took effect (`ok`), did not (`fail`), or may have (`info`). */
export type OpType = "invoke" | "ok" | "fail" | "info";

/** One event of a history. Each process has at most one operation open at a time. */
export interface Op {
  /** Position in the history, from 0. */
  readonly index: number;
  /** Nanoseconds since the run began. */
  readonly time: number;
  /** Whether the operation begins or ends here, and how it ended. */
  readonly type: OpType;
  /** A client process, or the nemesis. */
  readonly process: number | "nemesis";
  /** What was done: `broadcast`, `read`, `cas`, `start-partition`, ... */
  readonly f: string;
  /** The argument, and on completion the result, as Maelstrom writes them. */
  readonly value: Json;
  /** Why it failed or is unknown. */
  readonly error?: OpError;
  /** Whether it belongs to the final phase of a counter's run, where reads must be exact. */
  readonly final?: boolean;
  /** The node that the process talks to; absent in histories of Jepsen. */
  readonly node?: string;
}

/** Operations in the order of time: an array, or what makes each of them when it is asked for. */
export interface History extends Iterable<Op> {
  /** How many there are. */
  readonly length: number;
  /** The operation at a position, counted from the end if that is below 0. */
  at(position: number): Op | undefined;
}

/** An error reply, a timeout (code 0), or a reply that does not fit its schema (no code). */
export interface OpError {
  /** Maelstrom's error code; absent for a malformed reply. */
  readonly code?: number;
  /** A description. */
  readonly text: string;
}

/** What checkers say: false beats unknown beats true. */
export type Validity = true | false | "unknown";

/** One thing that is wrong, and the operations that show it. */
export interface Finding {
  /** Maelstrom's name for it: `lost`, `G1a`, `poll-skip`, `nonlinearizable`, ... */
  readonly anomaly: string;
  /** One sentence naming the element, key or transaction, sentence case, no final period. */
  readonly what: string;
  /** The operations that show it, in the history's order; few. */
  readonly ops: readonly Op[];
  /** The index of the completion that it is about, where it is about a single one of them. */
  readonly about?: number | undefined;
}

/** What every checker says; each adds its own figures. */
export interface CheckResult {
  /** Whether the history is as it should be. */
  readonly valid: Validity;
  /** What is wrong, worst first; at most {@linkcode MAX_FINDINGS}. */
  readonly findings?: readonly Finding[] | undefined;
  /** What Maelstrom would overlook and this workbench will not. */
  readonly warnings?: readonly string[] | undefined;
}

/** How many findings a result carries at most; the counts include the rest. */
export const MAX_FINDINGS = 8;

/** The worst of several verdicts. */
export function worst(verdicts: Iterable<Validity>): Validity {
  let all: Validity = true;
  for (const verdict of verdicts) {
    if (verdict === false) return false;
    if (verdict === "unknown") all = "unknown";
  }
  return all;
}

/**
 * How a history is written: `jsonl` is this workbench's format, `json` one array of the same
 * objects, `edn` that of the real Maelstrom, and `log` is what Jepsen prints of its operations.
 */
export type HistoryFormat = "jsonl" | "json" | "edn" | "log";

/** The formats in words. */
export const HISTORY_FORMATS = "JSON lines, a JSON array, EDN and a Jepsen log";

/**
 * Writes an operation as one line of `history.jsonl`, without the line's end.
 *
 * Keys stand in the order of {@linkcode Op}, so that equal histories are equal files; numbers keep
 * their text.
 *
 * @example
 * ```ts
 * import { writeHistoryLine } from "./history.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { index: 0, time: 5, type: "invoke", process: 0, f: "read", value: null } as const;
 * assertEquals(
 *   writeHistoryLine(op),
 *   '{"index":0,"time":5,"type":"invoke","process":0,"f":"read","value":null}',
 * );
 * ```
 */
export function writeHistoryLine(op: Op): string {
  const { index, time, type, process, f, value, error, final, node } = op;
  return JSON.stringify({ index, time, type, process, f, value, error, final, node });
}

/**
 * Reads a whole history.
 *
 * Operations without a time follow each other by a millisecond. Transactions need no `f`.
 *
 * @param text the text of `history.jsonl` or `history.edn`, be it lines or one array or vector, or
 * a log with the operations that Jepsen prints, of which all other lines are passed over
 * @param format by default recognized by the text: keys are strings in JSON, keywords in EDN
 * @throws {SyntaxError} if the text is no history, naming the line.
 *
 * @example
 * ```ts
 * import { parseHistory } from "./history.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = "{:index 0, :time 5, :type :invoke, :process 0, :f :read, :value nil}";
 * assertEquals(parseHistory(text), [
 *   { index: 0, time: 5, type: "invoke", process: 0, f: "read", value: null },
 * ]);
 * ```
 */
export function parseHistory(text: string, format?: HistoryFormat): Op[] {
  const ops: Op[] = [];
  const reader = new HistoryReader(ops, { format, maxChars: Infinity });
  reader.add(text);
  reader.end();
  return ops;
}

/**
 * Reads a history that comes in pieces, of which it keeps no more than one operation is long.
 *
 * @example
 * ```ts
 * import { HistoryReader, type Op } from "./history.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const ops: Op[] = [];
 * const reader = new HistoryReader(ops);
 * reader.add('{"type":"invoke","process":0,"f":"re');
 * reader.add('ad","value":null}\n');
 * reader.end();
 * assertEquals(ops.length, 1);
 * ```
 */
export class HistoryReader {
  readonly #ops: { push(op: Op): unknown };
  /** What came before the format was known. */
  #head = "";
  #format: HistoryFormat | undefined;
  #forms: FormReader | undefined;
  readonly #before: Before = { count: 0, time: -OP_INTERVAL_NS };
  readonly #isGiven: boolean;
  readonly #maxChars: number;
  /** How much was taken since the last operation. */
  #pending = 0;

  /**
   * @param ops what operations are added to
   * @param options the format, as for {@linkcode parseHistory}, and how long the text of an
   * operation may be: what goes on for longer is refused before it fills the memory
   */
  constructor(
    ops: { push(op: Op): unknown },
    { format, maxChars = MAX_CHARS }: {
      readonly format?: HistoryFormat | undefined;
      readonly maxChars?: number | undefined;
    } = {},
  ) {
    this.#ops = ops;
    this.#format = format;
    this.#isGiven = format !== undefined;
    this.#maxChars = maxChars;
  }

  /**
   * Takes a piece.
   *
   * @throws {SyntaxError} if the text is no history, naming the line.
   */
  add(text: string): void {
    this.#take(text, false);
    // Of a log, lines without an operation are passed over, however many there are.
    const lineEnd = this.#format === "log" ? text.lastIndexOf("\n") : -1;
    this.#pending = lineEnd === -1 ? this.#pending + text.length : text.length - lineEnd - 1;
    if (this.#pending <= this.#maxChars) return;
    const { count } = this.#before;
    const where = count === 0 ? "" : ` after operation ${count}`;
    throw cannotParse("the text", `no operation ends within ${this.#maxChars} characters${where}`);
  }

  /**
   * Takes the end.
   *
   * @throws {SyntaxError} if the text is no history, naming the line.
   */
  end(): void {
    this.#take("", true);
    this.#forms?.end();
    if (this.#format === "log" && !this.#isGiven && this.#before.count === 0) throw noHistory();
  }

  #take(text: string, isWhole: boolean): void {
    if (this.#forms !== undefined) return this.#forms.add(text);
    this.#head += text;
    this.#format ??= formatOf(this.#head, isWhole || this.#head.length > MAX_BLANK_CHARS);
    if (this.#format === undefined) return;
    const notation = this.#format === "edn" || this.#format === "log" ? ednNotation : jsonNotation;
    this.#forms = readers[this.#format]((value, place) => this.#read(value, place, notation));
    this.#forms.add(this.#head);
    this.#head = "";
  }

  #read(value: Json, place: number, notation: Notation): void {
    const before = this.#before;
    let op: Op;
    try {
      op = readOp(value, before, notation);
    } catch (error) {
      // Whatever else the first one may be, it is not a faulty operation.
      if (before.count === 0 && !hasKeyOfOp(value)) throw noHistory();
      throw cannotParse(`${this.#format === "json" ? "operation" : "line"} ${place}`, error);
    }
    before.count++;
    before.time = op.time;
    this.#pending = 0;
    this.#ops.push(op);
  }
}

/** How much of a text is looked at for its format. */
const MAX_BLANK_CHARS = 2 ** 20;

/** How long a text can be in this runtime. */
const MAX_CHARS = 2 ** 29 - 24;

/** Takes what stands for an operation, with the number of its line; of an array, its own. */
type OnForm = (value: Json, place: number) => void;

/** Reads a text in pieces. */
interface FormReader {
  add(text: string): void;
  end(): void;
}

const readers: Readonly<Record<HistoryFormat, (onForm: OnForm) => FormReader>> = {
  jsonl: (onForm) => {
    return new HistoryLines((line, place) => onForm(readJson(`line ${place}`, line), place));
  },
  json: (onForm) => new JsonArrayReader(onForm),
  edn: (onForm) => {
    const forms = new EdnForms();
    return {
      add: (text) => forms.add(text).forEach(({ value, line }) => onForm(value, line)),
      end: () => forms.end().forEach(({ value, line }) => onForm(value, line)),
    };
  },
  log: (onForm) => new HistoryLines((line, place) => readPrinted(line, place, onForm)),
};

/** An operation as Jepsen prints it: process, type, `f`, value, and perhaps an error. */
const printedOp = /^(?:.*?\s)?(\d+|:nemesis)\s+:(invoke|ok|fail|info)\s+:(\S+)(?:\s+(.*?))?\s*$/;

/** The format of a text by how it begins; undefined where more must come to tell. */
function formatOf(head: string, isWhole: boolean): HistoryFormat | undefined {
  const [first = "", second = "", third = ""] = /^\s*(\S?)\s*(\S?)\s*(\S?)/.exec(head)?.slice(1) ??
    [];
  if (first === "") return isWhole ? "jsonl" : undefined;
  if (!"{[(#;".includes(first)) return "log";
  if (third === "" && !isWhole) return undefined;
  if (first === "{" && second === '"') return "jsonl";
  return first === "[" && second === "{" && third === '"' ? "json" : "edn";
}

function hasKeyOfOp(value: Json): boolean {
  return isJsonObject(value) && ["index", "time", "type", "process"].some((key) => key in value);
}

function noHistory(): SyntaxError {
  return cannotParse("the text", `it is no history: accepted are ${HISTORY_FORMATS}`);
}

/** The lines of a text that are not blank, without the space around them. */
class HistoryLines implements FormReader {
  readonly #onLine: (line: string, place: number) => void;
  /** The pieces of a line whose end has not come yet. */
  #pieces: string[] = [];
  #place = 0;

  constructor(onLine: (line: string, place: number) => void) {
    this.#onLine = onLine;
  }

  add(text: string): void {
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      this.#pieces.push(text.slice(start, end));
      start = end + 1;
      this.end();
    }
    if (start < text.length) this.#pieces.push(text.slice(start));
  }

  end(): void {
    const line = this.#pieces.join("").trim();
    this.#pieces = [];
    this.#place++;
    if (line !== "") this.#onLine(line, this.#place);
  }
}

/** The elements of an array. */
class JsonArrayReader implements FormReader {
  readonly #onElement: OnForm;
  /** The pieces of an element whose end has not come yet. */
  #pieces: string[] = [];
  /** How many brackets are open, the array's own among them. */
  #depth = 0;
  #isInText = false;
  #isEscaped = false;
  #count = 0;
  /** Whether the array has ended. */
  #isOver = false;

  constructor(onElement: OnForm) {
    this.#onElement = onElement;
  }

  add(text: string): void {
    let start = 0;
    for (let i = 0; i < text.length; i++) {
      if (!this.#endsElement(text[i] ?? "")) continue;
      this.#pieces.push(text.slice(start, i));
      start = i + 1;
      this.#element();
    }
    this.#pieces.push(text.slice(start));
  }

  end(): void {
    const rest = this.#pieces.join("").trim();
    if (this.#isOver && rest === "") return;
    readJson(this.#isOver ? "what follows the array" : this.#place(), rest);
    throw cannotParse("the text", this.#isOver ? "more follows its array" : "its array has no end");
  }

  /** Whether a character stands after an element: a comma or the last bracket. */
  #endsElement(char: string): boolean {
    if (this.#isOver) return false;
    if (this.#isInText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (char === "\\") this.#isEscaped = true;
      else this.#isInText = char !== '"';
      return false;
    }
    switch (char) {
      case '"':
        this.#isInText = true;
        return false;
      case "{":
      case "[":
        this.#depth++;
        return false;
      case "}":
      case "]":
        this.#isOver = --this.#depth === 0;
        return this.#isOver;
      default:
        return char === "," && this.#depth === 1;
    }
  }

  #element(): void {
    const text = this.#pieces.join("");
    this.#pieces = [];
    const content = this.#count === 0 ? text.trimStart().slice(1) : text;
    const value = readJson(this.#place(), content);
    this.#count++;
    this.#onElement(value, this.#count);
  }

  /** What is read next: positions in errors count from where it begins. */
  #place(): string {
    return `operation ${this.#count + 1}`;
  }
}

function readJson(place: string, text: string): Json {
  let value: Json;
  try {
    value = parseJson(text);
  } catch (error) {
    throw cannotParse(place, error instanceof RangeError ? TOO_DEEP : error);
  }
  if (nestsDeeper(value)) throw cannotParse(place, TOO_DEEP);
  return value;
}

const TOO_DEEP = `it nests deeper than ${MAX_DEPTH}`;

/** Whether lists and objects nest deeper than some bound: what follows them may not return. */
export function nestsDeeper(value: Json, max: number = MAX_DEPTH): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (max === 0) return true;
  for (const each of Array.isArray(value) ? value : Object.values(value)) {
    if (nestsDeeper(each, max - 1)) return true;
  }
  return false;
}

function readPrinted(line: string, place: number, onForm: OnForm): void {
  const [, process = "", type = "", f = "", rest = ""] = printedOp.exec(line) ?? [];
  if (process === "") return;
  let values: Json[];
  try {
    values = Array.from(readEdn(`[${rest}]`), ({ value }) => value);
  } catch (error) {
    throw cannotParse(
      `line ${place}`,
      errorText(error).replace(/^Cannot parse line 1: /, ""),
    );
  }
  const [value = null, error = null] = values;
  // Some logs print the reason in place of the value.
  const isReason = type !== "ok" && type !== "invoke" && value === "timed-out";
  onForm({
    process: process === ":nemesis" ? "nemesis" : Number(process),
    type,
    f,
    value: isReason ? null : value,
    error: isReason ? value : error,
  }, place);
}

function cannotParse(place: string, error: unknown): SyntaxError {
  return new SyntaxError(`Cannot parse ${place}: ${errorText(error)}`);
}

/** How the two formats differ once they are read as JSON. */
interface Notation {
  /** The key that marks an operation of the final phase. */
  readonly finalKey: string;
  /** Reads the error of an operation; undefined if it has none. */
  readonly errorOf: (op: JsonObject) => OpError | undefined;
}

/** The operations before one: how many they are, and the time of the last. */
interface Before {
  count: number;
  time: number;
}

/**
 * Checks one operation, and drops the keys that {@linkcode Op} does not have.
 *
 * @param before those before it, which its index and time follow if it has none of its own
 * @throws {Error} if it is no operation, saying why.
 */
function readOp(form: Json, before: Before, { finalKey, errorOf }: Notation): Op {
  if (!isJsonObject(form)) {
    throw new Error("it is no object with the type, process, f and value of an operation");
  }
  const { type, process, value = null, node } = form;
  const index = form.index ?? before.count;
  const time = form.time ?? before.time + OP_INTERVAL_NS;
  const f = form.f ?? (isTransaction(value) ? "txn" : undefined);
  if (typeof index !== "number") throw new Error("its index is no number");
  if (typeof time !== "number") throw new Error("its time is no number");
  if (type !== "invoke" && type !== "ok" && type !== "fail" && type !== "info") {
    throw new Error("its type is none of invoke, ok, fail and info");
  }
  if (typeof process !== "number" && process !== "nemesis") {
    throw new Error("its process is neither a number nor the nemesis");
  }
  if (typeof f !== "string") throw new Error("its f is no text");
  const error = errorOf(form);
  return {
    index,
    time,
    type,
    process,
    f,
    value,
    ...(error !== undefined && { error }),
    ...(form[finalKey] === true && { final: true }),
    ...(typeof node === "string" && { node }),
  };
}

/** How far operations lie apart that have no time. */
const OP_INTERVAL_NS = 1e6;

/** Whether a value is a list of micro-operations. */
function isTransaction(value: Json): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(Array.isArray);
}

const jsonNotation: Notation = {
  finalKey: "final",
  errorOf(op) {
    const { error } = op;
    if (!isJsonObject(error) || typeof error.text !== "string") return ednError(op);
    const { code, text } = error;
    return typeof code === "number" ? { code, text } : { text };
  },
};

/** The codes of errors by Maelstrom's names: `key-does-not-exist`, and `net-timeout` for no reply. */
export const errorCodes: Map<string, number> = new Map([["net-timeout", ErrorCode.timeout]]);
for (const [name, code] of Object.entries(ErrorCode)) {
  errorCodes.set(name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`), code);
}

/** The text of an exception that has no message. */
const UNEXPLAINED = "unexplained";

/**
 * Jepsen's notation. `:net-timeout` becomes code 0, `[:txn-conflict "text"]` code 30, a sentence or
 * an exception an error without a code, and `[1000 "text"]` code 1000.
 */
const ednNotation: Notation = { finalKey: "final?", errorOf: ednError };

function ednError({ error, exception }: JsonObject): OpError | undefined {
  if (error === undefined || error === null) {
    return exception === undefined || exception === null
      ? undefined
      : { text: exceptionText(exception) };
  }
  if (typeof error === "string") return namedError(error, null);
  if (Array.isArray(error)) {
    const [name, text] = error;
    if (typeof name === "string") return namedError(name, text);
    // As this workbench writes codes that have no name.
    if (typeof name === "number" && typeof text === "string") return { code: name, text };
  }
  return { text: isJsonObject(error) ? exceptionText(error) : JSON.stringify(error) };
}

function namedError(name: string, detail: Json | undefined): OpError {
  const content = detail ?? name;
  const text = typeof content === "string" ? content : JSON.stringify(content);
  const code = errorCodes.get(name);
  if (code !== undefined) return { code, text };
  return { text: text === name ? name : `${name}: ${text}` };
}

/** The message of an exception that was printed as `{:via [{:message ...}], :cause ...}`. */
function exceptionText(exception: Json): string {
  if (typeof exception === "string") return exception;
  if (!isJsonObject(exception)) return UNEXPLAINED;
  if (typeof exception.cause === "string") return exception.cause;
  const via = Array.isArray(exception.via) ? exception.via : [];
  for (const step of via.toReversed()) {
    if (isJsonObject(step) && typeof step.message === "string") return step.message;
  }
  return typeof exception.type === "string" ? exception.type : UNEXPLAINED;
}
