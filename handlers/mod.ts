/**
 * The workloads that the node binary serves, by Maelstrom's names.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import {
  type Flags,
  type FlagValues,
  number,
  oneOf,
  parseFlags,
  UsageError,
} from "@eddy/maelstrom/flags";
import { BROADCAST_MAX_LATENCY_MS, serveBroadcast } from "./broadcast.ts";
import { COUNTER_MAX_LATENCY_MS, serveGCounter, servePnCounter } from "./counter.ts";
import { serveEcho } from "./echo.ts";
import { G_SET_MAX_LATENCY_MS, serveGSet } from "./g_set.ts";
import { KAFKA_MAX_LATENCY_MS, serveKafka } from "./kafka.ts";
import { serveLinKv } from "./lin_kv.ts";
import type { StoreOptions } from "./raft/host.ts";
import { serveTxnListAppend, serveTxnRwRegister } from "./txn.ts";
import { serveUniqueIds } from "./unique_ids.ts";

/** A workload: what it is, what can be set, and how a node comes to serve it. */
export interface Workload {
  /** One line for `--help`. */
  readonly summary: string;
  /** Its own options on the command line. */
  readonly flags: Flags;
  /**
   * Reads a command line and returns what registers the handlers.
   *
   * @throws {UsageError} if it cannot be obeyed.
   */
  readonly configure: (args: readonly string[]) => (node: Node) => void;
}

/** What every command line accepts, whatever the workload. */
export const commonFlags = {
  help: { help: "Say this" },
  version: { help: "Say which version this is" },
} satisfies Flags;

function workload<F extends Flags>(
  summary: string,
  flags: F,
  serve: (node: Node, options: FlagValues<F>) => void,
): Workload {
  return {
    summary,
    flags,
    configure(args) {
      const { flags: options, words, rest } = parseFlags({ ...flags, ...commonFlags }, args);
      const [extra] = [...words, ...rest];
      if (extra !== undefined) {
        const what = `Unexpected argument ${JSON.stringify(extra)}`;
        throw new UsageError(`${what}: one workload is accepted, before its options`);
      }
      return (node) => serve(node, options as FlagValues<F>);
    },
  };
}

/** What can be set where what one node knows is to reach all others. */
function gossipFlags<N extends number>(defaultMs: N) {
  return {
    "max-latency": {
      help: "What a change may take to reach every node, in ms; 0 sends at once, to everyone",
      value: "MS",
      ...number(0, 60_000),
      default: defaultMs,
    },
  } satisfies Flags;
}

const gossipOptions = (flags: { "max-latency": number }) => ({
  maxLatencyMs: flags["max-latency"],
});

const broadcastFlags = {
  ...gossipFlags(BROADCAST_MAX_LATENCY_MS),
  topology: {
    help: "own: an overlay of the node's own; given: along the edges that Maelstrom suggests",
    value: "NAME",
    ...oneOf(["own", "given"]),
    default: "own" as const,
  },
} satisfies Flags;

/** What can be set where operations go into one log. */
const storeFlags = {
  "max-latency": {
    help: "How long an operation may wait to share a round of messages, in ms (default 0)",
    value: "MS",
    ...number(0, 10_000),
  },
  "lease-reads": {
    help: "Let a leader answer reads by its lease; wrong if clocks run at rates far apart",
  },
  store: {
    help:
      "own: a log that the nodes agree on; lin-kv: one in Maelstrom's service, which no fault " +
      "of Maelstrom's ever cuts off, for comparison",
    value: "NAME",
    ...oneOf(["own", "lin-kv"]),
    default: "own" as const,
  },
} satisfies Flags;

const registerFlags = {
  ...storeFlags,
  consistency: {
    help: "What transactions promise each other; the weaker two are always available, and " +
      "--max-latency is then what a write may take to reach every node (default 500)",
    value: "MODEL",
    ...oneOf(["strict-serializable", "read-committed", "read-uncommitted"]),
    default: "strict-serializable" as const,
  },
} satisfies Flags;

function storeOptions(flags: FlagValues<typeof storeFlags>): StoreOptions {
  const { "max-latency": maxLatencyMs, "lease-reads": leaseReads, store } = flags;
  return { leaseReads, store, ...(maxLatencyMs !== undefined && { maxLatencyMs }) };
}

/** All workloads with handlers. */
export const workloads = {
  broadcast: workload(
    "values that one node is told and all come to know",
    broadcastFlags,
    (node, flags) => serveBroadcast(node, { ...gossipOptions(flags), topology: flags.topology }),
  ) as Workload,
  echo: workload("says back what it is told", {}, serveEcho) as Workload,
  "g-counter": workload(
    "a counter that only grows",
    gossipFlags(COUNTER_MAX_LATENCY_MS),
    (node, flags) => serveGCounter(node, gossipOptions(flags)),
  ) as Workload,
  "g-set": workload(
    "a set that only grows",
    gossipFlags(G_SET_MAX_LATENCY_MS),
    (node, flags) => serveGSet(node, gossipOptions(flags)),
  ) as Workload,
  kafka: workload(
    "append-only logs with offsets",
    gossipFlags(KAFKA_MAX_LATENCY_MS),
    (node, flags) => serveKafka(node, gossipOptions(flags)),
  ) as Workload,
  "lin-kv": workload(
    "keys with linearizable reads, writes and compare-and-set",
    storeFlags,
    (node, flags) => serveLinKv(node, storeOptions(flags)),
  ) as Workload,
  "pn-counter": workload(
    "a counter that grows and shrinks",
    gossipFlags(COUNTER_MAX_LATENCY_MS),
    (node, flags) => servePnCounter(node, gossipOptions(flags)),
  ) as Workload,
  "txn-list-append": workload(
    "strict-serializable transactions on lists",
    storeFlags,
    (node, flags) => serveTxnListAppend(node, storeOptions(flags)),
  ) as Workload,
  "txn-rw-register": workload(
    "transactions on registers: strict-serializable, or always available",
    registerFlags,
    (node, flags) =>
      serveTxnRwRegister(node, { ...storeOptions(flags), consistency: flags.consistency }),
  ) as Workload,
  "unique-ids": workload("makes ids that no other node makes", {}, serveUniqueIds) as Workload,
};

/** The name of a workload. */
export type WorkloadName = keyof typeof workloads;

/**
 * The workload of a name.
 *
 * @throws {UsageError} naming those there are.
 */
export function findWorkload(name: string): Workload {
  if (Object.hasOwn(workloads, name)) return workloads[name as WorkloadName];
  const known = Object.keys(workloads).join(", ");
  throw new UsageError(`Unknown workload ${JSON.stringify(name)}: accepted are ${known}`);
}
