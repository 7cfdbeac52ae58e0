/**
 * What can be wrong with transactions over registers without any cycle of them.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Case, Cases } from "./cases.ts";
import type { RegisterOrder } from "./register_order.ts";
import { dirtyWrites } from "./dirty_writes.ts";
import { keyText, opsOf, txnText, valueText, whose } from "./render.ts";
import type { Mop, Transactions, Txn } from "./txns.ts";

/** Finds the anomalies of registers that are not cycles of transactions. */
export function registerAnomalies(all: Transactions, order: RegisterOrder, cases: Cases): void {
  dirtyReads(all, cases);
  for (const txn of all.txns) if (txn.type === "ok") internal(all, txn, cases);
  for (const values of order.cyclic) cases.add("cyclic-versions", () => cyclic(all, order, values));
}

function of(all: Transactions, txns: readonly Txn[], mop: Mop, what: string, facts = {}): Case {
  return {
    what,
    ops: opsOf(txns),
    facts: { key: all.names.keys[mop.key], op: txns[0]?.op.index, ...facts },
  };
}

function dirtyReads(all: Transactions, cases: Cases): void {
  const { failed, passing } = dirtyWrites(all);
  for (const txn of all.txns) {
    if (txn.type !== "ok") continue;
    for (const mop of txn.mops) {
      if (!mop.read) continue;
      const read = `${whose(txn)} read ${valueText(all.names, mop.version)} from key ${
        keyText(all.names, mop.key)
      }`;
      const aborted = failed[mop.version];
      if (aborted !== undefined) {
        cases.add("G1a", () =>
          of(
            all,
            [txn, aborted],
            mop,
            `${read}, which a failed transaction had written (${txnText(all, aborted)})`,
            { value: all.names.values[mop.version], writer: aborted.op.index },
          ));
      }
      const writer = passing[mop.version];
      if (writer !== undefined && writer !== txn) {
        cases.add("G1b", () =>
          of(
            all,
            [txn, writer],
            mop,
            `${read}, which was not the last that its transaction wrote (${txnText(all, writer)})`,
            { value: all.names.values[mop.version], writer: writer.op.index },
          ));
      }
    }
  }
}

/** A read that follows a read of `null` is let pass, as Elle does. */
function internal(all: Transactions, txn: Txn, cases: Cases): void {
  const { names } = all;
  const states = new Map<number, number>();
  for (const mop of txn.mops) {
    const expected = states.get(mop.key);
    if (
      mop.read && expected !== undefined && expected !== mop.version &&
      names.values[expected] !== null
    ) {
      cases.add("internal", () =>
        of(
          all,
          [txn],
          mop,
          `${whose(txn)} read ${valueText(names, mop.version)} from key ${
            keyText(names, mop.key)
          }, though its own transaction had last read or written ${valueText(names, expected)} (${
            txnText(all, txn)
          })`,
          { expected: names.values[expected] },
        ));
      return;
    }
    states.set(mop.key, mop.version);
  }
}

function cyclic(all: Transactions, order: RegisterOrder, values: readonly number[]): Case {
  const key = all.names.keyOf[values[0] ?? 0] ?? 0;
  const shown = values.slice(0, 16);
  const among = new Set(values);
  const ids = new Set(shown.flatMap((value) => order.writers.get(value) ?? []));
  const txns = [...ids].flatMap((id) => all.txns[id] ?? []);
  const replacing = txns.filter((txn) =>
    txn.mops.some((mop) => mop.read && among.has(mop.version))
  );
  return {
    what: `Values ${shown.map((value) => valueText(all.names, value)).join(", ")} of key ${
      keyText(all.names, key)
    } each replaced another of them in a circle, so there is no order in which they came (${
      replacing.slice(0, 4).map((txn) => txnText(all, txn)).join("; ")
    })`,
    ops: opsOf(replacing),
    facts: {
      key: all.names.keys[key],
      scc: shown.map((value) => all.names.values[value]),
      sources: ["initial-state", "wfr-keys"],
    },
  };
}

/** The JSON types of a history's keys; Elle judges no history that has several. */
export function keyTypes({ names }: Transactions): string[] {
  return [...new Set(names.keys.map(typeOf))];
}

function typeOf(key: Json): string {
  if (key === null) return "null";
  if (Array.isArray(key)) return "list";
  if (typeof key === "number") return Number.isInteger(key) ? "integer" : "decimal";
  if (typeof key !== "object" || !("rawJSON" in key)) return typeof key;
  return /^-?\d+$/.test(String(key.rawJSON)) ? "integer" : "decimal";
}
