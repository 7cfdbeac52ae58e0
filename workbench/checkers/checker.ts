/**
 * What checkers share: invocations paired with their completions, warnings, results, the parts of
 * sentences, and the order of JSON values.
 *
 * @module
 */

import { canonical, isRawNumber, type Json, parseJson } from "@eddy/maelstrom";
import {
  type CheckResult,
  type Finding,
  type History,
  MAX_FINDINGS,
  type Op,
  type OpType,
  type Validity,
} from "../history.ts";
import { type OpReader, readerOf } from "../op_reader.ts";

/** An operation's two ends, and where in the history they stand, whatever their `index` says. */
export interface PlacedPair {
  readonly invoke: Op;
  /** Absent when the history stops before it. */
  readonly completion?: Op;
  readonly invokedAt: number;
  /** Infinity when there is no completion. */
  readonly completedAt: number;
}

/** A pair with both ends. */
export interface CompletedPair extends PlacedPair {
  readonly completion: Op;
}

/**
 * Each client's invocation with its completion, in the order of invocation, as positions in the
 * history: a pair goes by its number, and is put together where it is asked for.
 *
 * A completion without an invocation is left out, an invocation while another is open leaves that
 * one without completion; both are warned of. The nemesis is left out, too.
 */
export class Pairs {
  /** The history. */
  readonly ops: OpReader;
  /** How many pairs there are. */
  readonly length: number;
  /** Where each was invoked. */
  readonly invokedAt: Int32Array;
  /** Where each was completed; -1 when there is no completion. */
  readonly completedAt: Int32Array;

  constructor(history: History, warnings: Warnings = new Warnings()) {
    const ops = this.ops = readerOf(history);
    const [invokedAt, completedAt] = [new Int32Array(ops.length), new Int32Array(ops.length)];
    const open = new Map<Op["process"], number>();
    let count = 0;
    for (let position = 0; position < ops.length; position++) {
      const process = ops.processAt(position);
      if (process === "nemesis") continue;
      const pair = open.get(process) ?? -1;
      if (ops.typeAt(position) === "invoke") {
        if (pair >= 0) {
          warnings.add("Invocation while another is open", () => describe(ops.opAt(position)));
        }
        open.set(process, count);
        invokedAt[count] = position;
        completedAt[count++] = NOWHERE;
      } else if (pair < 0) {
        warnings.add("Completion without an invocation", () => describe(ops.opAt(position)));
      } else {
        completedAt[pair] = position;
        // To set an entry again is cheaper than to delete it.
        open.set(process, NOWHERE);
      }
    }
    this.length = count;
    this.invokedAt = invokedAt.subarray(0, count);
    this.completedAt = completedAt.subarray(0, count);
  }

  /** A pair as a whole. */
  at(number: number): PlacedPair {
    const [invokedAt, completedAt] = [this.invokedAt[number] ?? 0, this.completion(number)];
    const invoke = this.ops.opAt(invokedAt);
    if (completedAt === NOWHERE) return { invoke, invokedAt, completedAt: Infinity };
    return { invoke, completion: this.ops.opAt(completedAt), invokedAt, completedAt };
  }

  /** Where a pair was completed; -1 when there is no completion. */
  completion(number: number): number {
    return this.completedAt[number] ?? NOWHERE;
  }

  /** For each position of the history the number of its pair; -1 where there is none. */
  numbers(): Int32Array {
    const numbers = new Int32Array(this.ops.length).fill(NOWHERE);
    for (let number = 0; number < this.length; number++) {
      numbers[this.invokedAt[number] ?? 0] = number;
      const completedAt = this.completion(number);
      if (completedAt !== NOWHERE) numbers[completedAt] = number;
    }
    return numbers;
  }

  /** How a pair ended; undefined when there is no completion. */
  endOf(number: number): OpType | undefined {
    const completedAt = this.completion(number);
    return completedAt === NOWHERE ? undefined : this.ops.typeAt(completedAt);
  }

  /** What a pair's invocation did. */
  fOf(number: number): string {
    return this.ops.fAt(this.invokedAt[number] ?? 0);
  }

  /** What a pair was invoked with. */
  valueOf(number: number): Json {
    return this.ops.valueAt(this.invokedAt[number] ?? 0);
  }

  /** The value of a pair's completion; `null` when there is none. */
  resultOf(number: number): Json {
    const completedAt = this.completion(number);
    return completedAt === NOWHERE ? null : this.ops.valueAt(completedAt);
  }
}

/** No position of a history. */
const NOWHERE = -1;

/** The same as {@linkcode Pairs}, each put together: for histories that are not long. */
export function placedPairs(history: History): PlacedPair[] {
  const pairs = new Pairs(history);
  return Array.from({ length: pairs.length }, (_, number) => pairs.at(number));
}

/** Whether a pair was acknowledged. */
export function isOk(pair: PlacedPair): pair is CompletedPair {
  return pair.completion?.type === "ok";
}

/** An operation's value, `null` where a history left it out. */
export function valueOf(op: Op): Json {
  return (op.value as Json | undefined) ?? null;
}

/** Where in a history a node was killed or restarted, which may have lost what it had in memory. */
export function killsOf(history: History): number[] {
  const ops = readerOf(history);
  const kills: number[] = [];
  for (let position = 0; position < ops.length; position++) {
    if (ops.processAt(position) !== "nemesis") continue;
    if (/kill|disk-(lose|torn|full|eio)/.test(ops.fAt(position))) kills.push(position);
  }
  return kills;
}

