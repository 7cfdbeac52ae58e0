/**
 * Elle's check of transactions over registers, as Maelstrom's `txn-rw-register` uses it.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { History } from "../../history.ts";
import { NumberLists } from "../../number_lists.ts";
import { cyclicComponents, GraphBuilder, RW, WR, WW } from "../graph.ts";
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
import type { Mop, Transactions, Txn } from "./txn.ts";

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
 * @returns the same keys as {@linkcode checkListAppend}.
 * @throws {Error} if a model is unknown.
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
 * assertEquals(result.anomalyTypes, ["G1a"]);
 * ```
 */
export function checkRwRegister(
  history: History,
  options: ElleOptions,
  effort?: Effort,
): ElleResult {
  return checkTxns(registers, history, options, effort);
}

/** Explains the cycles of transactions over registers, some of each type. */
export function explainRegisterCycles(
  history: History,
  options: ElleOptions,
): ExplainedCycle[] {
  return explainCycles(registers, history, options);
}

const registers: Datatype<RegisterOrder> = {
  write: "w",
  inconclusive: { "empty-transaction-graph": false, "cycle-search-timeout": true },
  order: registerOrder,
  refusals: (all, order) => [malformedTxn(all), mixedKeys(all), ambiguousWrite(all, order)],
  anomalies: registerAnomalies,
  link: linkRegisters,
  explain: explainRegisters,
};

function* registerAnomalies(all: Transactions, order: RegisterOrder): Generator<Anomaly> {
  for (const txn of all.txns) {
    const found = txn.type === "ok" ? internal(all, txn) : undefined;
    if (found !== undefined) yield found;
  }
  for (const values of order.cyclic) yield cyclicVersions(all, order, values);
}

/** A read that follows a read of `null` is let pass, as Elle does. */
function internal({ names }: Transactions, txn: Txn): Anomaly | undefined {
  const states = new Map<number, number>();
  for (const mop of txn.mops) {
    const expected = states.get(mop.key);
    if (
      mop.read && expected !== undefined && expected !== mop.version &&
      names.values[expected] !== null
    ) return { type: "internal", txns: [txn], mop, expected: [expected] };
    states.set(mop.key, mop.version);
  }
}

function cyclicVersions(
  all: Transactions,
  order: RegisterOrder,
  values: readonly number[],
): Anomaly {
  const among = new Set(values);
  const ids = new Set(values.slice(0, 16).flatMap((value) => [...order.writers.of(value)]));
  const txns = Array.from(ids, (id) => all.txns.at(id)).filter((txn) =>
    txn.mops.some((mop) => mop.read && among.has(mop.version))
  );
  return { type: "cyclic-versions", txns, key: all.names.keyOf.at(values[0] ?? 0), values };
}

/** Elle judges no history that has several types of keys. */
function mixedKeys({ names }: Transactions): Refusal | undefined {
  const keyTypes = [...new Set(names.keys.map(typeOf))];
  return keyTypes.length < 2 ? undefined : { type: "mixed-key-types", keyTypes };
}

function typeOf(key: Json): string {
  if (key === null) return "null";
  if (Array.isArray(key)) return "list";
  if (typeof key === "number") return Number.isInteger(key) ? "integer" : "decimal";
  if (typeof key !== "object" || !("rawJSON" in key)) return typeof key;
  return /^-?\d+$/.test(String(key.rawJSON)) ? "integer" : "decimal";
}

/** What a transaction shows to others: the first it read of each key, and the last it wrote. */
interface External {
  /** Values read before the transaction wrote to their key, by key. */
  readonly reads: ReadonlyMap<number, number>;
  /** Values left behind, by key. */
  readonly writes: ReadonlyMap<number, number>;
}

function externalOf(mops: readonly Mop[]): External {
  const reads = new Map<number, number>();
  const writes = new Map<number, number>();
  for (const { read, key, version } of mops) {
    if (!read) writes.set(key, version);
    else if (!reads.has(key) && !writes.has(key)) reads.set(key, version);
  }
  return { reads, writes };
}

