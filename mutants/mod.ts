/**
 * All wrong nodes.
 *
 * @module
 */

import type { Candidate, Fault, Mutant, Settings } from "./candidate.ts";
import { gCounterMutants, pnCounterMutants } from "./counters.ts";
import { echoMutants, uniqueIdsMutants } from "./echo_and_ids.ts";
import { kafkaMutants } from "./logs.ts";
import { protocolMutants } from "./protocol.ts";
import { linKvMutants } from "./registers.ts";
import { broadcastMutants, gSetMutants } from "./sets.ts";
import { txnListAppendMutants, txnRwRegisterMutants } from "./txns.ts";

export type { Candidate, Fault, Mutant, Settings };

/** Wrong nodes for every workload, each with one deliberate fault. */
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
