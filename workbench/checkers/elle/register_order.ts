/**
 * In what order the values of each register came, as far as that shows, and what it says about
 * the transactions.
 *
 * A register's read shows one value and not what was before it. Two things are known all the
 * same: `null` comes before everything, and a transaction that reads one value and writes another
 * replaced the one by the other ("writes follow reads").
 *
 * @module
 */

import { components, cycles } from "./components.ts";
import { type GraphBuilder, pack, RW, WR, WW } from "./graph.ts";
import { keyText, valueText } from "./render.ts";
import type { Explain, Reason } from "./reasons.ts";
import type { Mop, Transactions, Txn } from "./txns.ts";

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
