/**
 * Time on a diagram's long side: to scale, or spread so that events that follow each other at once
 * stand apart and a long silence is short.
 *
 * @module
 */

/** How time is laid out: `spread` by events, or to `scale`. */
export type AxisMode = "spread" | "scale";

/** A time that is written beside a diagram. */
export interface AxisTick {
  readonly at: number;
  readonly text: string;
}

/**
 * Places times on a line.
 *
 * A place is a number without a unit: milliseconds to scale, or about one a row of events when they
 * are spread. Both grow with time.
 */
export class TimeAxis {
  readonly #ms: Float64Array;
  readonly #spread: Float64Array;
  #mode: AxisMode = "spread";

  /**
   * @param rowsMs the time of each row of events, ascending
   * @param typicalMs a latency; silence of about that length counts for another row
   */
  constructor(rowsMs: Float64Array, typicalMs: number) {
    this.#ms = rowsMs;
    this.#spread = new Float64Array(rowsMs.length);
    for (let row = 1; row < rowsMs.length; row++) {
      const gapMs = (rowsMs[row] ?? 0) - (rowsMs[row - 1] ?? 0);
      this.#spread[row] = (this.#spread[row - 1] ?? 0) + 1 + Math.log2(1 + gapMs / typicalMs);
    }
  }

  get mode(): AxisMode {
    return this.#mode;
  }

  set mode(mode: AxisMode) {
    this.#mode = mode;
  }

  /** The places of the rows. */
  get places(): Float64Array {
    return this.#mode === "scale" ? this.#ms : this.#spread;
  }

  /** The first place. */
  get start(): number {
    return this.places[0] ?? 0;
  }

  /** The last place. */
  get end(): number {
    return this.places.at(-1) ?? 0;
  }

  /** The least that is worth a look: a few rows, or some microseconds. */
  get minSpan(): number {
    return this.#mode === "scale" ? 0.02 : 8;
  }

  /**
   * The place of a time.
   *
   * @param last whether it is after all rows of just that time, not before them
   */
  toPlace(ms: number, last: boolean = false): number {
    return interpolate(this.#ms, this.places, ms, last);
  }

  /** The time at a place. */
  toMs(place: number): number {
    return interpolate(this.places, this.#ms, place, false);
  }

  /** Times to write between two places, at least so far from each other, round where they can be. */
  ticks(from: number, to: number, distance: number): AxisTick[] {
    return this.#mode === "scale"
      ? evenTicks(from, to, distance)
      : this.#spreadTicks(from, to, distance);
  }

  /**
   * In each stretch the roundest time that it has; none where it has only times with more digits
   * than this view's.
   */
  #spreadTicks(from: number, to: number, distance: number): AxisTick[] {
    const ticks: AxisTick[] = [];
    const spanMs = this.toMs(to) - this.toMs(from);
    const leastMs = 10 ** Math.max(-2, Math.round(Math.log10(spanMs / 200)));
    const add = (ms: number, low: number, high: number) => {
      const text = secondsText(ms, leastMs);
      if (text === ticks.at(-1)?.text) return;
      ticks.push({ text, at: Math.min(high, Math.max(low, this.toPlace(ms))) });
    };
    const slot = distance * 1.6;
    for (let at = Math.floor(from / slot) * slot; at < to; at += slot) {
      const [low, high] = [Math.max(at, this.start), Math.min(at + slot - distance, this.end)];
      if (low > high) continue;
      const ms = roundest(this.toMs(low), this.toMs(high), leastMs);
      if (ms !== undefined) add(ms, low, high);
    }
    // All of it may be one instant.
    if (ticks.length === 0) add(this.toMs((from + to) / 2), from, to);
    return ticks;
  }
}

function evenTicks(fromMs: number, toMs: number, distance: number): AxisTick[] {
  const stepMs = STEPS_MS.findLast((step) => step >= distance) ?? STEPS_MS[0] ?? 1;
  const ticks: AxisTick[] = [];
  for (let i = Math.ceil(fromMs / stepMs); i * stepMs <= toMs; i++) {
    ticks.push({ at: i * stepMs, text: secondsText(i * stepMs, stepMs) });
  }
  return ticks;
}

/** Round steps, largest first. */
const STEPS_MS: readonly number[] = Array.from(
  { length: 27 },
  (_, i) => (([5, 2, 1] as const)[i % 3] ?? 1) * 10 ** (5 - Math.floor(i / 3)),
);

/** The roundest time between two, if one is a multiple of the least step. */
function roundest(fromMs: number, toMs: number, leastMs: number): number | undefined {
  for (const step of STEPS_MS) {
    if (step < leastMs * 0.99) return undefined;
    const ms = Math.ceil(fromMs / step) * step;
    if (ms <= toMs) return ms;
  }
}

/** A time in seconds, with as many digits as a step needs. */
export function secondsText(ms: number, stepMs: number): string {
  const digits = Math.max(0, Math.ceil(3 - Math.log10(stepMs) - 1e-9));
  const text = (ms / 1000).toFixed(Math.min(9, digits));
  return `${Number(text) === 0 ? text.replace("-", "") : text} s`;
}

/** How many items of an ascending list are below a value, or at most as large. */
export function countBelow(
  list: { readonly [place: number]: number; readonly length: number },
  value: number,
  orEqual: boolean,
): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = list[middle] ?? 0;
    if (item < value || (orEqual && item === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function interpolate(xs: Float64Array, ys: Float64Array, x: number, last: boolean): number {
  const after = countBelow(xs, x, last);
  if (!last && xs[after] === x) return ys[after] ?? 0;
  const [x0, x1] = [xs[after - 1], xs[after]];
  const [y0, y1] = [ys[after - 1] ?? 0, ys[after] ?? 0];
  if (x0 === undefined) return y1;
  if (x1 === undefined || x1 === x0) return y0;
  return y0 + (y1 - y0) * (x - x0) / (x1 - x0);
}
