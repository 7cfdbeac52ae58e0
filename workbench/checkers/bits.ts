/**
 * Sets of small integers, for marking and sweeping many at once.
 *
 * @module
 */

/** A set of small integers, one bit each. */
export class Bits {
  readonly #words: Int32Array;

  /** @param size one more than the largest integer it can hold. */
  constructor(size: number) {
    this.#words = new Int32Array((size + 31) >>> 5);
  }

  /** Whether an integer is in the set. */
  has(id: number): boolean {
    return ((this.#words[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0;
  }

  /** Puts an integer in. */
  add(id: number): void {
    this.#words[id >>> 5] = (this.#words[id >>> 5] ?? 0) | (1 << (id & 31));
  }

  /** Takes everything out. */
  clear(): void {
    this.#words.fill(0);
  }

  /** Adds every integer below `count`. */
  fill(count: number): void {
    for (let id = 0; id < count; id++) this.add(id);
  }

  /** Takes out, one by one, the members below `count` that are not in `others`. */
  takeExcept(others: Bits, count: number, taken: (id: number) => void): void {
    for (let at = 0; at << 5 < count; at++) {
      const word = this.#words[at] ?? 0;
      const kept = count - (at << 5) < 32 ? -1 << (count & 31) : 0;
      let out = word & ~(others.#words[at] ?? 0) & ~kept;
      this.#words[at] = word & ~out;
      while (out !== 0) {
        taken((at << 5) + 31 - Math.clz32(out & -out));
        out &= out - 1;
      }
    }
  }
}
