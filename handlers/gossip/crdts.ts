/**
 * The replicated data types that gossip keeps: a set that only grows, a counter, registers.
 *
 * @module
 */

import { canonical, isRawNumber, type Json, type Storage, type StoredLog } from "@eddy/maelstrom";
import type { RegisterTxn } from "../txn.ts";
import {
  type ArchivePart,
  type Batch,
  EventLog,
  type GossipStore,
  raise,
  seqOf,
  type Vector,
} from "./event_log.ts";

/** A key that two values share exactly if Maelstrom takes them for equal. */
function keyOf(value: Json): string | number {
  if (typeof value === "number") return value;
  const text = canonical(value);
  // The text may be that of a double after all: `1.50`, `-0`.
  return isRawNumber(value) && String(Number(text)) === text ? Number(text) : text;
}

/** A set of JSON values that only grows, in the order in which they arrived here. */
export class ValueSet implements GossipStore {
  readonly #log = new EventLog();
  readonly #values: Json[] = [];
  readonly #keys = new Set<string | number>();
  /** This node's own values, where they outlive the process. */
  #kept: StoredLog | undefined;

  /** All values. This is no copy: it changes with the next value. */
  get values(): readonly Json[] {
    return this.#values;
  }

  get have(): Vector {
    return this.#log.have;
  }

  /** How many events are kept for nodes that may lack them. */
  get kept(): number {
    return this.#log.kept;
  }

  /**
   * Adds a value of this node's own, unless it is there already.
   *
   * @returns whether it was added.
   */
  add(stream: number, value: Json): boolean {
    if (!this.#insert(value)) return false;
    this.#log.append(stream, value);
    this.#kept?.append([value]);
    return true;
  }

  since(stream: number, from: number, limit: number): Batch | undefined {
    return this.#log.since(stream, from, limit);
  }

  receive(stream: number, batch: Batch): boolean {
    const fresh = this.#log.receive(stream, batch);
    for (const value of fresh) this.#insert(value);
    return fresh.length > 0;
  }

  settle(stable: Vector): void {
    this.#log.prune(stable);
  }

  archive(from: number, limit: number): ArchivePart {
    return { from, events: this.#values.slice(from, from + limit), total: this.#values.length };
  }

  restore({ events }: ArchivePart, upTo: Vector | undefined): void {
    for (const value of events) this.#insert(value);
    if (upTo !== undefined) this.#log.skipTo(upTo);
  }

  resume(storage: Storage, stream: number): void {
    this.#kept = storage.log("values");
    for (const value of this.#kept.entries()) {
      this.#insert(value);
      this.#log.append(stream, value);
    }
  }

  #insert(value: Json): boolean {
    const key = keyOf(value);
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    this.#values.push(value);
    return true;
  }
}

/** A counter: the sum of a total per stream. A total stands for all events of its stream. */
export class Totals implements GossipStore {
  readonly have: Vector = [];
  readonly #log: (text: string) => void;
  readonly #totals: number[] = [];
  /** The streams whose newest total was refused. */
  readonly #refused = new Set<number>();
  #sum = 0n;
  #storage: Storage | undefined;

  constructor(log: (text: string) => void = () => {}) {
    this.#log = log;
  }

  /** The sum, which a double holds exactly. */
  get sum(): bigint {
    return this.#sum;
  }

