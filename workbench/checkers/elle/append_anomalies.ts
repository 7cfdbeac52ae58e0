/**
 * What can be wrong with transactions over lists without any cycle.
 *
 * @module
 */

import type { AppendOrder } from "./append_order.ts";
import type { Case, Cases } from "./cases.ts";
import { dirtyWrites } from "./dirty_writes.ts";
import { foundText, keyText, listText, opsOf, txnText, valueText, whose } from "./render.ts";
import { INITIAL, type Mop, perValue, type Transactions, type Txn } from "./txns.ts";

/** Finds the anomalies of lists that are not cycles. */
export function appendAnomalies(all: Transactions, order: AppendOrder, cases: Cases): void {
  dirtyReads(all, cases);
  duplicates(all, cases);
  for (const txn of all.txns) {
    if (txn.type !== "ok") continue;
    internal(all, txn, cases);
    futureRead(all, txn, cases);
  }
  incompatibleOrders(all, order, cases);
  dirtyUpdates(all, order, cases);
}

function of(all: Transactions, txns: readonly Txn[], mop: Mop, what: string, facts = {}): Case {
  return {
    what,
    ops: opsOf(txns),
    facts: { key: all.names.keys[mop.key], op: txns[0]?.op.index, ...facts },
  };
}

/** Reads of what a failed transaction appended, and of states within a transaction. */
function dirtyReads(all: Transactions, cases: Cases): void {
  const { names, txns } = all;
  const { failed, passing } = dirtyWrites(all);
  for (const txn of txns) {
    if (txn.type !== "ok") continue;
    for (const mop of txn.mops) {
      for (const element of mop.list ?? []) {
        const writer = failed[element];
        if (writer === undefined) continue;
        cases.add("G1a", () =>
          of(
            all,
            [txn, writer],
            mop,
            `${whose(txn)} read key ${keyText(names, mop.key)} as ${foundText(names, mop)}, with ${
              valueText(names, element)
            }, which a failed transaction had appended (${txnText(all, writer)})`,
            { element: names.values[element], writer: writer.op.index },
          ));
      }
      const writer = mop.read && mop.version !== INITIAL ? passing[mop.version] : undefined;
      if (writer === undefined || writer === txn) continue;
      cases.add("G1b", () =>
        of(
          all,
          [txn, writer],
          mop,
          `${whose(txn)} read key ${keyText(names, mop.key)} as ${foundText(names, mop)}, but ${
            valueText(names, mop.version)
          } was not the last that its transaction appended (${txnText(all, writer)})`,
          { element: names.values[mop.version], writer: writer.op.index },
        ));
    }
  }
}

function duplicates(all: Transactions, cases: Cases): void {
  const { names } = all;
  const seen = new Int32Array(names.values.length);
  let reads = 0;
  for (const txn of all.txns) {
    if (txn.type === "fail") continue;
    for (const mop of txn.mops) {
      reads++;
      for (const element of mop.list ?? []) {
        if (seen[element] === reads) {
          cases.add("duplicate-elements", () =>
            of(
              all,
              [txn],
              mop,
              `${whose(txn)} read key ${keyText(names, mop.key)} as ${
                foundText(names, mop)
              }, with ${valueText(names, element)} more than once`,
              { element: names.values[element] },
            ));
          break;
        }
        seen[element] = reads;
      }
    }
  }
}

/** What a transaction must find in a key: a list, if that is known, and what it appended since. */
interface Expected {
  readonly base: readonly number[] | null | undefined;
  readonly appended: number[];
}

/** Whether a read fits; one that follows a read of `null` is let pass, as Elle does. */
function fits({ base, appended }: Expected, list: readonly number[] | null | undefined): boolean {
  if (base === null && appended.length === 0) return true;
  if (!list) return false;
  const prefix = list.length - appended.length;
  if (base === undefined ? prefix < 0 : prefix !== (base?.length ?? 0)) return false;
  return appended.every((version, i) => version === list[prefix + i]) &&
    (base ?? []).every((version, i) => version === list[i]);
}

function internal(all: Transactions, txn: Txn, cases: Cases): void {
  const { names } = all;
  const states = new Map<number, Expected>();
  for (const mop of txn.mops) {
    const expected = states.get(mop.key);
    if (!mop.read) {
      if (expected === undefined) {
        states.set(mop.key, { base: undefined, appended: [mop.version] });
      } else expected.appended.push(mop.version);
      continue;
    }
    if (expected !== undefined && !fits(expected, mop.list)) {
      const known = expected.base === undefined
        ? `a list that ends in ${listText(names, expected.appended)}`
        : listText(names, [...expected.base ?? [], ...expected.appended]);
      cases.add("internal", () =>
        of(
          all,
          [txn],
          mop,
          `${whose(txn)} read key ${keyText(names, mop.key)} as ${
            foundText(names, mop)
          }, though its own transaction had made that ${known} (${txnText(all, txn)})`,
          { expected: known },
        ));
      return;
    }
    states.set(mop.key, { base: mop.list ?? null, appended: [] });
  }
}

