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
import type { ReportedRun } from "../junit.ts";
import type { PlanProgram } from "../plan.ts";
import { type LoadedProgram, loadProgram } from "../program.ts";
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
  OF_PROGRAM,
  type RunFlags,
  runFlags,
  sayIgnored,
  toRunOptions,
} from "./flags.ts";
import { installationOf } from "./mutants.ts";
import { type Fleet, type Kept, runAll } from "./run_all.ts";
import { checkServer, natsFlags, runOverNats } from "./nats.ts";
import { isOfShard, MAX_SHARDS, parseShard, ShardFile, type SweepName } from "./merge.ts";
import { nameOf, runJson, showRuns, type SweptRun } from "./sweep_table.ts";
import { colorFlag, printError, printJson, Terminal } from "./terminal.ts";
import { givenWords, replayLine, reportedRun, testFlags } from "./test.ts";

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
    help:
      `End when so many runs or more, one after the other, reached nothing new; looked at after ` +
      `every ${GENERATION} runs`,
    value: "N",
    ...integer(1, MAX_RUNS),
  },
  shard: {
    help: "Do the I-th of N parts of the runs, and keep what `eddy merge` takes in the store",
    value: "I/N",
    accepts: `a part and how many there are, such as 3/20, at most ${MAX_SHARDS}`,
    parse: parseShard,
  },
  twice: {
    help: "Do each run under virtual time twice; one that differs the second time is invalid",
  },
  ...natsFlags,
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
export interface Labelled extends Kept {
  readonly label: string;
  readonly replay: string;
  /** The seeds of the world that it varies. */
  readonly parents?: Parents | undefined;
  /** Where its results are, if they are kept. */
  readonly folder: NonNullable<Job["store"]>;
}

/** Runs the command and returns the exit code of the worst run. */
export async function sweepCommand(args: readonly string[]): Promise<number> {
  const { flags: { nats, creds, tlsca } } = parseSweep(args);
  checkServer({ nats, creds, tlsca });
  return nats === undefined ? await sweepOn(args) : await runOverNats("sweep", args);
}

/**
 * Does a sweep.
 *
 * @param fleet does its runs; this machine by default
 * @returns the exit code of the worst run.
 */
