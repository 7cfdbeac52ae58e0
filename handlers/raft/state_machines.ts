/**
 * The state machines that consensus replicates: keys and values, lists, registers.
 *
 * @module
 */

import { canonical, ErrorCode, type Json, jsonEqual, RpcError } from "@eddy/maelstrom";
import type { AppendTxn, RegisterTxn } from "../txn.ts";
import type { Machine, Outcome } from "./replica.ts";

/** What changes a {@linkcode KeyValueMachine}. */
type KeyValueOperation =
  | [f: "write", key: Json, value: Json]
  | [f: "cas", key: Json, from: Json, to: Json];

/** A key and what it has, as a piece of a snapshot. */
type Pair<Value = Json> = [key: Json, value: Value];

function isPair(value: unknown): value is Pair {
  return Array.isArray(value) && value.length === 2;
}

/** Whether a value is a transaction of reads and of the operation `f`. */
function isTxn(value: unknown, f: string): boolean {
  return Array.isArray(value) &&
    value.every((mop) =>
      Array.isArray(mop) && mop.length === 3 && (mop[0] === "r" || mop[0] === f)
    );
}

/** Maelstrom's lin-kv: keys and values of any JSON; read, write and compare-and-set. */
export class KeyValueMachine implements Machine<KeyValueOperation, object> {
  readonly #entries = new Map<string, [key: Json, value: Json]>();

  apply(operation: KeyValueOperation): () => Outcome {
    const [f, key, value] = operation;
    const name = canonical(key);
    if (f === "write") {
      this.#entries.set(name, [key, value]);
      return done;
    }
    const entry = this.#entries.get(name);
    if (entry === undefined) return () => missing(key);
    const [, found] = entry;
    if (!jsonEqual(found, value)) return () => mismatch(value, found);
    entry[1] = operation[3];
    return done;
  }

  read(key: Json): Outcome<{ value: Json }> {
    const entry = this.#entries.get(canonical(key));
    return entry === undefined ? missing(key) : { value: entry[1] };
  }

  isOperation(value: unknown): value is KeyValueOperation {
    if (!Array.isArray(value)) return false;
    const [f] = value;
    return (f === "write" && value.length === 3) || (f === "cas" && value.length === 4);
  }

  snapshot(): Json[] {
    return [...this.#entries.values()].map(([key, value]) => [key, value]);
  }

  isItem(value: unknown): value is Pair {
    return isPair(value);
  }

  restore(items: readonly Json[]): void {
    this.#entries.clear();
    for (const [key, value] of items as readonly Pair[]) {
      this.#entries.set(canonical(key), [key, value]);
    }
  }
}

function done(): object {
  return {};
}

function missing(key: Json): RpcError {
  const what = `Key ${JSON.stringify(key)} does not exist`;
  return RpcError.answer(ErrorCode.keyDoesNotExist, what);
}

function mismatch(expected: Json, found: Json): RpcError {
  const what = `Expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
  return RpcError.answer(ErrorCode.preconditionFailed, what);
}

/** How many elements of a list one piece of a snapshot holds. */
const PIECE_LENGTH = 1024;

/** Executes transactions of reads and appends, each as a whole: an append costs O(1). */
export class ListMachine implements Machine<AppendTxn, { txn: AppendTxn }> {
  readonly #lists = new Map<string, { readonly key: Json; readonly elements: Json[] }>();

  apply(txn: AppendTxn): () => { txn: AppendTxn } {
    const values = txn.map(([f, key, value]) => {
      if (f === "r") return this.#view(key);
      this.#list(key).push(value);
      return () => value;
    });
    return () => ({ txn: txn.map(([f, key], i) => [f, key, values[i]?.() ?? null]) });
  }

  /** Answers a transaction that only reads. */
  read(txn: AppendTxn): { txn: AppendTxn } {
    return { txn: txn.map(([, key]) => ["r", key, this.#view(key)()]) };
  }

  isOperation(value: unknown): value is AppendTxn {
    return isTxn(value, "append");
  }

  snapshot(): Json[] {
    const pieces: Json[] = [];
    for (const { key, elements } of this.#lists.values()) {
      for (let from = 0; from < elements.length; from += PIECE_LENGTH) {
        pieces.push([key, elements.slice(from, from + PIECE_LENGTH)]);
      }
    }
    return pieces;
  }

  isItem(value: unknown): value is Pair<Json[]> {
    return isPair(value) && Array.isArray(value[1]);
  }

  restore(items: readonly Json[]): void {
    this.#lists.clear();
    for (const [key, elements] of items as readonly Pair<Json[]>[]) {
      const list = this.#list(key);
      for (const element of elements) list.push(element);
    }
  }

  #list(key: Json): Json[] {
    const name = canonical(key);
    const known = this.#lists.get(name);
    if (known !== undefined) return known.elements;
    const elements: Json[] = [];
    this.#lists.set(name, { key, elements });
    return elements;
  }

  /** Copies a list as it is now, later: all that is added comes behind. */
  #view(key: Json): () => Json {
    const elements = this.#lists.get(canonical(key))?.elements;
    const length = elements?.length;
    return () => elements?.slice(0, length) ?? null;
  }
}

/** Executes transactions of reads and writes, each as a whole. */
export class RegisterMachine implements Machine<RegisterTxn, { txn: RegisterTxn }> {
  readonly #registers = new Map<string, [key: Json, value: Json]>();

  apply(txn: RegisterTxn): () => { txn: RegisterTxn } {
    const executed: RegisterTxn = txn.map(([f, key, value]) => {
      if (f === "w") this.#registers.set(canonical(key), [key, value]);
      return [f, key, this.#read(key)];
    });
    return () => ({ txn: executed });
  }

  /** Answers a transaction that only reads. */
  read(txn: RegisterTxn): { txn: RegisterTxn } {
    return { txn: txn.map(([, key]) => ["r", key, this.#read(key)]) };
  }

  isOperation(value: unknown): value is RegisterTxn {
    return isTxn(value, "w");
  }

  snapshot(): Json[] {
    return [...this.#registers.values()].map(([key, value]) => [key, value]);
  }

  isItem(value: unknown): value is Pair {
    return isPair(value);
  }

  restore(items: readonly Json[]): void {
    this.#registers.clear();
    for (const [key, value] of items as readonly Pair[]) {
      this.#registers.set(canonical(key), [key, value]);
    }
  }

  #read(key: Json): Json {
    return this.#registers.get(canonical(key))?.[1] ?? null;
  }
}
