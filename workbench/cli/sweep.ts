/**
 * `sweep`: many seeds, or several values of one flag, as many runs at once as fit.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import {
  type Flags,
  type FlagValues,
  integer,
  parseFlags,
  UsageError,
} from "@eddy/maelstrom/flags";
import { isMutant } from "@eddy/mutants";
import { plural } from "../checkers/checker.ts";
import { printableLine, verdict } from "../explain.ts";
import type { Validity } from "../history.ts";
import type { ReportedRun } from "../junit.ts";
import { reachedIn } from "../observations.ts";
import { loadProgram } from "../program.ts";
import { folderName } from "../results_dir.ts";
import type { ScheduleName } from "../schedules.ts";
import { GENERATION, type Parents, Steering } from "../steering.ts";
import { isOfPart, type Job, type RunFigures, runsAtOnce } from "../sweep.ts";
import { CiReport, junitFlag } from "./ci.ts";
import { MAX_KEPT } from "./commands.ts";
import { checkRealTime, processProgram, runsVirtually, virtualProgram } from "./engine.ts";
import { BROKEN } from "./exit_codes.ts";
import {
  checkOwnOptions,
  checkSeeds,
  checkVaried,
  ignoredFlags,
  MAX_RUNS,
  type RunFlags,
  runFlags,
  sayIgnored,
  toRunOptions,
} from "./flags.ts";
import { installationOf } from "./mutants.ts";
import { type Kept, runAll } from "./run_all.ts";
import {
  colorFlag,
  type Line,
  printError,
  printJson,
  resultsLines,
  styleOf,
  Terminal,
} from "./terminal.ts";
import { replayLine, reportedRun, testFlags } from "./test.ts";

/** How many workers a command starts at most. */
const MAX_AT_ONCE = 1000;

