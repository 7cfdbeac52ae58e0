/**
 * How long until something that comes again and again comes next.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";

/** A time uniform on 0 to twice the mean, which is how Jepsen spaces what it does. */
export function drawInterval(random: Random, mean: number): number {
  return random.next() * 2 * mean;
}
