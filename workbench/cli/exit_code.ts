/**
 * How the workbench's commands end, as Maelstrom's do.
 *
 * @module
 */

import type { Validity } from "../history.ts";
import type { RunBreak } from "../results/report.ts";

/** A command line that cannot be obeyed. */
export const BAD_ARGUMENTS = 254;

/** A run that could not be brought to its end, through no fault of a node's. */
export const BROKEN = 255;

/** The exit code of a verdict: 0 valid, 1 invalid, 2 unknown, 255 for a run that broke. */
export function exitCodeOf(valid: Validity, broke?: RunBreak): number {
  if (broke !== undefined && !broke.byNode) return BROKEN;
  return valid === true ? 0 : valid === false ? 1 : 2;
}
