/**
 * The cycles among a run's findings: transactions of which each comes before the next.
 *
 * @module
 */

import type { ExplainedCycle } from "../checkers/elle/anomaly.ts";
import { CYCLE_TYPES } from "../checkers/elle/consistency_model.ts";
import { explainAppendCycles } from "../checkers/elle/list_append.ts";
import { explainRegisterCycles } from "../checkers/elle/rw_register.ts";
import type { ReportData } from "../report_data.ts";

/** The cycles that are findings, in their order. */
export interface CyclesView {
  readonly kind: "cycles";
  readonly cycles: readonly ExplainedCycle[];
}

/** How many micro-operations of a transaction are kept at most. */
const MAX_MOPS = 100;

/** What is checked where a history alone does not say it. */
const MODELS = ["strict-serializable"];

/** The cycles among the findings of a run; undefined where there are none. */
export function cyclesView(
  { workload, report, history, options }: Pick<
    ReportData,
    "workload" | "report" | "history" | "options"
  >,
): CyclesView | undefined {
  const types = report.findings.map(({ anomaly }) => anomaly);
  if (!types.some((type) => CYCLE_TYPES.includes(type))) return undefined;
  const explain = workload === "txn-list-append" ? explainAppendCycles : explainRegisterCycles;
  const consistencyModels = options?.consistencyModels ?? MODELS;
  const byType = Map.groupBy(explain(history, { consistencyModels }), ({ type }) => type as string);
  const cycles = types.flatMap((type) => byType.get(type)?.shift() ?? []);
  return cycles.length === 0 ? undefined : { kind: "cycles", cycles: cycles.map(bounded) };
}

function bounded(cycle: ExplainedCycle): ExplainedCycle {
  const txns = cycle.txns.map((txn) => ({ ...txn, mops: txn.mops.slice(0, MAX_MOPS) }));
  return { ...cycle, txns };
}
