/**
 * A history read as transactions, with keys and values turned into small integers.
 *
 * @module
 */

import { canonical, type Json } from "@eddy/maelstrom";
import { MAX_FINDINGS, type Op } from "../../history.ts";
import { seconds } from "../checker.ts";
import type { Refusal } from "./consistency_model.ts";

/** Stands for the state of a list before anything was appended to it. */
export const INITIAL = -1;

/** One micro-operation. */
export interface Mop {
  readonly read: boolean;
  readonly key: number;
  /** The value written or, for registers, read; {@linkcode INITIAL} for other reads. */
  readonly version: number;
  /** The elements that a read of a list found; `null` if it found no list, or did not say. */
  readonly list?: readonly number[] | null;
}

/** One transaction, from its invocation to what is known of its end. */
export interface Txn {
  /** Its place among the transactions, which are in the order of their completion. */
  readonly id: number;
  /** A transaction that the history leaves open is `info`. */
  readonly type: "ok" | "fail" | "info";
  /** Its completion, or its invocation if it has none. */
  readonly op: Op;
  readonly invoke?: Op;
  readonly mops: readonly Mop[];
}

/** The two kinds of transactional workload. */
export type WriteName = "append" | "w";

/** What a history says. */
export interface Transactions {
  readonly write: WriteName;
  readonly txns: readonly Txn[];
  /** The micro-operations each transaction was asked for; absent without an invocation. */
  readonly requests: ReadonlyMap<Txn, readonly Mop[]>;
  /** Invocations and ok completions in order: a transaction's id, or its complement when ok. */
  readonly events: readonly number[];
  readonly names: Names;
  /** Why the history cannot be judged; the operations at fault. */
  readonly malformed: readonly { readonly op: Op; readonly why: string }[];
}

/** Numbers for keys, and for the values of each key. */
export class Names {
  readonly #keys = new Map<number | string, number>();
  readonly #versions: Map<number | string, number>[] = [];
  /** Each key as it was written. */
  readonly keys: Json[] = [];
  /** Each value as it was written. */
  readonly values: Json[] = [];
  /** The key each value belongs to. */
  readonly keyOf: number[] = [];

  /** The number of a key. */
  key(key: Json): number {
    const name = nameOf(key);
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    this.#keys.set(name, this.keys.length);
    this.#versions.push(new Map());
    return this.keys.push(key) - 1;
  }

  /** The number of a key's value. */
  version(key: number, value: Json): number {
    const versions = this.#versions[key] as Map<number | string, number>;
    const name = nameOf(value);
    const known = versions.get(name);
    if (known !== undefined) return known;
    versions.set(name, this.values.length);
    this.keyOf.push(key);
    return this.values.push(value) - 1;
  }
}

/** Equal exactly when two values are; most are small numbers, which need no text. */
function nameOf(value: Json): number | string {
  if (typeof value === "number") return value;
  const text = canonical(value);
  const number = Number(text);
  return String(number) === text ? number : text;
}

/**
 * Reads the transactions of a history.
 *
 * @param history what clients saw; the nemesis and operations other than `txn` are left out.
 * @param write the micro-operation that writes: `append` for lists, `w` for registers.
 */
export function readTransactions(history: readonly Op[], write: WriteName): Transactions {
  return new Reader(write).read(history);
}

interface Open {
  readonly invoke?: Op;
  /** The place among `events` to be filled in once the transaction's id is known. */
  readonly event: number;
}

class Reader {
  readonly #write: WriteName;
  readonly #names = new Names();
  readonly #txns: Txn[] = [];
  readonly #requests = new Map<Txn, readonly Mop[]>();
  readonly #events: number[] = [];
  readonly #malformed: { op: Op; why: string }[] = [];
  readonly #open = new Map<number, Open>();

  constructor(write: WriteName) {
    this.#write = write;
  }

