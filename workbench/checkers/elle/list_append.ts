/**
 * Elle's check of transactions over lists, as Maelstrom's `txn-list-append` uses it.
 *
 * @example
 * ```ts
 * import { parseConsistencyModels } from "./consistency_model.ts";
 * import { checkListAppend } from "./list_append.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { time: 0, f: "txn" } as const;
 * const x = ["r", "x", []];
 * const y = ["r", "y", []];
 * // Write skew: each reads both keys as empty and appends to one of them.
 * const result = checkListAppend([
 *   { ...op, index: 0, process: 0, type: "ok", value: [x, y, ["append", "x", 1]] },
 *   { ...op, index: 1, process: 1, type: "ok", value: [x, y, ["append", "y", 1]] },
 * ], { consistencyModels: parseConsistencyModels("serializable") });
 * assertEquals(result.valid, false);
 * assertEquals(result.anomalyTypes, ["G2-item"]);
 * assertEquals(result["not"], ["repeatable-read"]);
 * ```
 *
 * @module
 */

import type { History } from "../../history.ts";
import { type GraphBuilder, RW, WR, WW } from "../graph.ts";
import type { Anomaly, Explain, ExplainedCycle, Refusal } from "./anomaly.ts";
import {
  checkTxns,
  type Datatype,
  type ElleOptions,
  type ElleResult,
  explainCycles,
  malformedTxn,
} from "./check.ts";
import type { Effort } from "./cycles.ts";
import { addOnce, INITIAL, type Mop, type Transactions, type Txn } from "./txn.ts";

/**
 * Checks transactions that read lists and append to them.
 *
 * The verdict is Elle 0.2.2's: false if an anomaly is present that one of the models forbids,
 * unknown if the history cannot be judged, else true. A search for cycles counts steps instead of
 * milliseconds, so that the same history always gets the same answer.
 *
 * @param history operations `txn` with values `[["r", k, null | [...]] | ["append", k, v], ...]`.
 * @param options the consistency models to check for.
 * @param effort how long to search for cycles.
 * @returns `anomaly-types`, `anomalies` (a few of each) and `anomaly-counts`; `not`, the weakest
 * models that are ruled out, and `also-not`, the stronger ones.
 * @throws {Error} if a model is unknown.
 *
 * @example
 * ```ts
 * import { checkListAppend } from "./list_append.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { time: 0, process: 0, f: "txn" };
 * const result = checkListAppend([
 *   { ...op, index: 0, type: "invoke", value: [["append", 9, 1], ["r", 9, null]] },
 *   { ...op, index: 1, type: "ok", value: [["append", 9, 1], ["r", 9, []]] },
 * ], { consistencyModels: ["serializable"] });
 * assertEquals(result.valid, false);
 * assertEquals(result.anomalyTypes, ["empty-transaction-graph", "internal"]);
 * ```
 */
export function checkListAppend(
  history: History,
  options: ElleOptions,
  effort?: Effort,
): ElleResult {
  return checkTxns(lists, history, options, effort);
}

/** Explains the cycles of transactions over lists, some of each type. */
export function explainAppendCycles(
  history: History,
  options: ElleOptions,
): ExplainedCycle[] {
  return explainCycles(lists, history, options);
}

const lists: Datatype<AppendOrder> = {
  write: "append",
  inconclusive: { "empty-transaction-graph": "unknown", "cycle-search-timeout": "unknown" },
  order: appendOrder,
  refusals: (all) => [malformedTxn(all) ?? duplicateAppend(all)],
  anomalies: appendAnomalies,
  link: linkAppends,
  explain: explainAppends,
};

function* appendAnomalies(all: Transactions, order: AppendOrder): Generator<Anomaly> {
  yield* duplicateElements(all);
  for (const txn of all.txns) {
    if (txn.type !== "ok") continue;
    const found = [internal(txn), futureRead(txn)];
    yield* found.filter((each) => each !== undefined);
  }
  yield* incompatibleOrders(all, order);
  yield* dirtyUpdates(all, order);
  const unwritten = unwrittenElement(all, order) ?? droppedAppend(all, order);
  if (unwritten !== undefined) yield unwritten;
}

