/**
 * The first message to a node.
 *
 * @module
 */

import { Client, type ClientIds, INIT_TIMEOUT_MS, ReplyTimeout } from "../clients/client.ts";
import type { World } from "../types.ts";

/** An `init` under way. */
export interface Initialization {
  /** Resolves when the node has answered, or the wait was abandoned. */
  readonly done: Promise<void>;
  /** Waits no longer. */
  abandon(): void;
}

/**
 * Sends `init` to a node from a fresh client, and waits for its answer.
 *
 * `done` rejects with an error like Maelstrom's if the node answers anything but `init_ok`, or
 * nothing for 10 s.
 */
export function initialize(
  node: string,
  nodeIds: readonly string[],
  ids: ClientIds,
  { network, clock }: World,
): Initialization {
  const client = new Client({ network, clock, ids });
  let abandoned = false;
  const ask = async () => {
    try {
      const request = { type: "init", node_id: node, node_ids: [...nodeIds] };
      const reply = await client.send(node, request, INIT_TIMEOUT_MS);
      if (reply.type !== "init_ok") {
        throw new Error(`${expected(node)} responded with ${JSON.stringify(reply)}`);
      }
    } catch (error) {
      if (abandoned) return;
      if (error instanceof ReplyTimeout) {
        throw new Error(`${expected(node)} did not respond. ${error.message}`, { cause: error });
      }
      throw error;
    } finally {
      client.close();
    }
  };
  const abandon = () => {
    abandoned = true;
    client.close();
  };
  return { done: ask(), abandon };
}

function expected(node: string): string {
  return `Expected node ${node} to respond to an init message, but node`;
}
