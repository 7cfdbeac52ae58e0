/**
 * Append-only logs by key, kept by gossip.
 *
 * Each node hands out offsets of its own: those that are its place in the cluster modulo its size,
 * counted up by a Lamport clock per key (Lamport, "Time, clocks, and the ordering of events in a
 * distributed system", 1978). A node that holds an entry hands out higher offsets only. So when
 * every node holds an entry, and all that any node appended before is here, no lower entry can
 * appear any more: the log may be shown up to it, without a gap.
 *
 * @module
 */

import { isJsonObject, type Json, type JsonObject } from "@eddy/maelstrom";
import {
  type ArchivePart,
  type Batch,
  covers,
  EventLog,
  type GossipStore,
  seqOf,
  type Vector,
} from "./gossip/event_log.ts";

/** An entry: its key, its offset, what was sent. */
type KafkaEntry = [key: string, offset: number, msg: Json];

function isEntry(event: Json): event is KafkaEntry {
  return Array.isArray(event) && event.length === 3 && typeof event[0] === "string" &&
    isOffset(event[1]);
}

function isOffset(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** What came from an archive, to be shown when all of it is stable. */
interface Restored {
  readonly upTo: Vector;
  readonly last: ReadonlyMap<string, number>;
}

/** The logs of all keys, and the events that are kept for nodes that may lack them. */
export class LogStore implements GossipStore {
  /** Without a bound: what it keeps is kept to be polled anyway. */
  readonly #log = new EventLog(Infinity);
  readonly #keys = new Map<string, KeyLog>();
  /** All entries in the order in which they arrived here. */
  readonly #arrivals: KafkaEntry[] = [];
  readonly #settled: Vector = [];
  #place = 0;
  #size = 1;
  /** The event that takes commits until a message carries it. */
  #openCommits: JsonObject | undefined;
  #ownStream = -1;
  #restored: Restored | undefined;

  get have(): Vector {
    return this.#log.have;
  }

  /** Sets the stream of this node's own events, its place in the cluster, and the cluster's size. */
  begin(stream: number, place: number, size: number): void {
    this.#ownStream = stream;
    this.#place = place;
    this.#size = size;
  }

  /** Appends to a key's log and returns the offset. */
  send(key: string, msg: Json): number {
    const log = this.#keyLog(key);
    const clock = Math.floor(log.last / this.#size) + 1;
    const entry: KafkaEntry = [key, clock * this.#size + this.#place, msg];
    this.#insert(entry);
    this.#openCommits = undefined;
    this.#log.append(this.#ownStream, entry);
    return entry[1];
  }

  /** What may be shown of a key's log from an offset on, at most `limit` entries. */
  poll(key: string, offset: number, limit: number): [offset: number, msg: Json][] {
    return this.#keys.get(key)?.from(offset, limit) ?? [];
  }

  /**
   * Commits an offset, up to the highest that is visible here: no client has read beyond it.
   *
   * @returns whether that changes anything.
   */
  commit(key: string, offset: number): boolean {
    const log = this.#keys.get(key);
    const safe = Math.min(offset, log?.visible ?? -1);
    if (log === undefined || safe <= log.committed) return false;
    log.committed = safe;
    if (this.#openCommits === undefined) {
      this.#openCommits = Object.create(null) as JsonObject;
      this.#log.append(this.#ownStream, this.#openCommits);
    }
    this.#openCommits[key] = safe;
    return true;
  }

  committed(key: string): number | undefined {
    const committed = this.#keys.get(key)?.committed ?? -1;
    return committed < 0 ? undefined : committed;
  }

  since(stream: number, from: number, limit: number): Batch | undefined {
    if (stream === this.#ownStream) this.#openCommits = undefined;
    return this.#log.since(stream, from, limit);
  }

  receive(stream: number, batch: Batch): boolean {
    const fresh = this.#log.receive(stream, batch);
    for (const event of fresh) this.#take(event);
    return fresh.length > 0;
  }

  settle(stable: Vector): void {
    for (let stream = 0; stream < stable.length; stream++) {
      // What every node holds this node holds, too, whatever its peers have said.
      const end = Math.min(seqOf(stable, stream), seqOf(this.have, stream));
      for (const event of this.#log.between(stream, seqOf(this.#settled, stream), end)) {
        this.#show(event);
      }
      while (this.#settled.length <= stream) this.#settled.push(0);
      this.#settled[stream] = end;
    }
    if (this.#restored !== undefined && covers(stable, this.#restored.upTo)) {
      for (const [key, last] of this.#restored.last) this.#raiseVisible(key, last);
      this.#restored = undefined;
    }
    this.#log.prune(stable);
  }

  /** The archive ends with all committed offsets. */
  archive(from: number, limit: number): ArchivePart {
    const events: Json[] = this.#arrivals.slice(from, from + limit);
    const total = this.#arrivals.length + 1;
    if (events.length < limit) {
      const commits: JsonObject = Object.create(null) as JsonObject;
      for (const [key, { committed }] of this.#keys) if (committed >= 0) commits[key] = committed;
      events.push(commits);
    }
    return { from, events, total };
  }

  restore({ events }: ArchivePart, upTo: Vector | undefined): void {
    for (const event of events) this.#take(event);
    if (upTo === undefined) return;
    this.#log.skipTo(upTo);
    const last = new Map([...this.#keys].map(([key, log]) => [key, log.last]));
    this.#restored = { upTo: [...upTo], last };
  }

  #take(event: Json): void {
    if (isEntry(event)) this.#insert(event);
    else if (isJsonObject(event)) {
      for (const key in event) {
        const offset = event[key];
        const log = this.#keyLog(key);
        if (isOffset(offset) && offset > log.committed) log.committed = offset;
      }
    }
  }

  #insert(entry: KafkaEntry): void {
    if (this.#keyLog(entry[0]).insert(entry)) this.#arrivals.push(entry);
  }

  #show(event: Json): void {
    if (isEntry(event)) this.#raiseVisible(event[0], event[1]);
  }

  #raiseVisible(key: string, offset: number): void {
    const log = this.#keyLog(key);
    if (offset > log.visible) log.visible = offset;
  }

  #keyLog(key: string): KeyLog {
    let log = this.#keys.get(key);
    if (log === undefined) {
      log = new KeyLog();
      this.#keys.set(key, log);
    }
    return log;
  }
}

/** The entries of one key by offset. */
export class KeyLog {
  /** The highest offset up to which nothing more can appear; -1 before the first. */
  visible = -1;
  /** The highest offset that clients have committed; -1 before the first. */
  committed = -1;
  readonly #entries: KafkaEntry[] = [];

  /** The highest offset there is; -1 before the first. */
  get last(): number {
    return this.#entries.at(-1)?.[1] ?? -1;
  }

  /**
   * Puts an entry in its place, which is near the end: only entries that are not visible yet can
   * come after it.
   *
   * @returns false if the offset is taken.
   */
  insert(entry: KafkaEntry): boolean {
    const place = entry[1] > this.last ? this.#entries.length : this.#placeOf(entry[1]);
    if (this.#entries[place]?.[1] === entry[1]) return false;
    this.#entries.splice(place, 0, entry);
    return true;
  }

  /** The visible entries from an offset on, at most `limit` of them. */
  from(offset: number, limit: number): [offset: number, msg: Json][] {
    const found: [offset: number, msg: Json][] = [];
    if (offset > this.visible) return found;
    for (let place = this.#placeOf(offset); found.length < limit; place++) {
      const entry = this.#entries[place];
      if (entry === undefined || entry[1] > this.visible) break;
      found.push([entry[1], entry[2]]);
    }
    return found;
  }

  /** The place of the first entry at or after an offset. */
  #placeOf(offset: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.[1] ?? Infinity) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
