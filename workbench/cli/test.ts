/**
 * `test`: one run, as `maelstrom test` does it.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { type FlagValues, integer, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { indented, summarize, verdict } from "../explain.ts";
import type { NetEvent } from "../journal.ts";
import type { ReportedRun } from "../junit.ts";
import type { RunOptions } from "../options.ts";
import { describeEngine, parsePlan, type Plan, PLAN_VERSION, type PlanProgram } from "../plan.ts";
import { folderName, ResultsDir, resultsJson } from "../results_dir.ts";
import type { RunReport } from "../report.ts";
import type { RunHooks, RunResult } from "../run.ts";
import type { RunProgress } from "../runner.ts";
import { simulate } from "../simulate.ts";
import { MAX_PARENTS } from "../steering.ts";
import { outcomeOf } from "../sweep.ts";
import { keepReport } from "../stored_run.ts";
import { startWatchdog } from "../threads.ts";
import { CiReport, junitFlag } from "./ci.ts";
import { commandName, shellWord } from "./command_name.ts";
import type { DrawnRun } from "./drawn_run.ts";
import type { Engine } from "./engine.ts";
import { BROKEN, exitCodeOf } from "./exit_codes.ts";
import {
  checkOwnOptions,
  checkSeeds,
  ignoredFlags,
  MAX_RUNS,
  noRealTime,
  OF_PROGRAM,
  type RunFlags,
  runFlags,
  sayIgnored,
  toRunOptions,
} from "./flags.ts";
import { checkServer, natsFlags, runOverNats } from "./nats.ts";
import { describeRun, lengthOf, ProgressLine } from "./progress.ts";
import {
  colorFlag,
  Interrupts,
  type Line,
  pageOf,
  printError,
  printJson,
  resultsLines,
  StatusLine,
  styleOf,
  Terminal,
} from "./terminal.ts";

/** The flags of `test`. */
export const testFlags = {
  ...runFlags,
  store: { help: "Folder for the results", value: "DIR", default: "store" },
  json: { help: "Print the results as JSON" },
  ...colorFlag,
  ...junitFlag,
  "log-stderr": { help: "Show what nodes write to standard error" },
  "log-net-send": { help: "Show every message sent" },
  "log-net-recv": { help: "Show every message delivered" },
  "test-count": {
    help: "Repeat, until a run is not valid",
    value: "N",
    ...integer(1, MAX_RUNS),
    default: 1,
  },
  parents: {
    help: "The seeds whose world --seed varies, as `sweep --steer` prints them",
    value: "N,N",
    accepts: `up to ${MAX_PARENTS} seeds, comma separated`,
    parse: parseSeeds,
  },
  plan: {
    help: "Run a plan.json again, of an earlier run or changed; it has all that other flags say",
    value: "FILE",
  },
  watch: { help: "Run again, with the same seed, when the program or a file of its changes" },
  ...natsFlags,
};

function parseSeeds(text: string): number[] | undefined {
  if (!/^\d{1,16}(,\d{1,16})*$/.test(text)) return undefined;
  const seeds = text.split(",").map(Number);
  return seeds.length <= MAX_PARENTS && seeds.every(Number.isSafeInteger) ? seeds : undefined;
}

/** The flags that have a meaning beside `--plan`. */
const BESIDE_PLAN = [
  ...["plan", "bin", "real-time", "store", "json", "color", "junit", "log-", "watch"],
  ...["run-timeout", ...Object.keys(natsFlags)],
];

/** The values of {@linkcode testFlags}. */
export type TestFlags = FlagValues<typeof testFlags>;

/** Makes what runs the nodes that a command line asks for. */
export type EngineMaker = (flags: TestFlags, args: readonly string[]) => Promise<Engine>;

/**
 * Runs the command and returns the exit code.
 *
 * @param makeEngine by default what `--bin` and `--real-time` ask for; `--nats` is left to its program
 */
