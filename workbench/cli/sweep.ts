/**
 * `sweep`: many seeds, or several values of one flag, as many runs at once as fit.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { type Flags, integer, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { isMutant } from "@eddy/mutants";
import { printableLine, verdict } from "../explain.ts";
import { type Validity, worst } from "../history.ts";
import { reachedIn } from "../observations.ts";
import { loadProgram } from "../program.ts";
import { folderName } from "../results_dir.ts";
import { type Job, type RunFigures, runJobs, runsAtOnce, wasEnded } from "../sweep.ts";
import {
  checkOwnOptions,
  checkSeeds,
  checkVaried,
  exitCodeOf,
  ignoredFlags,
  MAX_RUNS,
  type RunFlags,
  runFlags,
  sayIgnored,
  toRunOptions,
} from "./flags.ts";
import { installationOf } from "./mutants.ts";
import { describeRuns, ProgressLine } from "./progress.ts";
import {
  colorFlag,
  Interrupts,
  type Line,
  printError,
  printJson,
  resultsLine,
  StatusLine,
  styleOf,
  Terminal,
} from "./terminal.ts";
import {
  checkRealTime,
  processProgram,
  replayLine,
  runsVirtually,
  testFlags,
  virtualProgram,
} from "./test.ts";

/** How many workers a command starts at most. */
const MAX_AT_ONCE = 1000;

/** How many runs that are not valid are run again under virtual time, to keep their results. */
const MAX_KEPT = 10;

/** The flags of `sweep`. */
export const sweepFlags = {
  ...runFlags,
  seeds: {
    help: "How many seeds to run for each value",
    value: "N",
    ...integer(1, MAX_RUNS),
    default: 20,
  },
  vary: {
    help: "A flag of the run or of Eddy's own node, and its values: latency=0,10,100",
    value: "NAME=V,V",
    accepts: "a flag's name, =, and values separated by commas",
    parse: parseVary,
    many: true,
  },
  jobs: {
    help: "How many runs at once (default: one a core; of processes two nodes a core)",
    value: "N",
    ...integer(1, MAX_AT_ONCE),
  },
  store: {
    ...testFlags.store,
    help: `Folder for the results: of the first ${MAX_KEPT} runs that are not valid, and of all ` +
      "in real time, which no seed repeats",
  },
  json: { help: "Print a JSON object for each run" },
  ...colorFlag,
} satisfies Flags;

interface Vary {
  readonly name: string;
  readonly values: readonly string[];
}

/** A job with its row in the table and the command line that repeats it. */
interface Labelled extends Kept {
  readonly label: string;
  readonly replay: string;
}

/** Runs the command and returns the exit code of the worst run. */
export async function sweepCommand(args: readonly string[]): Promise<number> {
  const { flags, words, rest } = parseFlags({ ...sweepFlags, ...ignoredFlags }, args);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  const vary = variedBy(flags);
  const first = flags.seed ?? 0;
  checkSeeds(first, flags.seeds);
  const runs = flags.seeds * (vary?.values.length ?? 1);
  if (runs > MAX_RUNS) {
    throw new UsageError(`Cannot do ${runs} runs: at most ${MAX_RUNS} in one sweep (--seeds)`);
  }
  const jobs: Labelled[] = [];
  const began = folderName();
  for (const { label, runArgs, nodeArgs } of variants(vary, args, rest)) {
    const known: Flags = { ...sweepFlags, ...ignoredFlags };
    const run = parseFlags(known, runArgs).flags as typeof flags;
    const nodes = await nodesOf(run, nodeArgs, vary);
    for (let i = 0; i < flags.seeds; i++) {
      const options = toRunOptions(run, first + i);
      const replay = replayLine(run, nodeArgs, options);
      const folder = { root: flags.store, name: `${began}-${jobs.length}` };
      const where = nodes.bin === undefined ? { keptIn: folder } : { store: folder };
      const runTimeoutSeconds = run["run-timeout"];
      jobs.push({ label, options, args: nodeArgs, ...nodes, replay, ...where, runTimeoutSeconds });
    }
  }
  for (const ignored of sayIgnored(flags)) printError(ignored);
  const atOnce = Math.min(flags.jobs ?? runsAtOnce(jobs), jobs.length);
  const engine = engineOf(jobs, atOnce);
  const what = vary?.name ?? "seeds";
  return await runAll("sweep", jobs, {
    atOnce,
    onOutcome(outcome, i) {
      for (const note of outcome.notes) printError(note);
      if (flags.json) printJson({ label: jobs[i]?.label, ...outcome });
    },
    show(done, outcomes) {
      if (flags.json) return;
      const terminal = new Terminal(flags.color);
      terminal.print([engine]);
      terminal.printTable(rowsOf(done, outcomes, what));
      terminal.print(describe(done, outcomes));
    },
  });
}

