/**
 * What a node must not lose in a restart: its term, its vote and its log (paper, figure 2).
 *
 * @module
 */

import type { Json, Storage, StoredLog } from "@eddy/maelstrom";
import type { Entry } from "./message.ts";

/** The log as it is read. Index 0 stands before the first entry and has term 0. */
export interface Log {
  /** The last index that is no longer held, because a snapshot covers it. */
  readonly baseIndex: number;
  readonly lastIndex: number;
  /** The term of an entry, or undefined for one that is not held. */
  termAt(index: number): number | undefined;
}

/** A state of the state machine, in pieces. */
export interface Snapshot {
  /** The last entry that it has. */
  readonly lastIndex: number;
  readonly items: readonly Json[];
}

/**
 * Where term, vote and log are kept. What a method is given is kept when it returns, before any
 * message that follows from it is sent.
 */
export interface RaftStorage extends Log {
  readonly term: number;
  /** The candidate that this node voted for in its term. */
  readonly vote: string | undefined;
  setTerm(term: number, vote: string | undefined): void;
  /** The entries from `from` to `to`, both included; they must be held. */
  slice(from: number, to: number): Entry[];
  /** Adds entries at the end. */
  append(entries: readonly Entry[]): void;
  /** Drops the entries from `index` on. */
  truncate(index: number): void;
  /**
   * Drops the entries up to and including `index`: they are in the state machine.
   *
   * @param snapshot makes a snapshot for what outlives the process, of `index` or a later entry
   */
  compact(index: number, snapshot: () => Snapshot): void;
  /** Starts over behind a snapshot, whose last entry has that term. */
  reset(snapshot: Snapshot, term: number): void;
}

/** A {@linkcode RaftStorage} in memory, which ends with the process. */
export class MemoryRaftStorage implements RaftStorage {
  #term = 0;
  #vote: string | undefined;
  #baseIndex = 0;
  #baseTerm = 0;
  #entries: Entry[] = [];

  get term(): number {
    return this.#term;
  }

  get vote(): string | undefined {
    return this.#vote;
  }

  get baseIndex(): number {
    return this.#baseIndex;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#entries.length;
  }

  setTerm(term: number, vote: string | undefined): void {
    this.#term = term;
    this.#vote = vote;
  }

  termAt(index: number): number | undefined {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.#entries[index - this.#baseIndex - 1]?.[0];
  }

  slice(from: number, to: number): Entry[] {
    return this.#entries.slice(from - this.#baseIndex - 1, to - this.#baseIndex);
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) this.#entries.push(entry);
  }

  truncate(index: number): void {
    this.#entries.length = Math.max(0, index - this.#baseIndex - 1);
  }

  compact(index: number, _snapshot: () => Snapshot): void {
    const term = this.termAt(index);
    if (term === undefined || index <= this.#baseIndex) return;
    this.#entries = this.#entries.slice(index - this.#baseIndex);
    this.#baseIndex = index;
    this.#baseTerm = term;
  }

  reset({ lastIndex }: Snapshot, term: number): void {
    this.#entries = [];
    this.#baseIndex = lastIndex;
    this.#baseTerm = term;
  }
}

/** What a snapshot on disk begins with: the term of its last entry. */
type SnapshotHead = [term: number];

/**
 * A {@linkcode RaftStorage} in a node's storage, with a copy in memory, which is what is read. On
 * disk the log begins behind the last snapshot; in memory older entries stay for slow followers.
 */
export class DurableRaftStorage extends MemoryRaftStorage {
  /** The snapshot with which the log began when it was opened; undefined if it had none. */
  readonly snapshot: Snapshot | undefined;
  readonly #storage: Storage;
  readonly #log: StoredLog;

  /** Reads what the node has kept. */
  constructor(storage: Storage) {
    super();
    this.#storage = storage;
    this.#log = storage.log("raft");
    const [term, vote] = (storage.get("raft") ?? [0, null]) as [number, string | null];
    super.setTerm(term, vote ?? undefined);
    const [head, ...items] = this.#log.snapshot();
    if (head !== undefined) {
      this.snapshot = { lastIndex: this.#log.base, items };
      super.reset(this.snapshot, (head as SnapshotHead)[0]);
    }
    super.append(this.#log.entries().map((entry) => entry as [term: number, command: Json]));
  }

  override setTerm(term: number, vote: string | undefined): void {
    super.setTerm(term, vote);
    this.#storage.set("raft", [term, vote ?? null]);
  }

  override append(entries: readonly Entry[]): void {
    super.append(entries);
    this.#log.append(entries);
  }

  override truncate(index: number): void {
    super.truncate(index);
    this.#log.truncate(index);
  }

  override compact(index: number, snapshot: () => Snapshot): void {
    const { lastIndex, items } = snapshot();
    const head: SnapshotHead = [this.termAt(lastIndex) ?? 0];
    this.#log.replace(lastIndex, [head, ...items]);
    super.compact(index, snapshot);
  }

  override reset(snapshot: Snapshot, term: number): void {
    const head: SnapshotHead = [term];
    this.#log.replace(snapshot.lastIndex, [head, ...snapshot.items], { dropRest: true });
    super.reset(snapshot, term);
  }
}

/** The last index up to `index` whose term is `term` or older: where two logs may still agree. */
export function lastOfTerm(log: Log, index: number, term: number): number {
  let at = Math.min(index, log.lastIndex);
  while (at > log.baseIndex && (log.termAt(at) ?? 0) > term) at--;
  return at;
}
