/**
 * Streams of events, how far into them a node is, and what keeps the events.
 *
 * @module
 */

import type { Json, Storage } from "@eddy/maelstrom";

/** How far into each stream a node is: a sequence number by stream; a missing one is 0. */
export type Vector = number[];

/** How long the lists of other nodes' streams that are remembered are in all, in characters. */
const MAX_LIST_CHARS = 1_000_000;

/**
 * Numbers for the streams' names, so that vectors can be plain arrays. Each node has its own, so a
 * message begins with the sender's list of names.
 */
export class Streams {
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();
  #list = "";
  /** What {@linkcode Streams.read} has returned: the same lists come again and again. */
  readonly #read = new Map<string, readonly number[]>();
  /** How long these lists are in all. */
  #readChars = 0;
  readonly #isNode: (name: string) => boolean;

  /** @param isNode whether a name is a node's */
  constructor(isNode: (name: string) => boolean) {
    this.#isNode = isNode;
  }

  /** The number of a stream, which is given on the first call. */
  number(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.push(name) - 1;
      this.#numbers.set(name, number);
      this.#list += (number === 0 ? "" : " ") + name.replace(/[% ]/g, encodeURIComponent);
    }
    return number;
  }

  name(number: number): string {
    return this.#names[number] ?? "";
  }

  /** All names in the order of their numbers, with spaces between. */
  get list(): string {
    return this.#list;
  }

  /** The number of a stream of another node's; -1 if its owner is no node. */
  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    return this.#isNode(streamOwner(name)) ? this.number(name) : -1;
  }

  /**
   * The numbers of another node's list of streams, each as {@linkcode Streams.numberOf} has it.
   *
   * @throws {URIError} if a name is malformed.
   */
  read(list: string): readonly number[] {
    const known = this.#read.get(list);
    if (known !== undefined) return known;
    const names = list === "" ? [] : list.split(" ").map(decodeURIComponent);
    const numbers = names.map((name) => this.numberOf(name));
    this.#remember(list, numbers);
    return numbers;
  }

  /** Remembers what a list was read as; a peer may send any number of lists of any length. */
  #remember(list: string, numbers: readonly number[]): void {
    if (this.#readChars + list.length > MAX_LIST_CHARS) {
      this.#read.clear();
      this.#readChars = 0;
    }
    if (list.length > MAX_LIST_CHARS) return;
    this.#read.set(list, numbers);
    this.#readChars += list.length;
  }
}

/**
 * The name of a stream: its node, and the tag of a process without what follows a point, by which
 * processes differ that go on with the same stream.
 */
export function streamName(node: string, tag: string): string {
  const end = tag.indexOf(".");
  return `${node}:${end === -1 ? tag : tag.slice(0, end)}`;
}

/** Whether the process of a tag goes on with the stream of an earlier one. */
export function isLater(tag: string): boolean {
  return tag.includes(".");
}

/** The node of a stream. */
export function streamOwner(name: string): string {
  return name.slice(0, name.lastIndexOf(":"));
}

export function seqOf(vector: Vector, stream: number): number {
  return vector[stream] ?? 0;
}

/** Whether `a` is as far as `b` in every stream. */
export function covers(a: Vector, b: Vector): boolean {
  for (let i = 0; i < b.length; i++) {
    if ((b[i] ?? 0) > (a[i] ?? 0)) return false;
  }
  return true;
}

/** Raises one entry of a vector to `seq`, unless it is higher already. */
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

/** A part of a node's archive: all that the node has, in the order in which it arrived there. */
export interface ArchivePart {
  readonly from: number;
  /** In the last part there may be more than there are places. */
  readonly events: readonly Json[];
  /** How long the whole archive was when this part was read. */
  readonly total: number;
}

/** A replicated value, and the events that are kept for nodes that may lack them. */
export interface GossipStore {
  /** The prefix held of each stream. */
  readonly have: Vector;
  /**
   * The events of a stream after `from`, at most `limit` of them.
   *
   * @returns undefined if some of them are no longer kept.
   */
  since(stream: number, from: number, limit: number): Batch | undefined;
  /**
   * Takes what is new in a batch; a batch that begins beyond what is held is ignored.
   *
   * @returns whether anything was new.
   */
  receive(stream: number, batch: Batch): boolean;
  /** Every node holds the prefixes in `stable`, which only ever grow. */
  settle(stable: Vector): void;
  /** Reads the archive, for a node that lacks events that are no longer kept. */
  archive(from: number, limit: number): ArchivePart;
  /**
   * Takes a part of another node's archive.
   *
   * @param upTo the prefixes that are held now that the last part has come; undefined before
   */
  restore(part: ArchivePart, upTo: Vector | undefined): void;
  /**
   * Takes what an earlier process of this node has kept, and keeps this node's events from now on.
   * Others' events need not be kept: their nodes keep them.
   *
   * @param stream this node's own stream, which goes on
   */
  resume(storage: Storage, stream: number): void;
}

/**
 * The events of every stream, in sequence.
 *
 * Events are kept until {@linkcode EventLog.prune} says that every node has them, but never more
 * than `maxKept` in all: a node that was away for longer reads the archive.
 */
export class EventLog {
  /** The prefix held of each stream. */
  readonly have: Vector = [];
  readonly #tails: Tail[] = [];
  readonly #maxKept: number;
  #kept = 0;

  /** @param maxKept how many events are kept at most for the nodes that lack them */
  constructor(maxKept = 200_000) {
    this.#maxKept = maxKept;
  }

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

  /** The events of a stream after `from` up to `to`, as far as they are still kept. */
  between(stream: number, from: number, to: number): readonly Json[] {
    const tail = this.#tail(stream);
    const start = Math.max(from, tail.base);
    return to > start ? tail.slice(start, to - start) : [];
  }

  /** See {@linkcode GossipStore.since}. */
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

  /** Drops what every node has. */
  prune(stable: Vector): void {
    for (let stream = 0; stream < stable.length; stream++) {
      const tail = this.#tails[stream];
      if (tail !== undefined && seqOf(stable, stream) > tail.base) {
        this.#drop(tail, seqOf(stable, stream));
      }
    }
  }

  /** Holds all streams up to `upTo`, without their events: an archive had the values. */
  skipTo(upTo: Vector): void {
    for (let stream = 0; stream < upTo.length; stream++) {
      const seq = seqOf(upTo, stream);
      if (seq <= seqOf(this.have, stream)) continue;
      const tail = this.#tail(stream);
      this.#kept -= tail.size;
      tail.startAfter(seq);
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

/** The events of one stream that are still kept: those after `base`. */
class Tail {
  base = 0;
  #events: Json[] = [];
  /** Where in `#events` the first kept event is; what is before it is removed now and then. */
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

  /** Drops all events, and begins after `seq`. */
  startAfter(seq: number): void {
    this.#events = [];
    this.#start = 0;
    this.base = seq;
  }
}
