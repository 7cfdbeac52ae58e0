/**
 * The requests of nodes that have no reply, as the network sees them.
 *
 * @module
 */

import { isClient } from "@eddy/maelstrom";
import type { NetEvent } from "./journal.ts";
import { routedBody } from "./report_messages.ts";

/** How many requests of a node are remembered. */
const MAX_REQUESTS = 1000;

/** A request that has no reply. */
interface UnansweredRequest {
  readonly dest: string;
  readonly type: string;
  readonly sentMs: number;
}

/** Follows the requests of nodes; those that third nodes pass on, too. */
export class WaitingCalls {
  readonly #byNode = new Map<string, Map<unknown, UnansweredRequest>>();

  /** Takes an event of the network. */
  add({ type: what, timeMs, message }: NetEvent): void {
    const inner = routedBody(message.body);
    // Of a routed message the body has the two ends, and the message itself one of its steps.
    const { src, dest } = inner === undefined ? message : message.body;
    const { msg_id: id, in_reply_to: to, type } = inner ?? message.body;
    const [sender, receiver] = [String(src), String(dest)];
    if (what === "recv" && to !== undefined && message.dest === receiver) {
      this.#byNode.get(receiver)?.delete(to);
    }
    if (what !== "send" || id === undefined || to !== undefined || isClient(sender)) return;
    const requests = this.#byNode.get(sender) ?? new Map<unknown, UnansweredRequest>();
    this.#byNode.set(sender, requests);
    // What is sent again, or goes through several nodes, is one request.
    if (requests.has(id)) return;
    requests.set(id, { dest: receiver, type: String(type), sentMs: timeMs });
    if (requests.size > MAX_REQUESTS) requests.delete(requests.keys().next().value);
  }

  /**
   * A request of a node that has no reply: the first in a while, or else the last before; times are
   * the world's.
   */
  of(node: string, fromMs: number, toMs: number): UnansweredRequest | undefined {
    const requests = [...this.#byNode.get(node)?.values() ?? []]
      .filter(({ sentMs }) => sentMs <= toMs);
    return requests.find(({ sentMs }) => sentMs >= fromMs) ?? requests.at(-1);
  }
}
