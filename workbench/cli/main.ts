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
import { describeFlags, didYouMean, UsageError } from "@eddy/maelstrom/flags";
import config from "../deno.json" with { type: "json" };
import { currentThread } from "../threads.ts";
import { endWithLauncher, enterCallersFolder, helpName } from "./command_name.ts";
import { type Command, commands } from "./commands.ts";
import { BAD_ARGUMENTS, BROKEN, type ExitCodes, VERDICT_CODES } from "./exit_codes.ts";
import { helpColumns, print, printError } from "./terminal.ts";
import { wrapLine } from "./wrap.ts";

async function help(): Promise<string> {
  const { name } = helpName();
  const { NEMESES } = await import("../nemesis.ts");
  const { WORKLOADS } = await import("../workloads/mod.ts");
  const rows = Object.values(commands).flatMap(({ usage, summary }) => [
    ...paragraph(`  ${usage}`),
    ...paragraph(`      ${summary}`),
  ]);
  return blocks([
    [`Usage: ${name} COMMAND`],
    rows,
    [
      ...paragraph(`Workloads: ${WORKLOADS.join(", ")}`),
      ...paragraph(`Faults, for --nemesis: ${NEMESES.join(", ")}`),
    ],
    examples(Object.values(commands).map(({ examples }) => examples[0] ?? "")),
    paragraph(
      "Each command has --help (-h); --version says which version this is. " +
        describeCodes(VERDICT_CODES),
    ),
  ]);
}

async function commandHelp(command: Command): Promise<string> {
  const { usage, summary, details, examples: lines, exitCodes } = command;
  const { flags } = await command.load();
  const described = describeFlags(flags, 2, helpColumns());
  return blocks([
    paragraph(`Usage: ${helpName().name} ${usage}`),
    paragraph(`${summary}.`),
    details === undefined ? [] : paragraph(details),
    described === "" ? [] : [described],
    command.ignoresFlags ? paragraph(await describeIgnored()) : [],
    examples(lines),
    paragraph(describeCodes(exitCodes)),
  ]);
}

async function describeIgnored(): Promise<string> {
  const { ignoredFlags } = await import("./flags.ts");
  const ignored = Object.keys(ignoredFlags).map((name) => `--${name}`).join(", ");
  return `Accepted from Maelstrom's command lines, and ignored: ${ignored}.`;
}

function describeCodes(codes: ExitCodes): string {
  return `Exit codes: ${codes.map(([code, meaning]) => `${code} ${meaning}`).join(", ")}.`;
}

/** Command lines to be pasted, which are not broken. */
function examples(lines: readonly string[]): string[] {
  const { name, alias } = helpName();
  const before = alias === undefined ? [] : [`  ${alias}`];
  return ["Examples:", ...before, ...lines.map((line) => `  ${name} ${line}`)];
}

function paragraph(text: string): string[] {
  return wrapLine(text, helpColumns());
}

/** What is under one another with an empty line between; an empty block is none. */
function blocks(texts: readonly (readonly string[])[]): string {
  return texts.filter(({ length }) => length > 0).map((lines) => lines.join("\n")).join("\n\n");
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
  const own = end === -1 ? args : args.slice(0, end);
  const isHelp = (word: string) => word === "--help" || word === "-h";
  try {
    if (name === "" || name === "help" || isHelp(name)) print(await help());
    else if (name === "--version") print(config.version);
    else if (command === undefined) {
      const known = Object.keys(commands);
      const hint = didYouMean(name, known);
      throw new UsageError(
        `Unknown command ${JSON.stringify(name)}${hint}: accepted are ${known.join(", ")}`,
      );
    } else if (!command.helpsItself && own.some(isHelp)) print(await commandHelp(command));
    else return await (await command.load()).run(args);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      printError(error.message);
      return BAD_ARGUMENTS;
    }
    printError(errorText(error));
    return BROKEN;
  }
}

/** Obeys the command line of this process, in the folder that it was called in, and ends it. */
export async function run(): Promise<never> {
  enterCallersFolder();
  endWithLauncher();
  Deno.exit(await main(Deno.args));
}

/** The thread whose entry this module is: a bundle's, of which all threads load the same. */
const thread = import.meta.main ? currentThread() : undefined;
if (thread === "watchdog") await import("../watchdog_worker.ts");
else if (thread === "sweep") await import("../sweep_worker.ts");
else if (import.meta.main) await run();

/** What the threads of a sweep import of a bundle by its name, to do a run; absent in all others. */
export const runJob: typeof import("../sweep.ts").runJob | undefined = thread === "sweep"
  ? (await import("../sweep.ts")).runJob
  : undefined;

/** The same, to register a mutant's handlers. */
export const installMutant: typeof import("./mutants.ts").installMutant | undefined =
  thread === "sweep" ? (await import("./mutants.ts")).installMutant : undefined;
