/**
 * Registers kept by gossip: whole transactions' writes travel as one event, the newest wins.
 *
 * @module
 */

import { canonical, type Json } from "@eddy/maelstrom";
import { EventLog } from "../gossip/event_log.ts";
import type { ArchivePart, Batch, Store } from "../gossip/store.ts";
import type { Vector } from "../gossip/vector.ts";
import type { RegisterTxn } from "./operations.ts";

/** A transaction's writes, each key's last, with the time and the writer that order them. */
type WriteSet = [clock: number, writer: number, writes: [key: Json, value: Json][]];

/** A register, with the stamp of the transaction that wrote it last. */
interface Register {
  readonly key: Json;
  readonly value: Json;
  readonly clock: number;
  readonly writer: number;
  /** Its place among all changes in the order in which they came here. */
  readonly place: number;
}

/**
 * Registers, each with the value of its newest write.
 *
 * Newer is what has the higher stamp: a Lamport clock (Lamport, "Time, clocks, and the ordering of
 * events in a distributed system", 1978), then the writer's number. A transaction's stamp is above
 * all that its node has seen. Wall clocks have no part in it: nodes share none.
 */
export class RegisterStore implements Store {
  readonly #log = new EventLog();
  readonly #registers = new Map<string, Register>();
  /** Which register changed at which place; a change that was overwritten has none. */
  readonly #places = new Map<number, string>();
  #nextPlace = 0;
  #clock = 0;
  #writer = 0;
  #stream = -1;
  /** Parts of an archive; taken when all have come, so that no half of a transaction shows. */
  #parts: Json[] = [];

  /** Names the stream of this node's own events, and a number that no other process has. */
  begin(stream: number, writer: number): void {
    this.#stream = stream;
    this.#writer = writer;
  }

  get have(): Vector {
    return this.#log.have;
  }

  /**
   * Executes a transaction here and now.
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

  /** Changes in the order in which they came here; `null` stands for one that was overwritten. */
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

  /** Takes a transaction's writes, all in one go: nobody reads in between. */
  #take([clock, writer, writes]: WriteSet): void {
    this.#clock = Math.max(this.#clock, clock);
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
