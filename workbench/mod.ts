/**
 * Run and check any Maelstrom node in seconds, without a JVM, from a seed.
 *
 * @example
 * ```ts
 * import { simulate } from "@eddy/workbench";
 * import { assertEquals } from "@std/assert";
 *
 * const { results } = await simulate({
 *   workload: "unique-ids",
 *   nodeCount: 3,
 *   rate: 100,
 *   timeLimitSeconds: 10,
 *   nemesis: ["partition"],
 *   availability: "total",
 *   seed: 1,
 * });
 * assertEquals(results.valid, true);
 * ```
 *
 * @module
 */

export { ProtocolError, type Violation } from "./protocol.ts";
export type { DiskStats, Loss, SyncFailure } from "./disk.ts";
export type { Drops, FaultVerbs, FaultWindow, Nodes } from "./faults.ts";
export {
  type CheckResult,
  type Finding,
  type History,
  type Op,
  type OpError,
  type OpType,
  type Validity,
} from "./history.ts";
export { type HistoryFormat, parseHistory } from "./history.ts";
export type { NetEvent, NetStats, TrafficStats } from "./journal.ts";
export type { Compute } from "./in_process.ts";
export {
  faultKinds,
  type FaultSpec,
  NEMESES,
  type NemesisName,
  type PlanFault,
} from "./nemesis.ts";
export type { Latency, PlanLink, Slowness } from "./links.ts";
export type { Skew } from "./machine_clock.ts";
export type { Packet } from "./network.ts";
export type { MachineLoad, NodeLoad } from "./machine_load.ts";
export type { NamedCount, ObservationRecord, ObservationSummary } from "./observations.ts";
export type { Quantiles } from "./checkers/checker.ts";
export type { CounterResult } from "./checkers/counter.ts";
export type { EchoResult } from "./checkers/echo.ts";
export type { ElleResult } from "./checkers/elle/check.ts";
export type { AnomalyFigures } from "./checkers/kafka/anomalies.ts";
export type { KafkaResult } from "./checkers/kafka/kafka.ts";
export type { Lag } from "./checkers/kafka/reads.ts";
export type { Unseen } from "./checkers/kafka/writes.ts";
export type { LinearizableResult, RegisterResult } from "./checkers/linearizable.ts";
export type { LatencyQuantiles, SetFullResult, StaleElement } from "./checkers/set_full.ts";
export type {
  AvailabilityResult,
  EndCounts,
  ExceptionsResult,
  StatsResult,
} from "./checkers/stats.ts";
export type { UniqueIdsResult } from "./checkers/unique_ids.ts";
export {
  check,
  type HistoryReport,
  type RunBreak,
  type RunReport,
  type WorkloadResult,
} from "./report.ts";
export { summarize } from "./explain.ts";
export { defaultOptions, type RunOptions, type RunSettings } from "./options.ts";
export { parsePlan, type Plan, type PlanProgram, writePlan } from "./plan.ts";
export type { OpCounts, PlannedOps, PlanOp, RunProgress, Stage } from "./runner.ts";
export type { PlannedParts, RunHooks, RunResult } from "./run.ts";
export { simulate, type SimulateOptions } from "./simulate.ts";
export { type Program, runProgram, simulateProgram } from "./run_program.ts";
export { type BundledProgram, type LoadedProgram, loadProgram } from "./program.ts";
export type { WasmProgram } from "./wasm_program.ts";
export { type WorkloadName, WORKLOADS, workloads } from "./workloads/mod.ts";
