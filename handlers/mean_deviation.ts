/**
 * The smoothed mean of delays and their smoothed mean deviation, as TCP estimates round trips
 * (Jacobson, "Congestion avoidance and control", 1988; RFC 6298).
 *
 * Unlike there, a delay far below the mean does not count as deviation.
 *
 * @module
 */

/** The weight of a new sample in the mean and in the deviation (RFC 6298, section 2.3). */
const MEAN_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;

/** A mean and a deviation, in the unit of the samples. */
export class MeanDeviation {
  /** Undefined before the first sample. */
  mean: number | undefined;
  deviation = 0;

  /** @param firstDeviation the deviation if this is the first sample */
  add(sample: number, firstDeviation: number): void {
    if (this.mean === undefined) {
      this.mean = sample;
      this.deviation = firstDeviation;
      return;
    }
    const error = sample - this.mean;
    if (error < -2 * this.deviation) {
      // What was slow has become fast. That must not count as variation, which would raise the sum.
      this.mean += error / 2;
      return;
    }
    this.mean += error * MEAN_WEIGHT;
    this.deviation += (Math.abs(error) - this.deviation) * DEVIATION_WEIGHT;
  }

  /** Begins anew. */
  forget(): void {
    this.mean = undefined;
  }
}