/** A job of {@linkcode runAll}. */
interface Kept extends Job {
  /**
   * Where its results are kept if it is not valid, for which it is run again; only the first
   * {@linkcode MAX_KEPT} are.
   */
  readonly keptIn?: Job["store"];
}

/** What is called with what runs came to. */
interface RunAllHooks<Each extends Job> {
  /** As many as fit by default. */
  readonly atOnce?: number;
  /** Called with each outcome: as it comes, or once it is known where its results are. */
  readonly onOutcome?: (outcome: RunFigures, index: number) => void;
  /** Called with the jobs that are done and their outcomes, in order. */
  readonly show: (jobs: readonly Each[], outcomes: readonly RunFigures[]) => void;
}

/**
 * Does runs on all cores and shows what they came to; a signal ends them early.
 *
 * @returns the exit code of the worst.
 * @throws {Error} if they were interrupted, after showing those that are done.
 */
export async function runAll<Each extends Kept>(
  what: "sweep" | "demo",
  jobs: readonly Each[],
  { onOutcome = () => {}, atOnce, show }: RunAllHooks<Each>,
): Promise<number> {
  const byIndex = new Map<number, RunFigures>();
  const interrupts = new Interrupts(what);
  const { signal } = interrupts;
  const progress = new RunsProgress(jobs.length);
  const told = (outcome: RunFigures, i: number) => {
    progress.clear();
    onOutcome(outcome, i);
  };
  const waits = (outcome: RunFigures, i: number) =>
    outcome.valid !== true && jobs[i]?.keptIn !== undefined;
  try {
    const noting = (outcome: RunFigures, i: number) => {
      byIndex.set(i, outcome);
      if (!waits(outcome, i)) told(outcome, i);
      progress.add(outcome);
    };
    await runJobs(jobs, { onOutcome: noting, signal, atOnce });
    await keepFailing(jobs, byIndex, signal, atOnce);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    interrupts.stop();
    progress.stop();
  }
  const done = [...byIndex].sort(([a], [b]) => a - b);
  for (const [i, outcome] of done) if (waits(outcome, i)) told(outcome, i);
  const outcomes = done.map(([, outcome]) => outcome);
  if (done.length > 0) show(done.map(([i]) => jobs[i] as Each), outcomes);
  if (done.length < jobs.length) {
    const reason = errorText(signal.reason);
    throw new Error(`${reason}: ${done.length} of ${jobs.length} runs were done`);
  }
  return exitCodeOf(worst(outcomes.map(({ valid }) => valid)));
}

/** Does the first runs that are not valid again, and adds to their outcomes where the results are. */
async function keepFailing(
  jobs: readonly Kept[],
  byIndex: Map<number, RunFigures>,
  signal: AbortSignal,
  atOnce: number | undefined,
): Promise<void> {
  const failing = jobs.flatMap((job, i) => {
    const outcome = byIndex.get(i);
    const keeps = job.keptIn !== undefined && outcome?.valid !== true;
    // What was ended with its worker would be again, and leave nothing.
    if (outcome === undefined || !keeps || wasEnded(outcome)) return [];
    return [{ i, outcome, job: { ...job, store: job.keptIn } }];
  }).slice(0, MAX_KEPT);
  const onOutcome = ({ valid, path, notes }: RunFigures, k: number) => {
    const again = failing[k];
    if (again === undefined) return;
    const { i, outcome } = again;
    const same = valid === outcome.valid ? [] : [
      `Seed ${outcome.seed} is ${verdict(valid)} when it is run again to keep its results, and ` +
      `was ${verdict(outcome.valid)}: its nodes do not depend on the seed alone`,
    ];
    byIndex.set(i, { ...outcome, path, notes: [...outcome.notes, ...same, ...notes] });
  };
  if (failing.length > 0) {
    await runJobs(failing.map(({ job }) => job), { onOutcome, signal, atOnce });
  }
}

