/**
 * The commands of the workbench, as data: what runs them, and all that their help and the page
 * docs/cli.md say of them.
 *
 * @module
 */

import type { Flags } from "@eddy/maelstrom/flags";
import { HISTORY_FORMATS } from "../history.ts";
import { checkCommand, checkFlags } from "./check.ts";
import { demoCommand, demoFlags } from "./demo.ts";
import { BAD_ARGUMENTS, BROKEN } from "./flags.ts";
import { initCommand, initFlags } from "./init.ts";
import { mutantsCommand, mutantsFlags } from "./mutants.ts";
import { nodeCommand } from "./node.ts";
import { playgroundCommand, playgroundFlags } from "./playground.ts";
import { reportCommand, reportFlags } from "./report.ts";
import { MAX_KEPT } from "./run_all.ts";
import { serveCommand, serveFlags } from "./serve.ts";
import { sweepCommand, sweepFlags } from "./sweep.ts";
import { testCommand, testFlags } from "./test.ts";

/** What the exit codes of a command mean, in the order of the codes. */
export type ExitCodes = readonly (readonly [code: number, meaning: string])[];

/** The exit codes of commands with a verdict. */
export const VERDICT_CODES: ExitCodes = [
  [0, "valid"],
  [1, "invalid"],
  [2, "unknown"],
  [BAD_ARGUMENTS, "wrong arguments"],
  [BROKEN, "the run itself broke"],
];

/** Those of the others. */
const DONE_CODES: ExitCodes = [
  [0, "done"],
  [BAD_ARGUMENTS, "wrong arguments"],
  [BROKEN, "it could not be done"],
];

/** Those of Eddy's own node, which are the same where it is a program of its own. */
const NODE_CODES: ExitCodes = [
  [0, "the input ended, or a signal came"],
  [1, "standard output failed, or a second signal came"],
  [2, "wrong arguments"],
  [70, "standard input failed"],
];

