/**
 * From a message to its handler and back: one detached handler per message, one place for errors.
 *
 * @module
 */

import { describeError, ErrorCode, errorReply, RpcError } from "./errors.ts";
import type { Given, Json, JsonObject, Sendable } from "./json.ts";
import { isClient, type Message, quote, type Received } from "./message.ts";
import type { Node } from "./node.ts";
import { ROUTED } from "./routes.ts";
import { checkFits, type RpcSchema, type Schema } from "./schema.ts";

/** A reply that no schema describes; a key that is undefined is left out. */
export type LooseReply = { [key: string]: Json | undefined };

/** What a handler may return: a reply's own keys, or nothing for no reply. */
export type ReplyBody<Reply = object> =
  | ((Reply | Given<Reply>) & { type?: string })
  | undefined
  | void;

/** {@linkcode ReplyBody}, now or later. */
export type HandlerResult<Reply = object> = ReplyBody<Reply> | Promise<ReplyBody<Reply>>;

/** A handler as the node keeps it. */
export interface HandlerEntry {
  // A method, not a function property: bivariance lets one map hold handlers of any request type.
  /** Answers a message. */
  handle(message: Message<JsonObject>): HandlerResult<object>;
  /** What a request must look like, if that is known. */
  readonly request: Schema<unknown> | undefined;
}

/** The keys of a handler's result that its reply schema does not have. */
export type ExtraKeys<Result, Reply> = Result extends undefined | void ? never
  : Exclude<keyof Result, keyof Reply | "type">;

/** What of a handler's result cannot be a reply: a list, or what JSON cannot carry. */
export type NotJson<Body> = unknown extends Body ? never
  : Body extends LooseReply | undefined | void ? never
  : Body extends readonly unknown[] ? Body
  : Body extends Sendable<Body> ? never
  : Body;

/** Nothing for a result that JSON can carry; otherwise what no handler can be. */
export type OnlyJson<Result> = [NotJson<Awaited<Result>>] extends [never] ? unknown
  : { "not JSON": NotJson<Awaited<Result>> };

/** Nothing for a result that fits the reply schema; otherwise what no handler can be. */
export type NoExtraKeys<Result, Reply> = [ExtraKeys<Awaited<Result>, Reply>] extends [never]
  ? unknown
  : { "not in the reply schema": ExtraKeys<Awaited<Result>, Reply> };

/** Settings of a handler. */
export interface HandlerOptions<Request, Reply> {
  /** What a request must look like, and what a reply looks like. */
  schema: RpcSchema<Request, Reply>;
}

/** How many messages may wait for init, and how many for a handler to end. */
const MAX_WAITING = 4096;

/** Starts handlers, and answers with what they return or throw. */
export class Dispatcher {
  readonly #node: Node;
  readonly #maxInFlight: number;
  readonly #handlers = new Map<string, HandlerEntry>();
  /** Called when a handler ends, or a call begins or ends. */
  #watchers: (() => void)[] = [];

  constructor(node: Node, maxInFlight: number) {
    this.#node = node;
    this.#maxInFlight = maxInFlight;
  }

  /**
   * Registers the handler of a type.
   *
   * @throws {Error} if the type has a handler already.
   */
  on(type: string, entry: HandlerEntry): void {
    if (this.#handlers.has(type)) {
      throw new Error(`Cannot handle ${type}: it has a handler already`);
    }
    this.#handlers.set(type, entry);
  }

  /**
   * Whether so many requests wait for a handler to end that input should pause; never while a
   * call waits for a reply, which only input can bring.
   */
  get full(): boolean {
    const { state } = this.#node;
    if (state.calls.size > 0) return false;
    return state.held.length >= MAX_WAITING ||
      (state.phase === "starting" && state.early.length >= MAX_WAITING);
  }

