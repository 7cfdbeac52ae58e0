/**
 * Right nodes, of several kinds for every workload: a checker that finds something wrong is wrong.
 *
 * @module
 */

import { ErrorCode, type Json, LinTso, type Node, RpcError } from "@eddy/maelstrom";
import {
  type AsyncServer,
  type Change,
  type NodeUnderTest,
  type Reference,
  references,
  type Settings,
} from "@eddy/mutants";
import { serveAlone, serveByAuthority } from "@eddy/mutants/authority.ts";
import { broadcast } from "@eddy/mutants/broadcast.ts";
import { gCounter, pnCounter } from "@eddy/mutants/counter.ts";
import {
  forkedDatabase,
  readCommittedDatabase,
  readUncommittedDatabase,
  snapshotDatabase,
  staleDatabase,
} from "@eddy/mutants/databases.ts";
import { echo } from "@eddy/mutants/echo.ts";
import { gSet } from "@eddy/mutants/g_set.ts";
import { type GossipReference, serveByGossip } from "@eddy/mutants/gossip.ts";
import { kafka } from "@eddy/mutants/kafka.ts";
import { linKv, serveRegistersFrom } from "@eddy/mutants/lin_kv.ts";
import { kvStore } from "@eddy/mutants/stores.ts";
import { txnListAppend, txnRwRegister } from "@eddy/mutants/txn.ts";
import { uniqueIds } from "@eddy/mutants/unique_ids.ts";
import { NEMESES, type NemesisName } from "@eddy/workbench";

/** A node that does all that its workload asks for: no run of it may be invalid. */
export interface RightNode extends NodeUnderTest {
  /** The faults under which it is still right; each is tried, and all together. */
  readonly tolerates: readonly NemesisName[];
  /** A part of the warning that it may get: right, but not what one would want. */
  readonly warnedOf?: string;
}

/** The faults after which a node still has its memory; it ends if a sync fails, but needs none. */
const REMEMBERING: readonly NemesisName[] = NEMESES.filter((name) =>
  !["kill", "disk-lose", "disk-torn"].includes(name)
);

/**
 * The faults of nodes that keep nothing and serve several kinds of operations. To them faults that
 * lose what was not synced are kills, and three kinds of kills at once may leave no time for one.
 */
const KEEPING_NOTHING: readonly NemesisName[] = NEMESES.filter((name) =>
  !["disk-lose", "disk-torn"].includes(name)
);

/** The first node holds all state; the others ask it. */
function byAuthority(reference: Reference): RightNode {
  return {
    name: "the first node has it all",
    workload: reference.workload,
    tolerates: REMEMBERING,
    install: (node) => serveByAuthority(node, reference),
  };
}

/** All state is in a service, which has no faults. */
function fromService(reference: Reference): RightNode {
  return {
    name: "lin-kv has it all",
    workload: reference.workload,
    tolerates: KEEPING_NOTHING,
    install: (node) => serveAlone(node, reference, reference.onStore(kvStore(node, "lin-kv"))),
  };
}

function byGossip(reference: GossipReference): RightNode {
  return {
    name: "everyone tells everyone",
    workload: reference.workload,
    tolerates: REMEMBERING,
    install: (node) => serveByGossip(node, reference, reference.replica(node)),
  };
}

/** A database, checked for the consistency model that it gives. */
function database(
  reference: Reference,
  consistencyModel: string,
  makeServer: (node: Node) => AsyncServer,
): RightNode {
  const needs: Settings = { consistencyModels: [consistencyModel] };
  return {
    name: `${consistencyModel} is what it gives`,
    workload: reference.workload,
    tolerates: REMEMBERING,
    needs,
    install: (node) => serveByAuthority(node, reference, { makeServer }),
  };
}

function databases(reference: Reference): RightNode[] {
  return [
    database(reference, "read-committed", readCommittedDatabase),
    database(reference, "snapshot-isolation", snapshotDatabase),
    database(reference, "parallel-snapshot-isolation", forkedDatabase),
    database(reference, "serializable", staleDatabase),
  ];
}

