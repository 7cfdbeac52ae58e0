/**
 * A simulated database at several isolation levels, for tests: it runs random transactions of
 * several clients at once, and writes down what they saw.
 *
 * @module
 */

import type { Json, Random } from "@eddy/maelstrom";
import type { Op, OpType } from "@eddy/workbench";
import { randomBelow, seededRandom } from "@eddy/workbench/random.ts";
import { request } from "@eddy/workbench/testing.ts";

/**
 * How well the database isolates transactions:
 * - `strict`: each runs at one instant between its invocation and its completion;
 * - `stale`: so do those that write, but others may see any earlier state;
 * - `snapshot`: each sees the state of its invocation, and the first to commit to a key wins;
 * - `committed`: each read sees what is committed at that moment, never its own writes;
 * - `uncommitted`: reads see everything; writers exclude each other, and none fails.
 */
export type Level = "strict" | "stale" | "snapshot" | "committed" | "uncommitted";

/** What to run. */
export interface Load {
  readonly txns: number;
  readonly clients: number;
  /** How many keys are in use at once. */
  readonly keys: number;
  /** How often a key is written before a new one takes its place. */
  readonly writesPerKey: number;
  readonly register: boolean;
  /** How often a transaction fails, and how often its outcome is unknown. @default 0.05 */
  readonly failureRate?: number;
}

type State = ReadonlyMap<number, readonly number[]>;

interface Running {
  readonly mops: readonly Json[];
  readonly snapshot: State;
  readonly own: Map<number, number[]>;
  readonly done: Json[];
  result?: OpType;
}

/** Runs random transactions, the same ones for the same seed, and returns their history. */
export function simulate(level: Level, seed: number, load: Load): Op[] {
  return new Database(level, seed, load).run();
}

class Database {
  readonly #level: Level;
  readonly #load: Load;
  readonly #random: Random;
  #states: State[] = [new Map()];
  readonly #history: Op[] = [];
  readonly #processes: number[];
  readonly #running: (Running | undefined)[];
  readonly #keys: number[];
  readonly #emptyIsNull: boolean;
  readonly #next = new Map<number, number>();
  /** The transaction that holds each key's write lock. */
  readonly #locks = new Map<number, Running>();

  constructor(level: Level, seed: number, load: Load) {
    this.#level = level;
    this.#random = seededRandom(seed, "database");
    this.#load = load;
    this.#emptyIsNull = this.#below(2) === 0;
    this.#processes = Array.from({ length: load.clients }, (_, i) => i);
    this.#running = this.#processes.map(() => undefined);
    this.#keys = Array.from({ length: load.keys }, (_, i) => i);
  }

  run(): Op[] {
    let begun = 0;
    while (begun < this.#load.txns || this.#running.some((txn) => txn !== undefined)) {
      const client = this.#below(this.#load.clients);
      const txn = this.#running[client];
      if (txn !== undefined) this.#step(client, txn);
      else if (begun < this.#load.txns) {
        begun++;
        this.#begin(client);
      }
    }
    return this.#history;
  }

  #below(n: number): number {
    return randomBelow(this.#random, n);
  }

