/**
 * Writes that nobody else should ever see.
 *
 * @module
 */

import { perValue, type Transactions, type Txn } from "./txns.ts";

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
