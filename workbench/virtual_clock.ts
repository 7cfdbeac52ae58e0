/**
 * Virtual time: a clock that jumps to the next event.
 *
 * @module
 */

import type { Clock } from "@eddy/maelstrom";
import { afterPromises, nextTurn } from "./event_loop.ts";

interface TimerEvent extends Timed {
  /** Undefined once cancelled or run. */
  callback: (() => void) | undefined;
}

/** Below this many cancelled timers it is not worth sweeping them out. */
const MIN_SWEEP = 1024;

/** How many ticks a millisecond has, a power of two: one is about a nanosecond. */
const TICKS_PER_MS = 2 ** 20;

/**
 * A time in whole ticks of virtual time, rounded up, so that no timer runs before it is due.
 *
 * Sums and differences of such times are exact for months, so that a moment is the same from
 * whichever other it is reached: `start + (due - start)` is `due`.
 */
export function wholeTicks(ms: number): number {
  return Math.ceil(ms * TICKS_PER_MS) / TICKS_PER_MS;
}

/** How many timers may run at one instant before something must be wrong. */
const MAX_AT_ONE_INSTANT = 1_000_000;

/** A clock that stands still until {@linkcode VirtualClock.step}. */
export class VirtualClock implements Clock {
  readonly #events = new TimedQueue<TimerEvent>();
  #nowMs = 0;
  #nextOrder = 0;
  #cancelled = 0;
  #runAtThisInstant = 0;

  /** Milliseconds since this clock was made. */
  now(): number {
    return this.#nowMs;
  }

  /** How many timers wait. */
  get size(): number {
    return this.#events.size - this.#cancelled;
  }

  /**
   * Runs `callback` once, when time has come to `delayMs` from now; those of one instant run in
   * the order they were scheduled. One delayed without end never runs.
   */
  schedule(delayMs: number, callback: () => void): () => void {
    if (delayMs === Infinity) return () => {};
    const event: TimerEvent = {
      at: delayMs > 0 ? wholeTicks(this.#nowMs + delayMs) : this.#nowMs,
      order: this.#nextOrder++,
      callback,
    };
    this.#events.push(event);
    return () => this.#cancel(event);
  }

  /**
   * Moves time to the next event and runs it.
   *
   * @returns whether there was one.
   * @throws {Error} if timers set each other off without end while time stands still.
   */
  step(): boolean {
    for (;;) {
      const event = this.#events.pop();
      if (event === undefined) return false;
      const { callback } = event;
      if (callback === undefined) {
        this.#cancelled--;
        continue;
      }
      event.callback = undefined;
      if (event.at > this.#nowMs) this.#runAtThisInstant = 0;
      this.#nowMs = event.at;
      if (++this.#runAtThisInstant > MAX_AT_ONE_INSTANT) {
        const what = `${MAX_AT_ONE_INSTANT} timers ran while time stood still, as when nodes ` +
          "answer each other's messages without end";
        throw new Error(`Cannot go on at ${this.#nowMs} ms: ${what}`);
      }
      callback();
      return true;
    }
  }

  #cancel(event: TimerEvent): void {
    if (event.callback === undefined) return;
    event.callback = undefined;
    this.#cancelled++;
    // Calls that are answered leave their timeouts behind: without a sweep these would outnumber
    // everything else in the heap.
    if (this.#cancelled < MIN_SWEEP || this.#cancelled * 2 < this.#events.size) return;
    this.#events.retain(({ callback }) => callback !== undefined);
    this.#cancelled = 0;
  }
}

/**
 * Runs `main` under virtual time.
 *
 * Between two events all promise callbacks run, so that an event sees all effects of those before
 * it, and the order is the same on every machine.
 *
 * @param onStuck called with the reason when time cannot go on; `main` may then still end, without
 * time, or is given up
 * @param eventsATurn after how many events the event loop gets a turn; in it rejections are reported
 * that nothing has caught
 * @returns what `main` returns.
 * @throws what `main` throws, or what a timer's callback throws.
 * @throws {Error} if `main` waits for something that no event will bring.
 *
 * @example
 * ```ts
 * import { runVirtual, VirtualClock } from "./virtual_clock.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new VirtualClock();
 * await runVirtual(clock, () => new Promise<void>((resolve) => clock.schedule(3600_000, resolve)));
 * assertEquals(clock.now(), 3600_000);
 * ```
 */
export function runVirtual<T>(
  clock: VirtualClock,
  main: () => Promise<T>,
  onStuck: (error: unknown) => void = () => {},
  eventsATurn: number = EVENTS_A_TURN,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let ended = false;
    const rest = settler(eventsATurn);
    const step = () => {
      if (ended) return;
      try {
        if (!clock.step()) throw new Error(`Cannot go on at ${clock.now()} ms: ${DEADLOCK}`);
      } catch (error) {
        onStuck(error);
        rest(() => reject(error));
        return;
      }
      rest(step);
    };
    const end = () => {
      ended = true;
    };
    const result = Promise.resolve().then(main);
    result.then(end, end);
    result.then(resolve, reject);
    nextTurn(step);
  });
}

