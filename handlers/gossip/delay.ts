/**
 * How long messages take on a link, learnt from the messages themselves.
 *
 * @module
 */

/** Weights of a new sample in the mean and in the deviation, as in TCP (RFC 6298). */
const MEAN_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;

/** How far off the first sample is taken to be, as a share of it. */
const FIRST_DEVIATION = 1 / 32;

/**
 * The delay of one link: half the mean round trip, and how far round trips are off their mean.
 *
 * A message says when it was sent and which message of the other side it has seen last, and how
 * long ago; the other side computes the round trip from its own clock alone.
 */
export class LinkDelay {
  #roundTripMs: number | undefined;
  #deviationMs = 0;
  #leastMs = Infinity;

  /** Whether any round trip has been seen. */
  get known(): boolean {
    return this.#roundTripMs !== undefined;
  }

  /** Takes a round trip. */
  add(roundTripMs: number): void {
    const sample = Math.max(0, roundTripMs);
    this.#leastMs = Math.min(this.#leastMs, sample);
    if (this.#roundTripMs === undefined) {
      this.#roundTripMs = sample;
      this.#deviationMs = sample * FIRST_DEVIATION;
      return;
    }
    const error = sample - this.#roundTripMs;
    this.#roundTripMs += error * MEAN_WEIGHT;
    this.#deviationMs += (Math.abs(error) - this.#deviationMs) * DEVIATION_WEIGHT;
  }

  /** What a message takes on average, or `fallbackMs` while nothing is known. */
  oneWayMs(fallbackMs: number): number {
    return this.#roundTripMs === undefined ? fallbackMs : this.#roundTripMs / 2;
  }

  /** What a message takes when nothing slows it down; 0 while nothing is known. */
  get leastMs(): number {
    return this.known ? this.#leastMs / 2 : 0;
  }

  /** What nearly every message stays below. */
  safeMs(fallbackMs: number): number {
    return this.#roundTripMs === undefined
      ? fallbackMs
      : this.#roundTripMs / 2 + 2 * this.#deviationMs;
  }
}
