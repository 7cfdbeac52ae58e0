/**
 * The workloads by name.
 *
 * @module
 */

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
  // Not in the short form, whose keys Deno leaves out of the declarations that it publishes.
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
