/**
 * Many runs at a time, on one worker per core.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import type { LatencyQuantiles } from "./checkers/set_full.ts";
import { indented, printableLine } from "./explain.ts";
import type { Validity } from "./history.ts";
import type { RunOptions } from "./options.ts";
import type { RunReport } from "./report.ts";
import type { LoadedProgram } from "./program.ts";
import { simulate, simulateProgram } from "./simulate.ts";
import { startThread } from "./threads.ts";

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
}

/** The verdict and the main figures of a run. */
export interface RunFigures {
  readonly seed: number;
  readonly valid: Validity;
  readonly operations: number;
  readonly okFraction: number;
  /** Operations with an unknown outcome, as a share of all. */
  readonly infoFraction: number;
  readonly allPerOp: number;
  readonly serversPerOp: number;
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

/**
 * Does runs on all cores.
 *
 * @param onOutcome called with each outcome, as the runs end
 * @param signal abandons the runs that have not ended
 * @returns the outcomes in the order of the jobs.
 * @throws {Error} if a run could not be done, or the signal's reason; the others are abandoned.
 */
export function runJobs(
  jobs: readonly Job[],
  onOutcome: (outcome: RunFigures, index: number) => void = () => {},
  signal?: AbortSignal,
): Promise<RunFigures[]> {
  const run: ModuleExport = { module: import.meta.url, name: "runJob" };
  return runTasks(jobs.map((input) => ({ ...run, input })), onOutcome, signal);
}

/**
 * Does a run, in this thread.
 *
 * @throws {TypeError} if there is no such function as `install` names.
 */
export async function runJob({ options, args, install, program }: Job): Promise<RunFigures> {
  const installed = install === undefined ? {} : { install: await installer(install) };
  const { results } = program === undefined
    ? await simulate({ ...options, args, ...installed })
    : await simulateProgram(program, args, options);
  return outcomeOf(results, options);
}

async function installer(
  install: NonNullable<Job["install"]>,
): Promise<(node: Node) => void> {
  const found = await load(install);
  return (node) => void found(node, ...install.arguments ?? []);
}

function outcomeOf(report: RunReport, options: RunOptions): RunFigures {
  const { stats, availability, net, latencies, workload } = report;
  const operations = stats.count;
  return {
    seed: options.seed,
    valid: report.valid,
    operations,
    okFraction: availability.okFraction,
    infoFraction: operations === 0 ? 0 : stats.infoCount / operations,
    allPerOp: net.all.msgsPerOp ?? 0,
    serversPerOp: net.servers.msgsPerOp ?? 0,
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
  };
}

function stableSpread(latencies: LatencyQuantiles | undefined): Spread | undefined {
  if (latencies === undefined) return undefined;
  const { "0.5": median, "0.95": p95, "0.99": p99, "1": max } = latencies;
  return { median, p95, p99, max };
}

function reasonOf({ valid, broke, explanations, warnings }: RunReport): string {
  if (valid === true) return "";
  if (broke !== undefined) return indented(broke.text);
  const [lines = [warnings[0] ?? "no reason known"]] = explanations;
  return lines.map(printableLine).join("\n");
}

/** A function for a worker to call, and its argument. */
export interface Task extends ModuleExport {
  readonly input: unknown;
}

/** The answer of a worker: what the function returned, or the message of what it threw. */
export type WorkerReply =
  | { readonly result: unknown }
  | { readonly error: string };

/**
 * Does tasks on all cores.
 *
 * @typeParam Result what the functions return; the caller must know
 * @param onResult called with each result, as it comes
 * @param signal abandons the tasks that are not done
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
  onResult: (result: Result, index: number) => void = () => {},
  signal?: AbortSignal,
): Promise<Result[]> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const abort = () => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  const results: Result[] = new Array(tasks.length);
  let next = 0;
  const count = Math.min(tasks.length, navigator.hardwareConcurrency);
  const workers = Array.from({ length: count }, startWorker);
  try {
    await Promise.all(workers.map(async (worker) => {
      for (let index = next++; index < tasks.length; index = next++) {
        const done = worker.run(tasks[index] as Task);
        const result = await Promise.race([done, aborted.promise]) as Result;
        results[index] = result;
        onResult(result, index);
      }
    }));
  } finally {
    signal?.removeEventListener("abort", abort);
    for (const worker of workers) worker.stop();
  }
  return results;
}

function startWorker(): { run(task: Task): Promise<unknown>; stop(): void } {
  const worker = startThread("sweep", "./sweep_worker.ts", import.meta.url);
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
          if ("result" in data) resolve(data.result);
          else reject(new Error(data.error));
        };
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(`A worker failed: ${event.message}`));
        };
        worker.postMessage(task);
      }),
    stop: () => worker.terminate(),
  };
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
