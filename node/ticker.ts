/**
 * Something done again and again.
 *
 * @module
 */

import type { Clock, Random } from "./clock.ts";

/** What a ticker needs of its node. */
export interface TickerContext {
  readonly clock: Clock;
  readonly random: Random;
  /** Told of what `tick` throws. */
  readonly onError: (error: unknown) => void;
}

/**
 * Calls `tick` about every `intervalMs` milliseconds, counted from the end of the previous call,
 * so that it never overlaps itself.
 *
 * @param jitter how far an interval may be off, as a share of itself
 * @returns a function that stops it.
 * @throws {RangeError} if the interval is no positive number: the ticks would leave no time for
 * anything else.
 */
export function startTicker(
  intervalMs: number,
  tick: () => void | Promise<void>,
  jitter: number,
  { clock, random, onError }: TickerContext,
): () => void {
  if (!(intervalMs > 0)) {
    throw new RangeError(`Cannot do anything every ${intervalMs} ms: not a positive number`);
  }
  let stopped = false;
  let cancel: () => void;
  const arm = () => {
    cancel = clock.schedule(intervalMs * (1 + jitter * (2 * random.next() - 1)), run);
  };
  const run = async () => {
    try {
      await tick();
    } catch (error) {
      onError(error);
    }
    if (!stopped) arm();
  };
  arm();
  return () => {
    stopped = true;
    cancel();
  };
}
