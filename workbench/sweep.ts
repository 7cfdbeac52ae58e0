/**
 * Many runs at a time, each in a worker: on all cores, and of processes as many as fit.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import { plural } from "./checkers/checker.ts";
import type { LatencyQuantiles } from "./checkers/set_full.ts";
import { Coverage } from "./coverage.ts";
import { indented, summarize } from "./explain.ts";
import type { Validity } from "./history.ts";
import type { ObservationSummary } from "./observations.ts";
import type { RunOptions } from "./options.ts";
import type { RunReport } from "./report.ts";
import { describeEngine, PLAN_VERSION, type PlanProgram } from "./plan.ts";
import type { LoadedProgram } from "./program.ts";
import { ResultsDir } from "./results_dir.ts";
import { runProgram, simulateProgram } from "./run_program.ts";
import type { PlannedParts, RunHooks, RunResult } from "./run.ts";
import { simulate } from "./simulate.ts";
import { keepReport } from "./stored_run.ts";
import { startThread } from "./threads.ts";
import { type Parting, Traces } from "./trace.ts";

/** A run, as plain data that can be sent to a worker. */
export interface Job {
  readonly options: RunOptions;
  /** Options for Eddy's own handlers. */
  readonly args: readonly string[];
  /**
   * A function that registers a node's handlers, called with the node and these arguments.
   *
   * @default Eddy's own for the workload
   */
  readonly install?: (ModuleExport & { readonly arguments?: readonly string[] }) | undefined;
  /** A program that is every node, in place of handlers. */
  readonly program?: LoadedProgram | undefined;
  /** A program whose processes are the nodes, in real time, in place of handlers. */
  readonly bin?: string | undefined;
  /** What the plan among the results says of the program. */
  readonly planned?: PlanProgram | undefined;
  /**
   * How long the run may take, in seconds of the machine's time, before it is broken off.
   *
   * @default no limit
   */
  readonly runTimeoutSeconds?: number | undefined;
  /** The command line that repeats it, for its page. */
  readonly replay?: string | undefined;
  /** What is not drawn of the run. */
  readonly parts?: Partial<PlannedParts> | undefined;
  /** Whether it is done twice, and is invalid if the second time something else happens. */
  readonly twice?: boolean | undefined;
  /** Whether its figures have what it reached. */
  readonly isCovered?: boolean | undefined;
  /** Where results are kept, as {@linkcode ResultsDir} has it; nowhere if absent. */
  readonly store?: { readonly root: string; readonly name: string } | undefined;
}

/** The verdict and the main figures of a run. */
export interface RunFigures {
  readonly seed: number;
  readonly valid: Validity;
  readonly operations: number;
  /** The share of operations that succeeded; undefined, as the next, where none was completed. */
  readonly okFraction: number | undefined;
  /** Operations with an unknown outcome, as a share of all. */
  readonly infoFraction: number;
  /** Messages for each operation. */
  readonly allPerOp: number | undefined;
  /** The same between servers. */
  readonly serversPerOp: number | undefined;
  /** How long successful operations took. */
  readonly latencyMs: Spread | undefined;
  /** How long until a value was on all nodes, for broadcast and g-set. */
  readonly stableMs: Spread | undefined;
  /** Kafka's worst realtime lag. */
  readonly worstLagSeconds: number | undefined;
  /** Successful operations a second. */
  readonly throughput: number;
  /** The first thing that was wrong, in four lines at most; empty for a valid run. */
  readonly reason: string;
  /** How many findings there are beside that. */
  readonly moreFindings: number;
  /** What kinds of findings there are, as {@linkcode anomaliesOf} has them. */
  readonly anomalies: readonly string[];
  /** Says that the machine decided latencies, where it did. */
  readonly machineNote: string | undefined;
  /** What nodes told of themselves by name. */
  readonly observed: ObservationSummary | undefined;
  /** What it reached, as {@linkcode Coverage} has it, if that was asked for. */
  readonly reached?: readonly string[] | undefined;
  /** Where its results are; undefined if they are not kept. */
  readonly path: string | undefined;
  /** What of them could not be written, one sentence each. */
  readonly notes: readonly string[];
}

