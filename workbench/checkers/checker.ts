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
  MAX_FINDINGS,
  type Op,
  type Validity,
} from "../history.ts";

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
 * Pairs each client's invocation with its completion, in the order of invocation.
 *
 * A completion without an invocation is left out, an invocation while another is open leaves that
 * one without completion; both are warned of. The nemesis is left out, too.
 */
export function placedPairs(
  history: readonly Op[],
  warnings: Warnings = new Warnings(),
): PlacedPair[] {
  const all: { invoke: Op; completion?: Op; invokedAt: number; completedAt: number }[] = [];
  const open = new Map<Op["process"], number>();
  for (const [position, op] of history.entries()) {
    if (op.process === "nemesis") continue;
    const pair = all[open.get(op.process) ?? -1];
    if (op.type === "invoke") {
      if (pair !== undefined) warnings.add("Invocation while another is open", () => describe(op));
      open.set(op.process, all.length);
      all.push({ invoke: op, invokedAt: position, completedAt: Infinity });
    } else if (pair === undefined) {
      warnings.add("Completion without an invocation", () => describe(op));
    } else {
      pair.completion = op;
      pair.completedAt = position;
      open.delete(op.process);
    }
  }
  return all;
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
export function killsOf(history: readonly Op[]): number[] {
  return history.flatMap(({ process, f }, position) =>
    process === "nemesis" && f.includes("kill") ? [position] : []
  );
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

/** Both ends of some operations, without repeats, in the history's order. */
export function endsOf(pairs: readonly (PlacedPair | undefined)[]): Op[] {
  return inOrder(pairs.flatMap((pair) => [pair?.invoke, pair?.completion]));
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
export function quantiles(values: readonly number[]): Quantiles {
  if (values.length === 0) return { count: 0 };
  const sorted = Float64Array.from(values).sort();
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