/** A cluster around an authority that does one thing in another way, which is as right. */
function otherwise(reference: Reference, name: string, around: Change): RightNode {
  return {
    name,
    workload: reference.workload,
    tolerates: REMEMBERING,
    install: (node) => serveByAuthority(node, reference, { around }),
  };
}

/** Forgets committed offsets, which is allowed, with a warning: consumers read them again. */
const forgetsCommits: Change = (ask) => (body, asked) =>
  body.type === "list_committed_offsets" ? { offsets: {} } : ask(body, asked);

/** Of every three offsets only one is used. */
const leavesGaps: Change = (ask) => async (body, asked) => {
  if (body.type === "send") {
    const answer = await ask(body, asked);
    return { ...answer, offset: 3 * Number(answer?.offset) + 1 };
  }
  if (body.type !== "poll") return await ask(body, asked);
  const dense = Object.entries(body.offsets as Record<string, number>)
    .map(([key, offset]): [string, Json] => [key, Math.ceil(Math.max(0, offset - 1) / 3)]);
  const answer = await ask({ ...body, offsets: Object.fromEntries(dense) }, asked);
  const msgs = Object.entries(answer?.msgs as Record<string, [number, Json][]>)
    .map(([key, entries]): [string, Json] => [
      key,
      entries.map(([offset, message]) => [3 * offset + 1, message]),
    ]);
  return { msgs: Object.fromEntries(msgs) };
};

/** A key without new messages need not be in the reply. */
const omitsEmptyKeys: Change = (ask) => async (body, asked) => {
  const answer = await ask(body, asked);
  if (body.type !== "poll") return answer;
  const msgs = Object.entries(answer?.msgs as Record<string, Json[]>)
    .filter(([, entries]) => entries.length > 0);
  return { msgs: Object.fromEntries(msgs) };
};

/** A read of a key that does not exist may find `null`, as well as an error. */
const readsNull: Change = (ask) => async (body, asked) => {
  try {
    return await ask(body, asked);
  } catch (error) {
    const isMissing = error instanceof RpcError && error.code === ErrorCode.keyDoesNotExist;
    if (body.type === "read" && isMissing) return { value: null };
    throw error;
  }
};

/** An empty list may be `null`. */
const emptyIsNull: Change = (ask) => async (body, asked) => {
  const answer = await ask(body, asked);
  const isEmpty = Array.isArray(answer?.value) && answer.value.length === 0;
  return isEmpty ? { value: null } : answer;
};

/** All right nodes. */
export const rightNodes: readonly RightNode[] = [
  ...references.map(byAuthority),
  ...references.map(fromService),
  {
    ...otherwise(kafka, "commits are forgotten", forgetsCommits),
    warnedOf: "from before what was committed at the same node",
  },
  otherwise(kafka, "offsets have gaps", leavesGaps),
  otherwise(kafka, "keys without messages are left out", omitsEmptyKeys),
  otherwise(linKv, "a missing key is null", readsNull),
  otherwise(gSet, "an empty set is null", emptyIsNull),
  byGossip(broadcast),
  byGossip(gSet),
  byGossip(gCounter),
  byGossip(pnCounter),
  ...databases(txnListAppend),
  ...databases(txnRwRegister),
  database(txnListAppend, "read-uncommitted", readUncommittedDatabase),
  {
    name: "everyone for itself",
    workload: "echo",
    tolerates: NEMESES,
    needs: { availability: 0.1 },
    install: (node) => serveAlone(node, echo, echo.inMemory()),
  },
  {
    name: "ids carry the node's name",
    workload: "unique-ids",
    tolerates: REMEMBERING,
    install(node) {
      let count = 0;
      serveAlone(node, uniqueIds, () => ({ id: `${node.id}-${count++}` }));
    },
  },
  {
    name: "lin-tso makes the ids",
    workload: "unique-ids",
    tolerates: NEMESES,
    install(node) {
      const oracle = new LinTso(node);
      serveAlone(node, uniqueIds, async () => ({ id: await oracle.ts() }));
    },
  },
  {
    name: "lin-kv does it all",
    workload: "lin-kv",
    tolerates: KEEPING_NOTHING,
    install: (node) => serveRegistersFrom(node, "lin-kv"),
  },
];
