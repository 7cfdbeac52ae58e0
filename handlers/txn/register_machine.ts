/**
 * Registers that transactions write and read, as a state machine.
 *
 * @module
 */

import { canonical, type Json } from "@eddy/maelstrom";
import type { Machine, Outcome } from "../raft/machine.ts";
import type { RegisterTxn } from "./operations.ts";

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
