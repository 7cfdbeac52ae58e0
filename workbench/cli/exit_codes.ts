/**
 * The exit codes of the commands.
 *
 * @module
 */

import type { Validity } from "../history.ts";
import type { RunBreak } from "../report.ts";

/** The exit code for wrong arguments. */
export const BAD_ARGUMENTS = 254;

/** The exit code for a run that could not be completed, for another reason than a node. */
export const BROKEN = 255;

/** The exit code of a run: 0 valid, 1 invalid, 2 unknown, or {@linkcode BROKEN}. */
export function exitCodeOf(valid: Validity, broke?: RunBreak): number {
  if (broke !== undefined && !broke.byNode) return BROKEN;
  return valid === true ? 0 : valid === false ? 1 : 2;
}

/** What the exit codes of a command mean, in the order of the codes. */
export type ExitCodes = readonly (readonly [code: number, meaning: string])[];

/** The exit codes of commands with a verdict. */
export const VERDICT_CODES: ExitCodes = [
  [0, "valid"],
  [1, "invalid"],
  [2, "unknown"],
  [BAD_ARGUMENTS, "wrong arguments"],
  [BROKEN, "the run itself broke"],
];

/** Those of the others. */
export const DONE_CODES: ExitCodes = [
  [0, "done"],
  [BAD_ARGUMENTS, "wrong arguments"],
  [BROKEN, "it could not be done"],
];

/** Those of Eddy's own node, which are the same where it is a program of its own. */
export const NODE_CODES: ExitCodes = [
  [0, "the input ended, or a signal came"],
  [1, "standard output failed, or a second signal came"],
  [2, "wrong arguments"],
  [3, "the data of `--data` is in use, another run's, damaged or gone"],
  [70, "standard input failed"],
  [74, "the disk of `--data` is full or failed"],
];
