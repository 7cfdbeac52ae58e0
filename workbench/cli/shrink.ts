/**
 * `shrink`: the smallest run that still shows what a failing one does.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { integer, number, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { isMutant } from "@eddy/mutants";
import { join } from "@std/path/join";
import { plural } from "../checkers/checker.ts";
import { printableLine } from "../explain.ts";
import { MAX } from "../options.ts";
import { parsePlan, type Plan } from "../plan.ts";
import { isLoadable, loadProgram } from "../program.ts";
import { folderName } from "../results_dir.ts";
import {
  Losses,
  type LostMessage,
  type PlanSize,
  shrinkPlan,
  type Shrunk,
  sizeOf,
} from "../shrink.ts";
import {
  isOfPart,
  type Job,
  type RunFigures,
  runJob,
  runNodes,
  taskOf,
  TaskPool,
} from "../sweep.ts";
import { commandName, shellWord } from "./command_name.ts";
import { virtualProgram } from "./engine.ts";
import { exitCodeOf } from "./exit_codes.ts";
import { checkOwnOptions } from "./flags.ts";
import { installationOf } from "./mutants.ts";
import { ProgressLine } from "./progress.ts";
import {
  colorFlag,
  Interrupts,
  type Line,
  print,
  printError,
  printJson,
  resultsLines,
  StatusLine,
  Terminal,
} from "./terminal.ts";
import { testFlags } from "./test.ts";
import { testOf } from "./test_file.ts";

/** How many runs shrinking takes at most, unless it is told. */
export const MAX_SHRINK_RUNS = 500;

/** The flags of `shrink`. */
export const shrinkFlags = {
  runs: {
    help: "How many runs it takes at most",
    value: "N",
    ...integer(1, 100_000),
    default: MAX_SHRINK_RUNS,
  },
  "as-test": {
    help: "Write the small run as a test, which fails while the node does; for `deno test -A`",
    value: "FILE",
  },
  store: { ...testFlags.store, help: "Folder for the results of the small run" },
  "run-timeout": {
    help:
      "Break a run off after so many seconds of real time; it counts as one without the finding",
    value: "S",
    ...number(0.001, MAX.runTimeoutSeconds),
    default: 30,
  },
  json: { help: "Print the result as JSON" },
  ...colorFlag,
};

/** Runs the command and returns the exit code. */
export async function shrinkCommand(args: readonly string[]): Promise<number> {
  const { flags, words: [given, extra] } = parseFlags(shrinkFlags, args);
  if (given === undefined || given === "") {
    throw new UsageError(
      "Cannot shrink without a run: name its folder, such as store/latest, or its plan.json",
    );
  }
  if (extra !== undefined) throw new UsageError(`Unexpected argument ${JSON.stringify(extra)}`);
  const testFile = flags["as-test"];
  if (testFile !== undefined) checkTestFile(testFile);
  const plan = readPlan(given);
  const nodes = await nodesOf(plan);
  const small = await shrinkRun(plan, nodes, {
    maxRuns: flags.runs,
    runTimeoutSeconds: flags["run-timeout"],
    store: flags.store,
  });
  if (flags.json) printJson({ ...jsonOf(small), test: testFile }, 2);
  else new Terminal(flags.color).print(linesOf(small));
  for (const note of small.outcome.notes) printError(note);
  if (testFile !== undefined) {
    writeTest(testFile, testOf(small.plan, small.anomaly, testFile));
    if (!flags.json) print(`Test: ${testFile}; run it with deno test -A ${shellWord(testFile)}`);
  }
  return exitCodeOf(small.outcome.valid);
}

/** Refuses a file that is there, or cannot be: before the work, not after it. */
function checkTestFile(file: string): void {
  if (exists(file)) {
    throw new UsageError(`Cannot write --as-test ${file}: it is there, and none is overwritten`);
  }
  const folder = join(file, "..");
  if (!isFolder(folder)) {
    throw new UsageError(`Cannot write --as-test ${file}: there is no folder ${folder}`);
  }
}

