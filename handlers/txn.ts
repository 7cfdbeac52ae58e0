/**
 * The `txn-list-append` and `txn-rw-register` workloads: transactions on lists and on registers,
 * strict-serializable on Raft; those on registers also always available, on gossip.
 *
 * @module
 */

import * as v from "valibot";
import type { Json, Node, RpcSchema } from "@eddy/maelstrom";
import { oneOf } from "@eddy/maelstrom/flags";
import { NodeGossip } from "./gossip/host.ts";
import { RegisterStore } from "./gossip/crdts.ts";
import { NodeReplica, type NodeReplicaOptions } from "./raft/host.ts";
import type { Machine } from "./raft/replica.ts";
import { ListMachine, RegisterMachine } from "./raft/state_machines.ts";
import { anyList, json, type List, list, reply } from "./schema.ts";
import {
  type ConsensusOptions,
  storeFlags,
  storeOptions,
  type Workload,
  workload,
} from "./workload.ts";

/** A micro-operation of a transaction: a read, or an operation `F` that writes. */
export type MicroOp<F extends string> =
  | [f: "r", key: Json, value: Json]
  | [f: F, key: Json, value: Json];

/** A transaction of reads and appends. */
export type AppendTxn = MicroOp<"append">[];

/** A transaction of reads and writes. */
export type RegisterTxn = MicroOp<"w">[];

/** A micro-operation whose read has a value of the given kind. */
const microOp = <F extends string, T extends Json>(f: F, read: v.GenericSchema<T>) =>
  v.union([v.tuple([v.literal("r"), json, read]), v.tuple([v.literal(f), json, json])]);

/** The messages of the `txn-list-append` workload. */
export const txnListAppendSchema: {
  txn: RpcSchema<{ txn: AppendTxn }, { txn: List<MicroOp<"append">> }>;
} = {
  txn: {
    request: v.object({ txn: v.array(microOp("append", json)) }),
    reply: reply("txn_ok", { txn: list(microOp("append", anyList)) }),
  },
};

/** The messages of the `txn-rw-register` workload. */
export const txnRwRegisterSchema: {
  txn: RpcSchema<{ txn: RegisterTxn }, { txn: List<MicroOp<"w">> }>;
} = {
  txn: {
    request: v.object({ txn: v.array(microOp("w", json)) }),
    reply: reply("txn_ok", { txn: list(microOp("w", json)) }),
  },
};

/** A state machine of transactions, which also answers one that only reads. */
interface TxnMachine<F extends string> extends Machine<MicroOp<F>[], { txn: MicroOp<F>[] }> {
  read(txn: MicroOp<F>[]): { txn: MicroOp<F>[] };
}

/** Makes `node` execute transactions as entries of a replicated log; a read needs no entry. */
export function serveReplicated<F extends string>(
  node: Node,
  machine: TxnMachine<F>,
  schema: RpcSchema<{ txn: MicroOp<F>[] }, { txn: List<MicroOp<string>> }>,
  options: NodeReplicaOptions,
): void {
  const replica = new NodeReplica(node, machine, options);
  node.on("txn", ({ body: { txn } }): Promise<{ txn: MicroOp<string>[] }> => {
    return isReadOnly(txn) ? replica.query(() => machine.read(txn)) : replica.execute(txn);
  }, { schema });
}

/**
 * Makes `node` serve the `txn-list-append` workload.
 *
 * A transaction is one entry of a replicated log and is executed whole, in the log's order: it
 * never conflicts and never aborts. One that only reads needs no entry. The options' defaults and
 * errors are those of lin-kv.
 */
export function serveTxnListAppend(node: Node, options: ConsensusOptions = {}): void {
  serveReplicated(node, new ListMachine(), txnListAppendSchema.txn, options);
}

