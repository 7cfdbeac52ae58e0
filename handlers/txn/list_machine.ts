/**
 * Lists that transactions append to and read, as a state machine.
 *
 * @module
 */

import { canonical, type Json } from "@eddy/maelstrom";
import type { Machine, Outcome } from "../raft/machine.ts";
import type { AppendTxn } from "./operations.ts";

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