  /** Adds to a stream's total, if total and sum stay integers that a double holds exactly. */
  add(stream: number, delta: number): boolean {
    const total = (this.#totals[stream] ?? 0) + delta;
    if (!Number.isSafeInteger(total) || !isSafe(this.#sum + BigInt(delta))) return false;
    const seq = seqOf(this.have, stream) + 1;
    this.#put(stream, seq, total);
    this.#storage?.set("total", [seq, total]);
    return true;
  }

  since(stream: number, from: number): Batch {
    return { from, to: seqOf(this.have, stream), events: [this.#totals[stream] ?? 0] };
  }

  /** Refuses a total with which the sum would not be exact; it is sent again, and may fit then. */
  receive(stream: number, { to, events }: Batch): boolean {
    const total = events.at(-1) as number;
    if (to <= seqOf(this.have, stream) || !Number.isSafeInteger(total)) return false;
    if (!isSafe(this.#sum + BigInt(total) - BigInt(this.#totals[stream] ?? 0))) {
      this.#logOnce(stream, total);
      return false;
    }
    this.#refused.delete(stream);
    this.#put(stream, to, total);
    return true;
  }

  settle(): void {}

  /** Totals are never dropped, so no node needs an archive. */
  archive(from: number): ArchivePart {
    return { from, events: [] as Json[], total: 0 };
  }

  restore(): void {}

  resume(storage: Storage, stream: number): void {
    this.#storage = storage;
    const kept = storage.get("total") as [seq: number, total: number] | undefined;
    if (kept !== undefined) this.#put(stream, ...kept);
  }

  #logOnce(stream: number, total: number): void {
    if (this.#refused.has(stream)) return;
    this.#refused.add(stream);
    this.#log(`Dropped a total of ${total}: with it the sum of ${this.#sum} would not be exact`);
  }

  #put(stream: number, seq: number, total: number): void {
    while (this.#totals.length <= stream) this.#totals.push(0);
    this.#sum += BigInt(total) - BigInt(this.#totals[stream] ?? 0);
    this.#totals[stream] = total;
    raise(this.have, stream, seq);
  }
}

/** Whether an integer is a safe one, as `Number.isSafeInteger` says. */
export function isSafe(value: bigint): boolean {
  return BigInt.asIntN(54, value) === value && value !== -(2n ** 53n);
}

/** A transaction's last write of each key, with the transaction's stamp: clock, then writer. */
type WriteSet = [clock: number, writer: number, writes: [key: Json, value: Json][]];

/** A register, with the stamp of the transaction that wrote it last. */
interface Register {
  readonly key: Json;
  readonly value: Json;
  readonly clock: number;
  readonly writer: number;
  /** Its place among all changes in the order in which they arrived here. */
  readonly place: number;
}

/** How many own write sets are kept, at least, before a snapshot takes their place. */
const MAX_KEPT_WRITES = 8192;
/** How far ahead of the clock its bound on disk is, so that it is seldom written. */
const CLOCK_LEAP = 1024;

/**
 * Registers, each with the value of its newest write.
 *
 * A write is newer if its stamp is higher: a Lamport clock (Lamport, "Time, clocks, and the ordering
 * of events in a distributed system", 1978), then the writer's number. A transaction's stamp is above
 * all that its node has seen. No wall clock is used: nodes share none.
 */
export class RegisterStore implements GossipStore {
  readonly #log = new EventLog();
  readonly #registers = new Map<string, Register>();
  /** The names of registers by the places of their last changes. */
  readonly #places = new Map<number, string>();
  #nextPlace = 0;
  #clock = 0;
  #writer = 0;
  #stream = -1;
  /** Parts of an archive, taken together so that no half of a transaction is visible. */
  #parts: Json[] = [];
  /** This node's own write sets, where they outlive the process. */
  #kept: StoredLog | undefined;
  #storage: Storage | undefined;
  /** An earlier process may have seen any clock up to here. */
  #clockBound = 0;

  /** Sets the stream of this node's own events, and a number that no other process has. */
  begin(stream: number, writer: number): void {
    this.#stream = stream;
    this.#writer = writer;
  }

  get have(): Vector {
    return this.#log.have;
  }

  /**
   * Executes a transaction.
   *
   * @returns what it read and wrote, and whether it wrote at all.
   */
  execute(txn: RegisterTxn): { done: RegisterTxn; wrote: boolean } {
    const writes = new Map<string, [key: Json, value: Json]>();
    const done: RegisterTxn = txn.map(([f, key, value]) => {
      const name = canonical(key);
      if (f === "r") {
        const own = writes.get(name);
        return ["r", key, own === undefined ? this.#registers.get(name)?.value ?? null : own[1]];
      }
      writes.set(name, [key, value]);
      return ["w", key, value];
    });
    if (writes.size === 0) return { done, wrote: false };
    const event: WriteSet = [this.#clock + 1, this.#writer, [...writes.values()]];
    this.#log.append(this.#stream, event);
    this.#take(event);
    this.#keep(event);
    return { done, wrote: true };
  }

  since(stream: number, from: number, limit: number): Batch | undefined {
    return this.#log.since(stream, from, limit);
  }

  receive(stream: number, batch: Batch): boolean {
    const fresh = this.#log.receive(stream, batch);
    for (const event of fresh) if (isWriteSet(event)) this.#take(event);
    return fresh.length > 0;
  }

  settle(stable: Vector): void {
    this.#log.prune(stable);
  }

  /** Changes in the order in which they arrived here; `null` stands for one that was overwritten. */
  archive(from: number, limit: number): ArchivePart {
    const events: Json[] = [];
    const end = Math.min(this.#nextPlace, from + limit);
    for (let place = from; place < end; place++) {
      const register = this.#registers.get(this.#places.get(place) ?? "");
      if (register === undefined) events.push(null);
      else events.push([register.clock, register.writer, [[register.key, register.value]]]);
    }
    return { from, events, total: this.#nextPlace };
  }

  restore({ from, events }: ArchivePart, upTo: Vector | undefined): void {
    if (from === 0) this.#parts = [];
    for (const event of events) if (event !== null) this.#parts.push(event);
    if (upTo === undefined) return;
    for (const event of this.#parts) if (isWriteSet(event)) this.#take(event);
    this.#parts = [];
    this.#log.skipTo(upTo);
  }

  resume(storage: Storage, stream: number): void {
    const kept = storage.log("writes");
    for (const event of kept.snapshot()) if (isWriteSet(event)) this.#take(event);
    const upTo: Vector = [];
    raise(upTo, stream, kept.base);
    this.#log.skipTo(upTo);
    for (const event of kept.entries()) {
      if (isWriteSet(event)) this.#take(event);
      this.#log.append(stream, event);
    }
    this.#clockBound = (storage.get("clock") ?? 0) as number;
    this.#clock = Math.max(this.#clock, this.#clockBound);
    this.#kept = kept;
    this.#storage = storage;
  }

  #keep(event: WriteSet): void {
    const kept = this.#kept;
    if (kept === undefined) return;
    kept.append([event]);
    if (kept.last - kept.base <= Math.max(MAX_KEPT_WRITES, this.#registers.size)) return;
    // All registers and not only this node's, so that no transaction is kept in part.
    const { events } = this.archive(0, this.#nextPlace);
    kept.replace(kept.last, events.filter((change) => change !== null));
  }

  /** Takes all writes of a transaction at once: without an await no read comes in between. */
  #take([clock, writer, writes]: WriteSet): void {
    this.#clock = Math.max(this.#clock, clock);
    if (this.#storage !== undefined && this.#clock > this.#clockBound) {
      // A later process must go on above all that this one has seen.
      this.#clockBound = this.#clock + CLOCK_LEAP;
      this.#storage.set("clock", this.#clockBound);
    }
    for (const [key, value] of writes) {
      const name = canonical(key);
      const old = this.#registers.get(name);
      if (old !== undefined) {
        if (old.clock > clock || (old.clock === clock && old.writer >= writer)) continue;
        this.#places.delete(old.place);
      }
      const place = this.#nextPlace++;
      this.#places.set(place, name);
      this.#registers.set(name, { key, value, clock, writer, place });
    }
  }
}

function isWriteSet(event: Json): event is WriteSet {
  if (!Array.isArray(event) || event.length !== 3) return false;
  const [clock, writer, writes] = event;
  return Number.isSafeInteger(clock) && Number.isSafeInteger(writer) && Array.isArray(writes) &&
    writes.every((write) => Array.isArray(write) && write.length === 2);
}
