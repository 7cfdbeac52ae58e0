/**
 * Elle's check of transactions over registers, as Maelstrom's `txn-rw-register` uses it.
 *
 * @module
 */

import type { CheckResult, Op } from "../../history.ts";
import { Cases } from "./cases.ts";
import type { Effort } from "./cycle_anomalies.ts";
import { dependencyCycles } from "./dependency_cycles.ts";
import { GraphBuilder } from "./graph.ts";
import { lostUpdates } from "./lost_update.ts";
import { canonicalModel } from "./models.ts";
import { malformedTxn } from "./refusals.ts";
import { keyTypes, registerAnomalies } from "./register_anomalies.ts";
import {
  ambiguousValue,
  explainRegisters,
  linkRegisters,
  type RegisterOrder,
  registerOrder,
} from "./register_order.ts";
import { keyText, opsOf, txnText, valueText } from "./render.ts";
import { checkReads, checkReplies } from "./replies.ts";
import { readTransactions, type Transactions } from "./txns.ts";
import { type ElleOptions, guarded, type Refusal, verdict } from "./verdict.ts";

/**
 * Checks transactions that read registers and write to them.
 *
 * The verdict is that of Elle 0.2.2 with writes taken to follow reads, and of Maelstrom on top:
 * false if any anomaly is reported at all, where a search for cycles that was cut short is none.
 * Maelstrom does not compare replies with requests; a mismatch is a warning here.
 *
 * @param history operations `txn` with values `[["r", k, v] | ["w", k, v], ...]`.
 * @param options the consistency models to check for.
 * @param effort how long to search for cycles.
 * @returns the same keys as {@linkcode checkListAppend}; never throws.
 *
 * @example
 * ```ts
 * import { checkRwRegister } from "./rw_register.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { time: 0, f: "txn" };
 * const result = checkRwRegister([
 *   { ...op, index: 0, process: 0, type: "invoke", value: [["w", 9, 1]] },
 *   { ...op, index: 1, process: 0, type: "fail", value: [["w", 9, 1]] },
 *   { ...op, index: 2, process: 1, type: "invoke", value: [["r", 9, null]] },
 *   { ...op, index: 3, process: 1, type: "ok", value: [["r", 9, 1]] },
 *   { ...op, index: 4, process: 1, type: "invoke", value: [["r", 9, null]] },
 *   { ...op, index: 5, process: 1, type: "ok", value: [["r", 9, 1]] },
 * ], { consistencyModels: ["strict-serializable"] });
 * assertEquals(result["anomaly-types"], ["G1a"]);
 * ```
 */
export function checkRwRegister(
  history: readonly Op[],
  { consistencyModels }: ElleOptions,
  effort?: Effort,
): CheckResult {
  return guarded(() => {
    const models = consistencyModels.map(canonicalModel);
    const all = readTransactions(history, "w");
    const warnings = [...checkReplies(all), ...checkReads(all)];
    const report = { models, warnings, registers: true };
    const cases = new Cases();
    const order = registerOrder(all);
    const refusals = [malformedTxn(all), mixedKeys(all), ambiguous(all, order)]
      .filter((each) => each !== undefined);
    if (refusals.length > 0) return verdict({ ...report, cases, refusals });
    registerAnomalies(all, order, cases);
    lostUpdates(all, cases);
    const graph = new GraphBuilder(all.txns.length);
    linkRegisters(graph, order);
    dependencyCycles(all, graph, explainRegisters(all, order), models, cases, effort);
    return verdict({ ...report, cases, refusals });
  });
}

function mixedKeys(all: Transactions): Refusal | undefined {
  const types = keyTypes(all);
  if (types.length < 2) return undefined;
  const what = `Keys are of several types (${types.join(", ")}), which Elle does not judge`;
  return { anomaly: "mixed-key-types", what, ops: [] };
}

function ambiguous(all: Transactions, order: RegisterOrder): Refusal | undefined {
  const value = ambiguousValue(order);
  if (value === undefined) return undefined;
  const { names, txns } = all;
  const writers = (order.writers.get(value) ?? []).flatMap((id) => txns[id] ?? []);
  return {
    anomaly: "duplicate-writes",
    what: `Key ${keyText(names, names.keyOf[value] ?? 0)} had value ${
      valueText(names, value)
    } written by more than one op, so there is no telling which a read saw (${
      writers.slice(0, 3).map((txn) => txnText(all, txn)).join("; ")
    })`,
    ops: opsOf(writers),
  };
}
