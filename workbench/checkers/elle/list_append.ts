/**
 * Elle's check of transactions over lists, as Maelstrom's `txn-list-append` uses it.
 *
 * @module
 */

import type { CheckResult, Op } from "../../history.ts";
import { appendAnomalies, refuseAppends } from "./append_anomalies.ts";
import { appendOrder, explainAppends, linkAppends } from "./append_order.ts";
import { Cases } from "./cases.ts";
import type { Effort } from "./cycle_anomalies.ts";
import { dependencyCycles } from "./dependency_cycles.ts";
import { GraphBuilder } from "./graph.ts";
import { lostUpdates } from "./lost_update.ts";
import { canonicalModel } from "./models.ts";
import { checkReads, checkReplies } from "./replies.ts";
import { readTransactions } from "./txns.ts";
import { type ElleOptions, guarded, verdict } from "./verdict.ts";
import { malformedTxn, refusal } from "./refusals.ts";

/**
 * Checks transactions that read lists and append to them.
 *
 * The verdict is Elle 0.2.2's: false if an anomaly is present that one of the models forbids,
 * unknown if the history cannot be judged, else true. A search for cycles counts steps instead of
 * milliseconds, so that the same history always gets the same answer.
 *
 * @param history operations `txn` with values `[["r", k, null | [...]] | ["append", k, v], ...]`.
 * @param options the consistency models to check for.
 * @param effort how long to search for cycles.
 * @returns `anomaly-types`, `anomalies` (a few of each) and `anomaly-counts`; `not`, the weakest
 * models that are ruled out, and `also-not`, the stronger ones; never throws.
 *
 * @example
 * ```ts
 * import { checkListAppend } from "./list_append.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { time: 0, process: 0, f: "txn" };
 * const result = checkListAppend([
 *   { ...op, index: 0, type: "invoke", value: [["append", 9, 1], ["r", 9, null]] },
 *   { ...op, index: 1, type: "ok", value: [["append", 9, 1], ["r", 9, []]] },
 * ], { consistencyModels: ["serializable"] });
 * assertEquals(result["valid?"], false);
 * assertEquals(result["anomaly-types"], ["empty-transaction-graph", "internal"]);
 * ```
 */
export function checkListAppend(
  history: readonly Op[],
  { consistencyModels }: ElleOptions,
  effort?: Effort,
): CheckResult {
  return guarded(() => {
    const models = consistencyModels.map(canonicalModel);
    const all = readTransactions(history, "append");
    const warnings = [...checkReplies(all), ...checkReads(all)];
    const report = { models, warnings, registers: false };
    const cases = new Cases();
    const malformed = malformedTxn(all);
    if (malformed !== undefined) return verdict({ ...report, cases, refusals: [malformed] });
    const order = appendOrder(all);
    const { duplicate, unwritten } = refuseAppends(all, order);
    if (duplicate !== undefined) {
      return verdict({ ...report, cases, refusals: [refusal("duplicate-appends", duplicate)] });
    }
    appendAnomalies(all, order, cases);
    lostUpdates(all, cases);
    const graph = new GraphBuilder(all.txns.length);
    linkAppends(graph, all, order);
    dependencyCycles(all, graph, explainAppends(all, order), models, cases, effort);
    const refusals = unwritten === undefined ? [] : [refusal("unwritten-element", unwritten)];
    return verdict({ ...report, cases, refusals });
  });
}
