/**
 * Nodes that are right, of several kinds for every workload: whoever blames them is wrong.
 *
 * @module
 */

import type { Node } from "../../node/node.ts";
import { LinTso } from "../../node/kv.ts";
import { NEMESES, type NemesisName, type WorkloadName, WORKLOADS } from "../types.ts";
import { newServer, serveAlone, serveByAuthority, type Server } from "./authority.ts";
import type { RightNode, Settings } from "./candidate.ts";
import {
  forkedDatabase,
  readCommittedDatabase,
  readUncommittedDatabase,
  snapshotDatabase,
  staleDatabase,
} from "./databases.ts";
import { type GossipWorkload, replicaOf, serveByGossip } from "./gossip.ts";
import { kvStore, serveFromStore, serveRegistersFrom } from "./stores.ts";

/** The faults that leave a node its memory. */
const REMEMBERING: readonly NemesisName[] = NEMESES.filter((name) => name !== "kill");

/** One node has all state; the others ask it. */
function byAuthority(workload: WorkloadName): RightNode {
  return {
    name: "the first node has it all",
    workload,
    stands: REMEMBERING,
    install: (node) => serveByAuthority(node, workload),
  };
}

/** All state is in a service, which no fault touches. */
function fromService(workload: WorkloadName): RightNode {
  return {
    name: "lin-kv has it all",
    workload,
    stands: NEMESES,
    install: (node) => serveFromStore(node, workload, kvStore(node, "lin-kv")),
  };
}

function byGossip(workload: GossipWorkload): RightNode {
  return {
    name: "everyone tells everyone",
    workload,
    stands: REMEMBERING,
    install: (node) => serveByGossip(node, workload, replicaOf(node, workload)),
  };
}

/** A database that is right at the level it is held to. */
function database(
  workload: WorkloadName,
  consistencyModel: string,
  makeServer: (node: Node) => Server,
): RightNode {
  const needs: Settings = { consistencyModels: [consistencyModel] };
  return {
    name: `${consistencyModel} is what it gives`,
    workload,
    stands: REMEMBERING,
    needs,
    install: (node) => serveByAuthority(node, workload, { makeServer }),
  };
}

function databases(workload: WorkloadName): RightNode[] {
  return [
    database(workload, "read-committed", readCommittedDatabase),
    database(workload, "snapshot-isolation", snapshotDatabase),
    database(workload, "parallel-snapshot-isolation", forkedDatabase),
    database(workload, "serializable", staleDatabase),
  ];
}

/** All right nodes. */
export const rightNodes: readonly RightNode[] = [
  ...WORKLOADS.map(byAuthority),
  ...WORKLOADS.map(fromService),
  byGossip("broadcast"),
  byGossip("g-set"),
  byGossip("g-counter"),
  byGossip("pn-counter"),
  ...databases("txn-list-append"),
  ...databases("txn-rw-register"),
  database("txn-list-append", "read-uncommitted", readUncommittedDatabase),
  {
    name: "everyone for itself",
    workload: "echo",
    stands: NEMESES,
    needs: { availability: 0.1 },
    install: (node) => serveAlone(node, "echo", newServer("echo")),
  },
  {
    name: "ids carry the node's name",
    workload: "unique-ids",
    stands: REMEMBERING,
    install(node) {
      let count = 0;
      serveAlone(node, "unique-ids", () => ({ id: `${node.id}-${count++}` }));
    },
  },
  {
    name: "lin-tso makes the ids",
    workload: "unique-ids",
    stands: NEMESES,
    install(node) {
      const oracle = new LinTso(node);
      serveAlone(node, "unique-ids", async () => ({ id: await oracle.ts() }));
    },
  },
  {
    name: "lin-kv does it all",
    workload: "lin-kv",
    stands: NEMESES,
    install: (node) => serveRegistersFrom(node, "lin-kv"),
  },
];
