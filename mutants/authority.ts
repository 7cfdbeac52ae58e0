/**
 * The simplest right cluster: the first node holds all state, and the others ask it.
 *
 * @module
 */

import {
  ErrorCode,
  isJsonObject,
  type Json,
  type JsonObject,
  type LooseReply,
  type Node,
  RpcError,
} from "@eddy/maelstrom";
import type { AsyncServer, Change, Reference } from "./reference.ts";

/** How long a node waits for the authority, in milliseconds. */
const TIMEOUT_MS = 4000;

/** Answers a workload's requests with `server`, each node on its own. */
export function serveAlone(node: Node, { schema }: Reference, server: AsyncServer): void {
  for (const type of Object.keys(schema)) {
    node.on(type, ({ body }) => server(body, node.id));
  }
}

/** Settings of {@linkcode serveByAuthority}. */
export interface AuthorityOptions {
  /**
   * Makes the authority's state.
   *
   * @default in memory, as in the reference
   */
  readonly makeServer?: (node: Node) => AsyncServer;
  /** What each node does with a request of its clients before or after it asks the authority. */
  readonly around?: Change;
  /** @default 4000 */
  readonly timeoutMs?: number;
}

/**
 * Serves a workload from the first node.
 *
 * A request that could not be delivered, or whose answer was lost, is answered with code 0: it is
 * unknown whether it was served. The network may double messages, so each is served once.
 */
export function serveByAuthority(
  node: Node,
  reference: Reference,
  options: AuthorityOptions = {},
): void {
  const { around = (server) => server, timeoutMs = TIMEOUT_MS } = options;
  const server = options.makeServer?.(node) ?? reference.inMemory();
  const served = new Set<string>();
  node.on("authority", async ({ src, body: { msg_id, request } }) => {
    const name = `${src} ${msg_id}`;
    if (served.has(name) || !isJsonObject(request)) return;
    served.add(name);
    const answer = await server(request, src);
    if (answer !== undefined) return { answer: defined(answer) };
  });
  const ask: AsyncServer = async (request, asked) => {
    const [authority = node.id] = node.nodeIds;
    if (authority === node.id) return await server(request, asked);
    const reply = await node.rpc(authority, { type: "authority", request }, { timeoutMs });
    if (isJsonObject(reply.answer)) return reply.answer;
    throw new RpcError(ErrorCode.crash, `Malformed answer from ${authority}`);
  };
  serveAlone(node, reference, around(ask, node));
}

/** An answer without the keys that are undefined. */
function defined(answer: LooseReply): JsonObject {
  const keys = Object.entries(answer).filter((entry): entry is [string, Json] =>
    entry[1] !== undefined
  );
  return Object.fromEntries(keys);
}

/** True with the probability `chance`. */
export function nowAndThen(node: Node, chance: number): boolean {
  return node.random.next() < chance;
}
