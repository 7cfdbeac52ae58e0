/**
 * Keys and values of any JSON, as a state machine.
 *
 * @module
 */

import { canonical, ErrorCode, type Json, jsonEqual, RpcError } from "@eddy/maelstrom";
import type { AppendTxn, RegisterTxn } from "../txn.ts";
import type { Machine, Outcome } from "./host.ts";

/** What {@linkcode KeyValueMachine} does. */
export type KeyValueOperation =
  | [f: "read", key: Json]
  | [f: "write", key: Json, value: Json]
  | [f: "cas", key: Json, from: Json, to: Json];

/** Maelstrom's lin-kv: read, write and compare-and-set. */
export class KeyValueMachine implements Machine {
  readonly #entries = new Map<string, [key: Json, value: Json]>();

  /** How many keys there are. */
  get size(): number {
    return this.#entries.size;
  }

  apply(operation: Json): Outcome {
    const [f, key, first, second] = operation as [string, Json, Json, Json];
    const name = canonical(key);
    if (f === "write") {
      this.#entries.set(name, [key, first]);
      return {};
    }
    const entry = this.#entries.get(name);
    if (entry === undefined) return missing(key);
    if (f === "read") return { value: entry[1] };
    if (!jsonEqual(entry[1], first)) return mismatch(first, entry[1]);
    entry[1] = second;
    return {};
  }

  query(operation: Json): Outcome {
    return this.apply(operation);
  }

  snapshot(): Json[] {
    return [...this.#entries.values()].map(([key, value]) => [key, value]);
  }

  restore(items: readonly Json[]): void {
    this.#entries.clear();
    for (const item of items as readonly [Json, Json][]) {
      this.#entries.set(canonical(item[0]), [item[0], item[1]]);
    }
  }
}

/** The error for a key that is not there. */
export function missing(key: Json): RpcError {
  return new RpcError(ErrorCode.keyDoesNotExist, `Key ${JSON.stringify(key)} does not exist`);
}

/** The error for a compare-and-set that found something else. */
export function mismatch(expected: Json, found: Json): RpcError {
  const what = `Expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
  return new RpcError(ErrorCode.preconditionFailed, what);
}

/** How many elements of a list one piece of a snapshot holds. */
const PIECE_LENGTH = 1024;

/** Executes transactions of reads and appends, each as a whole: an append costs O(1). */
export class ListMachine implements Machine {
  readonly #lists = new Map<string, { readonly key: Json; readonly elements: Json[] }>();

  apply(operation: Json, isWanted: boolean): Outcome | undefined {
    const txn = operation as AppendTxn;
    const done: AppendTxn = [];
    for (const [f, key, value] of txn) {
      if (f === "append") this.#list(key).push(value);
      // Only where a client waits for it is a list copied.
      if (isWanted) done.push([f, key, f === "append" ? value : this.#read(key)]);
    }
    return isWanted ? { txn: done } : undefined;
  }

  query(operation: Json): Outcome {
    return this.apply(operation, true) ?? {};
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

  restore(items: readonly Json[]): void {
    this.#lists.clear();
    for (const [key, elements] of items as readonly [Json, Json[]][]) {
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

  #read(key: Json): Json {
    return this.#lists.get(canonical(key))?.elements.slice() ?? null;
  }
}

/** Executes transactions of reads and writes, each as a whole. */
export class RegisterMachine implements Machine {
  readonly #registers = new Map<string, [key: Json, value: Json]>();

  apply(operation: Json, isWanted: boolean): Outcome | undefined {
    const done: RegisterTxn = [];
    for (const [f, key, value] of operation as RegisterTxn) {
      const name = canonical(key);
      if (f === "w") this.#registers.set(name, [key, value]);
      if (isWanted) done.push([f, key, this.#registers.get(name)?.[1] ?? null]);
    }
    return isWanted ? { txn: done } : undefined;
  }

  query(operation: Json): Outcome {
    return this.apply(operation, true) ?? {};
  }

  snapshot(): Json[] {
    return [...this.#registers.values()].map(([key, value]) => [key, value]);
  }

  restore(items: readonly Json[]): void {
    this.#registers.clear();
    for (const [key, value] of items as readonly [Json, Json][]) {
      this.#registers.set(canonical(key), [key, value]);
    }
  }
}
