/**
 * Time and randomness, which a node is given: the same handler runs under the real clock in a
 * process and under the workbench's virtual clock.
 *
 * @module
 */

import {
  isErrorCode,
  refusedValue,
  refuseUnknown,
  refuseUnlessNumber,
  RpcError,
} from "./errors.ts";

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

/**
 * Draws a name that no other draw is likely to have.
 *
 * It has letters and digits, without an `e`: what looks like a number with an exponent, as `1e5`
 * does, makes every line that contains it slower to parse.
 *
 * @param bits how many bits are drawn: of 2^(bits/2) names two are likely to be the same
 */
export function drawName(random: Random, bits: number): string {
  return Math.floor(random.next() * 2 ** bits).toString(35).replaceAll("e", "z");
}

/** The longest that a timer of the runtime can wait, 25 days; a longer one would not wait at all. */
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

/** Settings of {@linkcode retry}. */
export interface RetryOptions {
  /** Definite error codes that are tried again too, for example `[ErrorCode.temporarilyUnavailable]`. */
  codes?: readonly number[] | undefined;
  /**
   * The pause before the second try, in milliseconds; each later pause is twice as long.
   *
   * @default 100
   */
  minDelayMs?: number | undefined;
  /**
   * The longest pause, in milliseconds; none is longer than 25 days.
   *
   * @default 2000
   */
  maxDelayMs?: number | undefined;
  /**
   * How long to try in all, in milliseconds; no try begins later, and `Infinity` goes on for ever.
   *
   * @default 10000
   */
  timeoutMs?: number | undefined;
  /**
   * How many tries at most.
   *
   * @default no bound but the time
   */
  maxTries?: number | undefined;
  /** Ends the pauses, and with them the retrying. */
  signal?: AbortSignal | undefined;
}

const retryOptions: Record<keyof RetryOptions, true> = {
  codes: true,
  minDelayMs: true,
  maxDelayMs: true,
  timeoutMs: true,
  maxTries: true,
  signal: true,
};

/**
 * Calls `attempt` until it succeeds, fails for good, or time is up.
 *
 * An {@linkcode RpcError} that is indefinite, or whose code is listed, is tried again after an
 * exponentially growing pause with jitter (drawn uniformly from its upper half). Anything else is
 * thrown at once. What is retried must be safe to do twice.
 *
 * @param attempt gets the number of the try, from 1
 * @throws {RpcError} when time or tries have run out: of the last attempt's code, with the number
 * of tries and how long they took in the text, and the last attempt's error as `cause`.
 * @throws {TypeError} for an option that it does not know.
 * @throws {TypeError | RangeError} for an option's value that is not accepted.
 * @throws what an attempt threw that is not tried again, or the signal's reason.
 */
export async function retry<T>(
  attempt: (tryNumber: number) => Promise<T>,
  options: RetryOptions,
  { clock, random }: { clock: Clock; random: Random },
): Promise<T> {
  refuseUnknown(options, retryOptions);
  const { codes = [], minDelayMs = 100, maxDelayMs = 2000, timeoutMs = 10_000, signal } = options;
  const { maxTries = Infinity } = options;
  refuseUnlessNumber("minDelayMs", minDelayMs, 0);
  refuseUnlessNumber("maxDelayMs", maxDelayMs, 0);
  refuseUnlessNumber("timeoutMs", timeoutMs, 0);
  refuseUnlessNumber("maxTries", maxTries, 1);
  if (!Array.isArray(codes) || !codes.every(isErrorCode)) {
    throw refusedValue("codes", codes, "a list of error codes");
  }
  const startMs = clock.now();
  for (let tryNumber = 1;; tryNumber++) {
    signal?.throwIfAborted();
    try {
      return await attempt(tryNumber);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (error.definite && !codes.includes(error.code)) throw error;
      // The exponent is bounded because 0 * Infinity is no number.
      const grownMs = minDelayMs * 2 ** Math.min(tryNumber - 1, 100);
      const ceilingMs = Math.min(maxDelayMs, grownMs, MAX_TIMER_MS);
      const delayMs = ceilingMs * (0.5 + random.next() / 2);
      const passedMs = clock.now() - startMs;
      if (tryNumber >= maxTries || passedMs + delayMs >= timeoutMs) {
        throw gaveUp(error, tryNumber, passedMs);
      }
      await pause(clock, delayMs, signal);
    }
  }
}

function gaveUp(cause: RpcError, tries: number, passedMs: number): RpcError {
  const { code, definite, message } = cause;
  const often = tries === 1 ? "1 try" : `${tries} tries`;
  const text = `Gave up after ${often} in ${Math.round(passedMs)} ms: ${message}`;
  return new RpcError(code, text, { definite, cause });
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
