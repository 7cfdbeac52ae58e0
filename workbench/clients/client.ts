/**
 * A client on the network: asks one thing at a time, and waits for its answer.
 *
 * @module
 */

import type { Clock, Json, JsonObject, Schema } from "@eddy/maelstrom";
import type { Envelope, Network } from "../types.ts";
import { quote, readReply } from "./reply.ts";

/** How long a client waits unless told otherwise. */
export const CLIENT_TIMEOUT_MS = 5000;

/** How long a node may take over `init`. */
export const INIT_TIMEOUT_MS = 10_000;

/** Hands out the names of clients, `c0`, `c1`, ..., over a whole run. */
export class ClientIds {
  #next = 0;

  /** The next name. */
  next(): string {
    return `c${this.#next++}`;
  }
}

/** No reply came in time: the operation may or may not have happened. */
export class ReplyTimeout extends Error {
  override readonly name = "ReplyTimeout";
}

/** What a client needs of its world. */
export interface ClientContext {
  readonly network: Network;
  readonly clock: Clock;
  readonly ids: ClientIds;
}

/** A request's body, without its `msg_id`. */
export type ClientRequest = JsonObject & { readonly type: string };

interface Waiting {
  readonly msgId: number;
  readonly resolve: (body: JsonObject) => void;
  readonly reject: (reason: Error) => void;
  readonly cancelTimer: () => void;
}

/**
 * A client, which is an endpoint of the network from its construction until it is closed.
 *
 * It has one request outstanding. Anything that is not the reply to that is skipped: late and
 * duplicate replies do no harm while the client is open.
 */
export class Client {
  /** Its name on the network. */
  readonly id: string;
  readonly #network: Network;
  readonly #clock: Clock;
  #lastMsgId = 0;
  #waiting: Waiting | undefined;
  /** The first message since the request that answers nothing ever asked. */
  #stray: JsonObject | undefined;
  #closed = false;

  constructor({ network, clock, ids }: ClientContext) {
    this.id = ids.next();
    this.#network = network;
    this.#clock = clock;
    network.open(this.id, (message) => this.#deliver(message));
  }

  /**
   * Sends a request and waits for its reply's body, whatever it says.
   *
   * @param timeoutMs how long to wait; {@linkcode CLIENT_TIMEOUT_MS} by default
   * @throws {ReplyTimeout} if none comes in time.
   * @throws {Error} if a request is outstanding, or the client was or is closed.
   */
  send(dest: string, request: ClientRequest, timeoutMs = CLIENT_TIMEOUT_MS): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      const what = `${request.type} from ${this.id}`;
      if (this.#closed) throw new Error(`Cannot send ${what}: the client is closed`);
      if (this.#waiting !== undefined) throw new Error(`Cannot send ${what}: it still waits`);
      const msgId = ++this.#lastMsgId;
      this.#stray = undefined;
      const cancelTimer = this.#clock.schedule(timeoutMs, () => {
        this.#waiting = undefined;
        const but = this.#stray === undefined ? "" : butCame(this.#stray, msgId);
        reject(
          new ReplyTimeout(`No reply to ${request.type} from ${dest} in ${timeoutMs} ms${but}`),
        );
      });
      this.#waiting = { msgId, resolve, reject, cancelTimer };
      try {
        this.#network.send({ src: this.id, dest, body: { ...request, msg_id: msgId } });
      } catch (error) {
        this.#waiting = undefined;
        cancelTimer();
        throw error;
      }
    });
  }

  /**
   * Asks for something, and reads the answer.
   *
   * @throws {ErrorReply} if the node answers with an error.
   * @throws {MalformedReply} if the reply does not fit the schema.
   * @throws {ReplyTimeout} if there is none.
   */
  async call<Reply>(
    dest: string,
    request: ClientRequest,
    schema: Schema<Reply>,
    timeoutMs?: number,
  ): Promise<Reply> {
    const body = await this.send(dest, request, timeoutMs);
    return readReply(body, schema, { type: request.type, node: dest });
  }

  /** Takes the client off the network, and gives up what it waits for; harmless when repeated. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#network.close(this.id);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.cancelTimer();
    waiting?.reject(new Error(`Client ${this.id} was closed`));
  }

  #deliver({ body }: Envelope): void {
    const waiting = this.#waiting;
    if (waiting === undefined || body.in_reply_to !== waiting.msgId) {
      if (!this.#isAsked(body.in_reply_to)) this.#stray ??= body;
      return;
    }
    this.#waiting = undefined;
    waiting.cancelTimer();
    waiting.resolve(body);
  }

  #isAsked(msgId: Json | undefined): boolean {
    return typeof msgId === "number" && msgId >= 1 && msgId <= this.#lastMsgId;
  }
}

function butCame(body: JsonObject, msgId: number): string {
  return `, but a message whose in_reply_to is not ${msgId}: ${quote(body)}`;
}