export async function testCommand(
  args: readonly string[],
  makeEngine?: EngineMaker,
): Promise<number> {
  const { flags: given, words, rest: givenArgs } = parseFlags(
    { ...testFlags, ...ignoredFlags },
    args,
    OF_PROGRAM,
  );
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  const { nats, creds, tlsca } = given;
  checkServer({ nats, creds, tlsca });
  if (nats !== undefined && makeEngine === undefined) return await runOverNats("test", args);
  const plan = given.plan === undefined ? undefined : readPlan(given.plan, args);
  const flags = plan === undefined ? given : withPlan(given, plan);
  const rest = plan === undefined || givenArgs.length > 0 ? givenArgs : plan.args;
  const first = plan?.options.seed ?? flags.seed ?? drawSeed();
  checkSeeds(first, flags["test-count"]);
  if (plan === undefined) toRunOptions(flags, first);
  const asked = { flags, rest, first, plan, makeEngine: makeEngine ?? engineOf };
  if (!flags.watch) return await runAgain(asked) ?? BROKEN;
  const { watching } = await import("./watch.ts");
  return await watching(flags.bin, (changed) => runAgain(asked, changed));
}

/** What a command line asks for. */
interface Asked {
  readonly flags: TestFlags;
  readonly rest: readonly string[];
  /** The first seed. */
  readonly first: number;
  readonly plan: Plan | undefined;
  readonly makeEngine: EngineMaker;
}

/** One run of those. */
interface OneRun extends Omit<Asked, "makeEngine"> {
  readonly drawn: DrawnRun | undefined;
}

/**
 * Runs as often as asked, until a run is not valid, and tells a system for continuous integration.
 *
 * @param changed breaks a run off without a word
 * @returns the exit code; undefined if a signal to the process has broken a run off.
 */
async function runAgain(asked: Asked, changed?: AbortSignal): Promise<number | undefined> {
  const { flags, rest, first } = asked;
  const report = new CiReport("test", flags.junit);
  const runs: ReportedRun[] = [];
  let code: number | undefined;
  let isWritten = false;
  try {
    code = await runEach(asked, changed, (run) => {
      runs.push(run);
      // Before the results, whose last line is where they are; no run follows one that is not valid.
      if (run.valid !== true) report.annotate(runs);
    });
  } catch (error) {
    if (!(error instanceof UsageError)) {
      const options = { ...toRunOptions(flags, first + runs.length), ...asked.plan?.options };
      runs.push(
        reportedRun(options, replayLine(flags, rest, options), "unknown", errorText(error)),
      );
    }
    throw error;
  } finally {
    isWritten = runs.length === 0 || report.finish(runs);
  }
  return isWritten ? code : BROKEN;
}

async function runEach(
  { flags, rest, first, plan, makeEngine }: Asked,
  changed: AbortSignal | undefined,
  onRun: (run: ReportedRun) => void,
): Promise<number | undefined> {
  const engine = await makeEngine(flags, rest);
  const { nemesis } = flags;
  const draw = plan === undefined && typeof nemesis === "string"
    ? (await import("./drawn_run.ts")).drawerOf(flags, nemesis, rest)
    : undefined;
  if (flags.parents !== undefined && draw === undefined) {
    throw new UsageError("Cannot use --parents without --nemesis swarm or another schedule");
  }
  if (flags.parents !== undefined && flags.seed === undefined) {
    throw new UsageError("Cannot use --parents without --seed, by which their world is varied");
  }
  if (plan !== undefined && isOther(plan.program, engine.program)) {
    printError(`${flags.bin} is not what the plan was made with: it may do something else`);
  }
  for (const ignored of sayIgnored(flags)) printError(ignored);
  const watched = watchEngine(engine, flags["run-timeout"]);
  try {
    let code: number | undefined = 0;
    for (let i = 0; i < flags["test-count"] && code === 0 && changed?.aborted !== true; i++) {
      const seed = first + i;
      const drawn = (await draw)?.(seed, flags.parents);
      const asked = { flags, rest, first: seed, plan, drawn };
      code = await runOnce(asked, watched, changed, onRun);
    }
    return code;
  } finally {
    watched.stop();
  }
}

