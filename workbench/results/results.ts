/**
 * What a run comes to: the checkers' verdicts and figures, under Maelstrom's names.
 *
 * @module
 */

import { checkAvailability } from "../checkers/availability.ts";
import { checkExceptions } from "../checkers/exceptions.ts";
import { checkStats } from "../checkers/stats.ts";
import {
  type CheckResult,
  type Finding,
  MAX_FINDINGS,
  type Op,
  type Validity,
  worst,
} from "../history.ts";
import type { NetStats, TrafficStats } from "../network/journal.ts";
import type { RunOptions, WorkloadName } from "../types.ts";
import type { CheckOptions } from "../workloads/spec.ts";
import { workloadSpecs } from "../workloads/workloads.ts";
import { operationLatencies, type Quantiles } from "./latencies.ts";

/** Traffic, and how much of it there was for each operation. */
export interface TrafficResult extends TrafficStats {
  readonly "msgs-per-op"?: number;
}

/** What is said of a history alone. */
export interface HistoryResults {
  readonly "valid?": Validity;
  readonly stats: CheckResult;
  readonly availability: CheckResult;
  readonly exceptions: CheckResult;
  readonly workload: CheckResult;
  /** How long operations took that succeeded, in ms. */
  readonly latencies: Quantiles;
  /** What is wrong, over all checkers. */
  readonly findings: readonly Finding[];
  /** What Maelstrom would overlook. */
  readonly warnings: readonly string[];
}

/** What is said of the network. */
export interface NetResults {
  readonly all: TrafficResult;
  readonly clients: TrafficResult;
  readonly servers: TrafficResult;
}

/** What checking a history takes beside it. */
export type JudgeOptions = CheckOptions & Pick<RunOptions, "availability">;

/** Runs every checker that has a say in a workload. */
export function judge(
  workload: WorkloadName,
  history: readonly Op[],
  options: JudgeOptions,
): HistoryResults {
  const stats = guarded("stats", () => checkStats(history));
  const availability = guarded(
    "availability",
    () => checkAvailability(history, options.availability),
  );
  const exceptions = guarded("exceptions", () => checkExceptions(history));
  const own = guarded("workload", () => workloadSpecs[workload].check(history, options));
  const all = [own, stats, availability, exceptions];
  return {
    "valid?": worst(all.map((result) => result["valid?"])),
    stats,
    availability,
    exceptions,
    workload: own,
    latencies: operationLatencies(history),
    findings: all.flatMap(({ findings = [] }) => findings).slice(0, MAX_FINDINGS),
    warnings: all.flatMap(({ warnings = [] }) => warnings),
  };
}

/** A checker that breaks says nothing of the history: its verdict is unknown. */
function guarded(name: string, check: () => CheckResult): CheckResult {
  try {
    return check();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { "valid?": "unknown", warnings: [`The ${name} checker broke: ${text}`] };
  }
}

/** The network's figures for so many operations, as Maelstrom gives them. */
export function netResults(stats: NetStats, operations: number): NetResults {
  const perOp = (traffic: TrafficStats): TrafficResult =>
    operations === 0 ? traffic : { ...traffic, "msgs-per-op": traffic["msg-count"] / operations };
  return { all: perOp(stats.all), clients: stats.clients, servers: perOp(stats.servers) };
}
