/**
 * A node's transport over NATS: messages come on its subjects, and go to those of others.
 *
 * @module
 */

import {
  ErrorCode,
  errorText,
  isClient,
  isJsonObject,
  type Json,
  type JsonObject,
  type Message,
  type Output,
  parseJson,
  type Random,
  Received,
  systemRandom,
} from "@eddy/maelstrom";
import { parseMessage, quote } from "@eddy/maelstrom/message";
import type { Msg, Subscription } from "@nats-io/transport-node";
import type { ServerLink } from "./server_link.ts";
import { InputQueue, type Receiver } from "./input_queue.ts";
import {
  type Control,
  controlSubjectOf,
  isSubjectName,
  rpcSubjectOf,
  subjectOf,
} from "./subjects.ts";

/** Settings of a {@linkcode NatsTransport}. */
interface TransportOptions {
  readonly link: ServerLink;
  readonly cluster: string;
  /** The name of the node or service that is served. */
  readonly id: string;
  /** All nodes of the cluster; between them messages are lost where that is asked for. */
  readonly nodes?: readonly string[] | undefined;
  /** Whether the subject `control` is served. @default false */
  readonly controlled?: boolean | undefined;
  /** @default the system's */
  readonly random?: Random | undefined;
  readonly log: (text: string) => void;
}

/** How many requests may wait for a reply at once; further ones are answered with error 11. */
const MAX_REQUESTS = 4096;

/** When a request is forgotten: nobody answers it any more. */
const FORGOTTEN_MS = 60_000;

/** How long another process of the same name has to say that it is there. */
const PRESENT_MS = 500;

/** The type of a request that a transport answers by itself, so that two of a name find out. */
const PRESENT = "eddy_present";

/** A request that came without a sender, and waits for its reply. */
interface WaitingRequest {
  readonly answer: (body: JsonObject) => void;
  /** The `msg_id` that it came with. */
  readonly givenId: Json | undefined;
  readonly atMs: number;
}

/** The transport of one node or service. */
export class NatsTransport implements Output {
  readonly #link: ServerLink;
  readonly #cluster: string;
  readonly #id: string;
  readonly #log: (text: string) => void;
  readonly #controlled: boolean;
  readonly #faults: ReceiveFaults;
  /** The sender of requests that have none: another one in each process, which has its own ids. */
  readonly #client: string;
  readonly #requests = new Map<Json, WaitingRequest>();
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  #nextId = 1;
  #input: InputQueue | undefined;
  #subscriptions: Subscription[] = [];
  #isStopping = false;

  constructor(options: TransportOptions) {
    const { link, cluster, id, nodes = [], controlled = false, random = systemRandom } = options;
    this.#link = link;
    this.#cluster = cluster;
    this.#id = id;
    this.#log = options.log;
    this.#controlled = controlled;
    this.#faults = new ReceiveFaults(nodes, random);
    // A number, as Maelstrom's clients have: to a node it is a client like others.
    this.#client = `c${1e14 + Math.floor(random.next() * 9e14)}`;
  }

