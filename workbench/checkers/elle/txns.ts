/**
 * A history read as transactions, with keys and values turned into small integers.
 *
 * @module
 */

import { canonical, type Json } from "@eddy/maelstrom";
import type { Op } from "../../history.ts";

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