/** Options of {@linkcode serveTxnRwRegister}. */
export interface TxnRwRegisterOptions extends ConsensusOptions {
  /**
   * The consistency model. In the weaker two, which are served alike, every node answers by itself
   * whatever happens to the network, and `maxLatencyMs` (500 unless given) is how long a write may
   * take to reach every node. Both are read committed and monotonic atomic view.
   *
   * @default "strict-serializable"
   */
  readonly consistency?: "strict-serializable" | "read-committed" | "read-uncommitted" | undefined;
}

/**
 * Makes `node` serve the `txn-rw-register` workload.
 *
 * By default a transaction is one entry of a replicated log and is executed whole, in its order: it
 * never conflicts and never aborts. One that only reads needs no entry. The options' defaults and
 * errors are those of lin-kv.
 */
export function serveTxnRwRegister(node: Node, options: TxnRwRegisterOptions = {}): void {
  const { consistency = "strict-serializable", maxLatencyMs } = options;
  if (consistency !== "strict-serializable") {
    return serveAvailableRegisters(node, maxLatencyMs ?? AVAILABLE_MAX_LATENCY_MS);
  }
  serveReplicated(node, new RegisterMachine(), txnRwRegisterSchema.txn, options);
}

/** Whether a transaction changes nothing. */
export function isReadOnly(txn: readonly MicroOp<string>[]): boolean {
  return txn.every(([f]) => f === "r");
}

const AVAILABLE_MAX_LATENCY_MS = 500;

/**
 * Makes `node` execute transactions on registers by itself, and send their writes to the others
 * afterwards.
 *
 * A transaction reads one state of this node and adds its writes to it, with nothing in between.
 * Other nodes take its writes all at once; of two writes of a key the one with the higher Lamport
 * stamp stays. That is read committed and monotonic atomic view (Bailis et al., "Highly available
 * transactions", 2013), and for a client that stays with its node also read your writes and
 * monotonic reads. It rules out dirty writes (G0), aborted and intermediate reads (G1a, G1b),
 * circular information flow (G1c), and transactions that are seen in part. What remains possible, as in
 * every system whose nodes answer by themselves: lost updates, write skew and other anti-dependency
 * cycles (G-single, G2), reads of old values, and nodes that see independent writes in different
 * orders.
 *
 * @param maxLatencyMs how long a write may take to reach every node; 0 sends at once, to all
 */
function serveAvailableRegisters(node: Node, maxLatencyMs: number): void {
  const store = node.state.attach("registers", new RegisterStore());
  const gossip = new NodeGossip(node, store, { maxLatencyMs });
  // A process that lost its memory begins its clock again, so it needs a writer's number of its own.
  node.onInit(() => {
    const place = node.nodeIds.indexOf(node.id);
    store.begin(gossip.core.stream, place * 2 ** 40 + Math.floor(node.random.next() * 2 ** 40));
  });
  node.on("txn", ({ body }) => {
    const { done, wrote } = store.execute(body.txn);
    if (wrote) gossip.appended();
    return { txn: done };
  }, { schema: txnRwRegisterSchema.txn });
}

/** The `txn-list-append` workload of the node binary. */
export const txnListAppend: Workload = /* @__PURE__ */ workload(
  "strict-serializable transactions on lists",
  storeFlags,
  (node, flags) => serveTxnListAppend(node, storeOptions(flags)),
);

const registerFlags = {
  ...storeFlags,
  consistency: {
    help: "The consistency model; the weaker two are always available, and --max-latency is then " +
      "how long a write may take to reach every node (default 500)",
    value: "MODEL",
    ...oneOf(["strict-serializable", "read-committed", "read-uncommitted"]),
    default: "strict-serializable" as const,
  },
};

/** The `txn-rw-register` workload of the node binary. */
export const txnRwRegister: Workload = /* @__PURE__ */ workload(
  "transactions on registers: strict-serializable, or always available",
  registerFlags,
  (node, flags) =>
    serveTxnRwRegister(node, { ...storeOptions(flags), consistency: flags.consistency }),
);