/** How long a run of Eddy's own node goes on without being watched, in ms. */
const UNWATCHED_MS = 250;

/**
 * Has a watchdog watch the runs of an engine. A program that hangs does not answer in time; only nodes
 * in this process can stop the clock.
 *
 * The watchdog's thread takes a fourth of a short run. A bundle has handlers that were tested: short
 * runs of them go without, unless a limit is asked for.
 */
function watchEngine(engine: Engine, limitSeconds: number | undefined) {
  let stop: (() => void) | undefined;
  const watch = () => stop ??= engine.isVirtual ? startWatchdog(limitSeconds) : () => {};
  const isTested = engine.program === undefined && !import.meta.url.endsWith(".ts");
  if (!isTested || limitSeconds !== undefined) watch();
  const run: Engine["run"] = (options, hooks, args) => {
    const beganMs = performance.now();
    const onProgress = (progress: RunProgress) => {
      if (performance.now() - beganMs > UNWATCHED_MS) watch();
      hooks.onProgress?.(progress);
    };
    return engine.run(options, { ...hooks, onProgress }, args);
  };
  return { ...engine, run, stop: () => stop?.() };
}

/** A run as it is reported. */
export function reportedRun(
  { workload, seed, timeLimitSeconds }: RunOptions,
  replay: string,
  valid: ReportedRun["valid"],
  text: string,
  others: Partial<ReportedRun> = {},
): ReportedRun {
  const name = `seed ${seed}`;
  return {
    ...{ workload, name, valid, text, first: text, more: 0, replay, timeLimitSeconds },
    ...{ path: undefined, tookMs: 0, figures: undefined },
    report: others.path === undefined ? undefined : pageOf(others.path),
    ...others,
  };
}

/** All that is wrong with a run. */
function faultsOf({ valid, broke, explanations, warnings }: RunReport): string {
  if (valid === true) return "";
  const broken = broke === undefined ? [] : [broke.text];
  return [...broken, ...explanations.flat(), ...warnings].map(indented).join("\n");
}

/**
 * Reads the plan of a command line.
 *
 * @param args the command line
 * @throws {UsageError} if there is none, or it cannot be run, or has another flag beside it.
 */
function readPlan(file: string, args: readonly string[]): Plan {
  for (const arg of args.slice(0, args.includes("--") ? args.indexOf("--") : undefined)) {
    const [name] = /^-(-[^=]+|\w)/.exec(arg) ?? [];
    if (name === undefined || isBesidePlan(name.slice(2))) continue;
    throw new UsageError(`Cannot use ${name} beside --plan: the plan says what is run`);
  }
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (cause) {
    throw new UsageError(`Cannot read --plan ${file}: ${errorText(cause)}`, { cause });
  }
  try {
    return parsePlan(text);
  } catch (cause) {
    throw new UsageError(`Cannot run the plan ${file}: ${errorText(cause)}`, { cause });
  }
}

function isBesidePlan(name: string): boolean {
  return BESIDE_PLAN.some((flag) => name.startsWith(flag));
}

/** The flags of a plan's run: its workload, and its program as it ran unless another is named. */
function withPlan(given: TestFlags, { options: { workload }, program }: Plan): TestFlags {
  if (given.bin !== undefined) return { ...given, workload };
  const realTime = given["real-time"] || program?.realTime === true;
  return { ...given, workload, bin: program?.bin, "real-time": realTime };
}

/** Whether a program is another than that of a plan; undefined is Eddy's own node. */
function isOther(planned: PlanProgram | undefined, program: PlanProgram | undefined): boolean {
  if (planned?.sha256 === undefined || program?.sha256 === undefined) {
    return planned?.bin !== program?.bin;
  }
  return planned.sha256 !== program.sha256;
}

