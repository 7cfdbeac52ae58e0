/**
 * Elle's check of transactions over registers, as Maelstrom's `txn-rw-register` uses it.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Op } from "../../history.ts";
import { components, cycles, GraphBuilder, pack, RW, WR, WW } from "../graph.ts";
import {
  type Case,
  Cases,
  checkReads,
  checkReplies,
  dirtyWrites,
  keyText,
  lostUpdates,
  malformedTxn,
  type Mop,
  opsOf,
  readTransactions,
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
  type Refusal,
  verdict,
} from "./consistency_model.ts";

/**
 * Checks transactions that read registers and write to them.
 *
 * The verdict is that of Elle 0.2.2 with writes taken to follow reads, and of Maelstrom on top:
 * false if any anomaly is reported at all, where a search for cycles that was cut short is none.
 * Maelstrom does not compare replies with requests; a mismatch is a warning here.
 *
 * @param history operations `txn` with values `[["r", k, v] | ["w", k, v], ...]`.
 * @param options the consistency models to check for.
 * @param effort how long to search for cycles.
 * @returns the same keys as {@linkcode checkListAppend}; never throws.
 *
 * @example
 * ```ts
 * import { checkRwRegister } from "./rw_register.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { time: 0, f: "txn" };
 * const result = checkRwRegister([
 *   { ...op, index: 0, process: 0, type: "invoke", value: [["w", 9, 1]] },
 *   { ...op, index: 1, process: 0, type: "fail", value: [["w", 9, 1]] },
 *   { ...op, index: 2, process: 1, type: "invoke", value: [["r", 9, null]] },
 *   { ...op, index: 3, process: 1, type: "ok", value: [["r", 9, 1]] },
 *   { ...op, index: 4, process: 1, type: "invoke", value: [["r", 9, null]] },
 *   { ...op, index: 5, process: 1, type: "ok", value: [["r", 9, 1]] },
 * ], { consistencyModels: ["strict-serializable"] });
 * assertEquals(result["anomaly-types"], ["G1a"]);
 * ```
 */
export function checkRwRegister(
  history: readonly Op[],
  { consistencyModels }: ElleOptions,
  effort?: Effort,
): ElleResult {
  return guarded(() => {
    const models = consistencyModels.map(canonicalModel);
    const all = readTransactions(history, "w");
    const warnings = [...checkReplies(all), ...checkReads(all)];
    const report = { models, warnings, registers: true };
    const cases = new Cases();
    const order = registerOrder(all);
    const refusals = [malformedTxn(all), mixedKeys(all), ambiguous(all, order)]
      .filter((each) => each !== undefined);
    if (refusals.length > 0) return verdict({ ...report, cases, refusals });
    registerAnomalies(all, order, cases);
    lostUpdates(all, cases);
    const graph = new GraphBuilder(all.txns.length);
    linkRegisters(graph, order);
    dependencyCycles(all, graph, explainRegisters(all, order), models, cases, effort);
    return verdict({ ...report, cases, refusals });
  });
}

function mixedKeys(all: Transactions): Refusal | undefined {
  const types = keyTypes(all);
  if (types.length < 2) return undefined;
  const what = `Keys are of several types (${types.join(", ")}), which Elle does not judge`;
  return { anomaly: "mixed-key-types", what, ops: [] };
}

function ambiguous(all: Transactions, order: RegisterOrder): Refusal | undefined {
  const value = ambiguousValue(order);
  if (value === undefined) return undefined;
  const { names, txns } = all;
  const writers = (order.writers.get(value) ?? []).flatMap((id) => txns[id] ?? []);
  return {
    anomaly: "duplicate-writes",
    what: `Key ${keyText(names, names.keyOf[value] ?? 0)} had value ${
      valueText(names, value)
    } written by more than one op, so there is no telling which a read saw (${
      writers.slice(0, 3).map((txn) => txnText(all, txn)).join("; ")
    })`,
    ops: opsOf(writers),
  };
}

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

/** What a transaction shows to others: the first it read of each key, and the last it wrote. */
export interface External {
  /** Values read before the transaction wrote to their key, by key. */
  readonly reads: ReadonlyMap<number, number>;
  /** Values left behind, by key. */
  readonly writes: ReadonlyMap<number, number>;
}

/** What a transaction shows to others. */
export function externalOf(mops: readonly Mop[]): External {
  const reads = new Map<number, number>();
  const writes = new Map<number, number>();
  for (const { read, key, version } of mops) {
    if (!read) writes.set(key, version);
    else if (!reads.has(key) && !writes.has(key)) reads.set(key, version);
  }
  return { reads, writes };
}

/** What is known of the order of each register's values. */
export interface RegisterOrder {
  /** The values known to come after each. */
  readonly after: ReadonlyMap<number, ReadonlySet<number>>;
  /** The number of `null` as a value of each key. */
  readonly nulls: readonly number[];
  /** The ids of the ok transactions that read each value, or left it behind. */
  readonly readers: ReadonlyMap<number, readonly number[]>;
  readonly writers: ReadonlyMap<number, readonly number[]>;
  /** Values that come before themselves; if there are any, no replacement counts. */
  readonly cyclic: readonly (readonly number[])[];
}

