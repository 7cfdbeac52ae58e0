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
import { NumberLists } from "../../number_lists.ts";
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
import { INITIAL, type Mop, type Transactions, type Txn, type Txns } from "./txn.ts";

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
  order: (all) => new AppendOrder(all),
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
      if (!mop.list || keys.has(mop.key) || order.isBeginning(mop.key, mop.list)) continue;
      const longest = order.longest(mop.key);
      if (longest === undefined) continue;
      keys.add(mop.key);
      const { txn: reader, mop: other } = longest;
      yield { type: "incompatible-order", txns: [txn, reader], mop, other };
    }
  }
}

/** Appends of failed transactions that an ok one's append follows. */
function* dirtyUpdates({ txns, names }: Transactions, order: AppendOrder): Generator<Anomaly> {
  const writers = new Int32Array(names.values.length).fill(NONE);
  for (const { id, mops } of txns) {
    for (const mop of mops) if (!mop.read) writers[mop.version] = id;
  }
  for (const longest of order.allLongest()) {
    const { txn: reader, mop } = longest;
    let failed: { id: number; value: number } | undefined;
    for (const value of new Set(mop.list)) {
      const id = writers[value] ?? NONE;
      const type = id === NONE ? undefined : txns.typeOf(id);
      if (type === "fail") failed ??= { id, value };
      if (type !== "ok") continue;
      if (failed !== undefined) {
        const values = [failed.value, value] as const;
        const three = [txns.at(failed.id), txns.at(id), reader] as const;
        yield { type: "dirty-update", txns: three, mop, values };
      }
      failed = undefined;
    }
  }
}

/** A value of which there are two appends, so that a read of it does not tell them apart. */
function duplicateAppend({ txns, names }: Transactions): Refusal | undefined {
  const requested = new Int32Array(names.values.length).fill(NONE);
  for (const txn of txns) {
    for (const { read, version: value } of txn.request ?? []) {
      if (read) continue;
      const other = requested[value] ?? NONE;
      if (other !== NONE) return { type: "duplicate-appends", txns: [txns.at(other), txn], value };
      requested[value] = txn.id;
    }
  }
}

/** An element of a longest read that no transaction appended. */
function unwrittenElement({ txns, names }: Transactions, order: AppendOrder): Refusal | undefined {
  const written = new Uint8Array(names.values.length);
  for (const txn of txns) {
    for (const mop of txn.mops) if (!mop.read) written[mop.version] = 1;
  }
  for (const { txn, mop } of order.allLongest()) {
    const value = mop.list?.find((element) => written[element] === 0);
    if (value !== undefined) return { type: "unwritten-element", txns: [txn], mop, value };
  }
}

/** A key's only append that its reply left out; with more of them Elle does not notice. */
function droppedAppend({ txns, names }: Transactions, order: AppendOrder): Refusal | undefined {
  const counts = new Uint8Array(names.keys.length);
  const first = new Int32Array(names.keys.length);
  const written = new Uint8Array(names.keys.length);
  for (const txn of txns) {
    for (const mop of txn.mops) if (!mop.read) written[mop.key] = 1;
    for (const mop of txn.request ?? []) {
      if (mop.read) continue;
      const count = counts[mop.key] ?? 0;
      if (count === 0) first[mop.key] = txn.id;
      if (count < 2) counts[mop.key] = count + 1;
    }
  }
  for (let key = 0; key < names.keys.length; key++) {
    if (counts[key] !== 1 || written[key] === 1 || order.longest(key) !== undefined) continue;
    const txn = txns.at(first[key] ?? 0);
    const mop = txn.request?.find((each) => !each.read && each.key === key);
    if (mop === undefined) continue;
    return { type: "unwritten-element", txns: [txn], mop, value: mop.version };
  }
}

/** No transaction, element or place. */
const NONE = -1;

/** The order of each key's elements, as far as ok and unknown transactions tell it. */
class AppendOrder {
  readonly #txns: Txns;
  /** For each key the transaction with its longest read, which of its reads that is, and its length. */
  readonly #readers: Int32Array;
  readonly #reads: Int32Array;
  readonly #lengths: Int32Array;
  /** The last element of each key's order, and the one before each element; -1 for none. */
  readonly #last: Int32Array;
  readonly #before: Int32Array;
  /** Each element's place in its key's longest read, counted from 1; 0 for none. */
  readonly #inLongest: Int32Array;
  /** Whether an element has its place in its key's order. */
  readonly isPlaced: Uint8Array;
  /** The id of the ok or unknown transaction that appended each element, or -1. */
  readonly writer: Int32Array;

