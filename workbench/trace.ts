/**
 * Where two runs part: the first thing that the network did in one of them and not in the other.
 *
 * @module
 */

import type { NetEvent } from "./journal.ts";

/** How many events of a run are compared. */
const MAX_EVENTS = 500_000;

/** Where two runs part. */
export interface Parting {
  /** How many events they have in common before. */
  readonly common: number;
  /** What came next in the first; undefined if nothing did. */
  readonly first: string | undefined;
  /** What came next in the second. */
  readonly second: string | undefined;
}

/** Compares the events of two runs, of which the second follows the first. */
export class Traces {
  readonly #first: string[] = [];
  #common = 0;
  #second: string | undefined;

  /** Takes an event of the first run. */
  addFirst(event: NetEvent): void {
    if (this.#first.length < MAX_EVENTS) this.#first.push(describeEvent(event));
  }

  /** Takes an event of the second. */
  addSecond(event: NetEvent): void {
    if (this.#second !== undefined || this.#common >= MAX_EVENTS) return;
    const text = describeEvent(event);
    if (text === this.#first[this.#common]) this.#common++;
    else this.#second = text;
  }

  /** Where they part; undefined if they do not, as far as they are compared. */
  get parting(): Parting | undefined {
    const [common, second] = [this.#common, this.#second];
    const first = this.#first[common];
    return (first ?? second) === undefined ? undefined : { common, first, second };
  }
}

/** An event in a line: when, what, and the message. */
function describeEvent({ type, timeMs, message }: NetEvent): string {
  return `${timeMs / 1000} s ${type} ${message.toLine()}`;
}