/** What is known of the order of each register's values. */
interface RegisterOrder {
  /** The values known to come after each: some come after `null`, others replaced one. */
  readonly after: readonly NumberLists[];
  /** The number of `null` as a value of each key. */
  readonly nulls: readonly number[];
  /** The ids of the ok transactions that read each value, or left it behind. */
  readonly readers: NumberLists;
  readonly writers: NumberLists;
  /** Values that come before themselves; if there are any, no replacement counts. */
  readonly cyclic: readonly (readonly number[])[];
}

/** Works out the order of each register's values. */
function registerOrder({ txns, names }: Transactions): RegisterOrder {
  const nulls = names.keys.map((_, key) => names.version(key, null));
  const size = names.values.length;
  const [initial, replaced] = [new NumberLists(size, true), new NumberLists(size, true)];
  const [readers, writers] = [new NumberLists(size), new NumberLists(size)];
  for (const txn of txns) {
    if (txn.type === "fail") continue;
    const { reads, writes } = externalOf(txn.mops);
    for (const [key, value] of writes) put(initial, nulls[key] as number, value);
    if (txn.type !== "ok") continue;
    for (const value of writes.values()) writers.add(value, txn.id);
    for (const [key, value] of reads) {
      readers.add(value, txn.id);
      put(initial, nulls[key] as number, value);
      const next = writes.get(key);
      if (value !== nulls[key] && next !== undefined && next !== nulls[key]) {
        put(replaced, value, next);
      }
    }
  }
  const cyclic = cyclesAmong(replaced, size);
  const after = cyclic.length > 0 ? [initial] : [initial, replaced];
  return { after, nulls, readers, writers, cyclic };
}

function put(lists: NumberLists, from: number, to: number): void {
  if (from !== to) lists.add(from, to);
}

function cyclesAmong(after: NumberLists, size: number): number[][] {
  const graph = new GraphBuilder(size);
  for (const value of after.keys()) for (const each of after.of(value)) graph.link(value, each, WW);
  return cyclicComponents(graph.build(), WW);
}

/** Links transactions by what they read and wrote. */
function linkRegisters(graph: GraphBuilder, _: Transactions, order: RegisterOrder): void {
  const { readers, writers } = order;
  for (const value of readers.keys()) {
    const wrote = writers.of(value);
    if (wrote.length === 1) graph.linkAll(wrote, readers.of(value), WR);
  }
  for (const after of order.after) {
    for (const value of after.keys()) {
      const next = new Set<number>();
      for (const each of after.of(value)) for (const id of writers.of(each)) next.add(id);
      graph.linkAll(writers.of(value), [...next], WW);
      graph.linkAll(readers.of(value), [...next], RW);
    }
  }
}

/** A value that several ok transactions wrote and one read, so that its writer is not known. */
function ambiguousWrite({ txns }: Transactions, order: RegisterOrder): Refusal | undefined {
  for (const value of order.readers.keys()) {
    const writers = order.writers.of(value);
    if (writers.length < 2) continue;
    return { type: "duplicate-writes", txns: Array.from(writers, (id) => txns.at(id)), value };
  }
}

function explainRegisters(order: RegisterOrder): Explain {
  const wr: Explain = (a, b) => {
    const { writes } = externalOf(a.mops);
    for (const [key, value] of externalOf(b.mops).reads) {
      if (writes.get(key) === value) return { type: "wr", key, value };
    }
  };

  const later = (type: "ww" | "rw"): Explain => (a, b) => {
    const { reads, writes } = externalOf(a.mops);
    const second = externalOf(b.mops);
    for (const [key, value] of type === "ww" ? writes : reads) {
      const next = second.writes.get(key);
      if (next === undefined || !order.after.some((after) => after.of(value).includes(next))) {
        continue;
      }
      const evidence = value === order.nulls[key]
        ? "initial"
        : second.reads.get(key) === value
        ? "second"
        : "other";
      return { type, key, value, next, evidence };
    }
  };

  const [ww, rw] = [later("ww"), later("rw")];
  return (a, b) => wr(a, b) ?? ww(a, b) ?? rw(a, b);
}