/** Writes a test; leaves none that is not whole. */
function writeTest(file: string, text: string): void {
  try {
    Deno.writeTextFileSync(file, text, { createNew: true });
  } catch (cause) {
    if (exists(file)) Deno.removeSync(file);
    throw new Error(`Cannot write --as-test ${file}: ${errorText(cause)}`, { cause });
  }
}

/** A run that was made small. */
export interface SmallRun extends Shrunk {
  /** The kind of finding that it shows, as the run did that it was made of. */
  readonly anomaly: string;
  readonly before: PlanSize;
  readonly after: PlanSize;
  /** Whether anything was left out; else nothing is kept. */
  readonly isSmaller: boolean;
  readonly tookMs: number;
  /** What the small run came to, and where its results are. */
  readonly outcome: RunFigures;
}

/** What runs the nodes of a plan, and how. */
export type PlanNodes = Pick<Job, "install" | "program" | "planned" | "args">;

/** Settings of {@linkcode shrinkRun}. */
interface ShrinkOptions {
  readonly maxRuns: number;
  readonly runTimeoutSeconds: number;
  readonly store: string;
  /** Of the machine's time, for all runs. */
  readonly maxSeconds?: number;
}

/**
 * Makes the run of a plan small, and does the small one, whose results are kept.
 *
 * A signal ends it with what has been found so far.
 *
 * @throws {UsageError} if the run is not invalid, so that there is nothing to keep.
 */
export async function shrinkRun(
  plan: Plan,
  nodes: PlanNodes,
  { maxRuns, runTimeoutSeconds, store: root, maxSeconds = Infinity }: ShrinkOptions,
): Promise<SmallRun> {
  const beganMs = performance.now();
  const leftSeconds = () => maxSeconds - (performance.now() - beganMs) / 1000;
  const jobOf = ({ options, ...parts }: Plan): Job => {
    const limit = Math.min(runTimeoutSeconds, Math.max(1, leftSeconds()));
    return { options, ...nodes, runTimeoutSeconds: limit, parts };
  };
  const atOnce = navigator.hardwareConcurrency;
  const interrupts = new Interrupts("shrinking");
  const pool = new TaskPool(atOnce);
  const progress = new ProgressLine(new StatusLine(), Deno.stderr.isTerminal());
  const run = (plans: readonly Plan[]) =>
    pool.run<RunFigures>(plans.map((each) => taskOf(jobOf(each))), undefined, interrupts.signal);
  try {
    const [first] = await run([plan]);
    const anomaly = first?.anomalies.find(isOfPart);
    if (anomaly === undefined) throw nothingToKeep(plan, first);
    const shrunk = await shrinkPlan(plan, {
      maxRuns,
      atOnce,
      async fail(plans) {
        try {
          const outcomes = await run(plans);
          return outcomes.map(({ anomalies }) => anomalies.includes(anomaly));
        } catch (error) {
          if (!interrupts.signal.aborted) throw error;
          return plans.map(() => false);
        }
      },
      lost: (each) => lostIn(jobOf(each)),
      isOver: () => interrupts.signal.aborted || leftSeconds() <= 0,
      onProgress: (size, runs) =>
        progress.update(() => `Shrinking, ${plural(runs, "run")}: ${describeSize(size)}`),
    });
    progress.clear();
    const [before, after] = [sizeOf(plan), sizeOf(shrunk.plan)];
    const isSmaller = JSON.stringify(before) !== JSON.stringify(after);
    const store = isSmaller ? { root, name: `${folderName()}-small` } : undefined;
    const outcome = await runJob({ ...jobOf(shrunk.plan), store });
    const tookMs = performance.now() - beganMs;
    return { ...shrunk, anomaly, before, after, isSmaller, tookMs, outcome };
  } catch (error) {
    // Whatever could not be done then, a signal is why.
    throw interrupts.signal.aborted ? interrupts.signal.reason : error;
  } finally {
    progress.clear();
    interrupts.stop();
    await pool.stop();
  }
}

function nothingToKeep({ program }: Plan, first: RunFigures | undefined): UsageError {
  const [whole] = first?.anomalies ?? [];
  if (whole !== undefined) {
    return new UsageError(`Cannot shrink the run: ${whole} is said of a run as a whole`);
  }
  if (first?.valid === true) {
    const perhaps = program === undefined ? "" : ", now at least: its program may have changed";
    return new UsageError(`Cannot shrink the run: it is valid${perhaps}`);
  }
  return new UsageError(`Cannot shrink the run: it is unknown, ${first?.reason ?? "and ended"}`);
}