  /**
   * Begins to take messages.
   *
   * @throws {Error} if another process serves this name.
   */
  async listen(receiver: Receiver): Promise<void> {
    await this.#refuseSecond();
    const { connection, drops } = this.#link;
    const input = new InputQueue(receiver, () => {
      drops.count("more wait than are taken in time (a slow consumer)");
    });
    this.#input = input;
    const subscribe = (subject: string, take: (msg: Msg) => void) => {
      const callback = (error: Error | null, msg: Msg) => {
        if (error === null) take(msg);
        else this.#log(`Cannot take messages on ${subject}: ${errorText(error)}`);
      };
      this.#subscriptions.push(connection.subscribe(subject, { callback }));
    };
    subscribe(subjectOf(this.#cluster, this.#id), (msg) => this.#take(msg));
    subscribe(rpcSubjectOf(this.#cluster, this.#id), (msg) => this.#takeRequest(msg));
    if (this.#controlled) {
      subscribe(controlSubjectOf(this.#cluster, this.#id), (msg) => this.#takeControl(msg));
    }
    // The server has the subscriptions when it answers this.
    await connection.flush();
  }

  /** Makes a request of its own to the node or service, and returns its reply's body. */
  request(body: JsonObject): Promise<JsonObject> {
    return new Promise((resolve) => this.#hand(body, resolve, undefined));
  }

  write(line: string, dest: string): void {
    if (dest === this.#client) return this.#settle(line);
    if (!isSubjectName(dest)) {
      return this.#link.drops.count(`${quote(dest)} cannot be a part of a subject`);
    }
    const bytes = this.#encoder.encode(line);
    const { maxBytes } = this.#link;
    if (bytes.length > maxBytes) return this.#refuse(line, dest, bytes.length, maxBytes);
    this.#link.send(subjectOf(this.#cluster, dest), bytes);
  }

  get full(): boolean {
    return this.#link.full;
  }

  drained(): Promise<void> {
    return this.#link.drained();
  }

  flush(): Promise<void> {
    return this.#link.flush();
  }

  /** Takes nothing but replies from now on, for which what is in flight may wait. */
  stopRequests(): void {
    this.#isStopping = true;
  }

  /** Takes nothing any more. */
  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
    this.#input?.close();
  }

  #textOf({ data }: Msg): string {
    return this.#decoder.decode(data);
  }

  /** Asks whether a process of this name is there already: both would answer every message. */
  async #refuseSecond(): Promise<void> {
    const subject = rpcSubjectOf(this.#cluster, this.#id);
    try {
      const body = JSON.stringify({ type: PRESENT });
      await this.#link.connection.request(subject, body, { timeout: PRESENT_MS });
    } catch {
      // Nobody has this subject, or it is one that has died without the server's knowing.
      return;
    }
    throw new Error(
      `Cannot serve ${this.#id} in cluster ${this.#cluster}: another process does already`,
    );
  }

  /** Takes a message as it came on the subject of this name. */
  #take(msg: Msg): void {
    const line = this.#textOf(msg);
    if (msg.data.length > this.#maxRequestBytes && this.#refuseRequest(line, msg.data.length)) {
      return;
    }
    if (this.#isStopping && !isReply(line)) return;
    const copies = this.#faults.active ? this.#faults.copiesOf(line) : 1;
    for (let copy = 0; copy < copies; copy++) this.#input?.push(line);
  }

  /**
   * How many bytes a client's request may have. A node passes it on with more around it, and numbers
   * may have longer texts there; one that no message can carry would be tried again for ever, with
   * all behind it in a replicated log.
   */
  get #maxRequestBytes(): number {
    return this.#link.maxBytes / 2;
  }

  /** Refuses a client's request that is too long; returns whether it was one. */
  #refuseRequest(line: string, length: number): boolean {
    const message = parseMessage(line);
    if (!(message instanceof Received) || !isClient(message.src)) return false;
    const { src, body } = message;
    const problem = longRequest(length, this.#maxRequestBytes);
    this.#log(`Cannot take a request from ${src}: ${problem}`);
    if (body.msg_id !== undefined) {
      const reply = { src: this.#id, dest: src, body: malformedReply(problem, body.msg_id) };
      this.write(JSON.stringify(reply), src);
    }
    return true;
  }

  /** Takes a request without an envelope. */
  #takeRequest(msg: Msg): void {
    const answer = (body: JsonObject) => this.#respond(msg, body);
    const request: BareRequest = msg.data.length > this.#maxRequestBytes
      ? { problem: longRequest(msg.data.length, this.#maxRequestBytes) }
      : readRequest(this.#textOf(msg), this.#client, this.#id);
    if ("problem" in request) {
      if (!msg.reply) this.#log(`Cannot take a request: ${request.problem}`);
      return answer(malformedReply(request.problem, request.msgId));
    }
    const { body } = request;
    if (body.type === PRESENT) return answer({ type: `${PRESENT}_ok` });
    if (this.#isStopping) return answer(unavailable("Node is stopping", body.msg_id));
    if (!this.#makeRoom()) {
      const text = `Node is busy: ${MAX_REQUESTS} requests wait already`;
      return answer(unavailable(text, body.msg_id));
    }
    const taken = this.#hand(body, answer, body.msg_id);
    if (!taken) answer(unavailable("Node is busy", body.msg_id));
  }

  /** Hands a request to the node; returns whether there was room. */
  #hand(body: JsonObject, answer: WaitingRequest["answer"], givenId: Json | undefined): boolean {
    const id = this.#nextId++;
    this.#requests.set(id, { answer, givenId, atMs: performance.now() });
    const message = { src: this.#client, dest: this.#id, body: { ...body, msg_id: id } };
    const taken = this.#input?.push(JSON.stringify(message)) ?? false;
    if (!taken) this.#requests.delete(id);
    return taken;
  }

  /** Forgets requests that nobody answers any more; returns whether there is room for another. */
  #makeRoom(): boolean {
    const nowMs = performance.now();
    for (const [id, { atMs }] of this.#requests) {
      if (nowMs - atMs < FORGOTTEN_MS) break;
      this.#requests.delete(id);
    }
    return this.#requests.size < MAX_REQUESTS;
  }

  /** Gives a reply to the request that waits for it. */
  #settle(line: string): void {
    const { body } = parseJson(line) as unknown as Message<JsonObject>;
    const id = body.in_reply_to ?? null;
    const waiting = this.#requests.get(id);
    if (waiting === undefined) return;
    this.#requests.delete(id);
    waiting.answer({ ...body, in_reply_to: waiting.givenId ?? id });
  }

  #respond(msg: Msg, body: JsonObject): void {
    if (!msg.reply) return;
    const { maxBytes } = this.#link;
    let bytes = this.#encoder.encode(JSON.stringify(body));
    if (bytes.length > maxBytes) {
      this.#link.drops.count(tooLong(bytes.length, maxBytes));
      bytes = this.#encoder.encode(JSON.stringify(tooLongReply(body, bytes.length, maxBytes)));
    }
    this.#link.send(msg.reply, bytes);
  }

  /** Drops a message that is too long for the server; whoever waits for it is told. */
  #refuse(line: string, dest: string, length: number, maxBytes: number): void {
    this.#link.drops.count(tooLong(length, maxBytes));
    const { src, body } = parseJson(line) as unknown as Message<JsonObject>;
    if (body.in_reply_to === undefined || body.type === "error") return;
    const reply = { src, dest, body: tooLongReply(body, length, maxBytes) };
    this.#link.send(
      subjectOf(this.#cluster, dest),
      this.#encoder.encode(JSON.stringify(reply)),
    );
  }

  #takeControl(msg: Msg): void {
    const problem = this.#faults.obey(this.#textOf(msg));
    if (problem !== undefined) this.#log(`Cannot obey: ${problem}`);
    this.#respond(msg, problem === undefined ? { type: "control_ok" } : malformedReply(problem));
  }
}

/** A request without an envelope, or what is wrong with it. */
type BareRequest =
  | { readonly body: Message<JsonObject>["body"] }
  | { readonly problem: string; readonly msgId?: Json | undefined };

/** Reads a request without an envelope. */
function readRequest(
  text: string,
  src: string,
  dest: string,
): BareRequest {
  try {
    // By itself: inside of an envelope it could close the body, and go on with other keys.
    JSON.parse(text);
  } catch (error) {
    return { problem: errorText(error) };
  }
  const message = parseMessage(`{"src":${JSON.stringify(src)},"dest":"${dest}","body":${text}}`);
  if (!(message instanceof Received)) {
    return { problem: message.problem, msgId: message.request?.body.msg_id };
  }
  const { body } = message;
  if (body.in_reply_to !== undefined) return { problem: "a request must have no in_reply_to" };
  if (body.type === "error") return { problem: "an error is no request", msgId: body.msg_id };
  return { body };
}

function isReply(line: string): boolean {
  const message = parseMessage(line);
  return message instanceof Received && message.body.in_reply_to !== undefined;
}

function errorBody(code: number, text: string, msgId: Json | undefined): JsonObject {
  return { type: "error", code, text, ...msgId !== undefined && { in_reply_to: msgId } };
}

function malformedReply(problem: string, msgId?: Json): JsonObject {
  return errorBody(ErrorCode.malformedRequest, problem, msgId);
}

function unavailable(text: string, msgId: Json | undefined): JsonObject {
  return errorBody(ErrorCode.temporarilyUnavailable, text, msgId);
}

function tooLong(length: number, maxBytes: number): string {
  // In steps, so that messages of nearly one length are counted together.
  const size = length >= 1 << 20 ? `${Math.floor(length / (1 << 20))} MiB or more` : "more";
  return `it has ${size}, and the NATS server takes ${maxBytes} bytes (max_payload)`;
}

function longRequest(length: number, maxBytes: number): string {
  return `a request of ${length} bytes has more than ${maxBytes}, half of the server's max_payload`;
}

/** What is sent in a reply's place. Its code is indefinite: what was asked for may be done. */
function tooLongReply(body: JsonObject, length: number, maxBytes: number): JsonObject {
  const text = `Reply has ${length} bytes, and the NATS server takes ${maxBytes} (max_payload)`;
  return errorBody(ErrorCode.crash, text, body.in_reply_to);
}

/** What a controlled node does to messages that come: the faults that a test asks for. */
class ReceiveFaults {
  readonly #nodes: ReadonlySet<string>;
  readonly #random: Random;
  #drops: ReadonlySet<string> = new Set();
  #loss = 0;
  #duplicate = 0;

  constructor(nodes: readonly string[], random: Random) {
    this.#nodes = new Set(nodes);
    this.#random = random;
  }

  get active(): boolean {
    return this.#drops.size > 0 || this.#loss > 0 || this.#duplicate > 0;
  }

  /** How often a message is to be taken. */
  copiesOf(line: string): number {
    const message = parseMessage(line);
    if (!(message instanceof Received)) return 1;
    if (this.#drops.has(message.src)) return 0;
    if (!this.#nodes.has(message.src)) return 1;
    if (this.#random.next() < this.#loss) return 0;
    return this.#random.next() < this.#duplicate ? 2 : 1;
  }

  /** Obeys a {@linkcode Control}, or returns what is wrong with it and changes nothing. */
  obey(text: string): string | undefined {
    let control: Json;
    try {
      control = parseJson(text);
    } catch (error) {
      return errorText(error);
    }
    if (!isJsonObject(control)) return "a control message must be an object";
    const { drop, loss, duplicate } = control as Control & JsonObject;
    if (drop !== undefined && !isListOfTexts(drop)) return "drop must be a list of names";
    if (loss !== undefined && !isShare(loss)) return "loss must be a number from 0 to 1";
    if (duplicate !== undefined && !isShare(duplicate)) {
      return "duplicate must be a number from 0 to 1";
    }
    if (drop !== undefined) this.#drops = new Set(drop);
    this.#loss = loss ?? this.#loss;
    this.#duplicate = duplicate ?? this.#duplicate;
    return undefined;
  }
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isShare(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1;
}
