/**
 * Ways to get messages wrong: what a node is told, and what it tells, changed on the way.
 *
 * @module
 */

import type { Body, JsonObject, Message, Node } from "@eddy/maelstrom";

/** A handler of any messages. */
export type Handler = (message: Message<JsonObject>) => unknown;

/** Registers handlers, of which those of some types are changed. */
export function withHandlers(
  types: readonly string[],
  change: (handle: Handler, node: Node) => Handler,
  install: (node: Node) => void,
): (node: Node) => void {
  return (node) => {
    const on = node.on.bind(node) as (type: string, handle: Handler, options?: object) => void;
    const value = (type: string, handle: Handler, options?: object): void =>
      on(type, types.includes(type) ? change(handle, node) : handle, options);
    Object.defineProperty(node, "on", { value, configurable: true });
    install(node);
  };
}

/** Registers handlers on a node of which messages of one type are sent changed. */
export function withSent(
  type: string,
  change: (body: Body, dest: string) => Body,
  install: (node: Node) => void,
): (node: Node) => void {
  return (node) => {
    const send = node.send.bind(node) as (dest: string, body: Body) => void;
    const value = (dest: string, body: Body): void =>
      send(dest, body.type === type ? change(body, dest) : body);
    Object.defineProperty(node, "send", { value, configurable: true });
    install(node);
  };
}

/** How long a message may take to be confirmed, in milliseconds. */
const PATIENCE_MS = 200;
/** After this long what was not confirmed is sent again, in milliseconds. */
const AGAIN_MS = 500;

/**
 * A link to another node over which one request follows the other, until each is confirmed. It does
 * not stop for one that is not confirmed in time: that one is sent again later, behind others.
 */
export class ImpatientLink {
  readonly #node: Node;
  readonly #dest: string;
  readonly #queue: Body[] = [];
  #isBusy = false;

  constructor(node: Node, dest: string) {
    this.#node = node;
    this.#dest = dest;
  }

  /** Sends a request, until it is confirmed. */
  send(body: Body): void {
    this.#queue.push(body);
    if (!this.#isBusy) void this.#work();
  }

  /** While it waits others are added to the queue, which it looks at anew each time. */
  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let body = this.#queue.shift(); body !== undefined; body = this.#queue.shift()) {
      const sent = body;
      try {
        await this.#node.rpc(this.#dest, { ...sent }, { timeoutMs: PATIENCE_MS });
      } catch {
        this.#node.clock.schedule(AGAIN_MS, () => this.send(sent));
      }
    }
    this.#isBusy = false;
  }
}