/** Quantiles of a distribution, in milliseconds. */
interface Spread {
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A function that a module exports; unlike the function, it can be sent to a worker. */
interface ModuleExport {
  /** The module's URL. */
  readonly module: string;
  /** The name under which the module exports it. */
  readonly name: string;
}

/** Settings of {@linkcode runJobs}. */
export interface SweepOptions {
  /** Called with each outcome, as the runs end, and how long the run took in the machine's time. */
  readonly onOutcome?: ((outcome: RunFigures, index: number, tookMs: number) => void) | undefined;
  /** Abandons the runs that have not ended. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How many runs at once.
   *
   * @default as {@linkcode runsAtOnce} says
   */
  readonly atOnce?: number | undefined;
}

/** How many nodes that are processes a core is to have: they mostly wait. */
const NODES_A_CORE = 2;

/** How many of these runs fit at once: one a core, but of processes two nodes a core. */
export function runsAtOnce(
  jobs: readonly Job[],
  cores: number = navigator.hardwareConcurrency,
): number {
  const nodes = jobs.map(({ bin, options }) => bin === undefined ? 0 : options.nodeIds.length);
  const most = nodes.reduce((a, b) => Math.max(a, b), 0);
  return most === 0 ? cores : Math.min(cores, Math.max(1, Math.floor(NODES_A_CORE * cores / most)));
}

/** How much longer than its time-out a run may take to end before its worker is ended. */
const GRACE_SECONDS = 10;

/**
 * Does runs, several at a time.
 *
 * A run that does not end in time although it was broken off, because a node does not return, is
 * ended with its worker; its outcome says so.
 *
 * @returns the outcomes in the order of the jobs.
 * @throws {Error} if a run could not be done, or the signal's reason; the others are abandoned.
 */
export function runJobs(
  jobs: readonly Job[],
  { onOutcome, signal, atOnce = runsAtOnce(jobs) }: SweepOptions = {},
): Promise<RunFigures[]> {
  return runTasks(jobs.map(taskOf), onOutcome, signal, atOnce);
}

/** A run as a task for a worker, whose result is its {@linkcode RunFigures}. */
export function taskOf(job: Job): Task {
  return {
    module: import.meta.url,
    name: "runJob",
    input: job,
    limit: limitOf(job),
    endsItself: job.bin !== undefined,
  };
}

function limitOf({ options, runTimeoutSeconds }: Job): Task["limit"] {
  if (runTimeoutSeconds === undefined) return undefined;
  const seconds = runTimeoutSeconds + GRACE_SECONDS;
  const [brokenOffAfter, endedAfter] = [runTimeoutSeconds, seconds].map(Math.round);
  const result: RunFigures = {
    seed: options.seed,
    valid: "unknown",
    operations: 0,
    okFraction: undefined,
    infoFraction: 0,
    allPerOp: undefined,
    serversPerOp: undefined,
    latencyMs: undefined,
    stableMs: undefined,
    worstLagSeconds: undefined,
    throughput: 0,
    reason:
      `The run was ended after ${endedAfter} s, because it did not end when it was broken off ` +
      `after ${brokenOffAfter} s: a node does not return, the check takes as long, or the machine is ` +
      "busy",
    moreFindings: 0,
    anomalies: [],
    machineNote: undefined,
    observed: undefined,
    path: undefined,
    notes: [],
  };
  ended.add(result);
  return { seconds, result };
}

/** The outcomes of runs that did not end by themselves. */
const ended = new WeakSet<RunFigures>();

/** Whether a run was ended with its worker, so that nothing of it is left. */
export function wasEnded(outcome: RunFigures): boolean {
  return ended.has(outcome);
}

/** The kind of finding of a run that does something else when it is done again. */
const NOT_DETERMINISTIC = "not-deterministic";

/** What breaks off the run of this worker. */
const interruption = new AbortController();

/** Breaks off what runs in this worker. */
export function interruptWork(reason: string): void {
  interruption.abort(new Error(reason));
}

/**
 * Does a run, in this thread.
 *
 * @throws {TypeError} if there is no such function as `install` names.
 */
export async function runJob(job: Job): Promise<RunFigures> {
  const { options, store, runTimeoutSeconds } = job;
  const dir = store && new ResultsDir(store.root, options.workload, store.name);
  const traces = job.twice ? new Traces() : undefined;
  const coverage = job.isCovered ? new Coverage() : undefined;
  const hooks = { signal: interruption.signal, runTimeoutSeconds };
  const result = await runNodes(job, {
    ...((dir ?? traces ?? coverage) && {
      onMessage(event) {
        dir?.addEvent(event);
        traces?.addFirst(event);
        coverage?.add(event);
      },
    }),
    ...(dir && { onLog: (node, text) => dir.addLog(node, text) }),
    ...hooks,
  });
  if (traces !== undefined) {
    await runNodes(job, { onMessage: (event) => traces.addSecond(event), ...hooks });
  }
  const outcome = {
    ...withParting(outcomeOf(result.results, options), traces?.parting),
    reached: coverage?.reached(result),
  };
  if (dir === undefined) return { ...outcome, path: undefined, notes: [] };
  const notes = await keep(job, result, dir);
  return { ...outcome, path: dir.isMissing ? undefined : dir.path, notes };
}

/** The outcome of a run that was done twice. */
function withParting<Outcome extends Omit<RunFigures, "path" | "notes">>(
  outcome: Outcome,
  parting: Parting | undefined,
): Outcome {
  if (parting === undefined) return outcome;
  const { common, first = "the end", second = "the end" } = parting;
  const reason = [
    `${NOT_DETERMINISTIC}: Done twice with one seed, the run differs after ${
      plural(common, "event")
    } of the network`,
    `  First: ${first}`,
    `  Then: ${second}`,
  ].join("\n");
  const anomalies = [...outcome.anomalies, NOT_DETERMINISTIC];
  return { ...outcome, valid: false, reason: outcome.reason || reason, anomalies };
}

/** Writes the results of a run, with its page if it is not valid; returns what could not be. */
async function keep(
  { options, planned, args, replay, bin, program, parts }: Job,
  result: RunResult,
  dir: ResultsDir,
): Promise<readonly string[]> {
  const { results } = result;
  const plan = { version: PLAN_VERSION, program: planned, args, options, ...result.plan() };
  const names = { engine: describeEngine(planned, bin === undefined), command: replay };
  dir.finish(result, plan, names);
  dir.close(summarize(results, options).split("\n"));
  if (results.valid === true || dir.isMissing) return dir.notes;
  // Where there are no processes the page can run it again, its messages as the seed has it.
  const links = parts?.links ?? [];
  const again = bin === undefined ? { plan: { ...plan, links }, program } : undefined;
  const note = await keepReport(dir.path, result, names, again);
  return note === undefined ? dir.notes : [...dir.notes, note];
}

/** Does a run, and keeps nothing of it. */
export async function runNodes(
  { options, args, install, program, bin, parts }: Job,
  given: RunHooks,
): Promise<RunResult> {
  const hooks = { ...given, plan: parts };
  if (bin !== undefined) return await runProgram({ bin, args }, options, hooks);
  if (program !== undefined) return await simulateProgram(program, args, options, hooks);
  const installed = install === undefined ? {} : { install: await installer(install) };
  return await simulate({ ...options, args, ...installed, ...hooks });
}

async function installer(
  install: NonNullable<Job["install"]>,
): Promise<(node: Node) => void> {
  const found = await load(install);
  return (node) => void found(node, ...install.arguments ?? []);
}

/** The verdict and the main figures of a run. */
export function outcomeOf(
  report: RunReport,
  options: RunOptions,
): Omit<RunFigures, "path" | "notes"> {
  const { stats, availability, net, latencies, workload } = report;
  const operations = stats.count;
  return {
    seed: options.seed,
    valid: report.valid,
    operations,
    okFraction: operations === 0 ? undefined : availability.okFraction,
    infoFraction: operations === 0 ? 0 : stats.infoCount / operations,
    allPerOp: operations === 0 ? undefined : net.all.msgsPerOp,
    serversPerOp: operations === 0 ? undefined : net.servers.msgsPerOp,
    latencyMs: latencies.p50 === undefined ? undefined : {
      median: latencies.p50,
      p95: latencies.p95 ?? 0,
      p99: latencies.p99 ?? 0,
      max: latencies.max ?? 0,
    },
    stableMs: "stableLatencies" in workload ? stableSpread(workload.stableLatencies) : undefined,
    worstLagSeconds: "worstRealtimeLag" in workload ? workload.worstRealtimeLag.lag : undefined,
    throughput: stats.okCount / options.timeLimitSeconds,
    reason: reasonOf(report),
    moreFindings: Math.max(0, report.findings.length - (report.broke === undefined ? 1 : 0)),
    anomalies: anomaliesOf(report),
    machineNote: report.machineNote,
    observed: report.observed,
  };
}

function stableSpread(latencies: LatencyQuantiles | undefined): Spread | undefined {
  if (latencies === undefined) return undefined;
  const { "0.5": median, "0.95": p95, "0.99": p99, "1": max } = latencies;
  return { median, p95, p99, max };
}

/** The kind of finding of a run that a node has ended by breaking the protocol. */
const PROTOCOL = "protocol";

/** The kinds of a run's findings, worst first; none if it is not invalid. */
export function anomaliesOf({ valid, broke, findings }: RunReport): string[] {
  if (valid !== false) return [];
  const broken = broke?.byNode ? [PROTOCOL] : [];
  return [...new Set([...broken, ...findings.map(({ anomaly }) => anomaly)])];
}

/** What is said of a run as a whole: any part of it may show it, too, and for no reason. */
const OF_WHOLE_RUNS: readonly string[] = [
  "never-ok",
  "unavailable",
  "nothing-tested",
  NOT_DETERMINISTIC,
];

/** Whether a part of a run can show a finding for the same reason as all of it. */
export function isOfPart(anomaly: string): boolean {
  return !OF_WHOLE_RUNS.includes(anomaly);
}

/** The first of what a run found, or why it is unknown; one line. */
export function reasonOf({ valid, broke, explanations, warnings }: RunReport): string {
  if (valid === true) return "";
  if (broke !== undefined) return indented(broke.text);
  const [lines = [warnings[0] ?? "no reason known"]] = explanations;
  return lines.map(indented).join("\n");
}

/** A function for a worker to call, and its argument. */
export interface Task extends ModuleExport {
  readonly input: unknown;
  /** How long it may take before its worker is ended, and what is its result then. */
  readonly limit?: { readonly seconds: number; readonly result: unknown } | undefined;
  /** Whether it ends by itself when work is interrupted, and is to be waited for a while. */
  readonly endsItself?: boolean;
}

/** What a worker is sent: something to do, or why it is to break that off. */
export type WorkerOrder = { readonly task: Task } | { readonly interrupt: string };

/** The answer of a worker: what the function returned, or the message of what it threw. */
export type WorkerReply =
  | { readonly result: unknown }
  | { readonly error: string };

/**
 * Does tasks on all cores.
 *
 * @typeParam Result what the functions return; the caller must know
 * @param onResult called with each result, as it comes, and how long it took
 * @param signal abandons the tasks that are not done
 * @param atOnce how many are done at once
 * @returns the results in the order of the tasks.
 * @throws {Error} if a task could not be done, or the signal's reason; the others are abandoned.
 *
 * @example
 * ```ts
 * import { runTasks } from "./sweep.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const task = { module: "node:path", name: "basename" };
 * const names = await runTasks<string>([{ ...task, input: "/a/b" }, { ...task, input: "/c" }]);
 * assertEquals(names, ["b", "c"]);
 * ```
 */
export async function runTasks<Result>(
  tasks: readonly Task[],
  onResult: (result: Result, index: number, tookMs: number) => void = () => {},
  signal?: AbortSignal,
  atOnce: number = navigator.hardwareConcurrency,
): Promise<Result[]> {
  const pool = new TaskPool(Math.min(tasks.length, atOnce));
  try {
    return await pool.run(tasks, onResult, signal);
  } finally {
    await pool.stop();
  }
}

/** Workers that do tasks, one series after the other. */
export class TaskPool {
  readonly #count: number;
  #workers: readonly TaskWorker[] = [];

