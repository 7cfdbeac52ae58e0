/**
 * What a whole run comes to: verdicts, figures, and what broke.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { Pairs, type Quantiles, quantiles } from "./checkers/checker.ts";
import type { CounterResult } from "./checkers/counter.ts";
import type { EchoResult } from "./checkers/echo.ts";
import type { ElleResult } from "./checkers/elle/check.ts";
import type { KafkaResult } from "./checkers/kafka/kafka.ts";
import type { LinearizableResult } from "./checkers/linearizable.ts";
import type { SetFullResult } from "./checkers/set_full.ts";
import {
  type AvailabilityResult,
  checkAvailability,
  checkExceptions,
  checkOperations,
  checkStats,
  type ExceptionsResult,
  type StatsResult,
} from "./checkers/stats.ts";
import type { UniqueIdsResult } from "./checkers/unique_ids.ts";
import type { DiskStats } from "./disk.ts";
import { type Circumstances, explain } from "./explain.ts";
import type { FaultWindow } from "./faults.ts";
import {
  type CheckResult,
  type Finding,
  type History,
  MAX_FINDINGS,
  type Op,
  type Validity,
  worst,
} from "./history.ts";
import type { NetStats } from "./journal.ts";
import { loadWarning, type MachineLoad } from "./machine_load.ts";
import { checkHealed } from "./checkers/healed.ts";
import { checkObservations, type ObservationSummary } from "./observations.ts";
import type { RunOptions } from "./options.ts";
import type { PlannedOps } from "./runner.ts";
import { workloads } from "./workloads/mod.ts";

/** The verdict of a workload's own checker; only a {@linkcode CheckResult} if that one failed. */
export type WorkloadResult =
  | CheckResult
  | CounterResult
  | EchoResult
  | ElleResult
  | KafkaResult
  | LinearizableResult
  | SetFullResult
  | UniqueIdsResult;

/** What a history alone comes to. */
export interface HistoryReport {
  /** The worst of all checkers'. */
  readonly valid: Validity;
  /** Replies that did not fit their schema. */
  readonly exceptions: ExceptionsResult;
  /** Whether every kind of operation succeeded at least once. */
  readonly stats: StatsResult;
  /** What share of operations succeeded. */
  readonly availability: AvailabilityResult;
  /** What the workload itself asks for. */
  readonly workload: WorkloadResult;
  /** How long operations took that succeeded, in ms. */
  readonly latencies: Quantiles;
  /** What is wrong, over all checkers. */
  readonly findings: readonly Finding[];
  /** What Maelstrom would overlook. */
  readonly warnings: readonly string[];
}

/** What a run comes to. */
export interface RunReport extends HistoryReport {
  /** The seed of all random choices. */
  readonly seed: number;
  /** What went over the network. */
  readonly net: NetStats;
  /** The operations that clients were to do; absent where nine of ten or more began. */
  readonly planned?: PlannedOps | undefined;
  /** What was on when. */
  readonly faults: readonly FaultWindow[];
  /** What nodes told of themselves by name; absent if they told nothing of the kind. */
  readonly observed?: ObservationSummary | undefined;
  /** What simulated disks did; absent if nothing was written to any. */
  readonly disks?: DiskStats | undefined;
  /** How busy the machine was; of a run in real time only. */
  readonly machineLoad?: MachineLoad | undefined;
  /** Says that the machine decided latencies, where it did; no warning, and no part of the verdict. */
  readonly machineNote?: string | undefined;
  /** Why the run was broken off, if it was. */
  readonly broke?: RunBreak | undefined;
  /** Each failure in up to four lines. */
  readonly explanations: readonly (readonly string[])[];
}

/** Why a run did not come to its end. */
export interface RunBreak {
  /** Whether a node is to blame, so that the run is invalid rather than broken. */
  readonly byNode: boolean;
  /** The reason, as a sentence. */
  readonly text: string;
}

