/**
 * Many runs at a time, one worker for each core.
 *
 * @module
 */

import type { LatencyQuantiles } from "./checkers/set_full.ts";
import type { Validity } from "./history.ts";
import type { RunOptions } from "./options.ts";
import type { RunReport } from "./report.ts";
import { simulate } from "./simulate.ts";

/** Work for a worker: a function, and what to call it with; plain data. */
export interface Task extends ModuleExport {
  readonly input: unknown;
}

/** What a worker answers. */
export type WorkerReply =
  | { readonly result: unknown }
  | { readonly problem: string };

/**
 * Does all jobs on all cores.
 *
 * @param onOutcome called with each, as it ends
 * @returns the outcomes in the order of the jobs.
 * @throws {Error} if a job could not be done; the others are given up.
 */
export function runJobs(
  jobs: readonly Job[],
  onOutcome: (outcome: Outcome, index: number) => void = () => {},
): Promise<Outcome[]> {
  const run = { module: new URL("./sweep.ts", import.meta.url).href, name: "runJob" };
  return runTasks(jobs.map((input) => ({ ...run, input })), onOutcome);
}

/**
 * Does all tasks on all cores.
 *
 * @param onResult called with each result, as it comes
 * @returns the results in the order of the tasks; they are what the functions return, which the
 * caller knows.
 * @throws {Error} if a task could not be done; the others are given up.
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
): Promise<Result[]> {
  const results: Result[] = new Array(tasks.length);
  let next = 0;
  const count = Math.min(tasks.length, navigator.hardwareConcurrency);
  const workers = Array.from({ length: count }, startWorker);
  try {
    await Promise.all(workers.map(async (worker) => {
      for (let index = next++; index < tasks.length; index = next++) {
        const result = await worker.run(tasks[index] as Task) as Result;
        results[index] = result;
        onResult(result, index);
      }
    }));
  } finally {
    for (const worker of workers) worker.stop();
  }
  return results;
}

function startWorker(): { run(task: Task): Promise<unknown>; stop(): void } {
  const worker = new Worker(new URL("./sweep_worker.ts", import.meta.url), { type: "module" });
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
          if ("result" in data) resolve(data.result);
          else reject(new Error(data.problem));
        };
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(`A worker broke: ${event.message}`));
        };
        worker.postMessage(task);
      }),
    stop: () => worker.terminate(),
  };
}

/** A run to do; plain data, so that any worker can do it. */
export interface Job {
  readonly options: RunOptions;
  /** Options for Eddy's own handlers. */
  readonly args: readonly string[];
  /**
   * What registers a node's handlers: a function of the node.
   *
   * @default Eddy's own for the workload
   */
  readonly install?: ModuleExport;
}

/** What is kept of a run. */
export interface Outcome {
  readonly seed: number;
  readonly valid: Validity;
  readonly operations: number;
  readonly okFraction: number;
  /** Operations whose outcome is unknown, as a share of all. */
  readonly infoFraction: number;
  readonly allPerOp: number;
  readonly serversPerOp: number;
  /** How long successful operations took. */
  readonly latencyMs: Spread | undefined;
  /** How long until a value was everywhere, for broadcast and g-set. */
  readonly stableMs: Spread | undefined;
  /** Kafka's worst realtime lag. */
  readonly worstLagSeconds: number | undefined;
  /** Successful operations a second. */
  readonly throughput: number;
  /** What was wrong first, in four lines at most. */
  readonly reason: string;
}

/** A distribution. */
export interface Spread {
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Does a run.
 *
 * @throws {TypeError} if what is to be installed is not to be had.
 */
export async function runJob({ options, args, install }: Job): Promise<Outcome> {
  const installed = install === undefined ? {} : { install: await load(install) };
  const { results } = await simulate({ ...options, args, ...installed });
  return outcomeOf(results, options);
}

/** What is kept of a report. */
export function outcomeOf(report: RunReport, options: RunOptions): Outcome {
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
  if (broke !== undefined) return broke.text;
  return explanations[0]?.join("\n") ?? warnings[0] ?? "no reason known";
}

/** Where a function stands. */
export interface ModuleExport {
  /** The module's URL. */
  readonly module: string;
  /** The name under which the module exports it. */
  readonly name: string;
}

/**
 * Fetches a function.
 *
 * @throws {TypeError} if the module exports none of that name.
 */
export async function load(
  { module, name }: ModuleExport,
): Promise<(input: unknown) => unknown> {
  const { [name]: found }: Readonly<Record<string, unknown>> = await import(module);
  if (typeof found !== "function") {
    throw new TypeError(`Cannot run ${name} of ${module}: it exports no such function`);
  }
  return (input) => found(input);
}
