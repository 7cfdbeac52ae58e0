/**
 * Trying again, without doing harm: only what may not have happened, ever more slowly.
 *
 * @module
 */

import type { Clock, Random } from "./clock.ts";
import { RpcError } from "./errors.ts";

/** Settings of a retried call. */
export interface RetryOptions {
  /** Definite error codes to try again after all, say `[ErrorCode.temporarilyUnavailable]`. */
  codes?: readonly number[];
  /**
   * The pause before the second try, in milliseconds; each later pause is twice as long.
   *
   * @default 100
   */
  minDelayMs?: number;
  /**
   * The longest pause, in milliseconds.
   *
   * @default 2000
   */
  maxDelayMs?: number;
  /**
   * How long to go on in all, in milliseconds; no try begins later.
   *
   * @default 10000
   */
  deadlineMs?: number;
  /**
   * How many tries at most.
   *
   * @default no bound but the deadline
   */
  maxTries?: number;
  /** Ends the pauses, and with them the retrying. */
  signal?: AbortSignal;
}

/**
 * Calls `attempt` until it succeeds, fails for good, or time is up.
 *
 * An {@linkcode RpcError} that is indefinite, or whose code is listed, is tried again after an
 * exponentially growing pause with jitter (drawn uniformly from its upper half). Anything else is
 * thrown at once. What is retried must be safe to do twice.
 *
 * @param attempt gets the number of the try, from 1
 * @throws what the last attempt threw, or the signal's reason.
 */
export async function retry<T>(
  attempt: (tryNumber: number) => Promise<T>,
  options: RetryOptions,
  { clock, random }: { clock: Clock; random: Random },
): Promise<T> {
  const { codes = [], minDelayMs = 100, maxDelayMs = 2000, deadlineMs = 10_000, signal } = options;
  const { maxTries = Infinity } = options;
  const endMs = clock.now() + deadlineMs;
  for (let tryNumber = 1;; tryNumber++) {
    signal?.throwIfAborted();
    try {
      return await attempt(tryNumber);
    } catch (error) {
      const again = error instanceof RpcError && (!error.definite || codes.includes(error.code));
      const ceilingMs = Math.min(maxDelayMs, minDelayMs * 2 ** (tryNumber - 1));
      const delayMs = ceilingMs * (0.5 + random.next() / 2);
      if (!again || tryNumber >= maxTries || clock.now() + delayMs >= endMs) throw error;
      await pause(clock, delayMs, signal);
    }
  }
}

/**
 * Waits, by the given clock.
 *
 * @throws the signal's reason, if it aborts first.
 */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.schedule(delayMs, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}
