/**
 * Where a state machine's log is kept: on consensus of our own, or in Maelstrom's lin-kv service.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import type { Machine } from "../raft/machine.ts";
import { type ConsensusOptions, type Replicated, serveReplicated } from "../raft/serve.ts";
import { SharedLog } from "./shared_log.ts";

/** Settings of a workload on a replicated log. */
export interface StoreOptions extends ConsensusOptions {
  /**
   * Who keeps the log: the nodes themselves, or Maelstrom's lin-kv service. The latter is for
   * comparison: Maelstrom never cuts that service off, so it is available in every partition.
   *
   * @default "own"
   */
  readonly store?: "own" | "lin-kv";
}

/** Makes `node` run a copy of a state machine over the log that all nodes share. */
export function serveStore(node: Node, machine: Machine, options: StoreOptions): Replicated {
  const { store = "own", ...consensus } = options;
  if (store === "own") return serveReplicated(node, machine, consensus);
  return new SharedLog(node, machine, options.maxLatencyMs ?? 0);
}
