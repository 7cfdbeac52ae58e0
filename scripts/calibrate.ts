/**
 * Sets this workbench beside Maelstrom: `deno task calibrate --help`.
 *
 * @module
 */

import { describeFlags, type Flags, integer, parseFlags, UsageError } from "../node/flags.ts";
import { table } from "../workbench/cli/table.ts";
import { calibration } from "./campaign/calibration.ts";
import { runScript, say, warn } from "./support.ts";

const flags = {
  seeds: {
    help: "How many runs to average over",
    value: "N",
    ...integer(1, 10_000),
    default: calibration.seeds,
  },
  help: { help: "Say this" },
} satisfies Flags;

const help = `Usage: deno task calibrate [options]

Runs what Maelstrom's documentation shows, and prints its figures and ours.

Options:
${describeFlags(flags)}`;

async function main(args: readonly string[]): Promise<number> {
  const { flags: given, words } = parseFlags(flags, args);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  if (given.help) {
    say(help);
    return 0;
  }
  const { rows, failures } = await calibration.run(given.seeds, warn);
  say(table(rows));
  for (const failure of failures) say(`Out of tolerance: ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

if (import.meta.main) await runScript(main);
