/**
 * `merge`: the parts of a sweep, put together.
 *
 * @module
 */

import { parseFlags } from "@eddy/maelstrom/flags";
import { worst } from "../history.ts";
import { exitCodeOf } from "./exit_codes.ts";
import { mergeShards } from "./shard.ts";
import { jsonOf, showRuns } from "./sweep_table.ts";
import { colorFlag, printJson, Terminal } from "./terminal.ts";

/** The flags of `merge`. */
export const mergeFlags = {
  json: { help: "Print a JSON object for each run, in the order of one sweep" },
  ...colorFlag,
};

/** Runs the command and returns the exit code of the worst run. */
export function mergeCommand(args: readonly string[]): Promise<number> {
  const { flags: { json, color }, words, rest } = parseFlags(mergeFlags, args);
  const { name, runs } = mergeShards([...words, ...rest]);
  if (json) {
    for (const run of runs) {
      printJson(jsonOf({ ...run, outcome: { ...run.outcome, path: undefined } }));
    }
  } else showRuns(new Terminal(color), runs, name.varied);
  return Promise.resolve(exitCodeOf(worst(runs.map(({ outcome }) => outcome.valid))));
}
