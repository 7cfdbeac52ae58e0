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

import {
  isJsonObject,
  type Json,
  type JsonObject,
  type Storage,
  type StoredLog,
} from "@eddy/maelstrom";
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
  /** This node's own events and promises, where they outlive the process. */
  #kept: { readonly storage: Storage; readonly log: StoredLog } | undefined;

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
    const clock = Math.floor(Math.max(log.last, log.promised) / this.#size) + 1;
    const entry: KafkaEntry = [key, clock * this.#size + this.#place, msg];
    this.#insert(entry);
    this.#closeCommits();
    this.#log.append(this.#ownStream, entry);
    this.#kept?.log.append([entry]);
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
    const log = this.#kept === undefined ? this.#keys.get(key) : this.#keyLog(key);
    const safe = Math.min(offset, Math.max(log?.visible ?? -1, log?.promised ?? -1));
    if (log === undefined) return false;
    if (this.#kept !== undefined && safe > log.keptCommitted) {
      log.keptCommitted = safe;
      this.#kept.storage.set(committedKey(key), safe);
    }
    if (safe <= log.committed) return false;
    log.committed = safe;
    if (this.#openCommits === undefined) {
      this.#openCommits = Object.create(null) as JsonObject;
      this.#log.append(this.#ownStream, this.#openCommits);
    }
    this.#openCommits[key] = safe;
    return true;
  }

  committed(key: string): number | undefined {
    const log = this.#kept === undefined ? this.#keys.get(key) : this.#keyLog(key);
    const committed = log?.committed ?? -1;
    return committed < 0 ? undefined : committed;
  }

  since(stream: number, from: number, limit: number): Batch | undefined {
    if (stream === this.#ownStream) this.#closeCommits();
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

  /** At its end all committed offsets follow, which have no place in the archive. */
  archive(from: number, limit: number): ArchivePart {
    const events: Json[] = this.#arrivals.slice(from, from + limit);
    const total = this.#arrivals.length;
    if (from + events.length >= total) {
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
    // What is held besides the archive is not stable with it.
    this.#restored = { upTo: [...this.have], last };
  }

  resume(storage: Storage, stream: number): void {
    const log = storage.log("kafka");
    this.#kept = { storage, log };
    for (const event of log.entries()) {
      this.#take(event);
      this.#log.append(stream, event);
    }
  }

  /** A message carries the commits of this node's clients, or an entry follows them. */
  #closeCommits(): void {
    if (this.#openCommits === undefined) return;
    this.#kept?.log.append([this.#openCommits]);
    this.#openCommits = undefined;
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
    const log = this.#keyLog(entry[0]);
    if (!log.insert(entry)) return;
    this.#arrivals.push(entry);
    if (this.#kept !== undefined) this.#promise(this.#kept.storage, log, entry);
  }

  /**
   * Sees that a later process, which may not hold an entry any more, hands out higher offsets only,
   * too. The promise is ahead of the entry, so that it is seldom written.
   */
  #promise(storage: Storage, log: KeyLog, [key, offset]: KafkaEntry): void {
    if (offset <= log.nextPromise) return;
    log.nextPromise = offset + PROMISE_LEAP;
    storage.set(promiseKey(key), log.nextPromise);
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
      if (this.#kept !== undefined) restoreKey(this.#kept.storage, key, log);
    }
    return log;
  }
}

/** How far a promise is ahead of the entry that it is made for. */
const PROMISE_LEAP = 1024;

function promiseKey(key: string): string {
  return `promise ${key}`;
}

function committedKey(key: string): string {
  return `committed ${key}`;
}

/** Takes what an earlier process has promised for a key, and what its clients have committed. */
function restoreKey(storage: Storage, key: string, log: KeyLog): void {
  log.committed = log.keptCommitted = (storage.get(committedKey(key)) ?? -1) as number;
  log.promised = log.nextPromise = (storage.get(promiseKey(key)) ?? -1) as number;
}

/** The entries of one key by offset. */
export class KeyLog {
  /** The highest offset up to which nothing more can appear; -1 before the first. */
  visible = -1;
  /** The highest offset that clients have committed; -1 before the first. */
  committed = -1;
  /** The highest of them that this node's own clients have, and that it keeps. */
  keptCommitted = -1;
  /**
   * This process hands out higher offsets only: an earlier one may have held, and shown, entries up
   * to here; -1 if there was none.
   */
  promised = -1;
  /** What a later process is to find as {@linkcode KeyLog.promised}. */
  nextPromise = -1;
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
