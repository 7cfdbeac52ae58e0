/**
 * A history read as transactions, with keys and values turned into small integers.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { History, Op } from "../../history.ts";
import { keyOf } from "../checker.ts";

/** The version of a list to which nothing has been appended. */
export const INITIAL = -1;

/** One micro-operation. */
export interface Mop {
  readonly read: boolean;
  readonly key: number;
  /** The value written or, for registers, read; for lists the last element read. */
  readonly version: number;
  /** The elements that a read of a list found; `null` if it found no list or has no reply. */
  readonly list?: readonly number[] | null;
}

/** One transaction: its invocation and its completion. */
export interface Txn {
  /** Its place among the transactions, which are in the order of their completion. */
  readonly id: number;
  /** A transaction without a completion is `info`. */
  readonly type: "ok" | "fail" | "info";
  /** Its completion, or its invocation if it has none. */
  readonly op: Op;
  readonly invoke?: Op | undefined;
  readonly mops: readonly Mop[];
  /** The micro-operations of the invocation; absent without one that is well formed. */
  readonly request?: readonly Mop[] | undefined;
}

/** A completion's or invocation's fault: one of its micro-operations, or else its whole value. */
export interface MalformedValue {
  readonly op: Op;
  readonly mop?: Json | undefined;
}

/** The transactions of a history. */
export interface Transactions {
  /** The micro-operation that writes: `append` for lists, `w` for registers. */
  readonly write: "append" | "w";
  readonly txns: readonly Txn[];
  /** Invocations and ok completions in order: a transaction's id, or its complement when ok. */
  readonly events: readonly number[];
  readonly names: Names;
  readonly malformed: readonly MalformedValue[];
}

/** Adds a transaction's id to one of several lists, unless it is the last there already. */
export function addOnce(lists: Map<number, number[]>, at: number, id: number): void {
  const list = lists.get(at);
  if (list === undefined) lists.set(at, [id]);
  else if (list.at(-1) !== id) list.push(id);
}

/** Numbers for keys, and for the values of each key. */
class Names {
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
    const name = keyOf(key);
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    this.#keys.set(name, this.keys.length);
    this.#versions.push(new Map());
    return this.keys.push(key) - 1;
  }

  /** The number of a key's value. */
  version(key: number, value: Json): number {
    const versions = this.#versions[key] as Map<number | string, number>;
    const name = keyOf(value);
    const known = versions.get(name);
    if (known !== undefined) return known;
    versions.set(name, this.values.length);
    this.keyOf.push(key);
    return this.values.push(value) - 1;
  }
}

/**
 * Reads the transactions of a history.
 *
 * @param history all operations; those of the nemesis and those other than `txn` are left out.
 * @param write the micro-operation that writes.
 */
export function readTransactions(
  history: History,
  write: Transactions["write"],
): Transactions {
  return new TxnReader(write).read(history);
}

interface Open {
  readonly invoke?: Op;
  /** The place among `events` to be filled in once the transaction's id is known. */
  readonly event: number;
}

class TxnReader {
  readonly #write: Transactions["write"];
  readonly #names = new Names();
  readonly #txns: Txn[] = [];
  readonly #events: number[] = [];
  readonly #malformed: MalformedValue[] = [];
  readonly #open = new Map<number, Open>();

  constructor(write: Transactions["write"]) {
    this.#write = write;
  }

  read(history: History): Transactions {
    for (const op of history) {
      if (op.f !== "txn" || typeof op.process !== "number") continue;
      if (op.type === "invoke") this.#invoke(op, op.process);
      else this.#complete(op, op.process, op.type);
    }
    for (const open of this.#open.values()) this.#abandon(open);
    return {
      write: this.#write,
      txns: this.#txns,
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

  #complete(op: Op, process: number, type: Txn["type"]): void {
    const open = this.#open.get(process) ?? { event: -1 };
    this.#open.delete(process);
    const id = this.#add(open, op, type);
    if (type === "ok") this.#events.push(~id);
  }

  #add({ invoke, event }: Open, op: Op, type: Txn["type"]): number {
    const request = invoke && this.#mops(invoke);
    const own = op === invoke ? request : this.#mops(op, type === "ok" || request === undefined);
    const id = this.#txns.length;
    this.#txns.push({ id, type, op, invoke, mops: own ?? request ?? [], request });
    if (event >= 0) this.#events[event] = id;
    return id;
  }

  /**
   * An operation's micro-operations, or undefined if it is malformed.
   *
   * @param report whether that is noted: a failed or unknown operation may have another value.
   */
  #mops(op: Op, report = true): Mop[] | undefined {
    const fail = (mop?: Json): undefined => {
      if (report) this.#malformed.push({ op, mop });
    };
    if (!Array.isArray(op.value)) return fail();
    const mops: Mop[] = [];
    for (const each of op.value) {
      const isWhole = Array.isArray(each) && (each.length === 3 || isShortRead(each, op));
      const mop = isWhole ? this.#mop(each) : undefined;
      if (mop === undefined) return fail(each);
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

/** A read that leaves out what it does not know yet. */
function isShortRead(mop: readonly Json[], { type }: Op): boolean {
  return mop.length === 2 && mop[0] === "r" && type !== "ok";
}
