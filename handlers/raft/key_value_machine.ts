/**
 * Keys and values of any JSON, as a state machine.
 *
 * @module
 */

import { canonical, ErrorCode, type Json, jsonEqual, RpcError } from "@eddy/maelstrom";
import type { Machine, Outcome } from "./machine.ts";

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
