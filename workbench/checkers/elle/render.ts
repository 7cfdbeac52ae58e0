/**
 * Transactions told in words.
 *
 * @module
 */

import type { Op } from "../../history.ts";
import { seconds } from "../wording.ts";
import { type Mop, type Names, shorten, type Transactions, type Txn } from "./txns.ts";

/** How many elements of a list, and how many micro-operations of a transaction, are shown. */
const SHOWN = 8;

/** A key's text. */
export function keyText(names: Names, key: number): string {
  return shorten(names.keys[key] ?? null);
}

/** A value's text. */
export function valueText(names: Names, version: number): string {
  return shorten(names.values[version] ?? null);
}

/** A list's text, `[1 2 3]`; a long one's end. */
export function listText(names: Names, list: readonly number[]): string {
  const shown = list.slice(-SHOWN).map((version) => valueText(names, version));
  if (list.length > SHOWN) shown.unshift("...");
  return `[${shown.join(" ")}]`;
}

/** What a read found. */
export function foundText(names: Names, mop: Mop): string {
  if (mop.list === undefined) return valueText(names, mop.version);
  return mop.list === null ? "null" : listText(names, mop.list);
}

function mopText({ names, write }: Transactions, mop: Mop): string {
  const key = keyText(names, mop.key);
  if (!mop.read) return `${write} ${key} ${valueText(names, mop.version)}`;
  return `r ${key} ${foundText(names, mop)}`;
}

/** A transaction's micro-operations, `r 9 [1 2], append 9 3`. */
export function mopsText(transactions: Transactions, mops: readonly Mop[]): string {
  if (mops.length === 0) return "nothing";
  const shown = mops.slice(0, SHOWN).map((mop) => mopText(transactions, mop));
  if (mops.length > SHOWN) shown.push(`and ${mops.length - SHOWN} more`);
  return shown.join(", ");
}

/** Whose transaction it was, `process 3 on n1`. */
export function whose({ op, invoke }: Txn): string {
  const node = op.node ?? invoke?.node;
  return `process ${op.process}${node === undefined ? "" : ` on ${node}`}`;
}

/** A transaction in one line: who, where, when, what. */
export function txnText(transactions: Transactions, txn: Txn): string {
  const { op, invoke, type } = txn;
  const from = invoke === undefined ? "" : `${seconds(invoke)} to `;
  const to = op === invoke ? "the end" : seconds(op);
  const how = type === "ok" ? "" : type === "fail" ? ", failed" : ", outcome unknown";
  return `${whose(txn)}, ${from}${to}${how}: ${mopsText(transactions, txn.mops)}`;
}

/** The completions of some transactions, in the history's order. */
export function opsOf(txns: readonly Txn[]): Op[] {
  return [...new Set(txns.slice(0, 2 * SHOWN).map(({ op }) => op))]
    .sort((a, b) => a.index - b.index);
}
