/**
 * Which arrows of a diagram are in view, and what stands for them where they are too many.
 *
 * @module
 */

import { countBelow } from "./axis.ts";
import { ARROW, type Arrows } from "./scene.ts";

/** How many arrows are drawn one by one; of more, those between two lanes share one a band. */
export const MAX_SINGLE_ARROWS = 2000;
/** About how many marks stand for more arrows. */
const MAX_MARKS = 1500;
/** How many arrows share an entry about the latest end among them. */
const BLOCK = 256;

/** Arrows of one pair of lanes that start in one band, as one. */
export interface Bundle {
  readonly fromLane: number;
  readonly toLane: number;
  /** The mean places of their starts and ends. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly isLoss: boolean;
  /** A number from 0 to 1 for the lanes, so that not all of a band are drawn at one height. */
  readonly slot: number;
}

/** Finds the arrows that cross a stretch of the axis. */
export class ArrowIndex {
  readonly #arrows: Arrows;
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  /** The latest end in each block. */
  readonly #latest: Float64Array;
  readonly #found: Int32Array;
  /** A number for the lanes and whether it is a loss. */
  readonly #pair: Int32Array;
  readonly #pairs: { readonly fromLane: number; readonly toLane: number; isLoss: boolean }[] = [];

  /**
   * @param places the place of each row on the axis
   */
  constructor(arrows: Arrows, places: Float64Array) {
    const { count, fromRow, toRow, fromLane, toLane, kind } = arrows;
    this.#arrows = arrows;
    this.#from = new Float64Array(count);
    this.#to = new Float64Array(count);
    this.#latest = new Float64Array(Math.ceil(count / BLOCK)).fill(-Infinity);
    this.#found = new Int32Array(count);
    this.#pair = new Int32Array(count);
    const numbers = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      const to = places[toRow[i] ?? 0] ?? 0;
      this.#from[i] = places[fromRow[i] ?? 0] ?? 0;
      this.#to[i] = to;
      const block = Math.floor(i / BLOCK);
      this.#latest[block] = Math.max(this.#latest[block] ?? 0, to);
      const isLoss = kind[i] === ARROW.dropped;
      const pair = { fromLane: fromLane[i] ?? 0, toLane: toLane[i] ?? 0, isLoss };
      const key = (pair.fromLane << 16 | pair.toLane) * 2 + Number(isLoss);
      const number = numbers.get(key) ?? this.#pairs.push(pair) - 1;
      numbers.set(key, number);
      this.#pair[i] = number;
    }
  }

  /** Where an arrow starts. */
  from(arrow: number): number {
    return this.#from[arrow] ?? 0;
  }

  /** Where it ends. */
  to(arrow: number): number {
    return this.#to[arrow] ?? 0;
  }

  /**
   * The arrows that cross a stretch, those that begin before it included.
   *
   * @param shown which messages count, by their places; all by default
   * @returns a list that is only good until the next call
   */
  between(from: number, to: number, shown?: Uint8Array): Int32Array {
    const { message } = this.#arrows;
    const end = countBelow(this.#from, to, true);
    let count = 0;
    for (let start = 0; start < end; start += BLOCK) {
      if ((this.#latest[start / BLOCK] ?? 0) < from) continue;
      const stop = Math.min(end, start + BLOCK);
      for (let i = start; i < stop; i++) {
        if ((this.#to[i] ?? 0) < from) continue;
        if (shown !== undefined && shown[message[i] ?? 0] === 0) continue;
        this.#found[count++] = i;
      }
    }
    return this.#found.subarray(0, count);
  }

  /**
   * Bundles arrows by lanes and bands.
   *
   * @param list what `between` gave for the same stretch
   * @param bands into how many bands the stretch is divided at most
   */
  bundles(list: Int32Array, from: number, to: number, bands: number): {
    readonly bundles: readonly Bundle[];
    readonly bands: number;
  } {
    const pairs = this.#pairs.length;
    const count = Math.max(1, Math.min(bands, Math.floor(MAX_MARKS / Math.max(1, pairs))));
    const scale = count / (to - from);
    const counts = new Int32Array(pairs * count);
    const starts = new Float64Array(pairs * count);
    const ends = new Float64Array(pairs * count);
    for (const arrow of list) {
      const at = this.#from[arrow] ?? 0;
      const band = Math.min(count - 1, Math.max(0, Math.floor((at - from) * scale)));
      const cell = (this.#pair[arrow] ?? 0) * count + band;
      counts[cell] = (counts[cell] ?? 0) + 1;
      starts[cell] = (starts[cell] ?? 0) + at;
      ends[cell] = (ends[cell] ?? 0) + (this.#to[arrow] ?? 0);
    }
    const bundles: Bundle[] = [];
    for (const [cell, n] of counts.entries()) {
      const number = Math.floor(cell / count);
      const pair = this.#pairs[number];
      if (n === 0 || pair === undefined) continue;
      const [start = 0, end = 0] = [starts[cell], ends[cell]];
      const slot = (number + 0.5) / pairs;
      bundles.push({ ...pair, from: start / n, to: end / n, count: n, slot });
    }
    return { bundles, bands: count };
  }
}
