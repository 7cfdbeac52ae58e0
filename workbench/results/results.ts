/**
 * What a run comes to: the checkers' verdicts and figures, under Maelstrom's names.
 *
 * @module
 */

import { type Finding, MAX_FINDINGS, type Op } from "../history.ts";
import type { NetStats, TrafficStats } from "../network/journal.ts";
import { checkHistory, type HistoryResult, type JudgeOptions } from "../workloads/workloads.ts";
import { operationLatencies, type Quantiles } from "./latencies.ts";

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
