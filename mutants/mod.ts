/**
 * Mutants: nodes with one deliberate fault each.
 *
 * @module
 */

import type { WorkloadName } from "@eddy/handlers/workloads";
import { didYouMean, UsageError } from "@eddy/maelstrom/flags";
import { broadcast, broadcastMutants } from "./broadcast.ts";
import { gCounter, gCounterMutants, pnCounter, pnCounterMutants } from "./counter.ts";
import { echo, echoMutants } from "./echo.ts";
import { gSet, gSetMutants } from "./g_set.ts";
import { kafka, kafkaMutants } from "./kafka.ts";
import { linKv, linKvMutants } from "./lin_kv.ts";
import {
  DEFAULT_SETTINGS,
  type Mutant,
  type NodeUnderTest,
  type RareMutant,
  type Settings,
} from "./mutant.ts";
import { protocolMutants } from "./protocol.ts";
import { type RaftMutant, raftMutants as rulesBroken } from "./raft_nodes.ts";
import { rareGossipMutants } from "./rare_gossip.ts";
import { rareKafkaMutants } from "./rare_kafka.ts";
import { rareRaftMutants } from "./rare_raft.ts";
import { rareTxnMutants } from "./rare_txn.ts";
import type { Answer, AsyncServer, Change, Reference, Server } from "./reference.ts";
import { raftStorageMutants, rareStorageMutants, storageMutants } from "./storage_nodes.ts";
import type { Store } from "./stores.ts";
import { txnListAppend, txnListAppendMutants, txnRwRegister, txnRwRegisterMutants } from "./txn.ts";
import { uniqueIds, uniqueIdsMutants } from "./unique_ids.ts";

export { DEFAULT_SETTINGS, type RaftMutant };
export type {
  Answer,
  AsyncServer,
  Change,
  Mutant,
  NodeUnderTest,
  RareMutant,
  Reference,
  Server,
  Settings,
  Store,
};

/** All workloads, each with its mutants: a new one is a file beside this one, and a line here. */
const registry: readonly (readonly [reference: Reference, mutants: readonly Mutant[]])[] = [
  [echo, echoMutants],
  [uniqueIds, uniqueIdsMutants],
  [broadcast, broadcastMutants],
  [gSet, gSetMutants],
  [gCounter, gCounterMutants],
  [pnCounter, pnCounterMutants],
  [linKv, linKvMutants],
  [kafka, kafkaMutants],
  [txnListAppend, txnListAppendMutants],
  [txnRwRegister, txnRwRegisterMutants],
];

/** The mutants of every workload. */
export const mutants: readonly Mutant[] = [
  ...registry.flatMap(([, mutants]) => mutants),
  ...protocolMutants,
  ...storageMutants,
];

/** The mutants on Raft. */
export const raftMutants: readonly RaftMutant[] = [...rulesBroken, ...raftStorageMutants];

/** The mutants whose faults show in a rare case only. */
export const rareMutants: readonly RareMutant[] = [
  ...rareRaftMutants,
  ...rareGossipMutants,
  ...rareKafkaMutants,
  ...rareTxnMutants,
  ...rareStorageMutants,
];

/** All mutants: those of every workload, those on Raft, and those that show in a rare case only. */
export const allMutants: readonly (Mutant | RareMutant)[] = [
  ...mutants,
  ...raftMutants,
  ...rareMutants,
];

const PREFIX = "mutant:";

/** Whether a `--bin` names a mutant. */
export function isMutant(bin: string | undefined): bin is string {
  return bin?.startsWith(PREFIX) === true;
}

/** What names a mutant in `--bin`: its name in small letters, with hyphens. */
export function binOf({ name }: Pick<Mutant, "name">): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return PREFIX + words.join("-");
}

/**
 * The mutant that a `--bin` names.
 *
 * @throws {UsageError} if the workload has none of that name.
 */
export function findMutant(bin: string, workload: WorkloadName): Mutant {
  const known = allMutants.filter((mutant) => mutant.workload === workload);
  const found = known.find((mutant) => binOf(mutant) === bin);
  if (found !== undefined) return found;
  const names = known.map(binOf);
  throw new UsageError(
    `Unknown mutant ${JSON.stringify(bin)} of ${workload}${didYouMean(bin, names)}: accepted are ` +
      names.join(", "),
  );
}

/** The right servers of every workload. */
export const references: readonly Reference[] = registry.map(([reference]) => reference);

/**
 * The right servers of a workload.
 *
 * @throws {Error} if it has none.
 */
export function referenceOf(workload: WorkloadName): Reference {
  const found = references.find((reference) => reference.workload === workload);
  if (found === undefined) throw new Error(`Cannot serve ${workload}: mutants/mod.ts lacks it`);
  return found;
}
