/**
 * Time and chance, handed in rather than reached for: the same handler runs under the real clock
 * in a process and under the workbench's virtual one.
 *
 * @module
 */

/** A source of time and timers. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes backwards. */
  now(): number;
  /**
   * Runs `callback` once, after `delayMs` milliseconds.
   *
   * @returns a function that cancels the timer; harmless when it has run already.
   */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** A source of randomness. */
export interface Random {
  /** A number drawn uniformly from [0, 1). */
  next(): number;
}

/** The longest that a timer of the runtime can wait, 25 days; it takes more for none at all. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The process's monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, callback) {
    // A timer of 0 ms takes one or two; the end of this turn of the event loop is what is meant.
    if (delayMs <= 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const id = setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS));
    return () => clearTimeout(id);
  },
};

/** The runtime's random source, seeded by the system. */
export const systemRandom: Random = { next: () => Math.random() };
