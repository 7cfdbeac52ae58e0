/**
 * What a workload's own file in this folder says of it: its messages, and its simplest right
 * servers.
 *
 * @module
 */

import type { WorkloadName } from "@eddy/handlers/workloads";
import type { JsonObject, LooseReply, Node } from "@eddy/maelstrom";
import type { Store } from "./stores.ts";

/** Answers a request: the reply's keys without `in_reply_to`, or undefined for no reply. */
export type Server = (body: JsonObject, node: string) => JsonObject | undefined;

/**
 * Answers a request of a client of the node `asked`, at once or later. What it throws is answered as
 * an error; for undefined no reply is sent.
 */
export type AsyncServer = (body: JsonObject, asked: string) => Answer | Promise<Answer>;

/** A reply's keys, or nothing. */
export type Answer = LooseReply | undefined;

/** Changes what a server does. */
export type Change = (server: AsyncServer, node: Node) => AsyncServer;

/** A workload, served rightly in the simplest ways. */
export interface Reference {
  /** Its name. */
  readonly workload: WorkloadName;
  /** Its messages; a request's type is one of the keys. */
  readonly schema: object;
  /** Makes a server with state of its own in memory: one request at a time. */
  readonly inMemory: () => Server;
  /** Makes a server whose state is in a store. */
  readonly onStore: (store: Store) => AsyncServer;
}

/** The reply to a request that has been served. */
export function ok(body: JsonObject, keys: JsonObject = {}): JsonObject {
  return { type: `${body.type}_ok`, ...keys };
}
