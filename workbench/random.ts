/**
 * Random numbers from a seed.
 *
 * @module
 */

import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { Random } from "@eddy/maelstrom";
import { wholeTicks } from "./virtual_clock.ts";

/**
 * A stream of draws that seed and part decide together.
 *
 * Parts draw from streams of their own, so that one more draw in one part leaves the others'
 * unchanged.
 *
 * @param seed decides everything; any number
 * @param part what the stream is for: `nemesis`, `latency`, `node n1`
 */
export function seededRandom(seed: number, part: string): Random {
  const generator = xoroshiro128plusFromState(hash(`${seed}/${part}`));
  return { next: () => uniformFloat64(generator) };
}

/** An integer drawn uniformly from [0, `bound`). */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}

/** The items in an order drawn uniformly (Fisher and Yates). */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const all = [...items];
  for (let index = all.length - 1; index > 0; index--) {
    const other = randomBelow(random, index + 1);
    const item = all[index] as T;
    all[index] = all[other] as T;
    all[other] = item;
  }
  return all;
}

/** Four well-mixed words; nearby texts share nothing (FNV-1a, finished as MurmurHash3 is). */
function hash(text: string): [number, number, number, number] {
  const word = (basis: number) => {
    let state = basis;
    for (let index = 0; index < text.length; index++) {
      state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
    }
    state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    return state ^ (state >>> 16);
  };
  return [word(0x811c9dc5), word(0x9e3779b9), word(0x243f6a88), word(0xb7e15162)];
}

/**
 * A time uniform on 0 to twice the mean, in whole ticks; this is how Jepsen spaces what it does.
 *
 * @param meanMs the mean, in milliseconds
 */
export function drawInterval(random: Random, meanMs: number): number {
  return wholeTicks(random.next() * 2 * meanMs);
}
