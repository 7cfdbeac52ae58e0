/**
 * Mutants: nodes with one deliberate fault each.
 *
 * @module
 */

import { broadcastMutants } from "./broadcast.ts";
import { gCounterMutants, pnCounterMutants } from "./counter.ts";
import { echoMutants } from "./echo.ts";
import { gSetMutants } from "./g_set.ts";
import { kafkaMutants } from "./kafka.ts";
import { linKvMutants } from "./lin_kv.ts";
import type { Fault, Mutant, NodeUnderTest, Settings } from "./mutant.ts";
import { protocolMutants } from "./protocol.ts";
import { txnListAppendMutants, txnRwRegisterMutants } from "./txn.ts";
import { uniqueIdsMutants } from "./unique_ids.ts";

export type { Fault, Mutant, NodeUnderTest, Settings };

/** The mutants of every workload. */
export const mutants: readonly Mutant[] = [
  ...echoMutants,
  ...uniqueIdsMutants,
  ...broadcastMutants,
  ...gSetMutants,
  ...gCounterMutants,
  ...pnCounterMutants,
  ...linKvMutants,
  ...kafkaMutants,
  ...txnListAppendMutants,
  ...txnRwRegisterMutants,
  ...protocolMutants,
];
