/**
 * Shows what clients are served under partitions: `deno task availability --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer, UsageError } from "@eddy/maelstrom/flags";
import { table } from "@eddy/workbench/cli/wrap.ts";
import { jobs } from "./availability/jobs.ts";
import { measureAvailability } from "./availability/measure.ts";
import { jobsNamed } from "./campaign/cases.ts";
import { runCommand, say, warn } from "../scripts/support.ts";

const DEFAULT_SEEDS = 100;

const flags = {
  seeds: {
    help: `How many seeds of each job to run, from 0 up (default ${DEFAULT_SEEDS})`,
    value: "N",
    ...integer(1, 100_000),
  },
  seed: {
    help: "Run this seed alone, and list every gap in its service",
    value: "N",
    ...integer(0, Number.MAX_SAFE_INTEGER),
  },
  only: { help: "Run only jobs whose names begin so", value: "TEXT" },
} satisfies Flags;

const usage = `Usage: deno task availability [options]

Runs Eddy's nodes under Maelstrom's partitions, in virtual time, and prints what clients were served
of what was possible, with the goals. docs/consensus.md says what the figures mean.
The exit code is 1 if a goal was missed or a run was not valid; the worst seeds are listed with the
line that shows them again.

Jobs:
${jobs.map(({ name }) => `  ${name}`).join("\n")}

Examples:
  deno task availability --only lin-kv --seeds 20
  deno task availability --only "lin-kv, 3" --seed 7`;

async function main(
  { seeds, seed, only = "" }: FlagValues<typeof flags>,
): Promise<number> {
  if (seeds !== undefined && seed !== undefined) {
    throw new UsageError("Cannot run --seeds with --seed: accepted is one of the two");
  }
  const wanted = jobsNamed(jobs, only);
  const all = seed === undefined ? [...Array(seeds ?? DEFAULT_SEEDS).keys()] : [seed];
  const maxGaps = seed === undefined ? 3 : Infinity;
  const { rows, failures } = await measureAvailability(wanted, all, warn, maxGaps);
  say(table(rows));
  for (const failure of failures) say(failure);
  say(failures.length === 0 ? "Every goal is reached." : "Not every goal is reached.");
  return failures.length === 0 ? 0 : 1;
}

if (import.meta.main) await runCommand(usage, flags, main);
