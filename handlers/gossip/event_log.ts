/**
 * Streams of events, each kept until everybody has it.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";

/** One stream's events that are still kept: those after `base`. */
class Tail {
  base = 0;
  #events: Json[] = [];
  /** Where in `#events` the first kept event is; what is before it is cut off now and then. */
  #start = 0;

  get size(): number {
    return this.#events.length - this.#start;
  }

  push(event: Json): void {
    this.#events.push(event);
  }

  slice(from: number, count: number): Json[] {
    const start = this.#start + from - this.base;
    return this.#events.slice(start, start + count);
  }

  at(seq: number): Json | undefined {
    return this.#events[this.#start + seq - this.base - 1];
  }

  /** Drops all up to `seq`; each event is moved at most once more, so this is O(1) per event. */
  dropUpTo(seq: number): void {
    const count = Math.min(seq - this.base, this.size);
    if (count > 0) {
      this.#start += count;
      this.base += count;
    }
    if (this.#start > 64 && this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Forgets all events: the prefix up to `seq` came by another way. */
  restart(seq: number): void {
    this.#events = [];
    this.#start = 0;
    this.base = seq;
  }
}

/**
 * The events of every stream, in sequence.
 *
 * A stream's events are kept until {@linkcode EventLog.prune} is told that everybody has them, and
 * never more than `maxKept` in all: a node that was away for longer is served from the archive.
 */
export class EventLog {
  /** The prefix held of each stream. */
  readonly have: Vector = [];
  readonly #tails: Tail[] = [];
  readonly #maxKept: number;
  #kept = 0;

  /**
   * @param maxKept how many events are kept at most for those that lack them
   */
  constructor(maxKept = 200_000) {
    this.#maxKept = maxKept;
  }

  /** How many events are kept. */
  get kept(): number {
    return this.#kept;
  }

  /** Appends to a stream, and returns the event's sequence number. */
  append(stream: number, event: Json): number {
    const seq = seqOf(this.have, stream) + 1;
    this.#tail(stream).push(event);
    raise(this.have, stream, seq);
    if (++this.#kept > this.#maxKept) this.#makeRoom();
    return seq;
  }

  /** A kept event. */
  at(stream: number, seq: number): Json | undefined {
    const tail = this.#tails[stream];
    return tail === undefined || seq <= tail.base ? undefined : tail.at(seq);
  }

  /** See {@linkcode Store.since}. */
  since(stream: number, from: number, limit: number): Batch | undefined {
    const tail = this.#tail(stream);
    if (from < tail.base) return undefined;
    const count = Math.min(limit, seqOf(this.have, stream) - from);
    return { from, to: from + count, events: tail.slice(from, count) };
  }

  /**
   * The events of a batch that are next in their stream, which is then held up to their end.
   *
   * @returns none if the batch is old, or leaves a gap.
   */
  receive(stream: number, { from, events }: Batch): readonly Json[] {
    const held = seqOf(this.have, stream);
    if (from > held || from + events.length <= held) return [];
    const fresh = from === held ? events : events.slice(held - from);
    for (const event of fresh) this.append(stream, event);
    return fresh;
  }

  /** Drops what everybody has. */
  prune(stable: Vector): void {
    for (let stream = 0; stream < stable.length; stream++) {
      const tail = this.#tails[stream];
      if (tail !== undefined && seqOf(stable, stream) > tail.base) {
        this.#drop(tail, seqOf(stable, stream));
      }
    }
  }

  /** Says that all streams are held up to `upTo`: the events came by another way. */
  skipTo(upTo: Vector): void {
    for (let stream = 0; stream < upTo.length; stream++) {
      const seq = seqOf(upTo, stream);
      if (seq <= seqOf(this.have, stream)) continue;
      const tail = this.#tail(stream);
      this.#kept -= tail.size;
      tail.restart(seq);
      raise(this.have, stream, seq);
    }
  }

  /** Halves the longest tail. */
  #makeRoom(): void {
    const longest = this.#tails.reduce((a, b) => (b.size > a.size ? b : a));
    this.#drop(longest, longest.base + Math.ceil(longest.size / 2));
  }

  #drop(tail: Tail, seq: number): void {
    const before = tail.size;
    tail.dropUpTo(seq);
    this.#kept -= before - tail.size;
  }

  #tail(stream: number): Tail {
    while (this.#tails.length <= stream) this.#tails.push(new Tail());
    return this.#tails[stream] as Tail;
  }
}

/** Sequence numbers by stream; a missing one is 0, nothing. */
export type Vector = number[];

/** Numbers for streams' names, so that vectors can be plain arrays. */
export class Streams {
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** How many streams are known. */
  get size(): number {
    return this.#names.length;
  }

