/**
 * What nodes wait for: their requests that have no reply.
 *
 * @module
 */

import { isClient } from "@eddy/maelstrom";
import type { NetEvent } from "./journal.ts";

/** How many requests of a node are remembered. */
const MAX_REQUESTS = 1000;

/** A request of a node. */
interface WaitingRequest {
  readonly dest: string;
  readonly type: string;
  readonly sentMs: number;
}

/** Follows the requests of nodes, as the network sees them. */
export class WaitingCalls {
  readonly #byNode = new Map<string, Map<unknown, WaitingRequest>>();

  /** Takes an event of the network. */
  add({ type: what, timeMs, message }: NetEvent): void {
    const { src, dest, body, type } = message;
    const { msg_id: id, in_reply_to: to } = body;
    if (what === "recv" && to !== undefined) this.#byNode.get(dest)?.delete(to);
    if (what !== "send" || id === undefined || to !== undefined || isClient(src)) return;
    const requests = this.#byNode.get(src) ?? new Map<unknown, WaitingRequest>();
    this.#byNode.set(src, requests);
    requests.set(id, { dest, type, sentMs: timeMs });
    if (requests.size > MAX_REQUESTS) requests.delete(requests.keys().next().value);
  }

  /** The first request that a node sent in a while and that has no reply; times are the world's. */
  of(node: string, fromMs: number, toMs: number): WaitingRequest | undefined {
    return this.#byNode.get(node)?.values()
      .find(({ sentMs }) => sentMs >= fromMs && sentMs <= toMs);
  }
}