function futureRead(all: Transactions, txn: Txn, cases: Cases): void {
  if (!txn.mops.some((mop, i) => i > 0 && !mop.read)) return;
  const { names } = all;
  const reads = new Map<number, Mop>();
  for (const mop of txn.mops) {
    if (mop.read) {
      for (const element of mop.list ?? []) if (!reads.has(element)) reads.set(element, mop);
      continue;
    }
    const read = reads.get(mop.version);
    if (read === undefined) continue;
    cases.add("future-read", () =>
      of(
        all,
        [txn],
        read,
        `${whose(txn)} read key ${keyText(names, read.key)} as ${foundText(names, read)}, with ${
          valueText(names, mop.version)
        }, which the same transaction appended only later (${txnText(all, txn)})`,
        { element: names.values[mop.version] },
      ));
    return;
  }
}

function incompatibleOrders(all: Transactions, order: AppendOrder, cases: Cases): void {
  const { names } = all;
  const told = new Set<number>();
  for (const txn of all.txns) {
    if (txn.type === "fail") continue;
    for (const mop of txn.mops) {
      const longest = order.longest[mop.key];
      if (!mop.list || longest === undefined || told.has(mop.key)) continue;
      const list = longest.mop.list ?? [];
      if (list === mop.list || mop.list.every((element, i) => element === list[i])) continue;
      told.add(mop.key);
      cases.add("incompatible-order", () =>
        of(
          all,
          [txn, longest.txn],
          mop,
          `Key ${keyText(names, mop.key)} was ${foundText(names, mop)} to ${whose(txn)} and ${
            foundText(names, longest.mop)
          } to ${whose(longest.txn)}: the first is no beginning of the second`,
          { other: longest.txn.op.index },
        ));
    }
  }
}

/** Appends of failed transactions that an ok one's append follows. */
function dirtyUpdates(all: Transactions, order: AppendOrder, cases: Cases): void {
  const { names } = all;
  const writer = perValue(all);
  for (const txn of all.txns) {
    for (const mop of txn.mops) if (!mop.read) writer[mop.version] = txn;
  }
  for (const longest of order.longest) {
    if (longest === undefined) continue;
    let failed: { txn: Txn; element: number } | undefined;
    for (const element of new Set(longest.mop.list)) {
      const txn = writer[element];
      if (txn?.type === "fail") failed ??= { txn, element };
      if (txn?.type !== "ok") continue;
      if (failed !== undefined) {
        const { txn: aborted, element: dirty } = failed;
        cases.add("dirty-update", () =>
          of(
            all,
            [aborted, txn, longest.txn],
            longest.mop,
            `${whose(txn)} appended ${valueText(names, element)} to key ${
              keyText(names, longest.mop.key)
            } on top of ${valueText(names, dirty)}, which a failed transaction had appended (${
              txnText(all, aborted)
            })`,
            { values: [names.values[dirty], names.values[element]], op: txn.op.index },
          ));
      }
      failed = undefined;
    }
  }
}

/**
 * Why Elle would give up on a history of lists: an element that was appended twice, or one that
 * nobody appended.
 */
export function refuseAppends(
  all: Transactions,
  order: AppendOrder,
): { readonly duplicate?: Case; readonly unwritten?: Case } {
  const duplicate = duplicateAppend(all);
  const unwritten = unwrittenElement(all, order);
  return { ...(duplicate && { duplicate }), ...(unwritten && { unwritten }) };
}

function duplicateAppend(all: Transactions): Case | undefined {
  const asked = perValue(all);
  for (const [txn, mops] of all.requests) {
    for (const mop of mops) {
      if (mop.read) continue;
      const other = asked[mop.version];
      if (other !== undefined) {
        const value = valueText(all.names, mop.version);
        const key = keyText(all.names, mop.key);
        return of(all, [other, txn], mop, `Value ${value} was appended to key ${key} twice`);
      }
      asked[mop.version] = txn;
    }
  }
}

function unwrittenElement(all: Transactions, order: AppendOrder): Case | undefined {
  const { names } = all;
  const written = new Uint8Array(names.values.length);
  const appends = names.keys.map(() => 0);
  for (const txn of all.txns) {
    for (const mop of txn.mops) {
      if (mop.read) continue;
      written[mop.version] = 1;
      appends[mop.key] = (appends[mop.key] ?? 0) + 1;
    }
  }
  for (const longest of order.longest) {
    const stray = longest?.mop.list?.find((element) => written[element] === 0);
    if (longest === undefined || stray === undefined) continue;
    const [key, value] = [keyText(names, longest.mop.key), valueText(names, stray)];
    return of(
      all,
      [longest.txn],
      longest.mop,
      `No transaction wrote ${key} ${value}: ${whose(longest.txn)} read key ${key} as ${
        foundText(names, longest.mop)
      }, but no transaction appended ${value} to it`,
    );
  }
  return dropped(all, order, appends);
}

/** A key's only append that its reply left out; with more of them Elle does not notice. */
function dropped(
  all: Transactions,
  order: AppendOrder,
  appends: readonly number[],
): Case | undefined {
  const requested = all.names.keys.map((): { txn: Txn; mop: Mop }[] => []);
  for (const [txn, mops] of all.requests) {
    for (const mop of mops) if (!mop.read) requested[mop.key]?.push({ txn, mop });
  }
  for (const [key, [only, second]] of requested.entries()) {
    if (only === undefined || second !== undefined || appends[key] || order.longest[key]) continue;
    const { txn, mop } = only;
    const [name, value] = [keyText(all.names, key), valueText(all.names, mop.version)];
    return of(
      all,
      [txn],
      mop,
      `No transaction wrote ${name} ${value}: ${whose(txn)} was to append ${value} to key ` +
        `${name}, but the reply does not say so (${txnText(all, txn)})`,
    );
  }
}
