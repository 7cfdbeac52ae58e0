/**
 * What a node must not lose in a restart: its term, its vote and its log (paper, figure 2).
 *
 * @module
 */

import type { Entry } from "./message.ts";

/** The log as it is read. Index 0 stands before the first entry and has term 0. */
export interface Log {
  /** The last index that is no longer held, because a snapshot covers it. */
  readonly baseIndex: number;
  readonly lastIndex: number;
  /** The term of an entry, or undefined for one that is not held. */
  termAt(index: number): number | undefined;
}

/**
 * Where term, vote and log are kept. What a method is given is kept when it returns, before any
 * message that follows from it is sent.
 */
export interface Storage extends Log {
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
  /** Drops the entries up to and including `index`: they are in the state machine. */
  compact(index: number): void;
  /** Starts over behind a snapshot that ends at `index`. */
  reset(index: number, term: number): void;
}

/** A {@linkcode Storage} in memory. */
export class MemoryStorage implements Storage {
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

  compact(index: number): void {
    const term = this.termAt(index);
    if (term === undefined || index <= this.#baseIndex) return;
    this.#entries = this.#entries.slice(index - this.#baseIndex);
    this.#baseIndex = index;
    this.#baseTerm = term;
  }

  reset(index: number, term: number): void {
    this.#entries = [];
    this.#baseIndex = index;
    this.#baseTerm = term;
  }
}

/** The last index up to `index` whose term is `term` or older: where two logs may still agree. */
export function lastOfTerm(log: Log, index: number, term: number): number {
  let at = Math.min(index, log.lastIndex);
  while (at > log.baseIndex && (log.termAt(at) ?? 0) > term) at--;
  return at;
}
