/**
 * `test`: one run, as `maelstrom test` does it.
 *
 * @module
 */

import { type FlagValues, integer, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { summarize } from "../explain.ts";
import type { NetEvent } from "../journal.ts";
import type { RunOptions } from "../options.ts";
import { findProgram } from "../process.ts";
import { bundleProgram, isModule } from "../program.ts";
import { ResultsDir, resultsJson } from "../results_dir.ts";
import type { RunProgress } from "../runner.ts";
import {
  type RunHooks,
  runProgram,
  type RunResult,
  simulate,
  simulateProgram,
} from "../simulate.ts";
import { startWatchdog } from "../watchdog.ts";
import {
  checkOwnOptions,
  checkSeeds,
  exitCodeOf,
  ignoredFlags,
  MAX_RUNS,
  type RunFlags,
  runFlags,
  sayIgnored,
  toRunOptions,
} from "./flags.ts";
import { findMutant, isMutant, refuseArgs } from "./mutants.ts";
import { Interrupts, print, printError, printJson, StatusLine } from "./terminal.ts";

/** The flags of `test`. */
export const testFlags = {
  ...runFlags,
  store: { help: "Folder for the results", value: "DIR", default: "store" },
  json: { help: "Print the results as JSON" },
  "log-stderr": { help: "Show what nodes write to standard error" },
  "log-net-send": { help: "Show every message sent" },
  "log-net-recv": { help: "Show every message delivered" },
  "test-count": {
    help: "Repeat, until a run is not valid",
    value: "N",
    ...integer(1, MAX_RUNS),
    default: 1,
  },
};

type TestFlags = FlagValues<typeof testFlags>;

/** Runs the command and returns the exit code. */
export async function testCommand(args: readonly string[]): Promise<number> {
  const { flags, words, rest } = parseFlags({ ...testFlags, ...ignoredFlags }, args);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  const first = flags.seed ?? drawSeed();
  checkSeeds(first, flags["test-count"]);
  toRunOptions(flags, first);
  const engine = await engineOf(flags, rest);
  for (const ignored of sayIgnored(flags)) printError(ignored);
  // A program that hangs does not answer in time; only nodes in this process can stop the clock.
  const stopWatchdog = engine.isVirtual ? startWatchdog() : () => {};
  try {
    let code = 0;
    for (let i = 0; i < flags["test-count"] && code === 0; i++) {
      code = await runOnce(flags, rest, first + i, engine);
    }
    return code;
  } finally {
    stopWatchdog();
  }
}

/** A random seed, short enough to be typed. */
function drawSeed(): number {
  return Math.floor(Math.random() * 1e6);
}

/** What runs the nodes of a run. */
interface Engine {
  /** What it is, in a line. */
  readonly name: string;
  readonly isVirtual: boolean;
  readonly run: (options: RunOptions, hooks: RunHooks) => Promise<RunResult>;
}

/**
 * What runs the nodes that a command line names: Eddy's own handlers, a program in this process, or
 * processes.
 *
 * @param args what follows `--`: arguments of the program, or options of Eddy's own handlers
 * @throws {Error} if there is no such program, or it cannot be bundled or executed.
 * @throws {UsageError} if the handlers do not have such options.
 */
async function engineOf(flags: RunFlags, args: readonly string[]): Promise<Engine> {
  const { bin, workload } = flags;
  if (bin === undefined) {
    checkOwnOptions(workload, args);
    return {
      name: "Virtual time, Eddy's own node",
      isVirtual: true,
      run: (options, hooks) => simulate({ ...options, args, ...hooks }),
    };
  }
  if (isMutant(bin)) {
    const { install } = findMutant(bin, workload);
    refuseArgs(bin, args);
    return {
      name: `Virtual time, ${bin} in this process`,
      isVirtual: true,
      run: (options, hooks) => simulate({ ...options, install, ...hooks }),
    };
  }
  if (runsVirtually(flags)) {
    const program = await bundleProgram(bin);
    return {
      name: `Virtual time, ${bin} in this process`,
      isVirtual: true,
      run: (options, hooks) => simulateProgram(program, args, options, hooks),
    };
  }
  if (flags.compute !== undefined) {
    throw new UsageError(`Cannot use --compute for ${bin}: it runs in real time`);
  }
  findProgram(bin);
  return {
    name: `Real time, ${bin} as processes`,
    isVirtual: false,
    run: (options, hooks) => runProgram({ bin, args }, options, hooks),
  };
}

/** Whether nodes run in this process, under virtual time. */
export function runsVirtually({ bin, "real-time": realTime }: RunFlags): boolean {
  return bin === undefined || isMutant(bin) || (isModule(bin) && !realTime);
}

async function runOnce(
  flags: TestFlags,
  rest: readonly string[],
  seed: number,
  engine: Engine,
): Promise<number> {
  const options = toRunOptions(flags, seed);
  const name = new Date().toISOString().replaceAll(":", "").replace("Z", "");
  const dir = new ResultsDir(flags.store, options.workload, name);
  const status = new StatusLine();
  const hooks = {
    onMessage: (event: NetEvent) => {
      dir.addEvent(event);
      const { type, message } = event;
      if (type === "send" ? flags["log-net-send"] : flags["log-net-recv"]) {
        status.print(`${type} ${message.toLine()}`);
      }
    },
    onLog: (node: string, text: string) => {
      dir.addLog(node, text);
      if (flags["log-stderr"]) status.print(`${node}: ${text}`);
    },
  };
  if (dir.isMissing) { for (const note of dir.notes) printError(note); }
  const result = await interruptibly(
    status,
    (watched) => engine.run(options, { ...hooks, ...watched }),
    !engine.isVirtual && Deno.stderr.isTerminal(),
  );
  const { results, history, startMs } = result;
  dir.finish(results, options, history, startMs);
  if (flags.json) printJson({ engine: engine.name, ...resultsJson(results), options }, 2);
  else print(`${engine.name}\n${describe(result, dir, replayLine(flags, rest, options))}`);
  if (!dir.isMissing) { for (const note of dir.notes) printError(note); }
  return exitCodeOf(results.valid, results.broke);
}

/** Runs; a signal ends the run early, and its results are kept. */
async function interruptibly(
  status: StatusLine,
  run: (hooks: RunHooks) => Promise<RunResult>,
  showsProgress: boolean,
): Promise<RunResult> {
  const interrupts = new Interrupts("run");
  const onProgress = (progress: RunProgress) => {
    const { stage } = progress;
    if (showsProgress) status.show(stage === "done" ? "" : describeProgress(progress));
    // Only the check is left; it does not await, so a signal could not interrupt it.
    if (stage === "done") interrupts.stop();
  };
  try {
    return await run({ onProgress, signal: interrupts.signal });
  } finally {
    interrupts.stop();
  }
}

function describe({ results, options }: RunResult, dir: ResultsDir, replay: string): string {
  const lines = [summarize(results, options)];
  lines.push(dir.isMissing ? "Results are not kept" : `Results in ${dir.path}`);
  if (results.valid !== true) lines.push(`Replay with: ${replay}`);
  return lines.join("\n");
}

/** The command line that repeats a run. */
export function replayLine(
  flags: Readonly<Record<string, unknown>>,
  rest: readonly string[],
  { seed }: Pick<RunOptions, "seed">,
): string {
  const given = Object.entries(testFlags).flatMap(([name, flag]) => {
    const value = flags[name];
    const isLeftOut = ["seed", "json", "store", "test-count"].includes(name) ||
      name.startsWith("log-");
    if (isLeftOut || value === undefined || value === false) return [];
    if ("many" in flag && Array.isArray(value)) {
      return value.flatMap((each) => [`--${name}`, shellWord(String(each))]);
    }
    if (value === true) return [`--${name}`];
    if ("default" in flag && flag.default === value && name !== "workload") return [];
    return [`--${name}`, shellWord(Array.isArray(value) ? value.join(",") : String(value))];
  });
  const words = ["deno task workbench test", ...given, "--seed", String(seed)];
  return [...words, ...(rest.length > 0 ? ["--", ...rest.map(shellWord)] : [])].join(" ");
}

function shellWord(text: string): string {
  return /^[\w./,:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function describeProgress({ stage, elapsedMs, counts }: RunProgress): string {
  const { invocations, ok, fail, info } = counts;
  return `${stage} ${(elapsedMs / 1000).toFixed(0)} s: ${invocations} operations, ` +
    `${ok} ok, ${fail} fail, ${info} info`;
}