/** A random seed, short enough to be typed. */
function drawSeed(): number {
  return Math.floor(Math.random() * 1e6);
}

/** What runs the nodes of a run: Eddy's own handlers, unless there is a program. */
export async function engineOf(flags: RunFlags, args: readonly string[]): Promise<Engine> {
  const { bin, workload } = flags;
  if (bin !== undefined) {
    const { programEngine } = await import("./engine.ts");
    return await programEngine(bin, flags, args);
  }
  if (flags["real-time"]) throw noRealTime();
  await checkOwnOptions(workload, args);
  return {
    name: describeEngine(undefined, true),
    isVirtual: true,
    run: (options, hooks, drawn = args) => simulate({ ...options, args: drawn, ...hooks }),
  };
}

async function runOnce(
  { flags, rest, first: seed, plan, drawn }: OneRun,
  engine: Engine,
  changed: AbortSignal | undefined,
  onRun: (run: ReportedRun) => void,
): Promise<number | undefined> {
  const { options, args } = drawn ??
    { options: plan?.options ?? toRunOptions(flags, seed), args: rest };
  const dir = new ResultsDir(flags.store, options.workload, folderName());
  const beganMs = performance.now();
  const status = new StatusLine();
  const printAbove = (line: string) => {
    dir.addPrinted(line);
    status.print(line);
  };
  dir.addPrinted(engine.name);
  const hooks = {
    onMessage: (event: NetEvent) => {
      dir.addEvent(event);
      const { type, message } = event;
      if (type === "send" ? flags["log-net-send"] : flags["log-net-recv"]) {
        printAbove(`${type} ${message.toLine()}`);
      }
    },
    onLog: (node: string, text: string) => {
      dir.addLog(node, text);
      if (flags["log-stderr"]) printAbove(`${node}: ${text}`);
    },
  };
  if (dir.isMissing) { for (const note of dir.notes) printError(note); }
  const length = lengthOf(options, engine.isVirtual);
  const progress = new ProgressLine(status, Deno.stderr.isTerminal());
  const onProgress = (run: RunProgress) => {
    dir.addProgress(run, length.totalMs);
    if (run.stage === "done") progress.clear();
    progress.update((elapsedMs) => describeRun(run, length, elapsedMs));
  };
  const { result, isInterrupted } = await interruptibly(onProgress, changed, (watched) => {
    const runTimeoutSeconds = flags["run-timeout"];
    const parts = plan ?? (drawn && { faults: drawn.faults });
    return engine.run(options, { ...hooks, ...watched, plan: parts, runTimeoutSeconds }, args);
  }).finally(() => progress.clear());
  const { results, peakMemoryBytes } = result;
  const { program } = engine;
  const given: Plan = {
    version: PLAN_VERSION,
    program,
    args,
    options,
    ...result.plan(),
  };
  const names = { engine: engine.name, command: replayLine(flags, rest, options) };
  const { command } = names;
  dir.finish(result, given, names);
  // What chance decided of messages follows from the seed, but for a plan that says otherwise.
  const again = engine.isVirtual
    ? { plan: { ...given, links: plan?.links ?? [] }, program: engine.loaded }
    : undefined;
  if (!dir.isMissing) {
    const note = await keepReport(dir.path, result, names, again);
    if (note !== undefined) printError(note);
  }
  const lines = await describe(result, dir, command);
  dir.close(lines.map((line) => typeof line === "string" ? line : line.text));
  if (changed?.aborted && !isInterrupted) return 0;
  const tookMs = performance.now() - beganMs;
  const path = dir.isMissing ? undefined : dir.path;
  const figures = outcomeOf(results, options);
  const first = { first: figures.reason, more: figures.moreFindings };
  const others = { ...first, figures, path, tookMs };
  onRun(reportedRun(options, command, results.valid, faultsOf(results), others));
  if (flags.json) {
    printJson({ engine: engine.name, ...resultsJson(results), options, peakMemoryBytes }, 2);
  } else new Terminal(flags.color).print([engine.name, ...lines]);
  if (!dir.isMissing) { for (const note of dir.notes) printError(note); }
  return isInterrupted ? undefined : exitCodeOf(results.valid, results.broke);
}

