/**
 * The checker of the kafka workload.
 *
 * @module
 */

import type { CheckResult, Op, Validity } from "../../history.ts";
import { resultOf, Warnings } from "../checker.ts";
import { Anomalies, type AnomalyFigures, NO_WRITER } from "./anomalies.ts";
import { checkCycles } from "./cycles.ts";
import { type Act, isTransaction, readActs, readLogs } from "./log.ts";
import { checkCommits, checkOrder, type Lag, worstLag } from "./reads.ts";
import { checkLost, checkPlaces, checkReads, checkUnseen, type Unseen } from "./writes.ts";

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
 * import type { Op } from "../../history.ts";
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
export function checkKafka(history: readonly Op[]): KafkaResult {
  const warnings = new Warnings();
  const anomalies = new Anomalies();
  const read = readActs(history, warnings);
  const { acts } = read;
  const logs = readLogs(read);
  for (const log of logs.values()) checkPlaces(log, anomalies);
  checkReads(read, logs, anomalies);
  checkLost(read, logs, anomalies, warnings);
  const unseen = checkUnseen(read, logs, anomalies);
  checkOrder(acts, logs, anomalies, warnings);
  checkCycles(acts, anomalies);
  checkCommits(acts, logs, warnings);
  const figures = {
    anomalies: anomalies.figures(),
    unseen,
    worstRealtimeLag: worstLag(acts),
    badErrorTypes: anomalies.badTypes(),
    errorTypes: anomalies.types(),
    infoTxnCauses: infoCauses(acts),
  };
  return resultOf(verdict(anomalies), figures, anomalies.findings(), warnings);
}

function verdict(anomalies: Anomalies): Validity {
  if (anomalies.badTypes().length > 0) return false;
  return anomalies.types().includes(NO_WRITER) ? "unknown" : true;
}

/** Why sends and polls ended unknown. */
function infoCauses(acts: readonly Act[]): string[] {
  const causes = new Set<string>();
  for (const act of acts) {
    if (act.type !== "info" || !isTransaction(act)) continue;
    const { text } = act.op.error ?? {};
    causes.add(text ?? "nothing was heard");
  }
  return [...causes];
}