/** How often the time that is left is counted anew. */
const TICK_MS = 1000;

/** How many of several runs are done, at the bottom of a terminal. */
class RunsProgress {
  readonly #line = new ProgressLine(new StatusLine(), Deno.stderr.isTerminal());
  readonly #count: number;
  #done = 0;
  #wrong = 0;
  readonly #timer = setInterval(() => this.#update(), TICK_MS);

  constructor(count: number) {
    this.#count = count;
  }

  /** Adds a run that is done. */
  add({ valid }: RunFigures): void {
    this.#done++;
    if (valid !== true) this.#wrong++;
    this.#update();
  }

  /** Removes the line until the next change. */
  clear(): void {
    this.#line.clear();
  }

  /** Removes the line for good. */
  stop(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #update(): void {
    const state = { done: this.#done, wrong: this.#wrong, count: this.#count };
    this.#line.update((elapsedMs) => describeRuns(state, elapsedMs));
  }
}

/** What varies, if anything does. */
function variedBy(
  given: Readonly<Record<string, unknown>> & { readonly vary: readonly Vary[] },
): Vary | undefined {
  const [vary, second] = given.vary;
  if (vary === undefined) return undefined;
  const { name, values } = vary;
  if (second !== undefined) {
    throw new UsageError(`Cannot vary two flags, ${name} and ${second.name}: --vary names one`);
  }
  if (name === "seed") {
    throw new UsageError("Cannot vary seed: --seeds says how many, --seed the first");
  }
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) {
    throw new UsageError(`Cannot vary ${name}: ${JSON.stringify(twice)} is given twice`);
  }
  checkVaried(name, given);
  return vary;
}

/** What runs, in a line. */
function engineOf(jobs: readonly Job[], atOnce: number): string {
  const processes = jobs.filter(({ bin }) => bin !== undefined);
  const isOwn = jobs.every(({ program, install, bin }) =>
    (program ?? install ?? bin) === undefined
  );
  const time = processes.length === 0
    ? "Virtual time"
    : processes.length === jobs.length
    ? "Real time"
    : "Real time for processes";
  const nodes = isOwn ? "Eddy's own node" : processes.length === 0 ? "programs" : "processes";
  const place = processes.length === 0 && atOnce === runsAtOnce(jobs)
    ? "on all cores"
    : `${atOnce} ${atOnce === 1 ? "run" : "runs"} at once`;
  return `${time}, ${nodes}${place.startsWith("on") ? " " : ", "}${place}`;
}

/**
 * What the nodes of one variant are. Without a program the options for Eddy's own are checked, among
 * them a flag that varies and is not one of the run's.
 */
async function nodesOf(
  run: RunFlags,
  nodeArgs: readonly string[],
  vary: Vary | undefined,
): Promise<Pick<Job, "install" | "program" | "bin" | "planned">> {
  const { bin, workload } = run;
  checkRealTime(run);
  if (isMutant(bin)) {
    return { install: installationOf(bin, workload, nodeArgs), planned: { bin } };
  }
  if (bin !== undefined && runsVirtually(run)) {
    const program = await loadProgram(bin);
    return { program, planned: await virtualProgram(bin, program) };
  }
  if (bin !== undefined) return { bin, planned: await processProgram(bin, run) };
  try {
    checkOwnOptions(run.workload, nodeArgs);
    return {};
  } catch (error) {
    if (vary === undefined || Object.hasOwn(runFlags, vary.name)) throw error;
    const why = errorText(error);
    throw new UsageError(
      `Cannot vary ${vary.name}, which is no flag of the run, but taken for the node's: ${why}`,
      { cause: error },
    );
  }
}

/** A command line with one value of the flag that varies. */
interface Variant {
  readonly label: string;
  readonly runArgs: readonly string[];
  readonly nodeArgs: readonly string[];
}

