/**
 * The command line of the workbench.
 *
 * @example
 * ```ts
 * import { main } from "@eddy/workbench/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await main(["sweep", "-w", "echo", "--time-limit", "1", "--seeds", "2"]), 0);
 * ```
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { describeFlags, type Flags, UsageError } from "@eddy/maelstrom/flags";
import { BAD_ARGUMENTS, BROKEN } from "./flags.ts";
import { checkCommand, checkFlags } from "./check.ts";
import { demoCommand, demoFlags } from "./demo.ts";
import { sweepCommand, sweepFlags } from "./sweep.ts";
import { testCommand, testFlags } from "./test.ts";

interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly flags: Flags;
  readonly run: (args: readonly string[]) => Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  test: {
    usage: "test -w WORKLOAD [flags] [-- node arguments]",
    summary: "Run one test, as `maelstrom test` does",
    flags: testFlags,
    run: testCommand,
  },
  demo: {
    usage: "demo [flags]",
    summary: "Run every workload that Eddy's own node serves, with faults",
    flags: demoFlags,
    run: demoCommand,
  },
  sweep: {
    usage: "sweep -w WORKLOAD [flags] [-- node options]",
    summary: "Run many seeds, or several values of one flag, on all cores",
    flags: sweepFlags,
    run: sweepCommand,
  },
  check: {
    usage: "check -w WORKLOAD [flags] HISTORY",
    summary: "Check a stored history: history.jsonl, or Maelstrom's history.edn",
    flags: checkFlags,
    run: checkCommand,
  },
};

function help(): string {
  const rows = Object.values(commands).map(({ usage, summary }) => `  ${usage}\n      ${summary}`);
  return `Usage: deno task workbench COMMAND

${rows.join("\n")}

Each command has --help. Exit codes: 0 valid, 1 invalid, 2 unknown, ${BAD_ARGUMENTS} wrong
arguments, ${BROKEN} the run itself broke.`;
}

/**
 * Runs a command. Results go to standard output, errors to standard error.
 *
 * @param args the command and its flags, as on the command line
 * @returns the exit code: 0 valid, 1 invalid, 2 unknown, 254 for wrong arguments, 255 for a run that
 * could not be completed.
 */
export async function main([name = "", ...args]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  const end = args.indexOf("--");
  const wantsHelp = (end === -1 ? args : args.slice(0, end)).includes("--help");
  try {
    if (name === "--help") console.log(help());
    else if (command === undefined) {
      const known = Object.keys(commands).join(", ");
      throw new UsageError(`Unknown command ${JSON.stringify(name)}: accepted are ${known}`);
    } else if (wantsHelp) {
      const { usage, summary, flags } = command;
      console.log(`Usage: deno task workbench ${usage}\n\n${summary}.\n\n${describeFlags(flags)}`);
    } else return await command.run(args);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(error.message);
      return BAD_ARGUMENTS;
    }
    console.error(errorText(error));
    return BROKEN;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
