/**
 * One key's entries, and how far they may be shown.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";

/** An entry as it travels: its key, its offset, what was sent. */
export type Entry = [key: string, offset: number, msg: Json];

/** The entries of one key by offset. */
export class KeyLog {
  /** The highest offset up to which nothing more can appear; -1 before the first. */
  visible = -1;
  /** The highest offset that clients have committed; -1 before the first. */
  committed = -1;
  readonly #entries: Entry[] = [];

  /** The highest offset there is; -1 before the first. */
  get last(): number {
    return this.#entries.at(-1)?.[1] ?? -1;
  }

  /**
   * Puts an entry in its place, which is near the end: only what is not yet visible everywhere can
   * come after it.
   *
   * @returns false if the offset is taken.
   */
  insert(entry: Entry): boolean {
    const place = entry[1] > this.last ? this.#entries.length : this.#placeOf(entry[1]);
    if (this.#entries[place]?.[1] === entry[1]) return false;
    this.#entries.splice(place, 0, entry);
    return true;
  }

  /** The visible entries from an offset on, at most `limit` of them. */
  from(offset: number, limit: number): [offset: number, msg: Json][] {
    const found: [offset: number, msg: Json][] = [];
    if (offset > this.visible) return found;
    for (let place = this.#placeOf(offset); found.length < limit; place++) {
      const entry = this.#entries[place];
      if (entry === undefined || entry[1] > this.visible) break;
      found.push([entry[1], entry[2]]);
    }
    return found;
  }

  /** Where the first entry at or after an offset is. */
  #placeOf(offset: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.[1] ?? Infinity) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
