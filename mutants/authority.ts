/**
 * The simplest right cluster: the first node holds all state, and the others ask it.
 *
 * @module
 */

import type { WorkloadName } from "@eddy/handlers";
import {
  ErrorCode,
  isJsonObject,
  type Json,
  type JsonObject,
  type LooseReply,
  type Node,
  RpcError,
} from "@eddy/maelstrom";
import { rightServer } from "./right_server.ts";

/**
 * Answers requests, of clients of the node `asked`. What it throws is answered as an error; with
 * nothing, the client is left waiting.
 */
export type Server = (body: JsonObject, asked: string) => Answer | Promise<Answer>;

/** A reply's keys, or nothing. */
export type Answer = LooseReply | undefined;

/** Changes what a server does. */
export type Change = (server: Server, node: Node) => Server;

/** What clients ask nodes of each workload. */
export const REQUEST_TYPES: Readonly<Record<WorkloadName, readonly string[]>> = {
  echo: ["echo"],
  "unique-ids": ["generate"],
  broadcast: ["topology", "broadcast", "read"],
  "g-set": ["add", "read"],
  "g-counter": ["add", "read"],
  "pn-counter": ["add", "read"],
  "lin-kv": ["read", "write", "cas"],
  kafka: ["send", "poll", "commit_offsets", "list_committed_offsets"],
  "txn-list-append": ["txn"],
  "txn-rw-register": ["txn"],
};

/** How long a node waits for the authority; a client that waits longer gets no answer at all. */
const TIMEOUT_MS = 4000;

/** Answers a workload's requests with `server`, each node on its own. */
export function serveAlone(node: Node, workload: WorkloadName, server: Server): void {
  for (const type of REQUEST_TYPES[workload]) {
    node.on(type, ({ body }) => server(body, node.id));
  }
}

/** The right server of a workload, with state of its own. */
export function newServer(workload: WorkloadName): Server {
  const server = rightServer(workload);
  return (body, asked) => server(body, asked);
}

/** What of a cluster around an authority is other than usual. */
export interface AuthorityOptions {
  /**
   * Makes the authority's state.
   *
   * @default the right server of the workload
   */
  readonly makeServer?: (node: Node) => Server;
  /** What each node does about its clients' requests before, or after, it asks the authority. */
  readonly around?: Change;
  /** @default 4000 */
  readonly timeoutMs?: number;
}

/**
 * Serves a workload from the first node.
 *
 * A request that could not be delivered, or whose answer was lost, is answered with code 0: nobody
 * knows what became of it. The network may double messages, so each is served once.
 */
export function serveByAuthority(
  node: Node,
  workload: WorkloadName,
  options: AuthorityOptions = {},
): void {
  const { around = (server) => server, timeoutMs = TIMEOUT_MS } = options;
  const server = options.makeServer?.(node) ?? newServer(workload);
  const served = new Set<string>();
  node.on("authority", async ({ src, body: { msg_id, request } }) => {
    const name = `${src} ${msg_id}`;
    if (served.has(name) || !isJsonObject(request)) return;
    served.add(name);
    const answer = await server(request, src);
    if (answer !== undefined) return { answer: defined(answer) };
  });
  const ask: Server = async (request, asked) => {
    const [authority = node.id] = node.nodeIds;
    if (authority === node.id) return await server(request, asked);
    const reply = await node.rpc(authority, { type: "authority", request }, { timeoutMs });
    if (isJsonObject(reply.answer)) return reply.answer;
    throw new RpcError(ErrorCode.crash, `Malformed answer from ${authority}`);
  };
  serveAlone(node, workload, around(ask, node));
}

/** An answer without the keys that are undefined. */
function defined(answer: LooseReply): JsonObject {
  const keys = Object.entries(answer).filter((entry): entry is [string, Json] =>
    entry[1] !== undefined
  );
  return Object.fromEntries(keys);
}

/** Whether this is one of the times when it happens. */
export function nowAndThen(node: Node, chance: number): boolean {
  return node.random.next() < chance;
}