/** After how many events the event loop gets a turn, for signals, and for progress to be seen. */
const EVENTS_A_TURN = 256;

/** Makes a function that calls another when no promise callback is left to run. */
function settler(eventsATurn: number): (next: () => void) => void {
  let events = 0;
  return (next) => {
    if (++events % eventsATurn === 0) nextTurn(next);
    else afterPromises(next);
  };
}

const DEADLOCK = "the run has not ended, but no timer is set and no message is on its way";

/** Something with its turn. */
export interface Timed {
  /** When it is due. */
  readonly at: number;
  /** Decides between those due at the same time: lower first. */
  readonly order: number;
}

/**
 * A priority queue of what is due first.
 *
 * Most items come in the order in which they are due, or nearly. Those that do stand in a line,
 * where coming and going cost nothing; the others are in a heap.
 */
export class TimedQueue<T extends Timed> {
  /** Ascending, from `#start` on. */
  #line: T[] = [];
  #start = 0;
  #last: T | undefined;
  #heap: T[] = [];

  /** How many wait. */
  get size(): number {
    return this.#line.length - this.#start + this.#heap.length;
  }

  /** What is due first, left in place. */
  peek(): T | undefined {
    const first = this.#line[this.#start];
    const top = this.#heap[0];
    return first === undefined || (top !== undefined && isBefore(top, first)) ? top : first;
  }

  /** Adds an item. */
  push(item: T): void {
    const last = this.#last;
    if (last !== undefined && isBefore(item, last)) {
      this.#rise(item);
    } else {
      this.#last = item;
      this.#line.push(item);
    }
  }

  /** Takes what is due first. */
  pop(): T | undefined {
    const first = this.peek();
    if (first === undefined) return undefined;
    if (first === this.#heap[0]) this.#popHeap();
    else this.#shiftLine();
    return first;
  }

  /** Leaves out what does not pass; linear. */
  retain(keep: (item: T) => boolean): void {
    this.#setLine(this.#line.slice(this.#start).filter(keep));
    const heap = this.#heap = this.#heap.filter(keep);
    for (let index = (heap.length >> 1) - 1; index >= 0; index--) {
      const item = heap[index];
      if (item !== undefined) this.#sink(item, index);
    }
  }

  /** Takes everything, in order. */
  drain(): T[] {
    const all = this.#line.slice(this.#start).concat(this.#heap);
    this.#setLine([]);
    this.#heap = [];
    return all.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  #setLine(line: T[]): void {
    this.#line = line;
    this.#start = 0;
    this.#last = line.at(-1);
  }

  #shiftLine(): void {
    this.#start++;
    // The items taken are released when they are at least half of the line.
    if (this.#start === this.#line.length) this.#setLine([]);
    else if (this.#start >= 64 && this.#start * 2 >= this.#line.length) {
      this.#setLine(this.#line.slice(this.#start));
    }
  }

  #rise(item: T): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(item);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isBefore(item, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = item;
  }

  #popHeap(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last, 0);
  }

  #sink(item: T, start: number): void {
    const heap = this.#heap;
    const size = heap.length;
    let index = start;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= size) break;
      let child = heap[childIndex] as T;
      const right = childIndex + 1 < size ? heap[childIndex + 1] as T : undefined;
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex++;
      }
      if (!isBefore(child, item)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = item;
  }
}

function isBefore(a: Timed, b: Timed): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
