/**
 * The ten workloads by name.
 *
 * @module
 */

import type { WorkloadSpec } from "../generator.ts";
import type { WorkloadName } from "../options.ts";
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
