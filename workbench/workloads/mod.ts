/**
 * The ten workloads by name, and the verdict on a run of one.
 *
 * @module
 */

import { checkAvailability, checkExceptions, checkStats } from "../checkers/stats.ts";
import type { WorkloadSpec } from "../generator.ts";
import { type CheckResult, type Op, type Validity, worst } from "../history.ts";
import type { RunOptions, WorkloadName } from "../options.ts";
import { gCounterSpec, pnCounterSpec } from "./counter.ts";
import { echoSpec } from "./echo.ts";
import { kafkaSpec } from "./kafka.ts";
import { linKvSpec } from "./lin_kv.ts";
import { broadcastSpec, gSetSpec } from "./broadcast.ts";
import { txnListAppendSpec, txnRwRegisterSpec } from "./txn.ts";
import { uniqueIdsSpec } from "./unique_ids.ts";

/** All workloads. */
export const workloadSpecs: Readonly<Record<WorkloadName, WorkloadSpec>> = {
  broadcast: broadcastSpec,
  echo: echoSpec,
  "g-counter": gCounterSpec,
  "g-set": gSetSpec,
  kafka: kafkaSpec,
  "lin-kv": linKvSpec,
  "pn-counter": pnCounterSpec,
  "txn-list-append": txnListAppendSpec,
  "txn-rw-register": txnRwRegisterSpec,
  "unique-ids": uniqueIdsSpec,
};

/** What all checkers say of a history, under Maelstrom's names for them. */
export interface HistoryResult {
  /** The worst of the four. */
  readonly "valid?": Validity;
  /** Replies that did not fit their schema. */
  readonly exceptions: CheckResult;
  /** Whether every kind of operation succeeded at least once. */
  readonly stats: CheckResult;
  /** What share of operations succeeded. */
  readonly availability: CheckResult;
  /** What the workload itself asks for. */
  readonly workload: CheckResult;
}

/** What judging a history takes beside it. */
export type JudgeOptions =
  & Pick<RunOptions, "workload" | "consistencyModels">
  & { readonly availability?: "total" | number | undefined };

/**
 * Judges a history.
 *
 * A checker that throws, as none should, leaves the verdict unknown and its error as a warning.
 */
export function checkHistory(
  history: readonly Op[],
  options: JudgeOptions,
): HistoryResult {
  const spec = workloadSpecs[options.workload];
  const results = {
    exceptions: safely(() => checkExceptions(history)),
    stats: safely(() => checkStats(history)),
    availability: safely(() => checkAvailability(history, options.availability)),
    workload: safely(() => spec.check(history, options)),
  };
  return { "valid?": worst(Object.values(results).map((each) => each["valid?"])), ...results };
}

function safely(check: () => CheckResult): CheckResult {
  try {
    return check();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { "valid?": "unknown", warnings: [`The checker itself failed: ${text}`] };
  }
}
