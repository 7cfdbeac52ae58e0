/**
 * The clock of runs with child processes.
 *
 * @module
 */

import type { Clock } from "../../node/clock.ts";

/** The process's monotonic clock; what is due at once waits for a turn, not for a millisecond. */
export const realClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, callback) {
    if (delayMs > 0) {
      const id = setTimeout(callback, delayMs);
      return () => clearTimeout(id);
    }
    const id = setImmediate(callback);
    return () => clearImmediate(id);
  },
};
