/**
 * Runs of Eddy's own node, said as one would type them.
 *
 * @module
 */

import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { runFlags, toRunOptions } from "@eddy/workbench/cli/flags.ts";
import { replayLine } from "@eddy/workbench/cli/test.ts";
import type { Job } from "@eddy/workbench/sweep.ts";

/** A run, and the line that does it again. */
export interface Case {
  readonly job: Job;
  readonly replay: string;
}

/**
 * The run that a command line asks for.
 *
 * @param line flags of `eddy test`, and after `--` those of the node
 * @throws {UsageError} if it cannot be obeyed; options of the node are checked when it is run.
 */
export function caseOf(line: string, seed: number): Case {
  const { flags, rest } = parseFlags(runFlags, line.split(" ").filter((word) => word !== ""));
  const options = toRunOptions(flags, seed);
  return { job: { options, args: rest }, replay: replayLine(flags, rest, options) };
}

/**
 * The jobs whose names begin with a text.
 *
 * @throws {UsageError} if there are none.
 */
export function jobsNamed<J extends { readonly name: string }>(
  jobs: readonly J[],
  start: string,
): readonly J[] {
  const wanted = jobs.filter(({ name }) => name.startsWith(start));
  if (wanted.length > 0) return wanted;
  const known = jobs.map(({ name }) => JSON.stringify(name)).join(", ");
  throw new UsageError(
    `Cannot run --only ${JSON.stringify(start)}: accepted is how one of ${known} begins`,
  );
}
