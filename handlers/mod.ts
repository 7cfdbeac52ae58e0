/**
 * The workloads that the node binary serves, by Maelstrom's names, and what they are made of: each
 * one's schema checks its messages and gives them their types, each one's serve function registers
 * its handlers on a node.
 *
 * @example A node of your own, with the messages of the `broadcast` workload
 * ```ts
 * import { type Json, Node } from "@eddy/maelstrom";
 * import { broadcastSchema } from "@eddy/handlers";
 *
 * const node = new Node();
 * const messages: Json[] = [];
 * node.on("broadcast", ({ body }) => {
 *   messages.push(body.message);
 *   return {};
 * }, { schema: broadcastSchema.broadcast });
 * node.on("read", () => ({ messages }), { schema: broadcastSchema.read });
 * ```
 *
 * @example A node with Eddy's handlers
 * ```ts
 * import { Node } from "@eddy/maelstrom";
 * import { serveBroadcast } from "@eddy/handlers";
 *
 * serveBroadcast(new Node(), { maxLatencyMs: 1500 });
 * ```
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import { describeFlags, didYouMean, UsageError } from "@eddy/maelstrom/flags";
import { broadcast } from "./broadcast.ts";
import { gCounter, pnCounter } from "./counter.ts";
import { echo } from "./echo.ts";
import { gSet } from "./g_set.ts";
import { kafka } from "./kafka.ts";
import { linKv } from "./lin_kv.ts";
import { txnListAppend, txnRwRegister } from "./txn.ts";
import { uniqueIds } from "./unique_ids.ts";
import { commonFlags, type Workload } from "./workload.ts";

export { type BroadcastOptions, broadcastSchema, serveBroadcast } from "./broadcast.ts";
export { counterSchema, serveGCounter, servePnCounter } from "./counter.ts";
export { echoSchema, serveEcho } from "./echo.ts";
export { gSetSchema, serveGSet } from "./g_set.ts";
export { kafkaSchema, serveKafka } from "./kafka.ts";
export { linKvSchema, serveLinKv } from "./lin_kv.ts";
export type { Integer, List } from "./schema.ts";
export {
  type AppendTxn,
  type MicroOp,
  type RegisterTxn,
  serveTxnListAppend,
  serveTxnRwRegister,
  txnListAppendSchema,
  type TxnRwRegisterOptions,
  txnRwRegisterSchema,
} from "./txn.ts";
export { serveUniqueIds, uniqueIdsSchema } from "./unique_ids.ts";
export {
  commonFlags,
  type ConsensusOptions,
  type LatencyOptions,
  type Workload,
} from "./workload.ts";

/** All workloads. */
export const workloads = {
  // Not in the short form, whose keys Deno leaves out of the declarations that it publishes.
  broadcast: broadcast,
  echo: echo,
  "g-counter": gCounter,
  "g-set": gSet,
  kafka: kafka,
  "lin-kv": linKv,
  "pn-counter": pnCounter,
  "txn-list-append": txnListAppend,
  "txn-rw-register": txnRwRegister,
  "unique-ids": uniqueIds,
};

/** The name of a workload. */
export type WorkloadName = keyof typeof workloads;

/**
 * The workload of a name. An error for its arguments says that they are the node's: other programs
 * take options of their own before them.
 *
 * @throws {UsageError} if there is none; the message lists the names.
 */
export function findWorkload(name: string): Workload {
  if (Object.hasOwn(workloads, name)) {
    const workload = workloads[name as WorkloadName];
    return { ...workload, configure: (args) => configureNode(name, workload, args) };
  }
  const known = Object.keys(workloads);
  const hint = didYouMean(name, known);
  throw new UsageError(
    `Unknown workload ${JSON.stringify(name)}${hint}: accepted are ${known.join(", ")}`,
  );
}

function configureNode(name: string, workload: Workload, args: readonly string[]) {
  try {
    return workload.configure(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`Options of the node for ${name}: ${error.message}`);
  }
}

/** What a command line asks for: a text to be printed, or a node with some handlers. */
export type NodeCommand =
  | { readonly text: string }
  | { readonly install: (node: Node) => void };

/**
 * Reads the command line of a node.
 *
 * @param command what stands before the workload, for `--help`
 * @param version what `--version` prints
 * @throws {UsageError} if there is no such workload, or it has no such options.
 */
export function readNodeCommand(
  args: readonly string[],
  { command, version }: { readonly command: string; readonly version: string },
): NodeCommand {
  // Maelstrom's own separator may come along.
  const words = args[0] === "--" ? args.slice(1) : args;
  if (words.includes("--help") || words.includes("-h")) return { text: help(command) };
  if (words.includes("--version")) return { text: version };
  const [first, ...options] = words;
  return first === undefined || first.startsWith("-")
    ? { install: findWorkload("echo").configure(words) }
    : { install: findWorkload(first).configure(options) };
}

function help(command: string): string {
  const sections = Object.entries(workloads).map(([name, { summary, flags }]) =>
    `  ${name.padEnd(17)}${summary}\n${describeFlags(flags, 19)}`.trimEnd()
  );
  return `Usage: ${command} [workload] [options]

A Maelstrom node: reads one JSON message a line from standard input and answers on standard output.

Workloads, each with its options (default echo):
${sections.join("\n")}

${describeFlags(commonFlags)}`;
}
