/**
 * Sets this workbench beside Maelstrom: `deno task calibrate --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer } from "@eddy/maelstrom/flags";
import { table } from "@eddy/workbench/cli/wrap.ts";
import { calibration } from "./campaign/calibration.ts";
import { runCommand, say, warn } from "../scripts/support.ts";

const flags = {
  seeds: {
    help: "How many runs to average over",
    value: "N",
    ...integer(1, 10_000),
    default: calibration.seeds,
  },
} satisfies Flags;

const usage = `Usage: deno task calibrate [options]

Runs what Maelstrom's documentation shows, and prints its figures and ours.`;

async function main(
  given: FlagValues<typeof flags>,
): Promise<number> {
  const { rows, failures } = await calibration.run(given.seeds, warn);
  say(table(rows));
  for (const failure of failures) say(`Out of tolerance: ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

if (import.meta.main) await runCommand(usage, flags, main);