  /**
   * @param count how many workers there are, each of which does a task at a time
   * @param isLate whether they are started with the first tasks only
   */
  constructor(count: number, isLate = false) {
    this.#count = count;
    if (!isLate) this.#start();
  }

  #start(): void {
    this.#workers = Array.from({ length: this.#count }, () => new TaskWorker());
  }

  /** Does tasks, as {@linkcode runTasks} does; after an error it can only be stopped. */
  async run<Result>(
    tasks: readonly Task[],
    onResult: (result: Result, index: number, tookMs: number) => void = () => {},
    signal?: AbortSignal,
  ): Promise<Result[]> {
    if (this.#workers.length === 0) this.#start();
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {});
    const abort = () => aborted.reject(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    const results: Result[] = new Array(tasks.length);
    let next = 0;
    try {
      await Promise.all(this.#workers.map(async (worker) => {
        for (let index = next++; index < tasks.length; index = next++) {
          const beganMs = performance.now();
          const done = worker.run(tasks[index] as Task);
          const result = await Promise.race([done, aborted.promise]) as Result;
          results[index] = result;
          onResult(result, index, performance.now() - beganMs);
        }
      }));
    } finally {
      signal?.removeEventListener("abort", abort);
    }
    return results;
  }

  /** Ends the workers, after tasks under way that end themselves. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }
}

/** A worker that does one task at a time; one that is ended in the middle of a task is replaced. */
class TaskWorker {
  #worker = startWorker();
  /** The task under way. */
  #task: Task | undefined;
  #done: Promise<unknown> = Promise.resolve();