/**
 * Checks a history: what its workload asks for, and what every workload does.
 *
 * A checker that throws, as none should, leaves the verdict unknown and its error as a warning.
 *
 * @param options the workload, what it is to obey, and the least share of operations that must
 * succeed; nothing is asked without it
 *
 * @example
 * ```ts
 * import { check, parseHistory } from "@eddy/workbench";
 * import { assertEquals } from "@std/assert";
 *
 * const history = parseHistory(
 *   '{"index":0,"time":0,"type":"invoke","process":0,"f":"generate","value":null}\n' +
 *     '{"index":1,"time":9,"type":"ok","process":0,"f":"generate","value":1}\n',
 * );
 * assertEquals(check(history, { workload: "unique-ids", consistencyModels: [] }).valid, true);
 * ```
 */
export function check(
  history: History,
  options:
    & Pick<RunOptions, "workload" | "consistencyModels">
    & {
      readonly availability?: RunOptions["availability"];
      readonly failOnWarning?: boolean | undefined;
      /** Whether only what the workload itself asks for decides. */
      readonly only?: boolean;
    },
): HistoryReport {
  const workload = guarded("workload", {}, () => {
    return workloads[options.workload].check(history, options);
  });
  const stats = guarded("stats", NO_STATS, () => checkStats(history));
  const availability = guarded("availability", { okFraction: 0 }, () => {
    return checkAvailability(history, options.availability);
  });
  const exceptions = guarded("exceptions", {}, () => checkExceptions(history));
  const { latencies, ...timed } = guarded("latencies", { latencies: quantiles([]) }, () => {
    return { valid: true, latencies: operationLatencies(history) };
  });
  const operations = guarded("operations", { decisive: false }, () => {
    return checkOperations(history, { name: options.workload, ...workloads[options.workload] });
  });
  const asked: CheckResult[] = [operations, workload];
  const all = options.only === true ? asked : [...asked, stats, availability, exceptions, timed];
  // What is wrong with the workload's own operations stays wrong, whatever else is there.
  const alone = operations.decisive || (operations.valid !== true && workload.valid !== false);
  const parts = alone ? [operations] : all;
  const verdict = worst(parts.map(({ valid }) => valid));
  return failingOnWarnings(options, {
    valid: verdict,
    exceptions,
    stats,
    availability,
    workload,
    latencies,
    // What another part could not decide does not explain the verdict.
    findings: parts.flatMap(({ valid, findings = [] }) => valid === verdict ? findings : [])
      .slice(0, MAX_FINDINGS),
    // Checkers that read the same history may stumble over the same thing.
    warnings: [...new Set(all.flatMap(({ warnings = [] }) => warnings))],
  });
}

/** With `failOnWarning`, makes each warning a finding and the verdict invalid. */
function failingOnWarnings<Report extends HistoryReport>(
  { failOnWarning = false }: { readonly failOnWarning?: boolean | undefined },
  report: Report,
): Report {
  const { warnings, findings, valid } = report;
  if (!failOnWarning || warnings.length === 0) return report;
  const failures = warnings.map((what): Finding => ({ anomaly: "warning", what, ops: [] }));
  // What was not decided does not explain why a run is invalid.
  const kept = valid === "unknown" ? [] : findings;
  return { ...report, valid: false, findings: [...kept, ...failures].slice(0, MAX_FINDINGS) };
}

/** Makes a report invalid for what was found beside the history, if anything was. */
function withFindings(report: HistoryReport, found: readonly Finding[]): HistoryReport {
  if (found.length === 0) return report;
  const kept = report.valid === false ? report.findings : [];
  return { ...report, valid: false, findings: [...kept, ...found].slice(0, MAX_FINDINGS) };
}

const NO_STATS = { count: 0, okCount: 0, failCount: 0, infoCount: 0, byF: {} };

/**
 * Runs a checker; if it throws, its verdict is unknown and its error is a warning.
 *
 * @param figures what stands in for its figures then
 */
function guarded<Figures>(
  part: string,
  figures: Figures,
  checker: () => CheckResult & Figures,
): CheckResult & Figures {
  try {
    return checker();
  } catch (error) {
    const warning = `The ${part} could not be checked: ${errorText(error)}`;
    return { valid: "unknown", ...figures, warnings: [warning] };
  }
}

