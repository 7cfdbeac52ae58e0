/**
 * `report`: the page of a stored run, written anew.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";
import { readRun, writeReport } from "../stored_run.ts";
import { commandName, shellWord } from "./command_name.ts";
import { print } from "./terminal.ts";

/** The flags of `report`: none. */
export const reportFlags = {};

/** Runs the command and returns the exit code. */
export async function reportCommand(args: readonly string[]): Promise<number> {
  const { words: [path, extra] } = parseFlags(reportFlags, args);
  if (path === undefined || path === "") {
    throw new UsageError("Cannot report without a run: name its folder, such as store/latest");
  }
  if (extra !== undefined) throw new UsageError(`Unexpected argument ${JSON.stringify(extra)}`);
  const { run, startMs, plan } = read(path);
  const command = `${commandName()} test --plan ${shellWord(join(path, "plan.json"))}`;
  print(`Report: ${await writeReport(path, { ...run, command }, startMs, plan)}`);
  return 0;
}

function read(path: string): ReturnType<typeof readRun> {
  try {
    return readRun(path);
  } catch (cause) {
    throw new UsageError(errorText(cause), { cause });
  }
}