/** Works out the order of each register's values. */
export function registerOrder(all: Transactions): RegisterOrder {
  const nulls = all.names.keys.map((_, key) => all.names.version(key, null));
  const initial = new Map<number, Set<number>>();
  const replaced = new Map<number, Set<number>>();
  const readers = new Map<number, number[]>();
  const writers = new Map<number, number[]>();
  for (const txn of all.txns) {
    if (txn.type === "fail") continue;
    const { reads, writes } = externalOf(txn.mops);
    for (const [key, value] of writes) put(initial, nulls[key] as number, value);
    if (txn.type !== "ok") continue;
    for (const value of writes.values()) push(writers, value, txn.id);
    for (const [key, value] of reads) {
      push(readers, value, txn.id);
      put(initial, nulls[key] as number, value);
      const next = writes.get(key);
      if (value !== nulls[key] && next !== undefined && next !== nulls[key]) {
        put(replaced, value, next);
      }
    }
  }
  const cyclic = cyclesOf(replaced, all.names.values.length);
  const after = cyclic.length > 0 ? initial : new Map([...initial, ...replaced]);
  return { after, nulls, readers, writers, cyclic };
}

function put(sets: Map<number, Set<number>>, from: number, to: number): void {
  if (from === to) return;
  const set = sets.get(from);
  if (set === undefined) sets.set(from, new Set([to]));
  else set.add(to);
}

function push(lists: Map<number, number[]>, at: number, id: number): void {
  const list = lists.get(at);
  if (list === undefined) lists.set(at, [id]);
  else list.push(id);
}

function cyclesOf(after: ReadonlyMap<number, ReadonlySet<number>>, size: number): number[][] {
  const from: number[] = [];
  const to: number[] = [];
  for (const [value, next] of after) {
    for (const each of next) {
      from.push(value);
      to.push(each);
    }
  }
  return cycles(components(pack(size, size, from, to, from.map(() => WW)), WW));
}

/** Links transactions by what they read and wrote. */
export function linkRegisters(graph: GraphBuilder, order: RegisterOrder): void {
  for (const [value, readers] of order.readers) {
    const writers = order.writers.get(value) ?? [];
    if (writers.length === 1) graph.linkAll(writers, readers, WR);
  }
  for (const [value, after] of order.after) {
    const next = new Set<number>();
    for (const each of after) order.writers.get(each)?.forEach((id) => next.add(id));
    graph.linkAll(order.writers.get(value) ?? [], [...next], WW);
    graph.linkAll(order.readers.get(value) ?? [], [...next], RW);
  }
}

/** A value that several ok transactions wrote and somebody read: there is no telling whose it is. */
export function ambiguousValue(order: RegisterOrder): number | undefined {
  for (const value of order.readers.keys()) {
    if ((order.writers.get(value)?.length ?? 0) > 1) return value;
  }
}

/** Explains the links of {@linkcode linkRegisters}. */
export function explainRegisters({ names }: Transactions, order: RegisterOrder): Explain[] {
  const text = (key: number, value: number) => [keyText(names, key), valueText(names, value)];

  function wr(a: Txn, b: Txn): Reason | undefined {
    const { writes } = externalOf(a.mops);
    for (const [key, value] of externalOf(b.mops).reads) {
      if (writes.get(key) !== value) continue;
      const [name, shown] = text(key, value);
      return {
        type: "wr",
        facts: { key: names.keys[key], value: names.values[value] },
        say: (first, second) => `${first} wrote ${shown} to key ${name}, and ${second} read it`,
      };
    }
  }

  function later(type: "ww" | "rw", a: Txn, b: Txn): Reason | undefined {
    const { reads, writes } = externalOf(a.mops);
    const next = externalOf(b.mops);
    for (const [key, value] of type === "ww" ? writes : reads) {
      const written = next.writes.get(key);
      if (written === undefined || !order.after.get(value)?.has(written)) continue;
      const [name, shown] = text(key, value);
      const [, after] = text(key, written);
      const how = value === order.nulls[key]
        ? `; a key is null only before it is first written`
        : next.reads.get(key) === value
        ? `, having read ${shown} itself`
        : `, and a transaction that read ${shown} wrote ${after}`;
      return {
        type,
        facts: {
          "key": names.keys[key],
          "value": names.values[value],
          "value'": names.values[written],
        },
        say: (first, second) =>
          `${first} ${type === "ww" ? `wrote ${shown} to` : `read ${shown} from`} key ${name}, ` +
          `and ${second} wrote ${after}${how}`,
      };
    }
  }

  return [wr, (a, b) => later("ww", a, b), (a, b) => later("rw", a, b)];
}
