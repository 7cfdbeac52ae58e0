/**
 * How long a message takes.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";
import type { Latency } from "../types.ts";

/**
 * Draws a latency, in whole milliseconds as Maelstrom does: cut off, not rounded.
 *
 * A mean of 0 is 0 under any distribution, where Maelstrom would refuse to start.
 */
export function drawLatencyMs({ meanMs, distribution }: Latency, random: Random): number {
  if (meanMs === 0) return 0;
  if (distribution === "constant") return Math.floor(meanMs);
  if (distribution === "uniform") return Math.floor(random.next() * 2 * meanMs);
  return Math.floor(-Math.log(1 - random.next()) * meanMs);
}

/**
 * Makes sure that latencies can be drawn.
 *
 * @throws {RangeError} if the mean is no number of 0 or more.
 */
export function checkLatency({ meanMs }: Latency): void {
  if (meanMs >= 0 && Number.isFinite(meanMs)) return;
  throw new RangeError(`Cannot use a mean latency of ${meanMs} ms: not a number of 0 or more`);
}