/** Checks a run, with what the cluster, the network and the nemesis know of it. */
export function reportRun(
  {
    options,
    history,
    invocations,
    planned,
    net,
    machineLoad,
    observed,
    disks,
    broke,
    warnings,
    waiting,
    lasting,
    ...circumstances
  }:
    & Circumstances
    & {
      readonly options: RunOptions;
      readonly history: readonly Op[];
      /** How many operations clients began. */
      readonly invocations: number;
      readonly planned?: PlannedOps | undefined;
      readonly net: NetStats;
      readonly machineLoad?: MachineLoad | undefined;
      readonly observed?: ObservationSummary | undefined;
      readonly disks?: DiskStats | undefined;
      readonly broke: RunBreak | undefined;
      /** For what the run was ended early, if it was: findings of its history, or none but others'. */
      readonly lasting?: readonly Finding[] | undefined;
      readonly warnings: readonly string[];
      /** What a node waited for while it had an operation, in words. */
      readonly waiting?:
        | ((invoke: Op, completion: Op | undefined) => string | undefined)
        | undefined;
    },
): RunReport {
  const checked = whatItTells(check(history, { ...options, failOnWarning: false }), broke);
  // Half a history proves little but that.
  const ofHistory = lasting === undefined ? checked : withOnly(checked, lasting);
  const violations = [
    ...observed === undefined ? [] : checkObservations(observed),
    ...broke === undefined && lasting === undefined && options.heal
      ? checkHealed(history, options, waiting)
      : [],
  ];
  const report = failingOnWarnings(options, {
    ...withFindings(ofHistory, violations),
    warnings: [...ofHistory.warnings, ...warnings, ...idleWarnings(planned)],
  });
  return {
    ...report,
    // Half a history proves little: values on their way, say, count as lost.
    valid: broke === undefined
      ? report.valid
      : broke.byNode || violations.length > 0
      ? false
      : "unknown",
    seed: options.seed,
    net: withMessagesPerOp(net, invocations),
    planned: planned !== undefined && planned.begun < planned.count * 0.9 ? planned : undefined,
    faults: circumstances.faults,
    observed,
    disks,
    machineLoad,
    machineNote: machineLoad &&
      loadWarning(machineLoad, options.latency.meanMs, report.latencies.p50),
    broke,
    explanations: report.findings.map((finding) => explain(finding, circumstances)),
  };
}

/** A report of which nothing counts but some findings. */
function withOnly(report: HistoryReport, findings: readonly Finding[]): HistoryReport {
  return { ...report, valid: findings.length === 0, findings };
}

/** Of a run that broke off before its first operation, why it did says all. */
function whatItTells(report: HistoryReport, broke: RunBreak | undefined): HistoryReport {
  const isEmpty = broke !== undefined && report.stats.count === 0;
  return isEmpty ? { ...report, findings: [] } : report;
}

/** Says that a verdict rests on few operations, where less than half of them began. */
function idleWarnings(planned: PlannedOps | undefined): string[] {
  if (planned === undefined || planned.begun * 2 >= planned.count) return [];
  const { begun, count } = planned;
  return [
    `Only ${begun} of about ${count} planned operations began: for the rest of the time all ` +
    "clients waited for answers, and the verdict rests on little",
  ];
}

/** Adds how many messages there were for each operation, of all and between servers. */
function withMessagesPerOp({ all, clients, servers }: NetStats, operations: number): NetStats {
  if (operations === 0) return { all, clients, servers };
  return {
    all: { ...all, msgsPerOp: all.msgCount / operations },
    clients,
    servers: { ...servers, msgsPerOp: servers.msgCount / operations },
  };
}

/** How long the operations took that succeeded. */
export function operationLatencies(history: History): Quantiles {
  const pairs = new Pairs(history);
  const latenciesMs = new Float64Array(pairs.length);
  let count = 0;
  for (let number = 0; number < pairs.length; number++) {
    if (pairs.endOf(number) !== "ok") continue;
    const began = pairs.ops.timeAt(pairs.invokedAt[number] ?? 0);
    latenciesMs[count++] = (pairs.ops.timeAt(pairs.completion(number)) - began) / 1e6;
  }
  return quantiles(latenciesMs.subarray(0, count));
}