function variants(
  vary: Vary | undefined,
  args: readonly string[],
  rest: readonly string[],
): Variant[] {
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  if (vary === undefined) return [{ label: "all", runArgs: own, nodeArgs: rest }];
  const isOurs = Object.hasOwn(runFlags, vary.name);
  return vary.values.map((value) => {
    const flag = `--${vary.name}=${value}`;
    return {
      label: value,
      runArgs: isOurs ? [...own, flag] : own,
      nodeArgs: isOurs ? rest : [...rest, flag],
    };
  });
}

function parseVary(text: string): Vary | undefined {
  const [, name, values] = /^([\w-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || values === undefined) return undefined;
  return { name, values: values.split(",") };
}

/** The rows of the table, with its head: one for each value that varies. */
function rowsOf(
  jobs: readonly Labelled[],
  outcomes: readonly RunFigures[],
  what: string,
): string[][] {
  const labels = [...new Set(jobs.map(({ label }) => label))];
  const body = labels.map((label) => {
    const those = outcomes.filter((_, i) => jobs[i]?.label === label);
    const count = (valid: Validity) => String(those.filter((row) => row.valid === valid).length);
    const settled = those.map(({ stableMs, latencyMs }) => stableMs ?? latencyMs);
    return [
      label,
      String(those.length),
      count(true),
      count(false),
      count("unknown"),
      spread(those.map(({ okFraction }) => okFraction), 3, "least"),
      spread(those.map(({ serversPerOp }) => serversPerOp), 3, "most"),
      spread(settled.map((latency) => latency?.median), 1, "most"),
      spread(settled.map((latency) => latency?.max), 1, "most"),
    ];
  });
  const heads = [what, "runs", "valid", "invalid", "unknown", "ok-fraction", "servers msgs/op"];
  return [[...heads, "median ms", "max ms"], ...body];
}

/** What stands below the table: what was reached, and the runs that are not valid, in order. */
function describe(jobs: readonly Labelled[], outcomes: readonly RunFigures[]): Line[] {
  const lines: Line[] = [
    "Figures: the median over the seeds and, after the slash, the worst of them.",
    "Latencies: until a value is on all nodes for broadcast and g-set, else of operations.",
    ...describeReached(outcomes),
  ];
  const noted = outcomes.map(({ machineNote }) => machineNote).filter((note) => note !== undefined);
  if (noted.length > 0) lines.push(`In ${noted.length} of ${outcomes.length} runs: ${noted[0]}`);
  const failing = outcomes.filter(({ valid }) => valid !== true).length;
  const more = failing - outcomes.filter(({ path }) => path !== undefined).length;
  if (failing > MAX_KEPT && more > 0) {
    lines.push(`${failing} runs are not valid; of ${more} of them no results are kept`);
  }
  for (const [i, { valid, reason, path }] of outcomes.entries()) {
    if (valid === true) continue;
    const [first = "", ...others] = reason.split("\n");
    const text = `${verdict(valid)}: ${first}`;
    lines.push({ text, style: styleOf(valid), word: verdict(valid) }, ...others);
    lines.push({ text: `  ${jobs[i]?.replay}`, isWhole: true });
    if (path !== undefined) lines.push(resultsLine(path, "  "));
  }
  return lines;
}

/** How many names of `sometimes` are listed. */
const MAX_NAMES = 20;

/** In how many runs each name of `sometimes` was reached, the rarest first. */
function describeReached(outcomes: readonly RunFigures[]): string[] {
  const reached = [...reachedIn(outcomes.map(({ observed }) => observed))]
    .sort(([, a], [, b]) => a - b);
  const lines = reached.slice(0, MAX_NAMES).map(([name, count]) => {
    const seen = count === 0
      ? "reached in no run"
      : `reached in ${count} of ${outcomes.length} runs`;
    return `sometimes: ${printableLine(name)}: ${seen}`;
  });
  const more = reached.length - lines.length;
  return more > 0 ? [...lines, `... and ${more} more names`] : lines;
}

/** The median and the worst of some figures, as `median / worst`. */
export function spread(
  values: readonly (number | undefined)[],
  digits: number,
  worstIs: "least" | "most",
): string {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const worstOf = sorted.at(worstIs === "least" ? 0 : -1);
  if (median === undefined || worstOf === undefined) return "";
  return `${median.toFixed(digits)} / ${worstOf.toFixed(digits)}`;
}