  constructor({ txns, names }: Transactions) {
    const [keys, values] = [names.keys.length, names.values.length];
    this.#txns = txns;
    this.#readers = new Int32Array(keys).fill(NONE);
    [this.#reads, this.#lengths] = [new Int32Array(keys), new Int32Array(keys)];
    this.#last = new Int32Array(keys).fill(NONE);
    this.#before = new Int32Array(values).fill(NONE);
    this.#inLongest = new Int32Array(values);
    this.isPlaced = new Uint8Array(values);
    this.writer = new Int32Array(values).fill(NONE);
    this.#placeElements(this.#findLongest());
  }

  /** Finds the longest reads; returns each key's only append, -1 where there are others or none. */
  #findLongest(): Int32Array {
    const counts = new Uint8Array(this.#readers.length);
    const only = new Int32Array(this.#readers.length).fill(NONE);
    for (const { id, type, mops } of this.#txns) {
      if (type === "fail") continue;
      for (const [i, { read, key, version, list }] of mops.entries()) {
        if (!read) {
          this.writer[version] = id;
          only[key] = counts[key] === 0 ? version : NONE;
          counts[key] = 1;
        } else if ((list?.length ?? 0) > (this.#lengths[key] ?? 0)) {
          [this.#readers[key], this.#reads[key], this.#lengths[key]] = [id, i, list?.length ?? 0];
        }
      }
    }
    return only;
  }

  #placeElements(only: Int32Array): void {
    for (let key = 0; key < this.#readers.length; key++) {
      const longest = this.longest(key);
      // One append alone has its place without being read.
      const single = only[key] ?? NONE;
      const order = longest?.mop.list ?? (single === NONE ? [] : [single]);
      let last = NONE;
      for (const [i, element] of order.entries()) {
        if (longest !== undefined) this.#inLongest[element] = i + 1;
        if (this.isPlaced[element] === 1) continue;
        this.isPlaced[element] = 1;
        this.#before[element] = last;
        last = element;
      }
      this.#last[key] = last;
    }
  }

  /** A key's longest read; undefined if no read found anything. */
  longest(key: number): { readonly txn: Txn; readonly mop: Mop } | undefined {
    const id = this.#readers[key] ?? NONE;
    if (id === NONE) return undefined;
    const txn = this.#txns.at(id);
    const mop = txn.mops[this.#reads[key] ?? 0];
    return mop && { txn, mop };
  }

  /** The longest reads of all keys, in order. */
  *allLongest(): Generator<{ readonly txn: Txn; readonly mop: Mop }> {
    for (let key = 0; key < this.#readers.length; key++) {
      const longest = this.longest(key);
      if (longest !== undefined) yield longest;
    }
  }

  /** Whether a list is how a key's longest read begins; true where there is none. */
  isBeginning(key: number, list: readonly number[]): boolean {
    if ((this.#readers[key] ?? NONE) === NONE) return true;
    if (list.every((element, i) => this.#inLongest[element] === i + 1)) return true;
    // Only one of its places is known of an element that the longest read has twice.
    const longest = this.longest(key)?.mop.list ?? [];
    return list.every((element, i) => element === longest[i]);
  }

  /** The element before one that was appended; if it was never read, the last one known. */
  previous({ key, version }: Mop): number {
    const found = this.isPlaced[version] === 1 ? this.#before[version] : this.#last[key];
    return found === undefined || found === NONE ? INITIAL : found;
  }
}

/** A number for the state of a key whose last element is `version`; there are `count` elements. */
function stateOf(count: number, key: number, version: number): number {
  return version === INITIAL ? count + key : version;
}

/** Whether it is known what a read found: an unknown transaction without a list has no reply. */
function isKnown(txn: Txn, mop: Mop): boolean {
  return mop.read && !(txn.type === "info" && mop.list === null);
}

/** Links transactions by what they read and appended. */
function linkAppends(graph: GraphBuilder, { txns, names }: Transactions, order: AppendOrder): void {
  const count = names.values.length;
  const readers = new NumberLists(count + names.keys.length);
  const successors = new NumberLists(count + names.keys.length);
  for (const txn of txns) {
    if (txn.type === "fail") continue;
    for (const mop of txn.mops) {
      if (!mop.read) {
        successors.add(stateOf(count, mop.key, order.previous(mop)), txn.id);
      } else if (isKnown(txn, mop)) {
        readers.add(stateOf(count, mop.key, mop.version), txn.id);
        const writer = mop.version === INITIAL ? NONE : order.writer[mop.version] ?? NONE;
        if (writer !== NONE) graph.link(writer, txn.id, WR);
      }
    }
  }
  for (const state of successors.keys()) {
    const next = successors.of(state);
    const writer = order.writer[state] ?? NONE;
    if (writer !== NONE) { for (const id of next) graph.link(writer, id, WW); }
    graph.linkAll(readers.of(state), next, RW);
  }
}

function explainAppends(order: AppendOrder): Explain {
  const evidenceOf = (next: number) => order.isPlaced[next] === 1 ? "list" : "unread";

  const ww: Explain = (a, b) => {
    for (const mop of b.mops) {
      if (mop.read) continue;
      const { key, version: next } = mop;
      const value = order.previous(mop);
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
      const value = order.previous(mop);
      const read = a.mops.find((each) =>
        isKnown(a, each) && each.key === key && each.version === value
      );
      if (read === undefined) continue;
      return { type: "rw", key, value, next, evidence: evidenceOf(next), read };
    }
  };

  return (a, b) => ww(a, b) ?? wr(a, b) ?? rw(a, b);
}
