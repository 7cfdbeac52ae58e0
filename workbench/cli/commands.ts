/**
 * The commands of the workbench, as data: what loads them, and what their help and the page
 * docs/cli.md say of them beside their flags.
 *
 * @module
 */

import type { Flags } from "@eddy/maelstrom/flags";
import { HISTORY_FORMATS } from "../history.ts";
import {
  BAD_ARGUMENTS,
  BROKEN,
  DONE_CODES,
  type ExitCodes,
  NODE_CODES,
  VERDICT_CODES,
} from "./exit_codes.ts";

/** Of how many runs of a sweep under virtual time that are not valid the results are kept. */
export const MAX_KEPT = 10;

/** A command of the workbench. */
export interface Command {
  /** What follows the workbench's own name. */
  readonly usage: string;
  /** What it does, in a few words, as a sentence without its period. */
  readonly summary: string;
  /** What else there is to know, in sentences. */
  readonly details?: string;
  /** Command lines, without what stands before the command's name. */
  readonly examples: readonly string[];
  readonly exitCodes: ExitCodes;
  /** Whether `--help` is the command's own. */
  readonly helpsItself?: true;
  /** Whether it accepts flags of Maelstrom that have no meaning here. */
  readonly ignoresFlags?: true;
  /** Loads its modules: a command does not wait for those of the others. */
  readonly load: () => Promise<LoadedCommand>;
}