/** Runs; a signal ends the run early, and its results are kept. */
async function interruptibly(
  onProgress: (progress: RunProgress) => void,
  changed: AbortSignal | undefined,
  run: (hooks: RunHooks) => Promise<RunResult>,
): Promise<{ readonly result: RunResult; readonly isInterrupted: boolean }> {
  const interrupts = new Interrupts("run");
  const watched = (progress: RunProgress) => {
    onProgress(progress);
    // Only the check is left; it does not await, so a signal could not interrupt it.
    if (progress.stage === "done") interrupts.stop();
  };
  try {
    const { signal } = interrupts;
    const either = changed === undefined ? signal : AbortSignal.any([signal, changed]);
    const result = await run({ onProgress: watched, signal: either });
    return { result, isInterrupted: signal.aborted };
  } finally {
    interrupts.stop();
  }
}

/** What is printed of a run; where its results are is the last line. */
async function describe(
  { results, options, peakMemoryBytes }: RunResult,
  dir: ResultsDir,
  replay: string,
): Promise<Line[]> {
  const lines = summarize(results, options).split("\n").map((text, i): Line => {
    const { valid } = results;
    if (i === 0) return { text, style: styleOf(valid), word: verdict(valid) };
    if (text.startsWith("Warning: ")) return { text, style: "unknown", word: "Warning:" };
    const isHead = !text.startsWith(" ") && text !== results.machineNote;
    return isHead ? { text, style: "bold" } : text;
  });
  if (peakMemoryBytes !== undefined) lines.push(await describeMemory(peakMemoryBytes));
  if (results.valid !== true) lines.push({ text: `Replay with: ${replay}`, isWhole: true });
  return [...lines, ...dir.isMissing ? ["Results are not kept"] : resultsLines(dir.path)];
}

async function describeMemory(bytes: number): Promise<string> {
  const { MAX_MEMORY_BYTES } = await import("../wasm_program.ts");
  const mib = (bytes: number, digits: number) => (bytes / 2 ** 20).toFixed(digits);
  return `Memory: at most ${mib(bytes, 1)} MiB a node, of ${mib(MAX_MEMORY_BYTES, 0)}`;
}

/** The flags that do not change a run, and the seed, which is written last. */
const LEFT_OUT = ["seed", "json", "color", "junit", "store", "test-count", "watch"];

/** The flags of a command line that say what is run, but for the seed. */
export function givenWords(flags: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(testFlags).flatMap(([name, flag]) => {
    const value = flags[name];
    const isLeftOut = LEFT_OUT.includes(name) || name.startsWith("log-") ||
      (flags.plan !== undefined && !isBesidePlan(name));
    const isEmpty = value === undefined || value === false ||
      Array.isArray(value) && value.length === 0;
    if (isLeftOut || isEmpty) return [];
    if ("many" in flag && Array.isArray(value)) {
      return value.flatMap((each) => [`--${name}`, shellWord(String(each))]);
    }
    if (value === true) return [`--${name}`];
    if ("default" in flag && flag.default === value && name !== "workload") return [];
    return [`--${name}`, shellWord(Array.isArray(value) ? value.join(",") : String(value))];
  });
}

/** The command line that repeats a run. */
export function replayLine(
  flags: Readonly<Record<string, unknown>>,
  rest: readonly string[],
  { seed }: Pick<RunOptions, "seed">,
): string {
  const seeded = flags.plan === undefined ? ["--seed", String(seed)] : [];
  const words = [commandName(), "test", ...givenWords(flags), ...seeded];
  return [...words, ...(rest.length > 0 ? ["--", ...rest.map(shellWord)] : [])].join(" ");
}
