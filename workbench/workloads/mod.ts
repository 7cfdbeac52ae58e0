/**
 * The workloads by name, and the verdict on a run of one.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { checkAvailability, checkExceptions, checkStats } from "../checkers/stats.ts";
import { type CheckResult, type Op, type Validity, worst } from "../history.ts";
import type { RunOptions } from "../options.ts";
import { broadcast } from "./broadcast.ts";
import { gCounter, pnCounter } from "./counter.ts";
import { echo } from "./echo.ts";
import { gSet } from "./g_set.ts";
import { kafka } from "./kafka.ts";
import { linKv } from "./lin_kv.ts";
import { txnListAppend, txnRwRegister } from "./txn.ts";
import { uniqueIds } from "./unique_ids.ts";

/** All workloads: a new one is a file beside this one, and a line here. */
export const workloads = {
  broadcast: broadcast,
  echo: echo,
  "g-counter": gCounter,
  "g-set": gSet,
  kafka: kafka,
  "lin-kv": linKv,
  "pn-counter": pnCounter,
  "txn-list-append": txnListAppend,
  "txn-rw-register": txnRwRegister,
  "unique-ids": uniqueIds,
};

/** The name of a workload. */
export type WorkloadName = keyof typeof workloads;

/** The names of all workloads. */
export const WORKLOADS: readonly WorkloadName[] = Object.keys(workloads) as WorkloadName[];

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
  const spec = workloads[options.workload];
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
    const text = errorText(error);
    return { "valid?": "unknown", warnings: [`The checker itself failed: ${text}`] };
  }
}
