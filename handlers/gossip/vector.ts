/**
 * Version vectors: how far into each stream of events somebody is.
 *
 * A stream is what one process of a node appends. Its name is the node's and a tag drawn when the
 * process started, so that a node that lost its memory begins a new stream rather than using old
 * sequence numbers again.
 *
 * @module
 */

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
