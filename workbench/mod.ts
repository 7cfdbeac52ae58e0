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
 * assertEquals(results["valid?"], true);
 * ```
 *
 * @module
 */

export { ProtocolError, type Violation } from "./cluster/protocol_error.ts";
export type { FaultVerbs, FaultWindow, Nodes } from "./faults/faults.ts";
export type { Drops } from "./faults/partitions.ts";
export {
  type CheckResult,
  type Finding,
  type Op,
  type OpError,
  type OpType,
  type Validity,
} from "./history.ts";
export type { NetEvent, TrafficStats } from "./network/journal.ts";
export type { Packet } from "./network/packet.ts";
export type { Slowness } from "./network/rules.ts";
export type { Quantiles } from "./results/latencies.ts";
export type { RunBreak, RunReport } from "./results/report.ts";
export {
  type HistoryResults,
  judge,
  type NetResults,
  type TrafficResult,
} from "./results/results.ts";
export { summarize } from "./results/summary.ts";
export type { RunSettings } from "./run/options.ts";
export type { OpCounts } from "./run/recorder.ts";
export type { Progress, Stage } from "./run/run.ts";
export {
  type Program,
  type RunHooks,
  runProgram,
  type RunResult,
  simulate,
  type SimulateOptions,
} from "./simulate.ts";
export { type HistoryFormat, parseHistory } from "./store/history_file.ts";
export {
  type Envelope,
  type Latency,
  NEMESES,
  type NemesisName,
  type RunOptions,
  type WorkloadName,
  WORKLOADS,
} from "./types.ts";
export type { HistoryResult, JudgeOptions } from "./workloads/workloads.ts";
