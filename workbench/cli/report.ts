/**
 * `report`: the page of a stored run, written anew.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";
import type { Plan } from "../plan.ts";
import { isLoadable, loadProgram } from "../program.ts";
import type { Rerun } from "../report_page.ts";
import { readRun, writeReport } from "../stored_run.ts";
import { commandName, shellWord } from "./command_name.ts";
import { virtualProgram } from "./engine.ts";
import { print } from "./terminal.ts";

/** The flags of `report`: none. */
export const reportFlags = {};

/** Runs the command and returns the exit code. */
export async function reportCommand(args: readonly string[]): Promise<number> {
  const { words: [given, extra] } = parseFlags(reportFlags, args);
  if (given === undefined || given === "") {
    throw new UsageError("Cannot report without a run: name its folder, such as store/latest");
  }
  if (extra !== undefined) throw new UsageError(`Unexpected argument ${JSON.stringify(extra)}`);
  const path = folderOf(given);
  const { run, startMs, plan } = read(path);
  const again = `${commandName()} test --plan ${shellWord(join(path, "plan.json"))}`;
  const named = { ...run, command: run.command ?? again };
  print(`Report: ${await writeReport(path, named, startMs, await rerunOf(plan))}`);
  return 0;
}

/** The folder of a run itself, for a link: `latest` leads to another one after the next run. */
function folderOf(path: string): string {
  try {
    if (!Deno.lstatSync(path.replace(/\/+$/, "")).isSymlink) return path;
    const [folder, here] = [Deno.realPathSync(path), join(Deno.realPathSync("."), "/")];
    return folder.startsWith(here) ? folder.slice(here.length) : folder;
  } catch {
    // What is not there is said of the files in it.
    return path;
  }
}

/** What the page is to run again: with the program, if that is the one that ran. */
async function rerunOf(plan: Plan): Promise<Rerun> {
  const { program: planned } = plan;
  if (planned === undefined || planned.realTime || !isLoadable(planned.bin)) return { plan };
  try {
    const program = await loadProgram(planned.bin);
    const { sha256 } = await virtualProgram(planned.bin, program);
    return sha256 === planned.sha256 ? { plan, program } : { plan };
  } catch {
    // It is no longer there, or no longer what it was.
    return { plan };
  }
}

function read(path: string): ReturnType<typeof readRun> {
  try {
    return readRun(path);
  } catch (cause) {
    throw new UsageError(errorText(cause), { cause });
  }
}