/** What runs a command. */
export interface LoadedCommand {
  readonly flags: Flags;
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
    examples: [
      "test -w broadcast --node-count 25 --rate 100 --latency 100",
      "test -w lin-kv --node-count 3 --nemesis partition,kill --seed 7",
      "test -w echo --bin ./echo.py --node-count 3 --time-limit 5 --log-stderr",
      "test -w broadcast --bin ./node.wasm --node-count 5 --nemesis partition --seed 7",
      "test -w echo --bin ./my_node.ts --node-count 3 --watch",
    ],
    exitCodes: VERDICT_CODES,
    ignoresFlags: true,
    load: () =>
      import("./test.ts").then(({ testFlags: flags, testCommand: run }) => ({ flags, run })),
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
    examples: [
      "sweep -w kafka --node-count 3 --nemesis partition --seeds 100",
      "sweep -w broadcast --latency 100 --vary max-latency=300,600,1200",
      "sweep -w echo --bin ./echo.py --node-count 2 --time-limit 5 --run-timeout 30",
      "sweep -w g-set --nemesis loss --seeds 50 --junit eddy.xml",
    ],
    exitCodes: VERDICT_CODES,
    ignoresFlags: true,
    load: () =>
      import("./sweep.ts").then(({ sweepFlags: flags, sweepCommand: run }) => ({ flags, run })),
  },
  merge: {
    usage: "merge [flags] STORE...",
    summary: "Put the parts of a sweep together that `sweep --shard` did, on several machines say",
    details:
      "Each STORE has some of the parts, and together they have all of one sweep. The table is that " +
      "of one sweep, and --json has its lines, byte for byte, in order and without the paths of " +
      "results. The exit code is that of the worst run.",
    examples: [
      "sweep -w lin-kv --seeds 100 --shard 1/2 --store one",
      "sweep -w lin-kv --seeds 100 --shard 2/2 --store two",
      "merge one two",
    ],
    exitCodes: VERDICT_CODES,
    load: () =>
      import("./merge.ts").then(({ mergeFlags: flags, mergeCommand: run }) => ({ flags, run })),
  },
  worker: {
    usage: "worker --nats URL [flags]",
    summary: "Do runs of the sweeps that `sweep --nats` puts on a NATS server",
    examples: ["worker --nats nats://127.0.0.1:4222"],
    exitCodes: DONE_CODES,
    load: () =>
      import("./nats.ts").then(({ overNats, workerFlags }) => overNats("worker", workerFlags)),
  },
  call: {
    usage: "call --nats URL NODE BODY [flags]",
    summary: "Send a node on a NATS server a request, and print its reply",
    details:
      "BODY is the body of a message as Maelstrom's clients send it; a msg_id may be left out. The " +
      "reply's body is printed as one line of JSON, an error's as well.",
    examples: [
      `call --nats nats://127.0.0.1:4222 n1 '{"type":"read","key":1}'`,
      `call --nats nats://127.0.0.1:4222 --cluster blue n1 '{"type":"write","key":1,"value":2}'`,
    ],
    exitCodes: [
      [0, "the reply is no error"],
      [1, "the reply is an error"],
      [BAD_ARGUMENTS, "wrong arguments"],
      [BROKEN, "no server, no such node, or no reply in time"],
    ],
    load: () => import("./nats.ts").then(({ overNats, callFlags }) => overNats("call", callFlags)),
  },
  shrink: {
    usage: "shrink RUN [flags]",
    summary: "Make a failing run small: the least of it that still shows the same kind of finding",
    details:
      "RUN is the folder of a run under virtual time, or its plan.json. Faults, operations, clients, " +
      "nodes, time and latencies are left out or made simpler for as long as the finding stays, at " +
      "last single lost messages stand for cuts. The small run is kept like other runs; Ctrl-C ends " +
      "it with what has been found so far. The exit code is that of the small run.",
    examples: [
      "shrink store/latest",
      "shrink store/latest --as-test lost_value_test.ts",
    ],
    exitCodes: VERDICT_CODES,
    load: () =>
      import("./shrink.ts").then(({ shrinkFlags: flags, shrinkCommand: run }) => ({ flags, run })),
  },
  diff: {
    usage: "diff -w WORKLOAD [flags] A B [-- node arguments]",
    summary: "Compare two programs, or two values of an option, in the same run",
    details:
      "A and B are programs that run in virtual time, eddy for Eddy's own node, or values of an " +
      "option, NAME=VALUE, of the run or of the node. The second run has the operations and the " +
      "faults of the first. Printed are their figures side by side, the first message that only " +
      "one of them sends, and the first operation that ends otherwise.",
    examples: [
      "diff -w broadcast --latency 100 max-latency=0 max-latency=500",
      "diff -w lin-kv --nemesis partition --seed 7 eddy mutant:keeps-registers-of-its-own",
    ],
    exitCodes: [
      [0, "they do the same"],
      [1, "they part"],
      [BAD_ARGUMENTS, "wrong arguments"],
      [BROKEN, "a run could not be completed"],
    ],
    load: () =>
      import("./diff.ts").then(({ diffFlags: flags, diffCommand: run }) => ({ flags, run })),
  },
  check: {
    usage: "check -w WORKLOAD [flags] HISTORY",
    summary: `Check a stored history (${HISTORY_FORMATS}; with gzip, too)`,
    details:
      "The format is told by the content. A history is read piece by piece and may have any length; " +
      "docs/performance.md says how much memory it takes. Operations without a time follow each " +
      "other by a millisecond; registers of lin-kv may have no keys. A history that tests nothing, " +
      "such as an empty one or one of another workload, is unknown.",
    examples: [
      "check -w lin-kv store/latest/history.jsonl",
      "check -w txn-list-append --consistency-models serializable history.edn",
      "check -w lin-kv --html history.html history.edn",
    ],
    exitCodes: VERDICT_CODES,
    load: () =>
      import("./check.ts").then(({ checkFlags: flags, checkCommand: run }) => ({ flags, run })),
  },
  report: {
    usage: "report RUN",
    summary: "Write the page of a stored run anew, as report.html in its folder",
    details:
      "The page can run the run again if its program is still the one that ran, and else shows " +
      "what is stored.",
    examples: [
      "report store/latest",
    ],
    exitCodes: DONE_CODES,
    load: () =>
      import("./report.ts").then(({ reportFlags: flags, reportCommand: run }) => ({ flags, run })),
  },
  serve: {
    usage: "serve [flags] [STORE]",
    summary: "Show the runs of a store in a browser, with their pages",
    details: "It answers requests until Ctrl-C ends it. STORE is the folder store by default.",
    examples: [
      "serve",
      "serve --port 0 store",
    ],
    exitCodes: DONE_CODES,
    load: () =>
      import("./serve.ts").then(({ serveFlags: flags, serveCommand: run }) => ({ flags, run })),
  },
  demo: {
    usage: "demo [flags]",
    summary: "Run every workload that Eddy's own node serves, with faults",
    details: "It keeps no results. The exit code is that of the worst run.",
    examples: [
      "demo",
      "demo --seed 2",
    ],
    exitCodes: VERDICT_CODES,
    load: () =>
      import("./demo.ts").then(({ demoFlags: flags, demoCommand: run }) => ({ flags, run })),
  },
  mutants: {
    usage: "mutants [-w WORKLOAD]",
    summary: "List wrong nodes by name, for --bin mutant:NAME",
    details:
      "Each has one deliberate fault: an exercise in reading findings, and a way to see what a " +
      "checker sees. Those on Raft break one of its rules each, and their own assertions are off, " +
      "so that clients must see it; the list names the rule, and how many seeds it takes.",
    examples: [
      "mutants -w broadcast",
      "test -w unique-ids --bin mutant:draws-ids-from-too-few",
    ],
    exitCodes: DONE_CODES,
    load: () =>
      import("./mutants.ts").then(({ mutantsFlags: flags, mutantsCommand: run }) => ({
        flags,
        run,
      })),
  },
  playground: {
    usage: "playground [-o FILE]",
    summary: "Write a page that runs Eddy's own nodes and the mutants in a browser, from one file",
    details:
      "The page loads nothing. A workload, a node, faults and a seed are chosen in it; a run there " +
      "has the history of `test` with the same settings, byte for byte.",
    examples: [
      "playground",
      "playground -o lecture.html",
    ],
    exitCodes: DONE_CODES,
    load: () =>
      import("./playground.ts").then(({ playgroundFlags: flags, playgroundCommand: run }) => ({
        flags,
        run,
      })),
  },
  init: {
    usage: "init [-w WORKLOAD] [FOLDER]",
    summary: "Begin a project of your own: a node, its test, and how to run them",
    details:
      "For another workload than echo the handlers have the types of their requests, and refuse " +
      "them until you write what they do. The project takes the library from where this workbench " +
      "has it. Files that are there are never overwritten. FOLDER is the one you are in by default.",
    examples: [
      "init my-node",
      "init -w broadcast my-broadcast",
    ],
    exitCodes: DONE_CODES,
    load: () =>
      import("./init.ts").then(({ initFlags: flags, initCommand: run }) => ({ flags, run })),
  },
  node: {
    usage: "node [WORKLOAD] [options]",
    summary: "Run Eddy's own node, on standard input and output",
    examples: [
      "node lin-kv",
      "node broadcast --max-latency 1500",
    ],
    exitCodes: NODE_CODES,
    helpsItself: true,
    load: () => import("./node.ts").then(({ nodeCommand: run }) => ({ flags: {}, run })),
  },
};