  read(history: readonly Op[]): Transactions {
    for (const op of history) {
      if (op.f !== "txn" || typeof op.process !== "number") continue;
      if (op.type === "invoke") this.#invoke(op, op.process);
      else this.#complete(op, op.process);
    }
    for (const open of this.#open.values()) this.#abandon(open);
    return {
      write: this.#write,
      txns: this.#txns,
      requests: this.#requests,
      events: this.#events,
      names: this.#names,
      malformed: this.#malformed,
    };
  }

  #invoke(op: Op, process: number): void {
    const earlier = this.#open.get(process);
    if (earlier !== undefined) this.#abandon(earlier);
    this.#open.set(process, { invoke: op, event: this.#events.push(0) - 1 });
  }

  #abandon(open: Open): void {
    if (open.invoke !== undefined) this.#add(open, open.invoke, "info");
  }

  #complete(op: Op, process: number): void {
    const open = this.#open.get(process) ?? { event: -1 };
    this.#open.delete(process);
    const type = op.type === "ok" || op.type === "fail" ? op.type : "info";
    const id = this.#add(open, op, type);
    if (type === "ok") this.#events.push(~id);
  }

  #add(open: Open, op: Op, type: Txn["type"]): number {
    const { invoke } = open;
    const request = invoke === undefined ? undefined : this.#mops(invoke);
    const own = op === invoke ? request : this.#mops(op, type === "ok" || request === undefined);
    const id = this.#txns.length;
    const mops = own ?? request ?? [];
    const txn = { id, type, op, mops, ...(invoke === undefined ? {} : { invoke }) };
    this.#txns.push(txn);
    if (request !== undefined) this.#requests.set(txn, request);
    if (open.event >= 0) this.#events[open.event] = id;
    return id;
  }

  /** An operation's micro-operations; a failed or unknown one may have something else in place. */
  #mops(op: Op, complain = true): Mop[] | undefined {
    const fail = (why: string): undefined => {
      if (complain) this.#malformed.push({ op, why });
    };
    if (!Array.isArray(op.value)) return fail("its value is not a list of micro-operations");
    const mops: Mop[] = [];
    for (const each of op.value) {
      const mop = Array.isArray(each) && each.length === 3 ? this.#mop(each) : undefined;
      if (mop === undefined) return fail(`it has the micro-operation ${shorten(each)}`);
      mops.push(mop);
    }
    return mops;
  }

  #mop([f, keyName = null, value = null]: readonly Json[]): Mop | undefined {
    if (f !== "r" && f !== this.#write) return undefined;
    const key = this.#names.key(keyName);
    if (f === this.#write || this.#write === "w") {
      return { read: f === "r", key, version: this.#names.version(key, value) };
    }
    if (value !== null && !Array.isArray(value)) return undefined;
    const list = value?.map((element) => this.#names.version(key, element)) ?? null;
    return { read: true, key, version: list?.at(-1) ?? INITIAL, list };
  }
}

/** A place for one transaction per value. */
export function perValue({ names }: Transactions): (Txn | undefined)[] {
  return new Array<Txn | undefined>(names.values.length).fill(undefined);
}

/** How many characters of a value are shown. */
const SHOWN = 60;

/** A value's text, without its middle if it is long. */
export function shorten(value: Json): string {
  const text = JSON.stringify(value) ?? "undefined";
  if (text.length <= SHOWN) return text;
  return `${text.slice(0, SHOWN / 2)}...${text.slice(-SHOWN / 2)}`;
}

/** Warns of ok replies whose micro-operations are not those of the request. */
export function checkReplies(all: Transactions): string[] {
  const first = new Map<string, { count: number; txn: Txn; asked: readonly Mop[] }>();
  for (const [txn, asked] of all.requests) {
    const wrong = txn.type === "ok" ? difference(asked, txn.mops) : undefined;
    if (wrong === undefined) continue;
    const seen = first.get(wrong);
    if (seen === undefined) first.set(wrong, { count: 1, txn, asked });
    else seen.count++;
  }
  return [...first].map(([wrong, { count, txn, asked }]) =>
    `${count} ${
      count === 1 ? "reply does" : "replies do"
    } not fit the transaction that was sent: ` +
    `${wrong}, as in operation ${txn.op.index}, where ${whose(txn)} sent ${
      mopsText(all, asked)
    } and got ${mopsText(all, txn.mops)}; Maelstrom does not check this`
  );
}

function difference(asked: readonly Mop[], got: readonly Mop[]): string | undefined {
  if (got.length === 0 && asked.length > 0) return "the reply is empty";
  if (got.length !== asked.length) return "the number of micro-operations differs";
  for (const [i, { read, key, version }] of asked.entries()) {
    const reply = got[i];
    if (reply === undefined || reply.read !== read) return "a micro-operation's function differs";
    if (reply.key !== key) return "a micro-operation's key differs";
    if (!read && reply.version !== version) return "a written value differs";
  }
}

/** Warns of values that ok transactions read and none, whatever became of it, ever wrote. */
export function checkReads(all: Transactions): string[] {
  const { names, txns, requests } = all;
  const written = new Uint8Array(names.values.length);
  for (const mops of [...txns.map((txn) => txn.mops), ...requests.values()]) {
    for (const mop of mops) if (!mop.read) written[mop.version] = 1;
  }
  let count = 0;
  let first = "";
  for (const txn of txns) {
    if (txn.type !== "ok") continue;
    for (const mop of txn.mops) {
      const found = mop.list === undefined ? [mop.version] : mop.list ?? [];
      const stray = mop.read ? found.find((value) => written[value] === 0) : undefined;
      // A register's null is what it holds before it is written.
      if (stray === undefined || (mop.list === undefined && names.values[stray] === null)) continue;
      if (count++ > 0) continue;
      first = `${whose(txn)} read key ${keyText(names, mop.key)} as ${foundText(names, mop)}, ` +
        `but nobody wrote ${valueText(names, stray)}`;
    }
  }
  if (count === 0) return [];
  const reads = count === 1 ? "1 read" : `${count} reads`;
  return [`${reads} found what no transaction wrote: ${first}; Maelstrom may overlook this`];
}

/** A refusal to judge a history, for what is wrong with it. */
export function refusal(anomaly: string, { what, ops }: Case): Refusal {
  return { anomaly, what, ops };
}

/** A refusal to judge operations that are no transactions of this workload. */
export function malformedTxn({ malformed, write }: Transactions): Refusal | undefined {
  const [first] = malformed;
  if (first === undefined) return undefined;
  const { op, why } = first;
  const others = malformed.length === 1 ? "" : `, and ${malformed.length - 1} more`;
  return {
    anomaly: "malformed-txn",
    what: `Operation ${op.index} (${op.type}) is no transaction of "r" and "${write}": ` +
      `${why}${others}`,
    ops: malformed.slice(0, 4).map((each) => each.op),
  };
}

/** Values by the transactions that should have kept them to themselves. */
export interface DirtyWrites {
  /** The failed transaction that wrote each value, if one did. */
  readonly failed: readonly (Txn | undefined)[];
  /** The transaction that wrote each value and then another to the same key, if one did. */
  readonly passing: readonly (Txn | undefined)[];
}

/** Finds the writes that nobody else should ever see. */
export function dirtyWrites(all: Transactions): DirtyWrites {
  const failed = perValue(all);
  const passing = perValue(all);
  for (const txn of all.txns) {
    const last = new Map<number, number>();
    for (const { read, key, version } of txn.mops) {
      if (read) continue;
      if (txn.type === "fail") failed[version] = txn;
      const before = last.get(key);
      if (before !== undefined) passing[before] = txn;
      last.set(key, version);
    }
  }
  return { failed, passing };
}

/** Finds lost updates among ok transactions. */
export function lostUpdates(all: Transactions, cases: Cases): void {
  const groups = new Map<string, { mop: Mop; txns: Txn[] }>();
  for (const txn of all.txns) {
    if (txn.type !== "ok") continue;
    const first = new Map<number, Mop>();
    const written = new Set<number>();
    for (const mop of txn.mops) {
      if (mop.read) {
        if (!first.has(mop.key)) first.set(mop.key, mop);
        continue;
      }
      const read = first.get(mop.key);
      if (read === undefined || written.has(mop.key)) continue;
      written.add(mop.key);
      // A list that is not there and an empty one are the same state, whatever a node calls it.
      const state = `${mop.key}:${read.list?.join() ?? (read.list === null ? "" : read.version)}`;
      const group = groups.get(state);
      if (group === undefined) groups.set(state, { mop: read, txns: [txn] });
      else group.txns.push(txn);
    }
  }
  for (const { mop, txns } of groups.values()) {
    const [one, two] = txns;
    if (one === undefined || two === undefined) continue;
    cases.add("lost-update", () => ({
      what: `${txns.length} transactions read key ${keyText(all.names, mop.key)} as ${
        foundText(all.names, mop)
      } and then wrote to it, so that one of them did not see what another wrote (${
        txnText(all, one)
      }; ${txnText(all, two)})`,
      ops: opsOf(txns),
      facts: {
        key: all.names.keys[mop.key],
        txns: txns.slice(0, 16).map(({ op }) => op.index),
      },
    }));
  }
}

/** One anomaly. */
export interface Case {
  /** What happened, in words. */
  readonly what: string;
  readonly ops: readonly Op[];
  /** The same for programs, under Elle's names; operations by their index. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The anomalies of a history, by name. */
export class Cases {
  readonly #kept = new Map<string, Case[]>();
  readonly #counts = new Map<string, number>();

  /**
   * Counts an anomaly.
   *
   * @param make describes it; not called once there are enough of its name.
   */
  add(name: string, make: () => Case): void {
    const kept = this.#kept.get(name) ?? [];
    this.#kept.set(name, kept);
    this.#counts.set(name, this.count(name) + 1);
    if (kept.length < MAX_FINDINGS) kept.push(make());
  }

  /** The names of what was found, in the order of finding. */
  names(): string[] {
    return [...this.#counts.keys()];
  }

  /** How many of a name there are. */
  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** The first few of a name. */
  get(name: string): readonly Case[] {
    return this.#kept.get(name) ?? [];
  }
}

/** How many elements of a list, and how many micro-operations of a transaction, are shown. */
const MAX_LISTED = 8;

/** A key's text. */
export function keyText(names: Names, key: number): string {
  return shorten(names.keys[key] ?? null);
}

/** A value's text. */
export function valueText(names: Names, version: number): string {
  return shorten(names.values[version] ?? null);
}

/** A list's text, `[1 2 3]`; a long one's end. */
export function listText(names: Names, list: readonly number[]): string {
  const shown = list.slice(-MAX_LISTED).map((version) => valueText(names, version));
  if (list.length > MAX_LISTED) shown.unshift("...");
  return `[${shown.join(" ")}]`;
}

/** What a read found. */
export function foundText(names: Names, mop: Mop): string {
  if (mop.list === undefined) return valueText(names, mop.version);
  return mop.list === null ? "null" : listText(names, mop.list);
}

function mopText({ names, write }: Transactions, mop: Mop): string {
  const key = keyText(names, mop.key);
  if (!mop.read) return `${write} ${key} ${valueText(names, mop.version)}`;
  return `r ${key} ${foundText(names, mop)}`;
}

/** A transaction's micro-operations, `r 9 [1 2], append 9 3`. */
export function mopsText(transactions: Transactions, mops: readonly Mop[]): string {
  if (mops.length === 0) return "nothing";
  const shown = mops.slice(0, MAX_LISTED).map((mop) => mopText(transactions, mop));
  if (mops.length > MAX_LISTED) shown.push(`and ${mops.length - MAX_LISTED} more`);
  return shown.join(", ");
}

/** Whose transaction it was, `process 3 on n1`. */
export function whose({ op, invoke }: Txn): string {
  const node = op.node ?? invoke?.node;
  return `process ${op.process}${node === undefined ? "" : ` on ${node}`}`;
}

/** A transaction in one line: who, where, when, what. */
export function txnText(transactions: Transactions, txn: Txn): string {
  const { op, invoke, type } = txn;
  const from = invoke === undefined ? "" : `${seconds(invoke)} to `;
  const to = op === invoke ? "the end" : seconds(op);
  const how = type === "ok" ? "" : type === "fail" ? ", failed" : ", outcome unknown";
  return `${whose(txn)}, ${from}${to}${how}: ${mopsText(transactions, txn.mops)}`;
}

/** The completions of some transactions, in the history's order. */
export function opsOf(txns: readonly Txn[]): Op[] {
  return [...new Set(txns.slice(0, 2 * MAX_LISTED).map(({ op }) => op))]
    .sort((a, b) => a.index - b.index);
}
