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
import { describeFlags, didYouMean, type Flags, UsageError } from "@eddy/maelstrom/flags";
import config from "../deno.json" with { type: "json" };
import { HISTORY_FORMATS } from "../history.ts";
import { NEMESES } from "../nemesis.ts";
import { WORKLOADS } from "../workloads/mod.ts";
import { BAD_ARGUMENTS, BROKEN, ignoredFlags } from "./flags.ts";
import { checkCommand, checkFlags } from "./check.ts";
import { demoCommand, demoFlags } from "./demo.ts";
import { endWithLauncher, enterCallersFolder, helpName } from "./command_name.ts";
import { initCommand, initFlags } from "./init.ts";
import { mutantsCommand, mutantsFlags } from "./mutants.ts";
import { nodeCommand } from "./node.ts";
import { playgroundCommand, playgroundFlags } from "./playground.ts";
import { reportCommand, reportFlags } from "./report.ts";
import { serveCommand, serveFlags } from "./serve.ts";
import { sweepCommand, sweepFlags } from "./sweep.ts";
import { helpColumns, print, printError } from "./terminal.ts";
import { testCommand, testFlags } from "./test.ts";
import { wrapLine } from "./wrap.ts";

interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly flags: Flags;
  /** Command lines, without what stands before the command's name. */
  readonly examples: readonly string[];
  /** Whether `--help` is the command's own. */
  readonly helpsItself?: true;
  readonly run: (args: readonly string[]) => Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  test: {
    usage: "test -w WORKLOAD [flags] [-- node arguments]",
    summary: "Run one test, as `maelstrom test` does",
    flags: testFlags,
    examples: [
      "test -w broadcast --node-count 25 --rate 100 --latency 100",
      "test -w lin-kv --node-count 3 --nemesis partition,kill --seed 7",
      "test -w echo --bin ./echo.py --node-count 3 --time-limit 5 --log-stderr",
      "test -w broadcast --bin ./node.wasm --node-count 5 --nemesis partition --seed 7",
      "test -w echo --bin ./my_node.ts --node-count 3 --watch",
    ],
    run: testCommand,
  },
  demo: {
    usage: "demo [flags]",
    summary: "Run every workload that Eddy's own node serves, with faults",
    flags: demoFlags,
    examples: [
      "demo",
      "demo --seed 2",
    ],
    run: demoCommand,
  },
  sweep: {
    usage: "sweep -w WORKLOAD [flags] [-- node options]",
    summary: "Run many seeds, or several values of one flag, as many at once as fit",
    flags: sweepFlags,
    examples: [
      "sweep -w kafka --node-count 3 --nemesis partition --seeds 100",
      "sweep -w broadcast --latency 100 --vary max-latency=300,600,1200",
      "sweep -w echo --bin ./echo.py --node-count 2 --time-limit 5 --run-timeout 30",
      "sweep -w g-set --nemesis loss --seeds 50 --junit eddy.xml",
    ],
    run: sweepCommand,
  },
  mutants: {
    usage: "mutants [-w WORKLOAD]",
    summary: "List wrong nodes by name, for --bin mutant:NAME",
    flags: mutantsFlags,
    examples: [
      "mutants -w broadcast",
      "test -w unique-ids --bin mutant:draws-ids-from-too-few",
    ],
    run: mutantsCommand,
  },
  check: {
    usage: "check -w WORKLOAD [flags] HISTORY",
    summary: `Check a stored history (${HISTORY_FORMATS}; with gzip, too)`,
    flags: checkFlags,
    examples: [
      "check -w lin-kv store/latest/history.jsonl",
      "check -w txn-list-append --consistency-models serializable history.edn",
      "check -w lin-kv --html history.html history.edn",
    ],
    run: checkCommand,
  },
  report: {
    usage: "report RUN",
    summary: "Write the page of a stored run anew, as report.html in its folder",
    flags: reportFlags,
    examples: [
      "report store/latest",
    ],
    run: reportCommand,
  },
  serve: {
    usage: "serve [flags] [STORE]",
    summary: "Show the runs of a store in a browser, with their pages",
    flags: serveFlags,
    examples: [
      "serve",
      "serve --port 0 store",
    ],
    run: serveCommand,
  },
  init: {
    usage: "init [-w WORKLOAD] [FOLDER]",
    summary: "Begin a project of your own: a node, its test, and how to run them",
    flags: initFlags,
    examples: [
      "init my-node",
      "init -w broadcast my-broadcast",
    ],
    run: initCommand,
  },
  playground: {
    usage: "playground [-o FILE]",
    summary: "Write a page that runs Eddy's own nodes and the mutants in a browser, from one file",
    flags: playgroundFlags,
    examples: [
      "playground",
      "playground -o lecture.html",
    ],
    run: playgroundCommand,
  },
  node: {
    usage: "node [WORKLOAD] [options]",
    summary: "Run Eddy's own node, on standard input and output",
    flags: {},
    examples: [
      "node lin-kv",
      "node broadcast --max-latency 1500",
    ],
    helpsItself: true,
    run: nodeCommand,
  },
};

function help(): string {
  const { name } = helpName();
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
      "Each command has --help (-h); --version says which version this is. Exit codes: 0 valid, " +
        `1 invalid, 2 unknown, ${BAD_ARGUMENTS} wrong arguments, ${BROKEN} the run itself broke.`,
    ),
  ]);
}

function commandHelp({ usage, summary, flags, examples: lines }: Command): string {
  const described = describeFlags(flags, 2, helpColumns());
  const ignored = Object.keys(ignoredFlags).map((name) => `--${name}`).join(", ");
  return blocks([
    paragraph(`Usage: ${helpName().name} ${usage}`),
    paragraph(`${summary}.`),
    described === "" ? [] : [described],
    flags === testFlags || flags === sweepFlags
      ? paragraph(`Accepted from Maelstrom's command lines, and ignored: ${ignored}.`)
      : [],
    examples(lines),
  ]);
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
    if (name === "" || name === "help" || isHelp(name)) print(help());
    else if (name === "--version") print(config.version);
    else if (command === undefined) {
      const known = Object.keys(commands);
      const hint = didYouMean(name, known);
      throw new UsageError(
        `Unknown command ${JSON.stringify(name)}${hint}: accepted are ${known.join(", ")}`,
      );
    } else if (!command.helpsItself && own.some(isHelp)) print(commandHelp(command));
    else return await command.run(args);
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

if (import.meta.main) await run();
