/**
 * Invocations and completions in a doubly linked list, out of which operations are taken as they are
 * placed, and back into which they are put.
 *
 * @module
 */

import type { RegisterCall } from "./register_model.ts";

/** The list's two ends stand at this one node; operation `i` is at `2i + 1` and `2i + 2`. */
const HEAD = 0;

/** The events of the operations that are not placed yet. */
export class LinkedEvents {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Which bit tells that an operation is placed: no two operations open at once share one. */
  readonly #bits: Int32Array;
  readonly #placed: Int32Array;

  constructor(calls: readonly RegisterCall[]) {
    const nodes = calls.flatMap(({ invokedAt, completedAt }, call) => [
      { at: invokedAt, node: 2 * call + 1 },
      { at: completedAt, node: 2 * call + 2 },
    ]).sort((a, b) => a.at - b.at).map(({ node }) => node);
    this.#next = new Int32Array(nodes.length + 1);
    this.#previous = new Int32Array(nodes.length + 1);
    for (const [i, node] of nodes.entries()) {
      this.#next[nodes[i - 1] ?? HEAD] = node;
      this.#previous[node] = nodes[i - 1] ?? HEAD;
    }
    this.#previous[HEAD] = nodes.at(-1) ?? HEAD;
    this.#bits = new Int32Array(calls.length);
    this.#placed = new Int32Array(Math.ceil(this.#assignBits(nodes) / 32));
  }

  /** Gives each operation the lowest bit that no operation open at its invocation has. */
  #assignBits(nodes: readonly number[]): number {
    const free: number[] = [];
    let count = 0;
    for (const node of nodes) {
      const call = (node - 1) >> 1;
      if (isInvocation(node)) this.#bits[call] = free.pop() ?? count++;
      else free.push(this.#bits[call] ?? 0);
    }
    return count;
  }

  /** Whether every operation is placed. */
  get isEmpty(): boolean {
    return this.#next[HEAD] === HEAD;
  }

  /** The operation whose completion comes first in the list; -1 when the list is empty. */
  get nextCompletion(): number {
    let node = this.#next[HEAD] ?? HEAD;
    while (isInvocation(node)) node = this.#next[node] ?? HEAD;
    return node === HEAD ? -1 : (node - 1) >> 1;
  }

  /** The operations that can come next: those invoked before the first completion. */
  candidates(): number[] {
    const calls: number[] = [];
    let node = this.#next[HEAD] ?? HEAD;
    while (isInvocation(node)) {
      calls.push((node - 1) >> 1);
      node = this.#next[node] ?? HEAD;
    }
    return calls;
  }

  /** Takes an operation out. */
  take(call: number): void {
    for (const node of [2 * call + 1, 2 * call + 2]) {
      const [before, after] = [this.#previous[node] ?? HEAD, this.#next[node] ?? HEAD];
      this.#next[before] = after;
      this.#previous[after] = before;
    }
    this.#flip(call);
  }

  /** Puts an operation back; the last one taken goes first. */
  putBack(call: number): void {
    for (const node of [2 * call + 2, 2 * call + 1]) {
      this.#next[this.#previous[node] ?? HEAD] = node;
      this.#previous[this.#next[node] ?? HEAD] = node;
    }
    this.#flip(call);
  }

  /** A bit may pass on to a later operation: what completed before the next completion is all out. */
  #flip(call: number): void {
    const bit = this.#bits[call] ?? 0;
    this.#placed[bit >> 5] = (this.#placed[bit >> 5] ?? 0) ^ (1 << (bit & 31));
  }

  /** A key for which operations are placed and a value; unique for one next completion. */
  placedKey(value: number): number | string {
    if (this.#placed.length > 1 || value >= 2 ** 20) return `${this.#placed.join()} ${value}`;
    return ((this.#placed[0] ?? 0) >>> 0) * 2 ** 20 + value;
  }
}

function isInvocation(node: number): boolean {
  return (node & 1) === 1;
}