/** A command of the workbench. */
export interface Command {
  /** What follows the workbench's own name. */
  readonly usage: string;
  /** What it does, in a few words, as a sentence without its period. */
  readonly summary: string;
  /** What else there is to know, in sentences. */
  readonly details?: string;
  readonly flags: Flags;
  /** Command lines, without what stands before the command's name. */
  readonly examples: readonly string[];
  readonly exitCodes: ExitCodes;
  /** Whether `--help` is the command's own. */
  readonly helpsItself?: true;
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** All commands, by name. */
export const commands: Readonly<Record<string, Command>> = {
  test: {
    usage: "test -w WORKLOAD [flags] [-- node arguments]",
    summary: "Run one test, as `maelstrom test` does",
    details:
      "What follows -- is passed to the program of --bin; without a program they are options of " +
      "Eddy's own node. A run that is not valid prints the line that replays it. With --watch a " +
      "run under way is broken off when a file changes, and Ctrl-C ends it all.",
    flags: testFlags,
    examples: [
      "test -w broadcast --node-count 25 --rate 100 --latency 100",
      "test -w lin-kv --node-count 3 --nemesis partition,kill --seed 7",
      "test -w echo --bin ./echo.py --node-count 3 --time-limit 5 --log-stderr",
      "test -w broadcast --bin ./node.wasm --node-count 5 --nemesis partition --seed 7",
      "test -w echo --bin ./my_node.ts --node-count 3 --watch",
    ],
    exitCodes: VERDICT_CODES,
    run: testCommand,
  },
  sweep: {
    usage: "sweep -w WORKLOAD [flags] [-- node options]",
    summary: "Run many seeds, or several values of one flag, as many at once as fit",
    details:
      "Every seed that is not valid is listed with the line that replays it; the exit code is that " +
      `of the worst run. Under virtual time the first ${MAX_KEPT} runs that are not valid are run ` +
      "again to keep their results; of processes the results of all runs are kept. --vary takes " +
      "bin, too, to compare programs. With --json, runs that are not valid come last, once their " +
      "results are kept.",
    flags: sweepFlags,
    examples: [
      "sweep -w kafka --node-count 3 --nemesis partition --seeds 100",
      "sweep -w broadcast --latency 100 --vary max-latency=300,600,1200",
      "sweep -w echo --bin ./echo.py --node-count 2 --time-limit 5 --run-timeout 30",
      "sweep -w g-set --nemesis loss --seeds 50 --junit eddy.xml",
    ],
    exitCodes: VERDICT_CODES,
    run: sweepCommand,
  },
  check: {
    usage: "check -w WORKLOAD [flags] HISTORY",
    summary: `Check a stored history (${HISTORY_FORMATS}; with gzip, too)`,
    details:
      "The format is told by the content. A history is up to 512 MiB long, unpacked. Operations " +
      "without a time follow each other by a millisecond; registers of lin-kv may have no keys. A " +
      "history that tests nothing, such as an empty one or one of another workload, is unknown.",
    flags: checkFlags,
    examples: [
      "check -w lin-kv store/latest/history.jsonl",
      "check -w txn-list-append --consistency-models serializable history.edn",
      "check -w lin-kv --html history.html history.edn",
    ],
    exitCodes: VERDICT_CODES,
    run: checkCommand,
  },
  report: {
    usage: "report RUN",
    summary: "Write the page of a stored run anew, as report.html in its folder",
    details:
      "The page can run the run again if its program is still the one that ran, and else shows " +
      "what is stored.",
    flags: reportFlags,
    examples: [
      "report store/latest",
    ],
    exitCodes: DONE_CODES,
    run: reportCommand,
  },
  serve: {
    usage: "serve [flags] [STORE]",
    summary: "Show the runs of a store in a browser, with their pages",
    details: "It answers requests until Ctrl-C ends it. STORE is the folder store by default.",
    flags: serveFlags,
    examples: [
      "serve",
      "serve --port 0 store",
    ],
    exitCodes: DONE_CODES,
    run: serveCommand,
  },
  demo: {
    usage: "demo [flags]",
    summary: "Run every workload that Eddy's own node serves, with faults",
    details: "It keeps no results. The exit code is that of the worst run.",
    flags: demoFlags,
    examples: [
      "demo",
      "demo --seed 2",
    ],
    exitCodes: VERDICT_CODES,
    run: demoCommand,
  },
  mutants: {
    usage: "mutants [-w WORKLOAD]",
    summary: "List wrong nodes by name, for --bin mutant:NAME",
    details:
      "Each has one deliberate fault: an exercise in reading findings, and a way to see what a " +
      "checker sees. Those on Raft break one of its rules each, and their own assertions are off, " +
      "so that clients must see it; the list names the rule, and how many seeds it takes.",
    flags: mutantsFlags,
    examples: [
      "mutants -w broadcast",
      "test -w unique-ids --bin mutant:draws-ids-from-too-few",
    ],
    exitCodes: DONE_CODES,
    run: mutantsCommand,
  },
  playground: {
    usage: "playground [-o FILE]",
    summary: "Write a page that runs Eddy's own nodes and the mutants in a browser, from one file",
    details:
      "The page loads nothing. A workload, a node, faults and a seed are chosen in it; a run there " +
      "has the history of `test` with the same settings, byte for byte.",
    flags: playgroundFlags,
    examples: [
      "playground",
      "playground -o lecture.html",
    ],
    exitCodes: DONE_CODES,
    run: playgroundCommand,
  },
  init: {
    usage: "init [-w WORKLOAD] [FOLDER]",
    summary: "Begin a project of your own: a node, its test, and how to run them",
    details:
      "For another workload than echo the handlers have the types of their requests, and refuse " +
      "them until you write what they do. The project takes the library from where this workbench " +
      "has it. Files that are there are never overwritten. FOLDER is the one you are in by default.",
    flags: initFlags,
    examples: [
      "init my-node",
      "init -w broadcast my-broadcast",
    ],
    exitCodes: DONE_CODES,
    run: initCommand,
  },
  node: {
    usage: "node [WORKLOAD] [options]",
    summary: "Run Eddy's own node, on standard input and output",
    flags: {},
    examples: [
      "node lin-kv",
      "node broadcast --max-latency 1500",
    ],
    exitCodes: NODE_CODES,
    helpsItself: true,
    run: nodeCommand,
  },
};