/** Which messages between nodes the faults of a run lost. */
async function lostIn(job: Job): Promise<readonly LostMessage[]> {
  const losses = new Losses(job.options.nemesis);
  await runNodes(job, { onMessage: (event) => losses.add(event) });
  return losses.lost;
}

/**
 * Reads the plan of a run.
 *
 * @param path the run's folder, or the plan itself
 * @throws {UsageError} if there is none, or it cannot be run.
 */
export function readPlan(path: string): Plan {
  const file = isFolder(path) ? join(path, "plan.json") : path;
  try {
    return parsePlan(Deno.readTextFileSync(file));
  } catch (cause) {
    throw new UsageError(`Cannot read the plan ${file}: ${errorText(cause)}`, { cause });
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * What runs the nodes of a plan.
 *
 * @throws {UsageError} if they run as processes, in real time, which no plan repeats.
 */
async function nodesOf({ program, args, options: { workload } }: Plan): Promise<PlanNodes> {
  if (program === undefined) {
    await checkOwnOptions(workload, args);
    return { args };
  }
  const { bin, sha256, realTime } = program;
  if (isMutant(bin)) {
    return { args, install: installationOf(bin, workload, args), planned: program };
  }
  if (realTime || !isLoadable(bin)) {
    throw new UsageError(
      `Cannot shrink a run of ${bin}: it ran as processes, in real time, which no plan repeats`,
    );
  }
  const loaded = await loadProgram(bin);
  const planned = await virtualProgram(bin, loaded);
  if (sha256 !== undefined && planned.sha256 !== sha256) {
    printError(`${bin} is not what the plan was made with: it may do something else`);
  }
  return { args, program: loaded, planned };
}

/** What is printed of a small run; where its results are is the last line. */
export function linesOf(small: SmallRun): Line[] {
  const { anomaly, before, after, isSmaller, runs, tookMs, isDone, outcome } = small;
  const [reason = "", ...others] = outcome.reason.split("\n");
  const { path } = outcome;
  const took = `${plural(runs, "run")} and ${(tookMs / 1000).toFixed(1)} s`;
  const finding = `the finding ${printableLine(anomaly)}`;
  const plan = path === undefined ? undefined : shellWord(join(path, "plan.json"));
  const sizes = isSmaller
    ? [
      `Shrunk, with ${finding}, in ${took}:`,
      `  before  ${describeSize(before)}`,
      `  after   ${describeSize(after)}`,
    ]
    : [`Nothing was left out that keeps ${finding}, in ${took}: ${describeSize(before)}`];
  return [
    ...sizes,
    ...isDone ? [] : [
      "  Less may be enough: it was ended before everything was tried" +
      (path === undefined ? "" : `; ${commandName()} shrink ${shellWord(path)} goes on`),
    ],
    `Seed ${outcome.seed}: ${reason}`,
    ...others,
    ...plan === undefined ? [] : [
      { text: `Replay with: ${commandName()} test --plan ${plan}`, isWhole: true } as const,
    ],
    ...path === undefined ? [] : resultsLines(path),
  ];
}

/** A small run as JSON. */
export function jsonOf(
  { anomaly, before, after, runs, tookMs, isDone, outcome }: SmallRun,
): Readonly<Record<string, unknown>> {
  const { seed, valid, reason, path } = outcome;
  return { anomaly, before, after, runs, tookMs, isDone, seed, valid, reason, path };
}

function describeSize(
  { operations, clients, nodes, faults, lostMessages, seconds }: PlanSize,
): string {
  const short = Number(seconds.toPrecision(3));
  const lost = lostMessages === 0 ? "" : `, ${plural(lostMessages, "lost message")}`;
  return `${plural(operations, "operation")} of ${plural(clients, "client")}, ` +
    `${plural(nodes, "node")}, ${plural(faults, "fault")}${lost}, ${short} s`;
}