  /** Resolves when a handler has ended, or a call has begun or ended. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  /** Resolves all that wait for a {@linkcode change}. */
  wake(): void {
    if (this.#watchers.length === 0) return;
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }

  /** Starts a message's handler, or keeps the message until that may be done. */
  accept(message: Received): void {
    const { state } = this.#node;
    const { phase } = state;
    if (message.body.type === "init") {
      if (phase === "new") this.#start(message);
      // Definite, and not init_ok even for the same names: this init set nothing up.
      else {this.#fail(
          message,
          new RpcError(ErrorCode.malformedRequest, `Node is ${state.nodeId} already`),
        );}
    } else if (message.body.type === ROUTED && phase !== "new") {
      // At once, whatever is in flight: what is inside may be a reply that a handler waits for.
      this.#start(message);
    } else if (phase === "new" && isClient(message.src)) {
      this.#fail(
        message,
        new RpcError(ErrorCode.temporarilyUnavailable, "Node is not initialized yet"),
      );
    } else if (phase === "new" || phase === "starting") {
      this.#keepForInit(message);
    } else if (message.dest !== state.nodeId) {
      const text = `Message is addressed to ${message.dest}, but this node is ${state.nodeId}`;
      this.#fail(message, new RpcError(ErrorCode.malformedRequest, text));
    } else if (state.inFlight >= this.#maxInFlight) {
      this.#hold(message);
    } else {
      this.#start(message);
    }
  }

  /** Accepts, in order, what waited for init. */
  releaseEarly(): void {
    const { state } = this.#node;
    const early = state.early;
    state.early = [];
    for (const message of early) this.accept(message);
  }

  #keepForInit(message: Received): void {
    const { state, log } = this.#node;
    if (state.early.length < MAX_WAITING) {
      this.#stamp(message);
      state.early.push(message);
    } else {
      state.counts.droppedEarly++;
      log(`Dropped a message from ${message.src}: ${MAX_WAITING} wait for init already`);
    }
  }

  #hold(message: Received): void {
    const { state } = this.#node;
    if (state.held.length < MAX_WAITING) {
      this.#stamp(message);
      state.held.push(message);
    } else {
      const text = `Node is busy: ${MAX_WAITING} requests wait already`;
      this.#fail(message, new RpcError(ErrorCode.temporarilyUnavailable, text));
    }
  }

  /** Notes when a message came; only for one not answered at once, since reading the clock costs. */
  #stamp(message: Received): void {
    message.receivedAtMs ??= this.#node.clock.now();
  }

  #start(message: Received): void {
    try {
      const result = this.#handle(message);
      if (isThenable(result)) this.#wait(message, result);
      else this.#answer(message, result);
    } catch (error) {
      this.#fail(message, error);
    }
  }

  #wait(message: Received, result: PromiseLike<ReplyBody<object>>): void {
    // Adopted, since a thenable of another make may call back twice.
    Promise.resolve(result)
      .then((body) => this.#answer(message, body), (error) => this.#fail(message, error))
      .then(() => this.#end());
    this.#node.state.inFlight++;
    this.#stamp(message);
  }

  #handle(message: Received): HandlerResult<object> {
    const { type } = message.body;
    const entry = this.#handlers.get(type);
    if (entry === undefined) {
      throw new RpcError(ErrorCode.notSupported, `Unknown message type ${quote(type)}`);
    }
    checkFits(entry.request, message.body, ErrorCode.malformedRequest, type);
    return entry.handle(message);
  }

  #answer(message: Received, body: ReplyBody<object>): void {
    try {
      if (body === undefined) {
        if (!message.answered) this.#stamp(message);
        return;
      }
      this.#node.reply(message, body);
    } catch (error) {
      this.#fail(message, error);
    }
  }

  /** The one place where an error becomes an error reply; throws nothing. */
  #fail(message: Received, error: unknown): void {
    const { log } = this.#node;
    const { code, text, meant } = errorReply(error);
    try {
      const what = `${quote(message.body.type)} from ${message.src} failed`;
      if (!meant) log(`${what}: ${describeError(error)}`);
      if (!this.#node.reply(message, { type: "error", code, text }) && meant) {
        log(`${what}: ${text}`);
      }
    } catch (failure) {
      log(`Cannot answer ${message.src}: ${describeError(failure)}`);
    }
  }

  #end(): void {
    const { state } = this.#node;
    state.inFlight--;
    while (state.inFlight < this.#maxInFlight) {
      const next = state.held.shift();
      if (next === undefined) break;
      this.#start(next);
    }
    this.wake();
  }
}

/** Whether a handler's result comes later; a reply is data, and has no functions. */
function isThenable<T>(result: T | PromiseLike<T>): result is PromiseLike<T> {
  return typeof (result as Partial<PromiseLike<T>> | undefined)?.then === "function";
}
