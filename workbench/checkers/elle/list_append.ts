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
 * assertEquals(result["anomaly-types"], ["G2-item"]);
 * assertEquals(result["not"], ["repeatable-read"]);
 * ```
 *
 * @module
 */

import type { Op } from "../../history.ts";
import { GraphBuilder, RW, WR, WW } from "../graph.ts";
import {
  type Case,
  Cases,
  checkReads,
  checkReplies,
  dirtyWrites,
  foundText,
  INITIAL,
  keyText,
  listText,
  lostUpdates,
  malformedTxn,
  type Mop,
  opsOf,
  perValue,
  readTransactions,
  refusal,
  type Transactions,
  type Txn,
  txnText,
  valueText,
  whose,
} from "./txn.ts";
import { dependencyCycles, type Effort, type Explain, type Reason } from "./cycles.ts";
import {
  canonicalModel,
  type ElleOptions,
  type ElleResult,
  guarded,
  verdict,
} from "./consistency_model.ts";

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
 * models that are ruled out, and `also-not`, the stronger ones; never throws.
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
 * assertEquals(result["anomaly-types"], ["empty-transaction-graph", "internal"]);
 * ```
 */
export function checkListAppend(
  history: readonly Op[],
  { consistencyModels }: ElleOptions,
  effort?: Effort,
): ElleResult {
  return guarded(() => {
    const models = consistencyModels.map(canonicalModel);
    const all = readTransactions(history, "append");
    const warnings = [...checkReplies(all), ...checkReads(all)];
    const report = { models, warnings, registers: false };
    const cases = new Cases();
    const malformed = malformedTxn(all);
    if (malformed !== undefined) return verdict({ ...report, cases, refusals: [malformed] });
    const order = appendOrder(all);
    const { duplicate, unwritten } = refuseAppends(all, order);
    if (duplicate !== undefined) {
      return verdict({ ...report, cases, refusals: [refusal("duplicate-appends", duplicate)] });
    }
    appendAnomalies(all, order, cases);
    lostUpdates(all, cases);
    const graph = new GraphBuilder(all.txns.length);
    linkAppends(graph, all, order);
    dependencyCycles(all, graph, explainAppends(all, order), models, cases, effort);
    const refusals = unwritten === undefined ? [] : [refusal("unwritten-element", unwritten)];
    return verdict({ ...report, cases, refusals });
  });
}

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
