/**
 * In what order the elements of each list were appended, as reads show it, and what that says
 * about the transactions.
 *
 * A read of a list shows its whole past: the longest read of a key orders all that it contains,
 * and what it does not contain came later. That is what makes lists better witnesses than
 * registers (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental
 * Observations", 2020).
 *
 * @module
 */

import { type GraphBuilder, RW, WR, WW } from "./graph.ts";
import { foundText, keyText, valueText } from "./render.ts";
import type { Explain, Reason } from "./reasons.ts";
import { INITIAL, type Mop, type Transactions, type Txn } from "./txns.ts";

/** The order of each key's elements. */
export interface AppendOrder {
  /** The longest read of each key; absent if no read found anything. */
  readonly longest: readonly ({ readonly txn: Txn; readonly mop: Mop } | undefined)[];
  /** The elements of each key in their order, as far as it is known. */
  readonly orders: readonly (readonly number[])[];
  /** Each element's place in its key's order, or -1. */
  readonly place: Int32Array;
  /** The id of the ok or unknown transaction that appended each element, or -1. */
  readonly writer: Int32Array;
}

/** Works out the order of each key's elements from ok and unknown transactions. */
export function appendOrder({ txns, names }: Transactions): AppendOrder {
  const longest: ({ txn: Txn; mop: Mop } | undefined)[] = names.keys.map(() => undefined);
  const appended: number[][] = names.keys.map(() => []);
  const writer = new Int32Array(names.values.length).fill(-1);
  for (const txn of txns) {
    if (txn.type === "fail") continue;
    for (const mop of txn.mops) {
      if (!mop.read) {
        writer[mop.version] = txn.id;
        appended[mop.key]?.push(mop.version);
      } else if ((mop.list?.length ?? 0) > (longest[mop.key]?.mop.list?.length ?? 0)) {
        longest[mop.key] = { txn, mop };
      }
    }
  }
  const orders = longest.map((best, key) => {
    const only = appended[key] ?? [];
    // One append alone has its place without being read.
    return best === undefined ? (only.length === 1 ? only : []) : [...new Set(best.mop.list)];
  });
  const place = new Int32Array(names.values.length).fill(-1);
  for (const order of orders) order.forEach((version, i) => place[version] = i);
  return { longest, orders, place, writer };
}

/** The element before one that was appended; if nobody read it, the last one known. */
function previous({ orders, place }: AppendOrder, { key, version }: Mop): number {
  const order = orders[key] ?? [];
  const i = place[version] ?? -1;
  return (i < 0 ? order.at(-1) : order[i - 1]) ?? INITIAL;
}

/** A number for the state of a key whose last element is `version`. */
function stateOf(key: number, version: number): number {
  return version === INITIAL ? -1 - key : version;
}

/** Whether a read says anything: that of an unknown transaction without a list does not. */
function speaks(txn: Txn, mop: Mop): boolean {
  return mop.read && !(txn.type === "info" && mop.list === null);
}

function addOnce(lists: Map<number, number[]>, at: number, id: number): void {
  const list = lists.get(at);
  if (list === undefined) lists.set(at, [id]);
  else if (list.at(-1) !== id) list.push(id);
}

/** Links transactions by what they read and appended. */
export function linkAppends(graph: GraphBuilder, { txns }: Transactions, order: AppendOrder): void {
  const readers = new Map<number, number[]>();
  const successors = new Map<number, number[]>();
  for (const txn of txns) {
    if (txn.type === "fail") continue;
    for (const mop of txn.mops) {
      if (!mop.read) {
        addOnce(successors, stateOf(mop.key, previous(order, mop)), txn.id);
      } else if (speaks(txn, mop)) {
        addOnce(readers, stateOf(mop.key, mop.version), txn.id);
        const writer = mop.version === INITIAL ? -1 : order.writer[mop.version] ?? -1;
        if (writer >= 0) graph.link(writer, txn.id, WR);
      }
    }
  }
  for (const [state, next] of successors) {
    const writer = state < 0 ? -1 : order.writer[state] ?? -1;
    if (writer >= 0) { for (const id of next) graph.link(writer, id, WW); }
    graph.linkAll(readers.get(state) ?? [], next, RW);
  }
}

/** Explains the links of {@linkcode linkAppends}. */
export function explainAppends({ names }: Transactions, order: AppendOrder): Explain[] {
  const key = (mop: Mop) => keyText(names, mop.key);
  const value = (version: number) => valueText(names, version);
  const facts = (mop: Mop, extra: Record<string, unknown>) => ({
    key: names.keys[mop.key],
    ...extra,
  });

  function ww(a: Txn, b: Txn): Reason | undefined {
    for (const mop of b.mops) {
      if (mop.read) continue;
      const before = previous(order, mop);
      if (before === INITIAL || order.writer[before] !== a.id) continue;
      const known = (order.place[mop.version] ?? -1) >= 0;
      return {
        type: "ww",
        facts: facts(mop, { "value": names.values[before], "value'": names.values[mop.version] }),
        say: (first, second) =>
          known
            ? `${first} appended ${value(before)} to key ${key(mop)}, and ${second} appended ${
              value(mop.version)
            } right after it`
            : `${first} appended ${value(before)} to key ${key(mop)}, the last that was ever ` +
              `read, and ${second} appended ${value(mop.version)}, which never was`,
      };
    }
  }

  function wr(a: Txn, b: Txn): Reason | undefined {
    for (const mop of b.mops) {
      if (!mop.read || mop.version === INITIAL || order.writer[mop.version] !== a.id) continue;
      return {
        type: "wr",
        facts: facts(mop, { value: names.values[mop.version] }),
        say: (first, second) =>
          `${first} appended ${value(mop.version)} to key ${key(mop)}, and ${second} read ${
            foundText(names, mop)
          }`,
      };
    }
  }

  function rw(a: Txn, b: Txn): Reason | undefined {
    for (const mop of b.mops) {
      if (mop.read) continue;
      const before = previous(order, mop);
      const read = a.mops.find((each) =>
        speaks(a, each) && each.key === mop.key && each.version === before
      );
      if (read === undefined) continue;
      return {
        type: "rw",
        facts: facts(mop, {
          "value": before === INITIAL ? null : names.values[before],
          "value'": names.values[mop.version],
        }),
        say: (first, second) =>
          `${first} read key ${key(mop)} as ${foundText(names, read)}, without ${
            value(mop.version)
          }, which ${second} appended`,
      };
    }
  }

  return [ww, wr, rw];
}