  /** Does a task. */
  run(task: Task): Promise<unknown> {
    this.#task = task;
    const answer = Promise.withResolvers<unknown>();
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
      if ("result" in data) answer.resolve(data.result);
      else answer.reject(new Error(data.error));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      answer.reject(new Error(`A worker failed: ${event.message}`));
    };
    this.#worker.postMessage({ task } satisfies WorkerOrder);
    const { limit } = task;
    const timer = limit && setTimeout(() => {
      this.#worker.terminate();
      this.#worker = startWorker();
      answer.resolve(limit.result);
    }, limit.seconds * 1000);
    this.#done = answer.promise.finally(() => {
      clearTimeout(timer);
      this.#task = undefined;
    });
    // Who runs the task may have stopped listening.
    this.#done.catch(() => {});
    return this.#done;
  }

  /** Ends the worker, after a task under way that ends itself. */
  async stop(): Promise<void> {
    if (this.#task?.endsItself === true) {
      const interrupt = "The sweep was interrupted";
      this.#worker.postMessage({ interrupt } satisfies WorkerOrder);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const tooLong = new Promise((resolve) => {
        timer = setTimeout(resolve, GRACE_SECONDS * 1000);
      });
      await Promise.race([this.#done.catch(() => {}), tooLong]);
      clearTimeout(timer);
    }
    this.#worker.terminate();
  }
}

function startWorker(): Worker {
  return startThread("sweep", "./sweep_worker.ts", import.meta.url);
}

/**
 * Imports a function.
 *
 * @throws {TypeError} if the module exports no function of that name.
 */
export async function load(
  { module, name }: ModuleExport,
): Promise<(...input: unknown[]) => unknown> {
  const { [name]: found }: Readonly<Record<string, unknown>> = await import(module);
  if (typeof found !== "function") {
    throw new TypeError(`Cannot run ${name} of ${module}: it exports no such function`);
  }
  return (...input) => found(...input);
}
