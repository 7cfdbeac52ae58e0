/**
 * What a whole run comes to: verdicts, figures, and what broke.
 *
 * @module
 */

import { placedPairs, quantile } from "./checkers/checker.ts";
import type { FaultWindow } from "./faults.ts";
import { type Finding, MAX_FINDINGS, type Op, type Validity } from "./history.ts";
import type { DroppedMessage, NetStats, TrafficStats } from "./journal.ts";
import type { RunOptions } from "./options.ts";
import { explain } from "./explain.ts";
import type { OpCounts } from "./runner.ts";
import { checkHistory, type HistoryResult, type JudgeOptions } from "./workloads/mod.ts";

/** What a run leaves behind, for judging. */
export interface RunRecord {
  readonly options: RunOptions;
  readonly history: readonly Op[];
  readonly counts: OpCounts;
  readonly net: NetStats;
  readonly dropped: readonly DroppedMessage[];
  readonly faults: readonly FaultWindow[];
  /** When the history begins, by the world's clock. */
  readonly startMs: number;
  /** Why the run was broken off, where a node broke the protocol or could not be started. */
  readonly broke: RunBreak | undefined;
  /** What the cluster and the services noticed. */
  readonly warnings: readonly string[];
}

/** Why a run did not come to its end. */
export interface RunBreak {
  /** Whether a node is to blame, so that the run is invalid rather than broken. */
  readonly byNode: boolean;
  /** The sentence for people. */
  readonly text: string;
}

/** All that is said of a run; what `results.json` holds. */
export interface RunReport extends HistoryResults {
  /** What decided all chance. */
  readonly seed: number;
  /** What went over the network. */
  readonly net: NetResults;
  /** What was on when. */
  readonly faults: readonly FaultWindow[];
  /** Why the run was broken off, if it was. */
  readonly broke?: RunBreak;
  /** Each failure in up to four lines. */
  readonly explanations: readonly (readonly string[])[];
}

/** Judges a run. */
export function reportRun(record: RunRecord): RunReport {
  const { options, history, counts, broke } = record;
  const results = judge(history, options);
  return {
    ...results,
    "valid?": overall(results["valid?"], broke),
    warnings: [...results.warnings, ...record.warnings],
    seed: options.seed,
    net: netResults(record.net, counts.invocations),
    faults: record.faults,
    ...(broke === undefined ? {} : { broke }),
    explanations: results.findings.map((finding) => explain(finding, record)),
  };
}

/** Half a history proves little: values on their way, say, count as lost. */
function overall(judged: Validity, broke: RunBreak | undefined): Validity {
  if (broke === undefined) return judged;
  return broke.byNode ? false : "unknown";
}

/** Traffic, and how much of it there was for each operation. */
export interface TrafficResult extends TrafficStats {
  /** Messages for each operation of a client. */
  readonly "msgs-per-op"?: number;
}

/** What is said of a history alone. */
export interface HistoryResults extends HistoryResult {
  /** How long operations took that succeeded, in ms. */
  readonly latencies: Quantiles;
  /** What is wrong, over all checkers. */
  readonly findings: readonly Finding[];
  /** What Maelstrom would overlook. */
  readonly warnings: readonly string[];
}

/** What is said of the network. */
export interface NetResults {
  /** All messages. */
  readonly all: TrafficResult;
  /** Messages from and to clients. */
  readonly clients: TrafficResult;
  /** Messages between nodes, and between nodes and services. */
  readonly servers: TrafficResult;
}

/** Runs every checker that has a say in a workload. */
export function judge(history: readonly Op[], options: JudgeOptions): HistoryResults {
  const verdicts = checkHistory(history, options);
  const { workload, stats, availability, exceptions } = verdicts;
  const all = [workload, stats, availability, exceptions];
  return {
    ...verdicts,
    latencies: operationLatencies(history),
    findings: all.flatMap(({ findings = [] }) => findings).slice(0, MAX_FINDINGS),
    // Checkers that read the same history may stumble over the same thing.
    warnings: [...new Set(all.flatMap(({ warnings = [] }) => warnings))],
  };
}

/** The network's figures for so many operations, as Maelstrom gives them. */
export function netResults(stats: NetStats, operations: number): NetResults {
  const perOp = (traffic: TrafficStats): TrafficResult =>
    operations === 0 ? traffic : { ...traffic, "msgs-per-op": traffic["msg-count"] / operations };
  return { all: perOp(stats.all), clients: stats.clients, servers: perOp(stats.servers) };
}

/** A distribution in milliseconds, by quantile. */
export interface Quantiles {
  /** How many values there are; without any there are no quantiles. */
  readonly count: number;
  /** The median. */
  readonly p50?: number;
  /** 95 of 100 are below. */
  readonly p95?: number;
  /** 99 of 100 are below. */
  readonly p99?: number;
  /** The largest. */
  readonly max?: number;
}

/** How long the operations took that succeeded. */
export function operationLatencies(history: readonly Op[]): Quantiles {
  const latenciesMs: number[] = [];
  for (const { invoke, completion } of placedPairs(history)) {
    if (completion?.type === "ok") latenciesMs.push((completion.time - invoke.time) / 1e6);
  }
  return quantiles(latenciesMs);
}

/** The quantiles that a report tells, as Maelstrom picks them. */
export function quantiles(values: readonly number[]): Quantiles {
  if (values.length === 0) return { count: 0 };
  const sorted = Float64Array.from(values).sort();
  const at = (q: number) => quantile(sorted, q) ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
