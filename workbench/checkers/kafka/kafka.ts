/**
 * The checker of the kafka workload.
 *
 * @module
 */

import type { CheckResult, Op, Validity } from "../../history.ts";
import { resultOf, Warnings } from "../warnings.ts";
import { type Act, type Acts, isTransaction, readActs } from "./acts.ts";
import { Cases, NO_WRITER } from "./cases.ts";
import { checkCommits } from "./commits.ts";
import { checkLost, checkPlaces, checkReads, checkUnseen, type Unseen } from "./contents.ts";
import { checkCycles } from "./cycles.ts";
import { worstLag } from "./lag.ts";
import { type Log, readLogs } from "./log.ts";
import { checkOrder } from "./order.ts";

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
 * assertEquals(checkKafka(history)["bad-error-types"], ["unseen"]);
 * ```
 */
export function checkKafka(history: readonly Op[]): CheckResult {
  const warnings = new Warnings();
  const cases = new Cases();
  const read = readActs(history, warnings);
  const { acts } = read;
  const logs = readLogs(read);
  for (const log of logs.values()) checkPlaces(log, cases);
  checkReads(read, logs, cases);
  checkAllLost(read, logs, cases, warnings);
  const unseen = checkUnseen(read, logs, cases);
  checkOrder(acts, logs, cases, warnings);
  checkCycles(acts, cases);
  checkCommits(acts, logs, warnings);
  return resultOf(verdict(cases), figures(acts, cases, unseen), cases.findings(), warnings);
}

function verdict(cases: Cases): Validity {
  if (cases.badNames().length > 0) return false;
  return cases.names().includes(NO_WRITER) ? "unknown" : true;
}

function figures(acts: readonly Act[], cases: Cases, unseen: Unseen | undefined) {
  const told = cases.figures();
  return {
    ...told,
    ...(unseen !== undefined && { unseen: { ...told.unseen, ...unseen } }),
    "worst-realtime-lag": worstLag(acts),
    "bad-error-types": cases.badNames(),
    "error-types": cases.names(),
    "info-txn-causes": infoCauses(acts),
  };
}

/** Why sends and polls ended without anybody knowing what became of them. */
function infoCauses(acts: readonly Act[]): string[] {
  const causes = new Set<string>();
  for (const act of acts) {
    if (act.type !== "info" || !isTransaction(act)) continue;
    const { text } = act.op.error ?? {};
    causes.add(text ?? "nothing was heard");
  }
  return [...causes];
}

function checkAllLost(
  { acts, messages }: Acts,
  logs: ReadonlyMap<string, Log>,
  cases: Cases,
  warnings: Warnings,
): void {
  const polled = new Set<string>();
  for (const act of acts) {
    if (act.type === "ok") { for (const key of act.reads.keys()) polled.add(key); }
  }
  const none: Log = { key: "", slots: [], indexes: new Map(), places: new Map() };
  for (const key of polled) {
    const isBounded = checkLost(logs.get(key) ?? none, messages.get(key)?.values() ?? [], cases);
    if (isBounded) continue;
    warnings.add(
      "Key polled but never with a message at an offset, at which Maelstrom's checker stops with an " +
        "IndexOutOfBoundsException and leaves the run without a verdict",
      () => JSON.stringify(key),
    );
  }
}