  /** The number of a stream, which it gets when first met. */
  number(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.push(name) - 1;
      this.#numbers.set(name, number);
    }
    return number;
  }

  /** The name of a stream. */
  name(number: number): string {
    return this.#names[number] ?? "";
  }

  /** A vector as it travels: names and sequence numbers. */
  encode(vector: Vector): Record<string, number> {
    const result: Record<string, number> = {};
    for (let i = 0; i < vector.length; i++) {
      const seq = vector[i] ?? 0;
      if (seq > 0) result[this.name(i)] = seq;
    }
    return result;
  }
}

/** What a stream is called. */
export function streamName(node: string, tag: string): string {
  return `${node}:${tag}`;
}

/** The node that a stream is of. */
export function streamOwner(name: string): string {
  return name.slice(0, name.lastIndexOf(":"));
}

/** How far a vector is into a stream. */
export function seqOf(vector: Vector, stream: number): number {
  return vector[stream] ?? 0;
}

/** Whether whoever is at `a` has all that somebody at `b` has. */
export function covers(a: Vector, b: Vector): boolean {
  for (let i = 0; i < b.length; i++) {
    if ((b[i] ?? 0) > (a[i] ?? 0)) return false;
  }
  return true;
}

/** Raises one entry of a vector. */
export function raise(vector: Vector, stream: number, seq: number): void {
  // Filled from the left, so that the array stays packed.
  while (vector.length <= stream) vector.push(0);
  if (seq > (vector[stream] ?? 0)) vector[stream] = seq;
}

/**
 * Raises every entry of `target` to that of `source`.
 *
 * @returns whether any was lower.
 */
export function merge(target: Vector, source: Vector): boolean {
  let changed = false;
  while (target.length < source.length) target.push(0);
  for (let i = 0; i < source.length; i++) {
    const seq = source[i] ?? 0;
    if (seq > (target[i] ?? 0)) {
      target[i] = seq;
      changed = true;
    }
  }
  return changed;
}

/** A run of one stream's events: those after `from`, up to and with `to`. */
export interface Batch {
  readonly from: number;
  readonly to: number;
  readonly events: readonly Json[];
}

/** A stretch of the archive: everything a node has, in the order in which it came there. */
export interface ArchivePart {
  readonly from: number;
  readonly events: readonly Json[];
  /** How long the whole archive was when this part was read. */
  readonly total: number;
}

/** Where events are kept. */
export interface Store {
  /** The prefix held of each stream. */
  readonly have: Vector;
  /**
   * The events of a stream after `from`, at most `limit` of them.
   *
   * @returns undefined if some of them are no longer kept as events.
   */
  since(stream: number, from: number, limit: number): Batch | undefined;
  /**
   * Takes what is new in a batch; a batch that begins beyond what is held is left alone.
   *
   * @returns whether anything was new.
   */
  receive(stream: number, batch: Batch): boolean;
  /** Told that everybody has the prefixes in `stable`, which only ever grow. */
  settle(stable: Vector): void;
  /** Reads the archive, for a node that lacks what is no longer kept as events. */
  archive(from: number, limit: number): ArchivePart;
  /**
   * Takes a part of another node's archive.
   *
   * @param upTo the prefixes that are held now that the last part has come; undefined before
   */
  restore(part: ArchivePart, upTo: Vector | undefined): void;
}
