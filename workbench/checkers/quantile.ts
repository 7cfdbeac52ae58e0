/**
 * Quantiles as Maelstrom picks them.
 *
 * @module
 */

/** Of n sorted values the one at floor(n q), or the last; undefined if there are none. */
export function quantile(sorted: ArrayLike<number>, q: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}
