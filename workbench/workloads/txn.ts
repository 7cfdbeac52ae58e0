/**
 * The `txn-list-append` and `txn-rw-register` workloads: are transactions isolated?
 *
 * @module
 */

import { type List, txnListAppendSchema, txnRwRegisterSchema } from "@eddy/handlers";
import type { Json, Random, Schema } from "@eddy/maelstrom";
import { checkListAppend } from "../checkers/elle/list_append.ts";
import { checkRwRegister } from "../checkers/elle/rw_register.ts";
import { eachTime, isList, mappedErrors, type Workload } from "../generator.ts";
import { randomBelow } from "../random.ts";

/** The `txn-list-append` workload. */
export const txnListAppend: Workload = txnWorkload(
  "append",
  txnListAppendSchema.txn.reply,
  checkListAppend,
);

/** The `txn-rw-register` workload. */
export const txnRwRegister: Workload = txnWorkload(
  "w",
  txnRwRegisterSchema.txn.reply,
  checkRwRegister,
);

function txnWorkload(
  write: "append" | "w",
  reply: Schema<{ txn: List<Json> }>,
  check: Workload["check"],
): Workload {
  return {
    operations: { txn: isList },
    takesLoneCompletions: true,
    errors: mappedErrors(),
    reusableClients: true,
    session: (call) => async ({ value }) => {
      const { txn } = await call({ type: "txn", txn: value }, reply);
      return txn ?? [];
    },
    generator(options, random) {
      const txns = new TxnGenerator(options, random);
      return eachTime(() => ({ f: "txn", value: request(txns.draw(), write) }));
    },
    check,
    lasting: "all",
  };
}

/** A transaction as it is sent. */
function request(txn: readonly GeneratedOp[], write: "append" | "w"): Json {
  return txn.map(({ key, value }) => value === undefined ? ["r", key, null] : [write, key, value]);
}

/** How transactions are drawn. */
interface TxnSettings {
  /** How many keys are in use at a time. */
  readonly keyCount: number;
  /** The most micro-operations in a transaction. */
  readonly maxTxnLength: number;
  /** How many values a key takes before a fresh key comes in its place. */
  readonly maxWritesPerKey: number;
}

/** One micro-operation: a read, or a write of a value that the key never had before. */
export interface GeneratedOp {
  readonly key: number;
  /** Absent for a read. */
  readonly value?: number | undefined;
}

/** With more slots, the probability of an earlier one is below a double's precision. */
const MAX_SLOTS_DRAWN = 50;

/**
 * Draws transactions of 1 to `maxTxnLength` micro-operations, half of them reads.
 *
 * Keys stand in slots, of which each is drawn twice as often as the one before. The values written
 * to a key are 1, 2, 3, ... up to `maxWritesPerKey`; then the slot gets the next integer as key.
 */
export class TxnGenerator {
  readonly #random: Random;
  readonly #settings: TxnSettings;
  readonly #keys: number[];
  /** The value that each slot's key takes next. */
  readonly #values: number[];
  #freshKey: number;

  constructor(settings: TxnSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
    this.#keys = Array.from({ length: settings.keyCount }, (_, key) => key);
    this.#values = this.#keys.map(() => 1);
    this.#freshKey = settings.keyCount;
  }

  /** The next transaction. */
  draw(): GeneratedOp[] {
    const length = 1 + randomBelow(this.#random, this.#settings.maxTxnLength);
    return Array.from({ length }, () => this.#drawMicroOp());
  }

  #drawMicroOp(): GeneratedOp {
    for (;;) {
      const isRead = randomBelow(this.#random, 2) === 0;
      const slot = this.#drawSlot();
      const key = this.#keys[slot] ?? 0;
      if (isRead) return { key };
      const value = this.#values[slot] ?? 1;
      if (value <= this.#settings.maxWritesPerKey) {
        this.#values[slot] = value + 1;
        return { key, value };
      }
      this.#keys[slot] = this.#freshKey++;
      this.#values[slot] = 1;
    }
  }

  /** A slot, `i` with probability `2^i / (2^n - 1)`. */
  #drawSlot(): number {
    const drawn = Math.min(this.#keys.length, MAX_SLOTS_DRAWN);
    const slot = Math.floor(Math.log2(this.#random.next() * (2 ** drawn - 1) + 1));
    return this.#keys.length - drawn + Math.min(slot, drawn - 1);
  }
}