export async function sweepOn(
  args: readonly string[],
  fleet?: Fleet<Labelled>,
): Promise<number> {
  const { flags, rest, vary } = parseSweep(args);
  const first = flags.seed;
  const report = new CiReport("sweep", flags.junit);
  const reports: ReportedRun[] = [];
  let code = BROKEN;
  let isWritten = false;
  try {
    const { jobs: all, vary: varied } = await sweepRuns(args);
    const { shard } = flags;
    const learning = learningFlag(flags);
    if (shard !== undefined && learning !== undefined) {
      throw new UsageError(
        `Cannot use --${learning} beside --shard: it learns from all runs before`,
      );
    }
    const jobs = shard === undefined ? all : all.filter((_, i) => isOfShard(shard, i));
    for (const ignored of sayIgnored(flags)) printError(ignored);
    for (const job of jobs) reports.push(reported(job, vary, undefined, 0));
    let failing: Failing | undefined;
    const part = shard && new ShardFile(flags.store, shard);
    if (jobs.length === 0) part?.write(nameOfSweep(flags, vary, rest, all), []);
    const steered = learning === undefined
      ? undefined
      : new SteeredRuns(flags.steer ? varied : (job) => job, flags.patience);
    code = await sweepOver(jobs, flags, vary, { steered, fleet }, {
      onReport: (report, i) => reports[i] = report,
      onEarlyEnd: (count) => reports.length = count,
      onFailing: (found) => failing = found,
      onRuns(runs) {
        if (runs.length === jobs.length) part?.write(nameOfSweep(flags, vary, rest, all), runs);
      },
      // Before the table, whose end is where the results are.
      beforeShown: () => report.annotate(reports),
    });
    if (part !== undefined) printError(`${plural(jobs.length, "run")} in ${part.path}, for merge`);
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

/** What the parts of a sweep have in common, and no other sweep has. */
function nameOfSweep(
  flags: SweepFlags,
  vary: Vary | undefined,
  rest: readonly string[],
  jobs: readonly Labelled[],
): SweepName {
  const programs = jobs.flatMap(({ label, planned }) =>
    planned?.sha256 === undefined ? [] : [[label, planned.sha256] as const]
  );
  const { name: varied, values = [] } = vary ?? {};
  const words = [
    ...givenWords(flags),
    ...["--seed", `${flags.seed}`, "--seeds", `${flags.seeds}`],
    ...varied === undefined ? [] : ["--vary", `${varied}=${values.join()}`],
    ...flags.twice ? ["--twice"] : [],
    ...["--", ...rest],
  ];
  return {
    settings: words.join(" "),
    programs: Object.fromEntries(programs),
    varied,
    seed: flags.seed,
    seeds: flags.seeds,
    runs: jobs.length,
  };
}

/** Reads the command line of a sweep. */
function parseSweep(args: readonly string[]) {
  const { flags, words, rest } = parseFlags({ ...sweepFlags, ...ignoredFlags }, args, OF_PROGRAM);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  const vary = variedBy(flags);
  checkSeeds(flags.seed, flags.seeds);
  const runs = flags.seeds * (vary?.values.length ?? 1);
  if (runs > MAX_RUNS) {
    throw new UsageError(`Cannot do ${runs} runs: at most ${MAX_RUNS} in one sweep (--seeds)`);
  }
  return { flags, rest, vary };
}

/** The nodes of a sweep that are a program, where that is there already. */
export interface SweepProgram {
  readonly program: LoadedProgram;
  /** What the plan among the results says of it. */
  readonly planned: PlanProgram;
}

/** The runs that a command line asks for. */
export interface SweepRuns {
  /** All seeds of the first value, then those of the next. */
  readonly jobs: readonly Labelled[];
  /** A run of one of them, of the last value, in a variation of another world. */
  readonly vary: (job: Labelled, parents: Parents) => Labelled;
}

/**
 * The runs that the command line of a sweep asks for.
 *
 * @param programs those that it may name beside mutants; by default those in files of this machine
 * @throws {UsageError} if it asks for what cannot be run.
 */
export async function sweepRuns(
  args: readonly string[],
  programs?: ReadonlyMap<string, SweepProgram>,
): Promise<SweepRuns> {
  const { flags: { seed: first }, rest, vary } = parseSweep(args);
  const jobs: Labelled[] = [];
  const began = folderName();
  let jobWith: JobMaker | undefined;
  for (const { label, runArgs, nodeArgs } of variants(vary, args, rest)) {
    const { flags } = parseFlags({ ...sweepFlags, ...ignoredFlags }, runArgs);
    const make = await jobMaker(flags, nodeArgs, vary, programs);
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
  programs: ReadonlyMap<string, SweepProgram> | undefined,
): Promise<JobMaker> {
  const nodes = await nodesOf(given, nodeArgs, vary, programs);
  const isProcess = nodes.bin !== undefined;
  // What varies is to be the only difference, and processes take as long as a world has seconds.
  const isPlain = vary !== undefined || isProcess;
  const flags = { ...given, nemesis: given.nemesis ?? (isPlain ? undefined : "swarm" as const) };
  const { nemesis, twice, steer } = flags;
  if (steer && isProcess) {
    throw new UsageError(`Cannot use --steer for ${nodes.bin}: it runs in real time`);
  }
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
      isCovered: learningFlag(flags) !== undefined,
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
  { steered, fleet }: {
    readonly steered: SteeredRuns | undefined;
    readonly fleet: Fleet<Labelled> | undefined;
  },
  { onReport, onEarlyEnd, onFailing, onRuns, beforeShown }: {
    /** Called with all runs that were done. */
    readonly onRuns: (runs: readonly SweptRun[]) => void;
    /** Called with the first run that can be made small. */
    readonly onFailing: (failing: Failing) => void;
    readonly onReport: (report: ReportedRun, index: number) => void;
    /** Called with how many runs there are, if nothing new is to be expected of more. */
    readonly onEarlyEnd: (count: number) => void;
    readonly beforeShown: () => void;
  },
): Promise<number> {
  const atOnce = Math.min(asked ?? runsAtOnce(jobs), jobs.length);
  const engine = engineOf(jobs, fleet === undefined ? placeOf(jobs, atOnce) : " over NATS");
  return await runAll("sweep", jobs, {
    atOnce,
    parts: steered,
    fleet,
    onOutcome(outcome, job, i, tookMs) {
      for (const note of outcome.notes) printError(note);
      onReport(reported(job, vary, outcome, tookMs), i);
      if (json) printJson(runJson(runOf(job, outcome)));
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
      const runs = done.map((job, i) => runOf(job, outcomes[i] as RunFigures));
      onRuns(runs);
      if (json) {
        for (const line of steered?.describe() ?? []) printError(line);
        return;
      }
      const terminal = new Terminal(color);
      terminal.print([engine]);
      showRuns(terminal, runs, vary?.name);
      if (steered !== undefined) terminal.print(steered.describe());
    },
  });
}

function runOf(
  { label, parents, options: { seed }, replay }: Labelled,
  outcome: RunFigures,
): SweptRun {
  return { label, parents, seed, replay, outcome };
}

/** Decides the runs of a sweep by what those before reached. */
class SteeredRuns {
  readonly size = GENERATION;
  readonly #steering = new Steering();
  readonly #vary: SweepRuns["vary"];
  readonly #patience: number;

  /**
   * @param vary makes the run of a variation
   * @param patience after how many runs without anything new no more are done
   */
  constructor(vary: SweepRuns["vary"], patience = Infinity) {
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
      ? "the last run reached some of them for the first time"
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
  const { jsonOf: smallJson, linesOf, MAX_SHRINK_RUNS, readPlan, shrinkRun } = await import(
    "./shrink.ts"
  );
  const { args, install, program, planned, runTimeoutSeconds } = job;
  try {
    const small = await shrinkRun(readPlan(path), { args, install, program, planned }, {
      maxRuns: MAX_SHRINK_RUNS,
      maxSeconds: SHRINK_SECONDS,
      runTimeoutSeconds: runTimeoutSeconds ?? SHRINK_SECONDS,
      store,
    });
    const lines = linesOf(small);
    if (json) printJson({ small: smallJson(small) });
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
  const name = nameOf({ ...job, seed: options.seed }, vary?.name);
  if (outcome === undefined) {
    const why = "The sweep ended before this run was done";
    return reportedRun(options, replay, undefined, why, { name, tookMs });
  }
  const { valid, path, reason, moreFindings: more } = outcome;
  const others = { name, more, path, figures: outcome, tookMs };
  return reportedRun(options, replay, valid, reason, others);
}

/** The flag for which runs must say what they reached. */
function learningFlag(
  { steer, patience }: Pick<SweepFlags, "steer" | "patience">,
): "steer" | "patience" | undefined {
  if (steer) return "steer";
  return patience === undefined ? undefined : "patience";
}

/** What varies, if anything does. */
function variedBy(
  given: Readonly<Record<string, unknown>> & Pick<SweepFlags, "vary" | "steer" | "patience">,
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
  const beside = learningFlag(given);
  if (beside !== undefined) {
    throw new UsageError(
      `Cannot use --${beside} beside --vary, whose runs are to differ in one thing`,
    );
  }
  checkVaried(name, given);
  return vary;
}

/** What runs, in a line. */
function engineOf(jobs: readonly Job[], place: string): string {
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
  return `${time}, ${nodes}${place}`;
}

/** Where it runs on this machine. */
function placeOf(jobs: readonly Job[], atOnce: number): string {
  return jobs.every(({ bin }) => bin === undefined) && atOnce === runsAtOnce(jobs)
    ? " on all cores"
    : `, ${plural(atOnce, "run")} at once`;
}

/**
 * What the nodes of one variant are. Without a program the options for Eddy's own are checked, among
 * them a flag that varies and is not one of the run's.
 */
async function nodesOf(
  run: RunFlags,
  nodeArgs: readonly string[],
  vary: Vary | undefined,
  programs: ReadonlyMap<string, SweepProgram> | undefined,
): Promise<Pick<Job, "install" | "program" | "bin" | "planned">> {
  const { bin, workload } = run;
  checkRealTime(run);
  if (isMutant(bin)) {
    return { install: installationOf(bin, workload, nodeArgs), planned: { bin } };
  }
  if (bin !== undefined && programs !== undefined) {
    const sent = programs.get(bin);
    if (sent === undefined) throw new UsageError(`Cannot run ${bin}: it was not sent`);
    return sent;
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
