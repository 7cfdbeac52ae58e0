/**
 * One run of many, and what is kept of it.
 *
 * @module
 */

import type { Validity } from "../history.ts";
import type { RunReport } from "../results/report.ts";
import { simulate } from "../simulate.ts";
import type { RunOptions } from "../types.ts";
import { load, type ModuleExport } from "./load.ts";

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
  /** Operations whose fate nobody knows, as a share of all. */
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
  const figure = (of: Readonly<Record<string, unknown>>, name: string): number => {
    const value = of[name];
    return typeof value === "number" ? value : 0;
  };
  const operations = figure(stats, "count");
  const lag = workload["worst-realtime-lag"] as { lag?: number } | undefined;
  return {
    seed: options.seed,
    valid: report["valid?"],
    operations,
    okFraction: figure(availability, "ok-fraction"),
    infoFraction: operations === 0 ? 0 : figure(stats, "info-count") / operations,
    allPerOp: net.all["msgs-per-op"] ?? 0,
    serversPerOp: net.servers["msgs-per-op"] ?? 0,
    latencyMs: latencies.p50 === undefined ? undefined : {
      median: latencies.p50,
      p95: latencies.p95 ?? 0,
      p99: latencies.p99 ?? 0,
      max: latencies.max ?? 0,
    },
    stableMs: stableSpread(workload["stable-latencies"]),
    worstLagSeconds: lag?.lag,
    throughput: figure(stats, "ok-count") / options.timeLimitSeconds,
    reason: reasonOf(report),
  };
}

function stableSpread(latencies: unknown): Spread | undefined {
  if (typeof latencies !== "object" || latencies === null) return undefined;
  const by = latencies as Record<string, number | undefined>;
  const { "0.5": median, "0.95": p95, "0.99": p99, "1": max } = by;
  if (median === undefined || p95 === undefined) return undefined;
  return { median, p95, p99: p99 ?? p95, max: max ?? p95 };
}

function reasonOf({ broke, explanations, warnings, ...report }: RunReport): string {
  if (report["valid?"] === true) return "";
  if (broke !== undefined) return broke.text;
  return explanations[0]?.join("\n") ?? warnings[0] ?? "no reason known";
}