function describe(op: Op): string {
  return `${op.f} by ${whoAndWhen(op)}`;
}

/** Collects warnings: how many of each kind, and the first as an example. */
export class Warnings {
  readonly #kinds = new Map<string, { example: string; count: number; noun: string | undefined }>();

  /**
   * Notes one more of a kind.
   *
   * @param kind what they have in common: "Completion without an invocation".
   * @param example makes the text of this one; called for the first only.
   * @param noun what each of them is: `element`; without it the others are "3 more".
   */
  add(kind: string, example: () => string, noun?: string): void {
    const known = this.#kinds.get(kind);
    if (known !== undefined) known.count += 1;
    else this.#kinds.set(kind, { example: example(), count: 1, noun });
  }

  /** One line a kind. */
  lines(): string[] {
    return [...this.#kinds].map(([kind, { example, count, noun }]) => {
      if (count === 1) return `${kind}: ${example}`;
      const others = noun === undefined
        ? `, and ${count - 1} more`
        : `; the same holds for ${plural(count - 1, `more ${noun}`)}`;
      return `${kind}: ${example}${others}`;
    });
  }
}

/** Puts a result together: no key for findings or warnings where there are none. */
export function resultOf<Figures>(
  valid: Validity,
  figures: Figures,
  findings: readonly Finding[] = [],
  warnings?: Warnings,
): CheckResult & Figures {
  const lines = warnings?.lines() ?? [];
  return {
    valid,
    ...figures,
    ...(findings.length > 0 && { findings: findings.slice(0, MAX_FINDINGS) }),
    ...(lines.length > 0 && { warnings: lines }),
  };
}

/** Longest JSON text that a sentence quotes. */
const MAX_SHOWN = 60;

/** A moment of the run, as `1.234 s`. */
export function moment(ns: number): string {
  return `${(ns / 1e9).toFixed(3)} s`;
}

/** When an operation began or ended, as `1.234 s`. */
export function seconds(op: Op): string {
  return moment(op.time);
}

/** Whose operation it is: `process 3 on n1`. */
export function who(op: Op): string {
  const process = op.process === "nemesis" ? "the nemesis" : `process ${op.process}`;
  return op.node === undefined ? process : `${process} on ${op.node}`;
}

/** Whose operation it is and when: `process 3 on n1 at 1.234 s`. */
export function whoAndWhen(op: Op): string {
  return `${who(op)} at ${seconds(op)}`;
}

/** A value's JSON, cut where it gets too long for a sentence. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}...`;
}

/** A count with its noun: `1 read`, `2 reads`. */
export function plural(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}

/** A list for a sentence: `1, 2 or 3`, and how many more when it is long. */
export function anyOf(texts: readonly string[]): string {
  return joined(texts, "or");
}

/** A list for a sentence: `1, 2 and 3`, and how many more when it is long. */
export function listOf(texts: readonly string[]): string {
  return joined(texts, "and");
}

/** How many texts a sentence lists. */
const MAX_LISTED = 8;

function joined(texts: readonly string[], word: "and" | "or"): string {
  if (texts.length > MAX_LISTED) {
    const others = texts.length - MAX_LISTED;
    return `${texts.slice(0, MAX_LISTED).join(", ")} ${word} ${others} others`;
  }
  const last = texts.at(-1) ?? "nothing";
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(", ")} ${word} ${last}`;
}

/** Some operations without repeats or gaps, in the history's order. */
export function inOrder(ops: Iterable<Op | undefined>): Op[] {
  const some = new Set<Op>();
  for (const op of ops) if (op !== undefined) some.add(op);
  return [...some].sort((a, b) => a.index - b.index);
}

/**
 * Both ends of some operations, without repeats, in the history's order.
 *
 * @param completed one of which only the completion is wanted
 */
export function endsOf(pairs: readonly (PlacedPair | undefined)[], completed?: PlacedPair): Op[] {
  // By position, for an operation may be made anew each time.
  const ops = new Map<number, Op | undefined>();
  for (const pair of pairs) {
    if (pair === undefined) continue;
    ops.set(pair.invokedAt, pair.invoke);
    ops.set(pair.completedAt, pair.completion);
  }
  if (completed !== undefined) ops.set(completed.completedAt, completed.completion);
  return inOrder(ops.values());
}

/** Of n sorted values the one at floor(n q), or the last; undefined if there are none. */
export function quantile(sorted: ArrayLike<number>, q: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** A distribution in milliseconds, by quantile. */
export interface Quantiles {
  /** How many values there are; without any there are no quantiles. */
  readonly count: number;
  /** The median. */
  readonly p50?: number;
  /** 95 of 100 are below. */
  readonly p95?: number;
  /** 99 of 100 are below. */
  readonly p99?: number;
  /** The largest. */
  readonly max?: number;
}

/** The quantiles of a report, as Maelstrom picks them. */
export function quantiles(values: ArrayLike<number>): Quantiles {
  if (values.length === 0) return { count: 0 };
  const sorted = new Float64Array(values).sort();
  const at = (q: number) => quantile(sorted, q) ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

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
export function integerJson(integer: bigint | number): Json {
  return parseJson(String(integer));
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

/** An order for sorting any values: comparable ones as {@linkcode compareJson}, others by text. */
export function jsonOrder(a: Json, b: Json): number {
  const order = compareJson(a, b);
  if (order !== undefined) return order;
  const [x, y] = [canonical(a), canonical(b)];
  return x < y ? -1 : Number(x > y);
}
