/**
 * Whether replies are to the transactions that were sent. Maelstrom does not look: a node that
 * answers every transaction over registers with nothing at all is valid to it.
 *
 * @module
 */

import { mopsText, whose } from "./render.ts";
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
