/**
 * What stands more than once among millions of values, which fit no `Map`: their hashes are sorted,
 * and only values whose hash comes again need be looked at.
 *
 * @module
 */

/** A number that equal keys share, and hardly any others. */
export function hashOf(key: number | string): number {
  if (typeof key === "number") return key;
  let [low, high] = [0x811c9dc5, 0x1b873593];
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b) + i | 0;
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

/** What stands more than once among some numbers, which are sorted for it. */
export function repeated(numbers: Float64Array): Set<number> {
  numbers.sort();
  const found = new Set<number>();
  for (let i = 1; i < numbers.length; i++) {
    const number = numbers[i] ?? NaN;
    if (number === numbers[i - 1]) found.add(number);
  }
  return found;
}

/** A list of hashes that grows. */
export class Hashes {
  #numbers = new Float64Array(64);
  #length = 0;

  /** Adds one. */
  push(number: number): void {
    if (this.#length === this.#numbers.length) {
      const grown = new Float64Array(2 * this.#length);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[this.#length++] = number;
  }

  /** All of them, not copied. */
  all(): Float64Array {
    return this.#numbers.subarray(0, this.#length);
  }
}
