/**
 * A client on the network: sends one request at a time, and waits for its reply.
 *
 * @module
 */

import {
  type Clock,
  isDefinite,
  type Json,
  type JsonObject,
  type Schema,
  type SchemaIssue,
  withoutStack,
} from "@eddy/maelstrom";
import { validate } from "@eddy/maelstrom/schema";
import type { OpError } from "./history.ts";
import type { Network, Packet } from "./network.ts";

/** How long a client waits for a reply by default. */
const CLIENT_TIMEOUT_MS = 5000;

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
  readonly network: Pick<Network, "open" | "close" | "send">;
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
  readonly #network: ClientContext["network"];
  readonly #clock: Clock;
  #lastMsgId = 0;
  #waiting: Waiting | undefined;
  /** The first message since the request that replies to no request of this client. */
  #stray: JsonObject | undefined;
  #closed = false;

  constructor({ network, clock, ids }: ClientContext) {
    this.id = ids.next();
    this.#network = network;
    this.#clock = clock;
    network.open(this.id, (message) => this.#deliver(message));
  }

  /**
   * Sends a request and waits for its reply's body, which may be an error.
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
   * Sends a request, and checks its reply against a schema.
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

  /** Takes the client off the network, and rejects the request it waits for, if any. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#network.close(this.id);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.cancelTimer();
    waiting?.reject(new Error(`Client ${this.id} was closed`));
  }

  #deliver({ body }: Packet): void {
    const waiting = this.#waiting;
    if (waiting === undefined || body.in_reply_to !== waiting.msgId) {
      if (!this.#isRequest(body.in_reply_to)) this.#stray ??= body;
      return;
    }
    this.#waiting = undefined;
    waiting.cancelTimer();
    waiting.resolve(body);
  }

  #isRequest(msgId: Json | undefined): boolean {
    return typeof msgId === "number" && msgId >= 1 && msgId <= this.#lastMsgId;
  }
}

function butCame(body: JsonObject, msgId: number): string {
  return `, but a message whose in_reply_to is not ${msgId}: ${quote(body)}`;
}

/** How a workload classifies errors. */
export interface ErrorPolicy {
  /** Whether a definite error is a failure; if not, the outcome after any error is unknown. */
  readonly definiteFails: boolean;
  /** Operations that may be done twice or not at all, so that an error is always a failure. */
  readonly idempotent: ReadonlySet<string>;
}

/** An end other than success. */
interface Failure {
  readonly type: "fail" | "info";
  readonly error: OpError;
}

/**
 * The outcome of an operation that met an error.
 *
 * An error reply is a failure if it is definite or the operation idempotent, a timeout if the
 * operation is; after a malformed reply the outcome is unknown.
 *
 * @param f the operation's name
 * @throws `error` itself, if neither a node nor the network can cause it.
 */
export function failureOf(error: unknown, f: string, policy: ErrorPolicy): Failure {
  const idempotent = policy.idempotent.has(f);
  if (error instanceof ReplyTimeout) {
    return { type: idempotent ? "fail" : "info", error: { code: 0, text: error.message } };
  }
  if (error instanceof ErrorReply) {
    const { code, message: text, definite } = error;
    return {
      type: idempotent || (policy.definiteFails && definite) ? "fail" : "info",
      error: code === undefined ? { text } : { code, text },
    };
  }
  if (error instanceof MalformedReply) return { type: "info", error: { text: error.message } };
  throw error;
}

/** A reply that is an error. */
export class ErrorReply extends Error {
  declare readonly name: "ErrorReply";
  /** The error's code; absent if the node gave none that is an integer. */
  declare readonly code: number | undefined;
  /** Whether the operation certainly did not happen. */
  declare readonly definite: boolean;

  /** Makes it of a reply's body. */
  static of({ code, text }: JsonObject): ErrorReply {
    const known = typeof code === "number" && Number.isSafeInteger(code);
    const said = typeof text === "string" ? text : text === undefined ? undefined : quote(text);
    const message = known
      ? said ?? `Error ${code}`
      : `Error without an integer code: code is ${quote(code)}${said ? `, ${said}` : ""}`;
    return withoutStack(ErrorReply, {
      name: "ErrorReply",
      message,
      code: known ? code : undefined,
      definite: known && isDefinite(code),
    });
  }
}

/** A reply that is neither an error nor of the form that its request requires. */
export class MalformedReply extends Error {
  override readonly name = "MalformedReply";
}

/** How much of a value is quoted. */
const QUOTE_CHARS = 80;

/** How many fields a diff names. */
const MAX_FIELDS = 8;

/**
 * Reads a reply's body.
 *
 * @param from the request's type and the node, to name them in errors.
 * @throws {ErrorReply} if it is an error.
 * @throws {MalformedReply} if it does not fit the schema, with every field that is extra, missing
 * or of the wrong type.
 */
export function readReply<Reply>(
  body: JsonObject,
  schema: Schema<Reply>,
  from: { readonly type: string; readonly node: string },
): Reply {
  if (body.type === "error") throw ErrorReply.of(body);
  const result = validate(schema, body);
  if (result.issues === undefined) return result.value;
  const fields = diff(body, schema, result.issues);
  const shown = fields.length > MAX_FIELDS
    ? [...fields.slice(0, MAX_FIELDS), `and ${fields.length - MAX_FIELDS} more`]
    : fields;
  throw new MalformedReply(
    `Malformed reply to ${from.type} from ${from.node}: ${shown.join("; ")}; it was ${quote(body)}`,
  );
}

/** One phrase a field: what is extra, then what is missing, then what is of the wrong type. */
function diff(body: JsonObject, schema: Schema<unknown>, first: readonly SchemaIssue[]): string[] {
  const extra: string[] = [];
  const rest: JsonObject = { ...body };
  let issues = first;
  // A schema may stop at the first key it does not know, so take that away and look again.
  for (;;) {
    const key = issues.map(extraKey).find((each) => each !== undefined);
    if (key === undefined || !(key in rest)) break;
    extra.push(`extra field ${key} (${quote(rest[key])})`);
    delete rest[key];
    issues = validate(schema, rest).issues ?? [];
  }
  const missing = issues.filter((issue) => isMissing(issue, rest));
  const wrong = issues.filter((issue) => !isMissing(issue, rest));
  return [
    ...extra,
    ...missing.map((issue) => `missing field ${keys(issue).join(".")}`),
    ...wrong.map((issue) => wrongField(issue, rest)),
  ];
}

/** The key that an issue calls unknown: schema libraries expect "never" there. */
function extraKey(issue: SchemaIssue): string | undefined {
  const never = "expected" in issue && issue.expected === "never";
  const path = keys(issue);
  return never && path.length === 1 ? path[0] : undefined;
}

function isMissing(issue: SchemaIssue, body: JsonObject): boolean {
  const [key, ...deeper] = keys(issue);
  return key !== undefined && deeper.length === 0 && !Object.hasOwn(body, key);
}

function wrongField(issue: SchemaIssue, body: JsonObject): string {
  const path = keys(issue);
  const why = issue.message.replace(/^Invalid type: /, "").replace(/ but received .*$/s, "");
  return `wrong value at ${path.join(".")}: ${lowerFirst(why)}, got ${quote(valueAt(body, path))}`;
}

function keys(issue: SchemaIssue): string[] {
  return (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
}

function valueAt(body: JsonObject, path: readonly string[]): Json | undefined {
  let value: unknown = body;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value as Json | undefined;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

/** A value as JSON, cut where it gets long. */
function quote(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > QUOTE_CHARS ? `${text.slice(0, QUOTE_CHARS)}...` : text;
}
