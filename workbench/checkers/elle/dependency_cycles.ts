/**
 * The last leg of both checkers: the data's graph is complete, and orders and cycles remain.
 *
 * @module
 */

import type { Cases } from "./cases.ts";
import { cycleAnomalies, type Effort } from "./cycle_anomalies.ts";
import { type GraphBuilder, PROCESS, REALTIME } from "./graph.ts";
import { linkProcesses, linkRealtime } from "./orders.ts";
import { type Explain, explainOrder, firstOf } from "./reasons.ts";
import type { Transactions } from "./txns.ts";
import { orderNeeded } from "./verdict.ts";

/**
 * Finds the cycles in a graph of transactions, once it has the order that the models speak of.
 *
 * @param graph what the data says; it is added to.
 * @param explanations why the data says so, the reason to be preferred first.
 */
export function dependencyCycles(
  all: Transactions,
  graph: GraphBuilder,
  explanations: readonly Explain[],
  models: readonly string[],
  cases: Cases,
  effort?: Effort,
): void {
  const kind = orderNeeded(models);
  if (kind === REALTIME) linkRealtime(graph, all);
  if (kind === PROCESS) linkProcesses(graph, all);
  if (graph.edges === 0) noteEmpty(cases);
  const explain = firstOf(...explanations, explainOrder(all, kind));
  cycleAnomalies(all, graph.build(), explain, cases, effort);
}

/** A history that shows nothing proves nothing. */
function noteEmpty(cases: Cases): void {
  cases.add("empty-transaction-graph", () => ({
    what: "No transaction can be told to come before another, so there was nothing to judge",
    ops: [],
    facts: {},
  }));
}
