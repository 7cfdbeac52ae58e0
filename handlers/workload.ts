/**
 * What a workload is to the node binary, and the command line flags that several share.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import {
  type Flags,
  type FlagValues,
  integer,
  number,
  parseFlags,
  UsageError,
} from "@eddy/maelstrom/flags";
import type { Timing } from "./raft/raft.ts";

/** A workload that the node binary serves. */
export interface Workload {
  /** One line for `--help`. */
  readonly summary: string;
  /** Its own options on the command line. */
  readonly flags: Flags;
  /**
   * Reads a command line.
   *
   * @returns what registers the workload's handlers on a node.
   * @throws {UsageError} if an argument is unknown or has a value that is not accepted.
   */
  readonly configure: (args: readonly string[]) => (node: Node) => void;
}

/** Options of a workload whose nodes replicate by gossip. */
export interface LatencyOptions {
  /**
   * How long a change may take to reach every node, in milliseconds; 0 sends each change to every
   * node at once. The default is that of the workload's `--max-latency`.
   */
  readonly maxLatencyMs?: number | undefined;
}

/** Options of a workload whose operations go into one replicated log. */
export interface ConsensusOptions {
  /**
   * How long an operation may wait to share a round of messages with others, in milliseconds.
   *
   * @default 0
   */
  readonly maxLatencyMs?: number | undefined;
  /**
   * Whether a leader answers reads by its lease, without asking other nodes. It assumes that clocks
   * run equally fast, to a tenth, that no node loses its storage, and that none is paused.
   *
   * @default false
   */
  readonly leaseReads?: boolean | undefined;
  /** The bounds and paces of Raft that differ from their defaults, the same on all nodes. */
  readonly timing?: Partial<Timing> | undefined;
}

/** The options that every workload accepts. */
export const commonFlags = {
  help: { help: "Say this" },
  version: { help: "Say which version this is" },
} satisfies Flags;

/** The options of a node that keeps its data on disk; they are the binary's, not a workload's. */
export const dataFlags = {
  data: {
    help: "Keep the node's data in this directory, for a later process with the same --run " +
      "(default: nothing is kept); needs --allow-read=DIR and --allow-write=DIR of deno",
    value: "DIR",
    accepts: "a directory",
  },
  run: {
    help:
      "What tells this run from others, whose data is refused (default: EDDY_RUN in the environment, " +
      "or the parent process)",
    value: "ID",
    accepts: "any text that is not empty",
  },
  "data-reset": { help: "Remove the node's data in DIR if it is another run's or workload's" },
} satisfies Flags;

/** `--max-latency` of a workload on gossip; each has a default of its own. */
export const maxLatencyFlag = {
  help: "How long a change may take to reach every node, in ms; 0 sends at once, to all",
  value: "MS",
  ...number(0, 60_000),
};

/** The options of a workload whose operations go into one log. */
export const storeFlags = {
  "max-latency": {
    help: "How long an operation may wait to share a round of messages, in ms (default 0)",
    value: "MS",
    ...number(0, 10_000),
  },
  "lease-reads": {
    help: "Let a leader answer reads by its lease; wrong if clocks run at rates far apart",
  },
  "heartbeat": {
    help: "How often a leader is heard of, at least, in ms; the same on all nodes (default 100)",
    value: "MS",
    ...number(10, 10_000),
  },
  "max-entries": {
    help: "How many entries of the log a message may carry (default 1024)",
    value: "N",
    ...integer(1, 100_000),
  },
  "max-lag": {
    help:
      "How many entries are kept for nodes that fall behind; more take a snapshot (default 8192)",
    value: "N",
    ...integer(1, 1_000_000),
  },
} satisfies Flags;

/** The values of {@linkcode storeFlags} as the log's options. */
export function storeOptions(flags: FlagValues<typeof storeFlags>): ConsensusOptions {
  const { heartbeat, "max-entries": maxEntries, "max-lag": maxLag } = flags;
  return {
    leaseReads: flags["lease-reads"],
    maxLatencyMs: flags["max-latency"],
    timing: {
      ...heartbeat !== undefined && { heartbeatMs: heartbeat },
      ...maxEntries !== undefined && { maxEntries },
      ...maxLag !== undefined && { maxLag },
    },
  };
}

/**
 * Makes a workload.
 *
 * Calls are marked `@__PURE__`, and their arguments are names, so that a bundle with the schemas of
 * messages alone leaves the handlers out.
 *
 * @param serve registers the handlers; `options` are the values of `flags`
 */
export function workload<F extends Flags>(
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