/** The flags of `sweep`. */
export const sweepFlags = {
  ...runFlags,
  seed: { ...runFlags.seed, help: "The first seed; those after it count up", default: 0 },
  seeds: {
    help: "How many seeds to run for each value",
    value: "N",
    ...integer(1, MAX_RUNS),
    default: 20,
  },
  nemesis: {
    ...runFlags.nemesis,
    help: `${runFlags.nemesis.help} (default swarm; none with --vary and for processes)`,
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
  steer: {
    help:
      "Vary the worlds of runs that reached something new, where faults are drawn for each seed",
  },
  patience: {
    help: "End when so many runs, one after the other, reached nothing new",
    value: "N",
    ...integer(1, MAX_RUNS),
  },
  twice: {
    help: "Do each run under virtual time twice; one that differs the second time is invalid",
  },
  "no-shrink": { help: "Do not make the first invalid run under virtual time small" },
  json: { help: "Print a JSON object for each run" },
  ...colorFlag,
  ...junitFlag,
} satisfies Flags;

type SweepFlags = FlagValues<typeof sweepFlags>;

interface Vary {
  readonly name: string;
  readonly values: readonly string[];
}

/** A job with its row in the table and the command line that repeats it. */
interface Labelled extends Kept {
  readonly label: string;
  readonly replay: string;
  /** The seeds of the world that it varies. */
  readonly parents?: Parents | undefined;
  /** Where its results are, if they are kept. */
  readonly folder: NonNullable<Job["store"]>;
}

/** Runs the command and returns the exit code of the worst run. */
export async function sweepCommand(args: readonly string[]): Promise<number> {
  const { flags, words, rest } = parseFlags({ ...sweepFlags, ...ignoredFlags }, args);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  const vary = variedBy(flags);
  const first = flags.seed;
  checkSeeds(first, flags.seeds);
  const runs = flags.seeds * (vary?.values.length ?? 1);
  if (runs > MAX_RUNS) {
    throw new UsageError(`Cannot do ${runs} runs: at most ${MAX_RUNS} in one sweep (--seeds)`);
  }
  const report = new CiReport("sweep", flags.junit);
  const reports: ReportedRun[] = [];
  let code = BROKEN;
  let isWritten = false;
  try {
    const { jobs, vary: varied } = await runsOf(vary, first, args, rest);
    for (const ignored of sayIgnored(flags)) printError(ignored);
    for (const job of jobs) reports.push(reported(job, vary, undefined, 0));
    let failing: Failing | undefined;
    const steered = flags.steer || flags.patience !== undefined
      ? new SteeredRuns(flags.steer ? varied : (job) => job, flags.patience)
      : undefined;
    code = await sweepOver(jobs, flags, vary, steered, {
      onReport: (report, i) => reports[i] = report,
      onEarlyEnd: (count) => reports.length = count,
      onFailing: (found) => failing = found,
      // Before the table, whose end is where the results are.
      beforeShown: () => report.annotate(reports),
    });
    if (failing !== undefined && !flags["no-shrink"]) {
      const { index } = failing;
      const small = await shrinkFirst(failing, flags);
      const report = reports[index];
      if (report !== undefined) {
        reports[index] = { ...report, text: [report.text, ...small].join("\n") };
      }
    }
  } catch (error) {
    if (reports.length === 0 && !(error instanceof UsageError)) {
      const options = toRunOptions(flags, first);
      const replay = replayLine(flags, rest, options);
      reports.push(reportedRun(options, replay, "unknown", errorText(error)));
    }
    throw error;
  } finally {
    isWritten = reports.length === 0 || report.finish(reports);
  }
  return isWritten ? code : BROKEN;
}

/** The runs that a command line asks for. */
interface Asked {
  /** All seeds of the first value, then those of the next. */
  readonly jobs: readonly Labelled[];
  /** A run of one of them, of the last value, in a variation of another world. */
  readonly vary: (job: Labelled, parents: Parents) => Labelled;
}

async function runsOf(
  vary: Vary | undefined,
  first: number,
  args: readonly string[],
  rest: readonly string[],
): Promise<Asked> {
  const jobs: Labelled[] = [];
  const began = folderName();
  let jobWith: JobMaker | undefined;
  for (const { label, runArgs, nodeArgs } of variants(vary, args, rest)) {
    const { flags } = parseFlags({ ...sweepFlags, ...ignoredFlags }, runArgs);
    const make = await jobMaker(flags, nodeArgs, vary);
    jobWith = make;
    for (let i = 0; i < flags.seeds; i++) {
      const folder = { root: flags.store, name: `${began}-${jobs.length}` };
      jobs.push(make(first + i, { label, folder }));
    }
  }
  return { jobs, vary: (job, parents) => jobWith?.(job.options.seed, job, parents) ?? job };
}

/** Makes the run of a seed. */
type JobMaker = (
  seed: number,
  named: Pick<Labelled, "label" | "folder">,
  parents?: Parents,
) => Labelled;

async function jobMaker(
  given: SweepFlags,
  nodeArgs: readonly string[],
  vary: Vary | undefined,
): Promise<JobMaker> {
  const nodes = await nodesOf(given, nodeArgs, vary);
  const isProcess = nodes.bin !== undefined;
  // What varies is to be the only difference, and processes take as long as a world has seconds.
  const isPlain = vary !== undefined || isProcess;
  const flags = { ...given, nemesis: given.nemesis ?? (isPlain ? undefined : "swarm" as const) };
  const { nemesis, twice, steer } = flags;
  if (twice && isProcess) {
    throw new UsageError(`Cannot use --twice for ${nodes.bin}: it runs in real time`);
  }
  const draw = typeof nemesis === "string" ? await drawer(flags, nemesis, nodeArgs) : undefined;
  if (steer && draw === undefined) {
    throw new UsageError(
      "Cannot use --steer: it varies what --nemesis swarm or another schedule draws",
    );
  }
  return (seed, { label, folder }, parents) => {
    const drawn = draw?.(seed, parents);
    const options = drawn?.options ?? toRunOptions(flags, seed);
    const job = {
      label,
      folder,
      options,
      args: drawn?.args ?? nodeArgs,
      ...nodes,
      replay: replayLine({ ...flags, parents }, nodeArgs, options),
      ...(isProcess ? { store: folder } : { keptIn: folder }),
      runTimeoutSeconds: flags["run-timeout"],
      twice,
      isCovered: steer || flags.patience !== undefined,
      parents,
    };
    if (draw === undefined) return job;
    // The faults of many seeds are drawn again when each is run, and need no memory until then.
    return {
      ...job,
      get parts() {
        return { faults: draw(seed, parents).faults };
      },
    };
  };
}

async function drawer(flags: RunFlags, name: ScheduleName, args: readonly string[]) {
  const { drawerOf } = await import("./drawn_run.ts");
  return await drawerOf(flags, name, args);
}

/** Does the runs, and returns the exit code. */
async function sweepOver(
  jobs: readonly Labelled[],
  { jobs: asked, json, color }: Pick<SweepFlags, "jobs" | "json" | "color">,
  vary: Vary | undefined,
  steered: SteeredRuns | undefined,
  { onReport, onEarlyEnd, onFailing, beforeShown }: {
    /** Called with the first run that can be made small. */
    readonly onFailing: (failing: Failing) => void;
    readonly onReport: (report: ReportedRun, index: number) => void;
    /** Called with how many runs there are, if nothing new is to be expected of more. */
    readonly onEarlyEnd: (count: number) => void;
    readonly beforeShown: () => void;
  },
): Promise<number> {
  const atOnce = Math.min(asked ?? runsAtOnce(jobs), jobs.length);
  const engine = engineOf(jobs, atOnce);
  return await runAll("sweep", jobs, {
    atOnce,
    parts: steered,
    onOutcome(outcome, job, i, tookMs) {
      for (const note of outcome.notes) printError(note);
      onReport(reported(job, vary, outcome, tookMs), i);
      const { moreFindings: _, ...printed } = outcome;
      const { label, parents } = job;
      if (json) printJson({ label, parents, ...printed });
    },
    show(done, outcomes) {
      if (steered?.isOver) onEarlyEnd(done.length);
      beforeShown();
      const first = outcomes.findIndex(({ valid, path, anomalies }, i) =>
        valid === false && path !== undefined && done[i]?.bin === undefined &&
        anomalies.some(isOfPart)
      );
      const [job, path] = [done[first], outcomes[first]?.path];
      if (job !== undefined && path !== undefined) onFailing({ job, path, index: first });
      if (json) return;
      const terminal = new Terminal(color);
      terminal.print([engine]);
      const rows = vary === undefined ? seedRows(outcomes) : variedRows(done, outcomes, vary.name);
      terminal.printTable(rows, FIGURES.length);
      terminal.print(describe(done, outcomes, vary));
      if (steered !== undefined) terminal.print(steered.describe());
    },
  });
}

/** Decides the runs of a sweep by what those before reached. */
class SteeredRuns {
  readonly size = GENERATION;
  readonly #steering = new Steering();
  readonly #vary: Asked["vary"];
  readonly #patience: number;

  /**
   * @param vary makes the run of a variation
   * @param patience after how many runs without anything new no more are done
   */
  constructor(vary: Asked["vary"], patience = Infinity) {
    this.#vary = vary;
    this.#patience = patience;
  }

  /** Whether nothing new is to be expected. */
  get isOver(): boolean {
    return this.#steering.sinceNew >= this.#patience;
  }

  next(jobs: readonly Labelled[]): readonly Labelled[] {
    this.#steering.learn();
    if (this.isOver) return [];
    return jobs.map((job) => {
      const parents = this.#steering.parents(job.options.seed);
      return parents.length === 0 ? job : this.#vary(job, parents);
    });
  }

  take({ parents = [], options: { seed } }: Labelled, { reached = [] }: RunFigures): void {
    this.#steering.add([...parents, seed], reached);
  }

  /** What the runs reached. */
  describe(): string[] {
    this.#steering.learn();
    const { size, sinceNew } = this.#steering;
    const last = sinceNew === 0
      ? "of which the last run had some first"
      : `the last ${plural(sinceNew, "run")} reached nothing new`;
    return [`Reached: ${size} combinations of states, messages, faults and outcomes; ${last}`];
  }
}

/** A run that is not valid, and where its results are. */
interface Failing {
  readonly job: Labelled;
  readonly path: string;
  /** Its place among all. */
  readonly index: number;
}

/** How long the first invalid run is made smaller, in seconds of the machine's time. */
const SHRINK_SECONDS = 30;

/**
 * Makes a run small, and shows it; it may fail to, for the sweep is over.
 *
 * @returns what is to be said of the small run.
 */
async function shrinkFirst(
  { job, path }: Failing,
  { json, color, store }: Pick<SweepFlags, "json" | "color" | "store">,
): Promise<string[]> {
  const { jsonOf, linesOf, MAX_SHRINK_RUNS, readPlan, shrinkRun } = await import("./shrink.ts");
  const { args, install, program, planned, runTimeoutSeconds } = job;
  try {
    const small = await shrinkRun(readPlan(path), { args, install, program, planned }, {
      maxRuns: MAX_SHRINK_RUNS,
      maxSeconds: SHRINK_SECONDS,
      runTimeoutSeconds: runTimeoutSeconds ?? SHRINK_SECONDS,
      store,
    });
    const lines = linesOf(small);
    if (json) printJson({ small: jsonOf(small) });
    else new Terminal(color).print(lines);
    for (const note of small.outcome.notes) printError(note);
    return lines.map((line) => typeof line === "string" ? line : line.text);
  } catch (error) {
    printError(`The first invalid run is not made small: ${errorText(error)}`);
    return [];
  }
}

/** A run of a sweep as it is reported; without an outcome it was not done. */
function reported(
  job: Labelled,
  vary: Vary | undefined,
  outcome: RunFigures | undefined,
  tookMs: number,
): ReportedRun {
  const { options, replay } = job;
  const name = nameOf(job, vary);
  if (outcome === undefined) {
    const why = "The sweep ended before this run was done";
    return reportedRun(options, replay, undefined, why, { name, tookMs });
  }
  const { valid, path, reason, moreFindings: more } = outcome;
  const others = { name, more, path, figures: outcome, tookMs };
  return reportedRun(options, replay, valid, reason, others);
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
  const beside = ["steer", "patience"].find((flag) =>
    given[flag] !== undefined && given[flag] !== false
  );
  if (beside !== undefined) {
    throw new UsageError(
      `Cannot use --${beside} beside --vary, whose runs are to differ in one thing`,
    );
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
    await checkOwnOptions(run.workload, nodeArgs);
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

/** How many seeds have a row each; of more only those that are not valid have. */
const MAX_ROWS = 30;

/** The figures of a table, which are its last columns; latencies are those of {@linkcode LATENCIES}. */
const FIGURES = ["ok-fraction", "median ms", "max ms", "msgs/op between servers"];

const LATENCIES =
  "median ms and max ms: how long until a value is on all nodes for broadcast and " +
  "g-set, else how long operations took.";

function figuresOf(outcomes: readonly RunFigures[]): string[] {
  const settled = outcomes.map(({ stableMs, latencyMs }) => stableMs ?? latencyMs);
  return [
    spread(outcomes.map(({ okFraction }) => okFraction), 3, "least"),
    spread(settled.map((latency) => latency?.median), 1, "most"),
    spread(settled.map((latency) => latency?.max), 1, "most"),
    spread(outcomes.map(({ serversPerOp }) => serversPerOp), 3, "most"),
  ];
}

/** A row for each value that varies, with a head. */
function variedRows(
  jobs: readonly Labelled[],
  outcomes: readonly RunFigures[],
  what: string,
): string[][] {
  const labels = [...new Set(jobs.map(({ label }) => label))];
  const body = labels.map((label) => {
    const those = outcomes.filter((_, i) => jobs[i]?.label === label);
    const count = (valid: Validity) => String(those.filter((row) => row.valid === valid).length);
    const counts = [String(those.length), count(true), count(false), count("unknown")];
    return [label, ...counts, ...figuresOf(those)];
  });
  return [[what, "runs", "valid", "invalid", "unknown", ...FIGURES], ...body];
}

/** A row for each seed, or each that is not valid where there are many, and one for all, with a head. */
function seedRows(outcomes: readonly RunFigures[]): string[][] {
  const listed = outcomes.length <= MAX_ROWS
    ? outcomes
    : outcomes.filter(({ valid }) => valid !== true);
  const body = listed.map((outcome) => {
    // A single figure has no worst.
    const figures = figuresOf([outcome]).map((text) => text.split(" / ")[0] ?? "");
    return [String(outcome.seed), verdict(outcome.valid), ...figures];
  });
  const counts = ([true, false, "unknown"] as const).flatMap((valid) => {
    const count = outcomes.filter((outcome) => outcome.valid === valid).length;
    return count === 0 ? [] : [`${count} ${verdict(valid)}`];
  });
  const all = [`all ${outcomes.length}`, counts.join(", "), ...figuresOf(outcomes)];
  return [["seed", "verdict", ...FIGURES], ...body, all];
}

/** What stands below the table: what was reached, and the runs that are not valid, in order. */
function describe(
  jobs: readonly Labelled[],
  outcomes: readonly RunFigures[],
  vary: Vary | undefined,
): Line[] {
  const lines: Line[] = [
    "Two figures in a cell: the median over the seeds and, after the slash, the worst of them.",
    LATENCIES,
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
    const job = jobs[i];
    if (valid === true || job === undefined) continue;
    const [first = "", ...others] = reason.split("\n");
    const word = `${nameOf(job, vary)}: ${verdict(valid)}`;
    lines.push({ text: `${word}: ${first}`, style: styleOf(valid), word }, ...others);
    lines.push({ text: `  ${job.replay}`, isWhole: true });
    if (path !== undefined) lines.push(...resultsLines(path, "  "));
  }
  return lines;
}

/** What tells a run from the others. */
function nameOf({ label, options }: Labelled, vary: Vary | undefined): string {
  return `${vary === undefined ? "" : `${vary.name}=${label}, `}seed ${options.seed}`;
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
