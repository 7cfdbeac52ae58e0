/**
 * Transactions as they travel.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { MicroOp } from "../messages.ts";

/** A transaction of reads and appends. */
export type AppendTxn = MicroOp<"append">[];

/** A transaction of reads and writes. */
export type RegisterTxn = MicroOp<"w">[];

/** Whether a transaction changes nothing. */
export function isReadOnly(txn: readonly MicroOp<string>[]): boolean {
  return txn.every(([f]) => f === "r");
}

/** A transaction as a command for a log, where it is one value among others. */
export function toCommand(txn: AppendTxn | RegisterTxn): Json {
  return txn as Json[];
}
