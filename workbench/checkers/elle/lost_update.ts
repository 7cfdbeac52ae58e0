/**
 * Lost updates: transactions that all read the same state of a key and then all wrote to it, so
 * that none but one can have built on what was there.
 *
 * @module
 */

import type { Cases } from "./cases.ts";
import { foundText, keyText, opsOf, txnText } from "./render.ts";
import type { Mop, Transactions, Txn } from "./txns.ts";

/** Finds lost updates among ok transactions. */
export function lostUpdates(all: Transactions, cases: Cases): void {
  const groups = new Map<string, { mop: Mop; txns: Txn[] }>();
  for (const txn of all.txns) {
    if (txn.type !== "ok") continue;
    const first = new Map<number, Mop>();
    const written = new Set<number>();
    for (const mop of txn.mops) {
      if (mop.read) {
        if (!first.has(mop.key)) first.set(mop.key, mop);
        continue;
      }
      const read = first.get(mop.key);
      if (read === undefined || written.has(mop.key)) continue;
      written.add(mop.key);
      // A list that is not there and an empty one are the same state, whatever a node calls it.
      const state = `${mop.key}:${read.list?.join() ?? (read.list === null ? "" : read.version)}`;
      const group = groups.get(state);
      if (group === undefined) groups.set(state, { mop: read, txns: [txn] });
      else group.txns.push(txn);
    }
  }
  for (const { mop, txns } of groups.values()) {
    const [one, two] = txns;
    if (one === undefined || two === undefined) continue;
    cases.add("lost-update", () => ({
      what: `${txns.length} transactions read key ${keyText(all.names, mop.key)} as ${
        foundText(all.names, mop)
      } and then wrote to it, so that one of them did not see what another wrote (${
        txnText(all, one)
      }; ${txnText(all, two)})`,
      ops: opsOf(txns),
      facts: {
        key: all.names.keys[mop.key],
        txns: txns.slice(0, 16).map(({ op }) => op.index),
      },
    }));
  }
}
