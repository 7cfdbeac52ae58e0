/**
 * Whether replies are to the transactions that were sent, and reads are of what was written.
 * Maelstrom does not look: a node that answers every transaction over registers with nothing at
 * all, or with values out of thin air, is valid to it.
 *
 * @module
 */

import { foundText, keyText, mopsText, valueText, whose } from "./render.ts";
import type { Mop, Transactions, Txn } from "./txns.ts";

/** Warns of ok replies whose micro-operations are not those of the request. */
export function checkReplies(all: Transactions): string[] {
  const first = new Map<string, { count: number; txn: Txn; asked: readonly Mop[] }>();
  for (const [txn, asked] of all.requests) {
    const wrong = txn.type === "ok" ? difference(asked, txn.mops) : undefined;
    if (wrong === undefined) continue;
    const seen = first.get(wrong);
    if (seen === undefined) first.set(wrong, { count: 1, txn, asked });
    else seen.count++;
  }
  return [...first].map(([wrong, { count, txn, asked }]) =>
    `${count} ${
      count === 1 ? "reply does" : "replies do"
    } not fit the transaction that was sent: ` +
    `${wrong}, as in operation ${txn.op.index}, where ${whose(txn)} sent ${
      mopsText(all, asked)
    } and got ${mopsText(all, txn.mops)}; Maelstrom does not check this`
  );
}

function difference(asked: readonly Mop[], got: readonly Mop[]): string | undefined {
  if (got.length === 0 && asked.length > 0) return "the reply is empty";
  if (got.length !== asked.length) return "the number of micro-operations differs";
  for (const [i, { read, key, version }] of asked.entries()) {
    const reply = got[i];
    if (reply === undefined || reply.read !== read) return "a micro-operation's function differs";
    if (reply.key !== key) return "a micro-operation's key differs";
    if (!read && reply.version !== version) return "a written value differs";
  }
}

/** Warns of values that ok transactions read and none, whatever became of it, ever wrote. */
export function checkReads(all: Transactions): string[] {
  const { names, txns, requests } = all;
  const written = new Uint8Array(names.values.length);
  for (const mops of [...txns.map((txn) => txn.mops), ...requests.values()]) {
    for (const mop of mops) if (!mop.read) written[mop.version] = 1;
  }
  let count = 0;
  let first = "";
  for (const txn of txns) {
    if (txn.type !== "ok") continue;
    for (const mop of txn.mops) {
      const found = mop.list === undefined ? [mop.version] : mop.list ?? [];
      const stray = mop.read ? found.find((value) => written[value] === 0) : undefined;
      // A register's null is what it holds before it is written.
      if (stray === undefined || (mop.list === undefined && names.values[stray] === null)) continue;
      if (count++ > 0) continue;
      first = `${whose(txn)} read key ${keyText(names, mop.key)} as ${foundText(names, mop)}, ` +
        `but nobody wrote ${valueText(names, stray)}`;
    }
  }
  if (count === 0) return [];
  const reads = count === 1 ? "1 read" : `${count} reads`;
  return [`${reads} found what no transaction wrote: ${first}; Maelstrom may overlook this`];
}
