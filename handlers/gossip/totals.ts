/**
 * A counter kept by gossip: each node's own total, of which the newest wins.
 *
 * A state-based counter (Shapiro et al., "A comprehensive study of convergent and commutative
 * replicated data types", 2011, section 3.1). A node's adds follow one another, so one total per
 * stream does for additions and subtractions alike.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { ArchivePart, Batch, Store } from "./store.ts";
import { raise, seqOf, type Vector } from "./vector.ts";

/** Totals by stream. A total stands for all events before it, so nothing else is kept. */
export class Totals implements Store {
  readonly have: Vector = [];
  readonly #totals: number[] = [];
  #sum = 0n;

  /** The sum of all totals, exact at any size. */
  get sum(): bigint {
    return this.#sum;
  }

  /** Adds to a stream's total, if total and sum stay integers that a double holds exactly. */
  add(stream: number, delta: number): boolean {
    const total = (this.#totals[stream] ?? 0) + delta;
    if (!Number.isSafeInteger(total) || !isSafe(this.#sum + BigInt(delta))) return false;
    this.#put(stream, seqOf(this.have, stream) + 1, total);
    return true;
  }

  since(stream: number, from: number): Batch {
    return { from, to: seqOf(this.have, stream), events: [this.#totals[stream] ?? 0] };
  }

  receive(stream: number, { to, events }: Batch): boolean {
    const total = events.at(-1);
    if (to <= seqOf(this.have, stream) || !Number.isSafeInteger(total)) return false;
    this.#put(stream, to, total as number);
    return true;
  }

  settle(): void {}

  /** Nobody needs an archive: a total is never dropped. */
  archive(from: number): ArchivePart {
    return { from, events: [] as Json[], total: 0 };
  }

  restore(): void {}

  #put(stream: number, seq: number, total: number): void {
    while (this.#totals.length <= stream) this.#totals.push(0);
    this.#sum += BigInt(total - (this.#totals[stream] ?? 0));
    this.#totals[stream] = total;
    raise(this.have, stream, seq);
  }
}

/** Whether a double holds an integer exactly, and its neighbours. */
export function isSafe(value: bigint): boolean {
  return BigInt.asIntN(54, value) === value && value !== -(2n ** 53n);
}