function* duplicateElements({ txns, names }: Transactions): Generator<Anomaly> {
  const seen = new Int32Array(names.values.length);
  let reads = 0;
  for (const txn of txns) {
    if (txn.type === "fail") continue;
    for (const mop of txn.mops) {
      reads++;
      for (const value of mop.list ?? []) {
        if (seen[value] === reads) {
          yield { type: "duplicate-elements", txns: [txn], mop, value };
          break;
        }
        seen[value] = reads;
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

function internal(txn: Txn): Anomaly | undefined {
  const states = new Map<number, Expected>();
  for (const mop of txn.mops) {
    const state = states.get(mop.key);
    if (!mop.read) {
      if (state === undefined) states.set(mop.key, { base: undefined, appended: [mop.version] });
      else state.appended.push(mop.version);
      continue;
    }
    if (state !== undefined && !fits(state, mop.list)) {
      const expected = [...state.base ?? [], ...state.appended];
      const isSuffix = state.base === undefined;
      return { type: "internal", txns: [txn], mop, expected, isSuffix };
    }
    states.set(mop.key, { base: mop.list ?? null, appended: [] });
  }
}

/** A read of an element that the same transaction appends later. */
function futureRead(txn: Txn): Anomaly | undefined {
  if (!txn.mops.some((mop, i) => i > 0 && !mop.read)) return;
  const reads = new Map<number, Mop>();
  for (const mop of txn.mops) {
    if (mop.read) {
      for (const element of mop.list ?? []) if (!reads.has(element)) reads.set(element, mop);
      continue;
    }
    const read = reads.get(mop.version);
    if (read === undefined) continue;
    return { type: "future-read", txns: [txn], mop: read, value: mop.version };
  }
}

/** Reads of a key that are no beginning of its longest one; one a key. */
function* incompatibleOrders({ txns }: Transactions, order: AppendOrder): Generator<Anomaly> {
  const keys = new Set<number>();
  for (const txn of txns) {
    if (txn.type === "fail") continue;
    for (const mop of txn.mops) {
      const longest = order.longest[mop.key];
      if (!mop.list || longest === undefined || keys.has(mop.key)) continue;
      const list = longest.mop.list ?? [];
      if (list === mop.list || mop.list.every((element, i) => element === list[i])) continue;
      keys.add(mop.key);
      const { txn: reader, mop: other } = longest;
      yield { type: "incompatible-order", txns: [txn, reader], mop, other };
    }
  }
}

/** Appends of failed transactions that an ok one's append follows. */
function* dirtyUpdates({ txns }: Transactions, order: AppendOrder): Generator<Anomaly> {
  const writers = new Map<number, Txn>();
  for (const txn of txns) {
    for (const mop of txn.mops) if (!mop.read) writers.set(mop.version, txn);
  }
  for (const longest of order.longest) {
    if (longest === undefined) continue;
    const { txn: reader, mop } = longest;
    let failed: { txn: Txn; value: number } | undefined;
    for (const value of new Set(mop.list)) {
      const txn = writers.get(value);
      if (txn?.type === "fail") failed ??= { txn, value };
      if (txn?.type !== "ok") continue;
      if (failed !== undefined) {
        const values = [failed.value, value] as const;
        yield { type: "dirty-update", txns: [failed.txn, txn, reader], mop, values };
      }
      failed = undefined;
    }
  }
}

/** A value of which there are two appends, so that a read of it does not tell them apart. */
function duplicateAppend({ txns }: Transactions): Refusal | undefined {
  const requested = new Map<number, Txn>();
  for (const txn of txns) {
    for (const { read, version: value } of txn.request ?? []) {
      if (read) continue;
      const other = requested.get(value);
      if (other !== undefined) return { type: "duplicate-appends", txns: [other, txn], value };
      requested.set(value, txn);
    }
  }
}

/** An element of a longest read that no transaction appended. */
function unwrittenElement({ txns, names }: Transactions, order: AppendOrder): Refusal | undefined {
  const written = new Uint8Array(names.values.length);
  for (const txn of txns) {
    for (const mop of txn.mops) if (!mop.read) written[mop.version] = 1;
  }
  for (const longest of order.longest) {
    const value = longest?.mop.list?.find((element) => written[element] === 0);
    if (longest === undefined || value === undefined) continue;
    return { type: "unwritten-element", txns: [longest.txn], mop: longest.mop, value };
  }
}

/** A key's only append that its reply left out; with more of them Elle does not notice. */
function droppedAppend({ txns, names }: Transactions, order: AppendOrder): Refusal | undefined {
  const requested = names.keys.map((): { txn: Txn; mop: Mop }[] => []);
  const written = new Set<number>();
  for (const txn of txns) {
    for (const mop of txn.mops) if (!mop.read) written.add(mop.key);
    for (const mop of txn.request ?? []) if (!mop.read) requested[mop.key]?.push({ txn, mop });
  }
  for (const [key, [only, second]] of requested.entries()) {
    if (only === undefined || second !== undefined) continue;
    if (written.has(key) || order.longest[key] !== undefined) continue;
    const { txn, mop } = only;
    return { type: "unwritten-element", txns: [txn], mop, value: mop.version };
  }
}

/** The order of each key's elements. */
interface AppendOrder {
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
function appendOrder({ txns, names }: Transactions): AppendOrder {
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

/** The element before one that was appended; if it was never read, the last one known. */
function previous({ orders, place }: AppendOrder, { key, version }: Mop): number {
  const order = orders[key] ?? [];
  const i = place[version] ?? -1;
  return (i < 0 ? order.at(-1) : order[i - 1]) ?? INITIAL;
}

/** A number for the state of a key whose last element is `version`. */
function stateOf(key: number, version: number): number {
  return version === INITIAL ? -1 - key : version;
}

/** Whether it is known what a read found: an unknown transaction without a list has no reply. */
function isKnown(txn: Txn, mop: Mop): boolean {
  return mop.read && !(txn.type === "info" && mop.list === null);
}

/** Links transactions by what they read and appended. */
function linkAppends(graph: GraphBuilder, { txns }: Transactions, order: AppendOrder): void {
  const readers = new Map<number, number[]>();
  const successors = new Map<number, number[]>();
  for (const txn of txns) {
    if (txn.type === "fail") continue;
    for (const mop of txn.mops) {
      if (!mop.read) {
        addOnce(successors, stateOf(mop.key, previous(order, mop)), txn.id);
      } else if (isKnown(txn, mop)) {
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

function explainAppends(order: AppendOrder): Explain {
  const evidenceOf = (next: number) => (order.place[next] ?? -1) >= 0 ? "list" : "unread";

  const ww: Explain = (a, b) => {
    for (const mop of b.mops) {
      if (mop.read) continue;
      const { key, version: next } = mop;
      const value = previous(order, mop);
      if (value === INITIAL || order.writer[value] !== a.id) continue;
      return { type: "ww", key, value, next, evidence: evidenceOf(next) };
    }
  };

  const wr: Explain = (a, b) => {
    for (const mop of b.mops) {
      const { read, key, version: value } = mop;
      if (!read || value === INITIAL || order.writer[value] !== a.id) continue;
      return { type: "wr", key, value, read: mop };
    }
  };

  const rw: Explain = (a, b) => {
    for (const mop of b.mops) {
      if (mop.read) continue;
      const { key, version: next } = mop;
      const value = previous(order, mop);
      const read = a.mops.find((each) =>
        isKnown(a, each) && each.key === key && each.version === value
      );
      if (read === undefined) continue;
      return { type: "rw", key, value, next, evidence: evidenceOf(next), read };
    }
  };

  return (a, b) => ww(a, b) ?? wr(a, b) ?? rw(a, b);
}
