/**
 * The checker of the kafka workload.
 *
 * @module
 */

import type { CheckResult, History, Validity } from "../../history.ts";
import { resultOf, Warnings } from "../checker.ts";
import { Anomalies, type Anomaly, type AnomalyFigures, NO_WRITER } from "./anomalies.ts";
import { transferCycles } from "./cycles.ts";
import { type Logs, readLogs } from "./log.ts";
import { isTransaction, type KafkaHistory, readHistory } from "./operations.ts";
import { type Lag, warnOfCommits, worstLag, wrongMoves } from "./reads.ts";
import {
  dirtyReads,
  lostWrites,
  misplacedMessages,
  type Unseen,
  unseenFigures,
  unseenMessages,
} from "./writes.ts";

/** The verdict on logs. */
export interface KafkaResult extends CheckResult {
  /** How often each anomaly occurred, and the worst cases of it. */
  readonly anomalies: Readonly<Record<string, AnomalyFigures>>;
  /** What was acknowledged and never polled. */
  readonly unseen?: Unseen | undefined;
  /** The poll that lagged most behind its log. */
  readonly worstRealtimeLag: Lag;
  /** The anomalies that make the run invalid. */
  readonly badErrorTypes: readonly string[];
  /** The anomalies that occurred. */
  readonly errorTypes: readonly string[];
  /** Why operations ended unknown. */
  readonly infoTxnCauses: readonly string[];
}

/**
 * Checks that logs kept what was sent to them, and that clients saw them in order and without gaps.
 *
 * The anomalies are those of `jepsen.tests.kafka` 0.3.7 as Maelstrom sets it up, each under its
 * name as `{count, errs}` with the worst cases; operations in `errs` go by their index. A message
 * that was polled but never sent leaves Maelstrom without a verdict, and so the result is unknown
 * unless something else is wrong. It takes time near linear in what was sent and polled.
 *
 * @example
 * ```ts
 * import { checkKafka } from "./kafka.ts";
 * import type { History, Op } from "../../history.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { process: 0, f: "send" } as const;
 * const history: Op[] = [
 *   { ...op, index: 0, time: 0, type: "invoke", value: [["send", "k", 1]] },
 *   { ...op, index: 1, time: 1, type: "ok", value: [["send", "k", [0, 1]]] },
 *   { ...op, index: 2, time: 2, type: "invoke", f: "poll", value: [["poll"]] },
 *   { ...op, index: 3, time: 3, type: "ok", f: "poll", value: [["poll", {}]] },
 * ];
 * assertEquals(checkKafka(history).badErrorTypes, ["unseen"]);
 * ```
 */
export function checkKafka(history: History): KafkaResult {
  const warnings = new Warnings();
  const read = readHistory(history, warnings);
  const logs = readLogs(read);
  const anomalies = new Anomalies(anomaliesOf(read, logs, warnings));
  warnOfCommits(history, read, logs, warnings);
  const figures = {
    anomalies: anomalies.figures(),
    unseen: unseenFigures(read),
    worstRealtimeLag: worstLag(read),
    badErrorTypes: anomalies.badTypes(),
    errorTypes: anomalies.types(),
    infoTxnCauses: infoCauses(read),
  };
  return resultOf(verdict(anomalies), figures, anomalies.findings(), warnings);
}

/** What a history says of its logs, and what is wrong with them, the worst of it. */
export function readAnomalies(history: History): {
  readonly read: KafkaHistory;
  readonly logs: Logs;
  readonly worst: readonly Anomaly[];
} {
  const warnings = new Warnings();
  const read = readHistory(history, warnings);
  const logs = readLogs(read);
  return { read, logs, worst: new Anomalies(anomaliesOf(read, logs, warnings)).worst() };
}

function* anomaliesOf(
  read: KafkaHistory,
  logs: Logs,
  warnings: Warnings,
): Generator<Anomaly> {
  for (const log of logs.values()) yield* misplacedMessages(log, logs);
  yield* dirtyReads(read, logs);
  yield* lostWrites(read, logs, warnings);
  yield* unseenMessages(read, logs);
  yield* wrongMoves(read, logs, warnings);
  yield* transferCycles(read);
}

function verdict(anomalies: Anomalies): Validity {
  if (anomalies.badTypes().length > 0) return false;
  return anomalies.types().includes(NO_WRITER) ? "unknown" : true;
}

/** Why sends and polls ended unknown. */
function infoCauses(operations: KafkaHistory): string[] {
  const causes = new Set<string>();
  for (const operation of operations) {
    if (operation.type !== "info" || !isTransaction(operation)) continue;
    const { text } = operation.op.error ?? {};
    causes.add(text ?? "nothing was heard");
  }
  return [...causes];
}