  #chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  get #state(): State {
    return this.#states.at(-1) as State;
  }

  #emit(client: number, type: OpType, value: Json[]): void {
    const process = this.#processes[client] ?? 0;
    const index = this.#history.length;
    this.#history.push({ index, time: index * 1e6, type, process, f: "txn", value });
  }

  #begin(client: number): void {
    const mops = Array.from({ length: 1 + this.#below(4) }, () => this.#mop());
    this.#running[client] = { mops, snapshot: this.#state, own: new Map(), done: [] };
    this.#emit(client, "invoke", mops);
  }

  #mop(): Json {
    const slot = this.#below(this.#keys.length);
    const key = this.#keys[slot] ?? 0;
    if (this.#below(2) === 0) return ["r", key, null];
    const value = (this.#next.get(key) ?? 0) + 1;
    this.#next.set(key, value);
    if (value >= this.#load.writesPerKey) this.#keys[slot] = Math.max(...this.#keys) + 1;
    return [this.#load.register ? "w" : "append", key, value];
  }

  #step(client: number, txn: Running): void {
    if (txn.result !== undefined) return this.#reply(client, txn);
    const mop = txn.mops[txn.done.length];
    if (this.#level === "uncommitted" && txn.done.length === 0 && !this.#lock(txn)) return;
    const atOnce = this.#level === "strict" || this.#level === "stale";
    if (mop === undefined || atOnce) return this.#commit(txn);
    this.#run(txn, mop);
  }

  #run(txn: Running, mop: Json): void {
    const [f, key, value] = mop as ["r" | "append" | "w", number, number];
    if (f === "r") {
      const base = (this.#level === "snapshot" ? txn.snapshot : this.#state).get(key) ?? [];
      const own = this.#level === "snapshot" ? txn.own.get(key) ?? [] : [];
      txn.done.push(["r", key, this.#seen([...base, ...own])]);
      return;
    }
    if (this.#level === "uncommitted") this.#apply(new Map([[key, [value]]]));
    txn.own.set(key, [...txn.own.get(key) ?? [], value]);
    txn.done.push(mop);
  }

  #seen(list: readonly number[]): Json {
    if (this.#load.register) return list.at(-1) ?? null;
    return list.length === 0 && this.#emptyIsNull ? null : [...list];
  }

  #commit(txn: Running): void {
    const rate = this.#level === "uncommitted" ? 0 : this.#load.failureRate ?? 0.05;
    if (this.#chance(rate)) return this.#abort(txn);
    const known = !this.#chance(rate);
    if (!known && this.#below(2) === 0) {
      this.#abort(txn);
      txn.result = "info";
      return;
    }
    if (this.#level === "snapshot") {
      const isOverwritten = (key: number) => this.#state.get(key) !== txn.snapshot.get(key);
      if ([...txn.own.keys()].some(isOverwritten)) return this.#abort(txn);
    }
    if (this.#level === "strict" || this.#level === "stale") this.#runAtOnce(txn);
    if (this.#level !== "uncommitted") this.#apply(txn.own);
    this.#unlock(txn);
    txn.result = known ? "ok" : "info";
  }

  #runAtOnce(txn: Running): void {
    const reads = txn.mops.every((mop) => Array.isArray(mop) && mop[0] === "r");
    const state = this.#level === "stale" && reads
      ? this.#states[this.#below(this.#states.length)]
      : this.#state;
    for (const mop of txn.mops) {
      const [f, key, value] = mop as ["r" | "append" | "w", number, number];
      const own = txn.own.get(key) ?? [];
      if (f === "r") txn.done.push(["r", key, this.#seen([...state?.get(key) ?? [], ...own])]);
      else {
        txn.own.set(key, [...own, value]);
        txn.done.push(mop);
      }
    }
  }

  #apply(writes: ReadonlyMap<number, readonly number[]>): void {
    if (writes.size === 0) return;
    const state = new Map(this.#state);
    for (const [key, values] of writes) state.set(key, [...state.get(key) ?? [], ...values]);
    // Only stale reads see earlier states.
    if (this.#level === "stale") this.#states.push(state);
    else this.#states = [state];
  }

  #abort(txn: Running): void {
    txn.result = "fail";
  }

  /** Takes all the locks a transaction will need, or none. */
  #lock(txn: Running): boolean {
    const keys = txn.mops.flatMap((mop) => {
      const [f, key] = mop as ["r" | "append" | "w", number];
      return f === "r" ? [] : [key];
    });
    if (keys.some((key) => (this.#locks.get(key) ?? txn) !== txn)) return false;
    keys.forEach((key) => this.#locks.set(key, txn));
    return true;
  }

  #unlock(txn: Running): void {
    for (const [key, holder] of this.#locks) if (holder === txn) this.#locks.delete(key);
  }

  #reply(client: number, txn: Running): void {
    const type = txn.result ?? "info";
    this.#emit(client, type, type === "ok" ? txn.done : request(txn.mops));
    this.#running[client] = undefined;
    if (type === "info") {
      this.#processes[client] = (this.#processes[client] ?? 0) + this.#load.clients;
    }
  }
}
