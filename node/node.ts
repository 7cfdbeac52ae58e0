/**
 * The node: reads messages in one place and runs each in a handler of its own.
 *
 * @module
 */

import {
  type Clock,
  drawName,
  type Random,
  retry,
  type RetryOptions,
  systemClock,
  systemRandom,
} from "./clock.ts";
import { DurableOutput } from "./durable_output.ts";
import {
  Dispatcher,
  type HandlerEntry,
  type HandlerOptions,
  type HandlerResult,
  type NoExtraKeys,
  type OnlyJson,
} from "./dispatcher.ts";
import {
  describeError,
  ErrorCode,
  errorReply,
  errorText,
  isErrorCode,
  refuseUnknown,
  refuseUnlessNumber,
  RpcError,
} from "./errors.ts";
import type { JsonObject, Sendable } from "./json.ts";
import { isClient, type Message, parseMessage, quote, Received, type Typed } from "./message.ts";
import { ROUTED } from "./routes.ts";
import { checkFits, type Schema } from "./schema.ts";
import type { Observation, ObservedState, Observer } from "./observe.ts";
import { NodeState } from "./state.ts";
import { MemoryStorage, type OpenStorage, type Storage, StorageError } from "./storage.ts";
import { environmentObserver, type Output, stderrLog, stdoutOutput } from "./stdio.ts";

/** Settings of a {@linkcode Node}. */
export interface NodeOptions {
  /**
   * Where lines go.
   *
   * @default standard output
   */
  output?: Output | undefined;
  /**
   * Time and timers.
   *
   * @default the system's
   */
  clock?: Clock | undefined;
  /**
   * The source of randomness.
   *
   * @default the system's
   */
  random?: Random | undefined;
  /**
   * Where log lines go.
   *
   * @default standard error
   */
  log?: ((text: string) => void) | undefined;
  /**
   * Takes what the node tells of itself: {@linkcode Node.observe}, {@linkcode Node.sometimes} and
   * {@linkcode Node.always}. The workbench sets it for nodes in its process.
   *
   * @default none, unless the environment variable `EDDY_OBSERVE` is 1 and may be read, as in
   * programs that the workbench starts; then lines on standard error
   */
  observer?: Observer | undefined;
  /**
   * Opens {@linkcode Node.storage} at `init`.
   *
   * @default one in memory
   */
  storage?: OpenStorage | undefined;
  /**
   * How many handlers may be in flight. Further requests wait, while replies are still taken in.
   * When 4096 wait, input pauses; if a call waits for a reply at that time, which only input can
   * bring, input goes on and further requests are answered with error 11.
   *
   * @default no bound
   */
  maxInFlight?: number | undefined;
  /**
   * How long clients wait for a reply, in milliseconds. Under Maelstrom a reply to a client that
   * has gone away silences the node for good, so later ones are dropped.
   *
   * @default 5000
   */
  clientDeadlineMs?: number | undefined;
  /**
   * How long {@linkcode Node.drain} waits for handlers that do not end, in milliseconds.
   *
   * @default 10000
   */
  drainTimeoutMs?: number | undefined;
}

const nodeOptions: Record<keyof NodeOptions, true> = {
  output: true,
  clock: true,
  random: true,
  log: true,
  observer: true,
  storage: true,
  maxInFlight: true,
  clientDeadlineMs: true,
  drainTimeoutMs: true,
};

/** Settings of a call to another node. */
export interface RpcOptions {
  /**
   * How long to wait for the reply, in milliseconds.
   *
   * @default 1000
   */
  timeoutMs?: number | undefined;
  /** Ends the call early; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const rpcOptions: Record<keyof RpcOptions | "schema", true> = {
  timeoutMs: true,
  signal: true,
  schema: true,
};

/**
 * A Maelstrom node.
 *
 * Each message handed to {@linkcode Node.receive} starts its handler at once; a handler that waits
 * does not delay the others. All shared state is in {@linkcode Node.state}.
 *
 * @example
 * ```ts
 * import { Node } from "@eddy/maelstrom";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const node = new Node({ output: { write: (line) => void lines.push(line) } });
 * node.on("echo", ({ body }) => ({ echo: body.echo }));
 *
 * node.receive(
 *   '{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}',
 * );
 * node.receive('{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"hi"}}');
 * await node.drain();
 * assertEquals(
 *   lines[1],
 *   '{"src":"n1","dest":"c1","body":{"type":"echo_ok","echo":"hi","in_reply_to":2,"msg_id":1}}',
 * );
 * ```
 */
export class Node {
  /** Everything that handlers share. */
  readonly state: NodeState = new NodeState();
  /** Time and timers. */
  readonly clock: Clock;
  /** The source of randomness. */
  readonly random: Random;
  /** Writes a line to the log; throws nothing. */
  readonly log: (text: string) => void;

  readonly #openStorage: OpenStorage | undefined;
  readonly #failure = new AbortController();
  #output: Output;
  /** What is written to instead, where the storage is durable. */
  #durable: DurableOutput | undefined;
  #storage: Storage | undefined;
  readonly #observer: Observer | undefined;
  readonly #clientDeadlineMs: number;
  readonly #drainTimeoutMs: number;
  readonly #dispatcher: Dispatcher;
  readonly #initHooks: (() => void | Promise<void>)[] = [];
  readonly #tickers = new Set<() => void>();
  #lineNumber = 0;

  /**
   * Makes a node that handles only `init`.
   *
   * @throws {TypeError} for an option that it does not know, as every function here with options.
   * @throws {TypeError | RangeError} for an option's value that is not accepted, as every function
   * here with options; `maxInFlight` must be 1 or more.
   */
  constructor(options: NodeOptions = {}) {
    refuseUnknown(options, nodeOptions);
    const { maxInFlight = Infinity, clientDeadlineMs = 5000, drainTimeoutMs = 10_000 } = options;
    refuseUnlessNumber("maxInFlight", maxInFlight, 1);
    refuseUnlessNumber("clientDeadlineMs", clientDeadlineMs, 0);
    refuseUnlessNumber("drainTimeoutMs", drainTimeoutMs, 0);
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? systemRandom;
    this.log = safeLog(options.log ?? stderrLog);
    this.#output = options.output ?? stdoutOutput();
    this.#openStorage = options.storage;
    this.#observer = options.observer ?? environmentObserver();
    this.#clientDeadlineMs = clientDeadlineMs;
    this.#drainTimeoutMs = drainTimeoutMs;
    this.#dispatcher = new Dispatcher(this, maxInFlight);
    this.#dispatcher.on("init", { handle: (message) => this.#init(message), request: undefined });
    this.#dispatcher.on(ROUTED, { handle: (message) => this.#route(message), request: undefined });
  }

  /** This node's name; empty before init. */
  get id(): string {
    return this.state.nodeId;
  }

  /** All nodes of the cluster, this one included; empty before init. */
  get nodeIds(): readonly string[] {
    return this.state.nodeIds;
  }

  /** All nodes of the cluster but this one. */
  get otherNodes(): readonly string[] {
    return this.state.nodeIds.filter((id) => id !== this.state.nodeId);
  }

  /**
   * What of this node's state outlives its process; from init on. What the node sends after a write
   * waits until that write is durable, so a handler need not wait for it.
   *
   * @throws {Error} before init, if the node was given a storage to open.
   *
   * @example A counter that goes on after a restart, if the node was given a storage on disk
   * ```ts
   * import { Node } from "@eddy/maelstrom";
   *
   * const node = new Node();
   * node.on("add", ({ body: { delta } }) => {
   *   const total = Number(node.storage.get("total") ?? 0) + Number(delta);
   *   node.storage.set("total", total);
   *   return { total };
   * });
   * ```
   */
  get storage(): Storage {
    if (this.#storage === undefined && this.#openStorage !== undefined) {
      throw new Error("Cannot use the storage before init: it is the node's of that name");
    }
    return this.#storage ??= new MemoryStorage();
  }

  /**
   * Aborts when the storage has failed: nothing is sent any more, and the process should end. Its
   * reason is the {@linkcode StorageError}, which {@linkcode Node.drain} throws.
   */
  get failed(): AbortSignal {
    return this.#failure.signal;
  }

  /**
   * Answers messages of a type.
   *
   * The handler returns the reply's keys (`type` may be left out: it is `<type>_ok`), or nothing
   * for no reply, or throws: an {@linkcode RpcError} is answered as it is, anything else with
   * code 13.
   *
   * @throws {Error} if the type has a handler already.
   */
  on<Request, Reply, const Result extends HandlerResult<Reply>>(
    type: string,
    handler:
      & ((message: Message<Request>) => Result)
      & NoExtraKeys<Result, Reply>
      & OnlyJson<Result>,
    options: HandlerOptions<Request, Reply>,
  ): void;
  /** Answers messages of a type that no schema describes. */
  on<Result extends HandlerResult>(
    type: string,
    handler: ((message: Message<JsonObject>) => Result) & OnlyJson<Result>,
  ): void;
  on(
    type: string,
    handle: HandlerEntry["handle"],
    options?: HandlerOptions<unknown, unknown>,
  ): void {
    if (options !== undefined) refuseUnknown(options, { schema: true });
    this.#dispatcher.on(type, { handle, request: options?.schema.request });
  }

  /** Runs `hook` at init, when the names are known and before `init_ok` goes out. */
  onInit(hook: () => void | Promise<void>): void {
    this.#initHooks.push(hook);
  }

  /** Takes one line of input. Never throws, and never waits for the handler that it starts. */
  receive(line: string): void {
    this.#lineNumber++;
    try {
      this.#take(line);
    } catch (error) {
      // What a handler throws is answered elsewhere; this is an output or a clock that fails.
      this.log(`Cannot handle line ${this.#lineNumber}: ${describeError(error)}`);
    }
  }

  #take(line: string): void {
    const message = parseMessage(line);
    if (!(message instanceof Received)) {
      this.#receiveMalformed(line, message.problem, message.request);
    } else {
      this.#deliver(message);
    }
  }

  #deliver(message: Received): void {
    if (message.body.in_reply_to !== undefined) {
      this.#settle(message);
    } else if (message.body.type === "error") {
      const text = quote(JSON.stringify(message.body));
      this.log(`Dropped an error from ${message.src} that answers nothing: ${text}`);
    } else {
      this.#dispatcher.accept(message);
    }
  }

  /** Takes a message that came wrapped, or passes it on. */
  #route(message: Message<JsonObject>): void {
    const result = this.state.routes.receive(message, this.clock.now());
    if (result instanceof Received) this.#deliver(result);
    else if (result !== undefined) this.#put(this.id, result.dest, result.body);
  }

  /** Whether input should pause until {@linkcode Node.ready} resolves. */
  get busy(): boolean {
    return this.#dispatcher.full || (this.#durable ?? this.#output).full === true;
  }

  /** Resolves when the node can take more input. */
  async ready(): Promise<void> {
    while (this.busy) {
      const output = this.#durable ?? this.#output;
      if (output.full === true) await output.drained?.();
      else await this.#dispatcher.change();
    }
  }

  /** Sends a message that no reply is awaited for. */
  send<B extends Typed>(dest: string, body: B & Sendable<B>): void {
    this.#write(dest, readOnce(body));
  }

  /** Sends a message to every other node. */
  broadcast<B extends Typed>(body: B & Sendable<B>): void {
    const once = readOnce(body);
    for (const dest of this.otherNodes) this.#write(dest, once);
  }

  /**
   * Answers a request. Handlers that return their reply need not call this.
   *
   * @param body the reply; its `type` is `<request>_ok` unless given
   * @returns whether it was sent: not for a message without `msg_id`, nor twice, nor to a client
   * that has stopped waiting.
   * @throws {TypeError} for what is no body: a list, an instance of a class that has no keys.
   */
  reply(message: Message<unknown>, body: object): boolean {
    refuseUnlessBody(body);
    if (!this.#answerable(message)) return false;
    this.#write(message.src, {
      type: `${message.body.type}_ok`,
      ...body,
      in_reply_to: message.body.msg_id,
      msg_id: this.state.takeMsgId(),
    }, this.state.nodeId || message.dest);
    if (message instanceof Received) message.answered = true;
    return true;
  }

  /**
   * Answers a request with an error.
   *
   * @returns whether it was sent, as for {@linkcode Node.reply}.
   */
  replyError(message: Message<unknown>, error: RpcError): boolean {
    const { code, text } = errorReply(error);
    return this.reply(message, { type: "error", code, text });
  }

  /**
   * Sends a request and waits for its reply.
   *
   * @param options with `schema`, what the reply must look like, the reply has that type
   * @returns the reply's body.
   * @throws {RpcError} with code 0 when no reply came in time, with the peer's code when it
   * answered an error, with code 13 when the reply does not fit the schema.
   * @throws the signal's reason if it aborts first.
   */
  rpc<Reply, B extends Typed>(
    dest: string,
    body: B & Sendable<B>,
    options: RpcOptions & { schema: Schema<Reply> },
  ): Promise<Reply>;
  /** Sends a request and waits for its reply, which no schema describes. */
  rpc<B extends Typed>(
    dest: string,
    body: B & Sendable<B>,
    options?: RpcOptions,
  ): Promise<JsonObject>;
  async rpc<Reply>(
    dest: string,
    body: object,
    options: RpcOptions & { schema?: Schema<Reply> } = {},
  ): Promise<Reply | JsonObject> {
    refuseUnknown(options, rpcOptions);
    const { timeoutMs = 1000, signal, schema } = options;
    refuseUnlessNumber("timeoutMs", timeoutMs, 0);
    const reply = await this.#call(dest, body, timeoutMs, signal);
    if (reply.body.type === "error") throw peerError(reply.body);
    checkFits(schema, reply.body, ErrorCode.crash, () => `${reply.body.type} from ${reply.src}`);
    return reply.body;
  }

  /**
   * Tells that messages to another node seem not to arrive, or its answers not to come back.
   *
   * From now on messages to it may go through a third node, too, until direct ones are known to
   * arrive. {@linkcode Node.rpc} does this itself when a call to another node times out; it is meant
   * for messages whose answers are awaited in another way. Called again, it makes the node try
   * another way where the present one has brought nothing. It never waits, and has no effect for
   * this node, clients, services and names that are no nodes.
   *
   * @param peer the other node's name
   */
  suspect(peer: string): void {
    this.state.routes.suspect(peer, this.clock.now());
  }

  /**
   * Tells what the node is from now on, for reports of runs: a role, a term, a size. Nothing happens in
   * production.
   */
  observe(state: ObservedState): void {
    if (this.#observer !== undefined) this.#tell({ observe: state });
  }

  /**
   * Tells that something has happened that is to happen in at least one run of a sweep: a state that
   * is hard to reach, a branch for a rare race. A sweep counts the seeds that reached it.
   *
   * @param name what it is; the same place has the same name
   * @param reached whether it has happened; with `false` the name is known, so that one that no seed
   * reaches is told
   */
  sometimes(name: string, reached = true): void {
    if (this.#observer !== undefined) this.#tell({ sometimes: name, reached });
  }

  /**
   * Tells when something does not hold that must: a run in which that happens is invalid. The node
   * goes on.
   *
   * @param condition whether it holds
   * @param name what must hold
   */
  always(condition: boolean, name: string): void {
    if (!condition && this.#observer !== undefined) this.#tell({ always: false, name });
  }

  #tell(observation: Observation): void {
    try {
      this.#observer?.(observation);
    } catch (error) {
      this.log(`Cannot observe: ${describeError(error)}`);
    }
  }

  /** {@linkcode retry} with this node's clock and randomness. */
  retry<T>(attempt: (tryNumber: number) => Promise<T>, options: RetryOptions = {}): Promise<T> {
    return retry(attempt, options, this);
  }

  /**
   * Calls `tick` about every `intervalMs` milliseconds, counted from the end of the previous call,
   * until shutdown.
   *
   * @param options with `jitter`, how far an interval may differ from `intervalMs`, as a share of it: 0 to 1
   * @returns a function that stops it.
   * @throws {RangeError} if the interval is no positive number.
   */
  every(
    intervalMs: number,
    tick: () => void | Promise<void>,
    options: { /** @default 0.1 */ jitter?: number } = {},
  ): () => void {
    if (typeof intervalMs !== "number" || !(intervalMs > 0)) {
      throw new RangeError(`Cannot do anything every ${intervalMs} ms: not a positive number`);
    }
    refuseUnknown(options, { jitter: true });
    const { jitter = 0.1 } = options;
    refuseUnlessNumber("jitter", jitter, 0, 1);
    let cancel: () => void;
    const arm = () => {
      const factor = 1 + jitter * (2 * this.random.next() - 1);
      cancel = this.clock.schedule(intervalMs * factor, run);
    };
    const run = async () => {
      try {
        await tick();
      } catch (error) {
        this.log(`A periodic task failed: ${describeError(error)}`);
      }
      if (this.#tickers.has(stop)) arm();
    };
    const stop = () => {
      this.#tickers.delete(stop);
      cancel();
    };
    this.#tickers.add(stop);
    arm();
    return stop;
  }

  /**
   * Ends the node's work: stops what is periodic, waits for handlers and calls in flight (each
   * ends by its own timeout, all by `drainTimeoutMs`) and flushes the output.
   */
  async drain(): Promise<void> {
    const { state } = this;
    for (const stop of this.#tickers) stop();
    if (state.early.length > 0 && state.phase === "new" && !this.failed.aborted) {
      this.log(`Dropped ${state.early.length} messages: input ended before init`);
      state.early = [];
    }
    let expired = false;
    const cancel = this.clock.schedule(this.#drainTimeoutMs, () => {
      expired = true;
      this.#dispatcher.wake();
    });
    const isOver = () => expired || this.failed.aborted;
    while (!isOver() && (state.inFlight > 0 || state.calls.size > 0)) {
      await this.#dispatcher.change();
    }
    cancel();
    if (expired) {
      const rest = `${state.inFlight} handlers and ${state.calls.size} calls`;
      this.log(
        `Gave up on ${rest} that had not ended by ${this.#drainTimeoutMs} ms after the input`,
      );
    }
    state.phase = "draining";
    await (this.#durable ?? this.#output).flush?.();
    this.failed.throwIfAborted();
    this.#storage?.close();
  }

  async #init(message: Message<object>): Promise<void> {
    const { state } = this;
    const { node_id, node_ids } = message.body as { node_id?: unknown; node_ids?: unknown };
    if (typeof node_id !== "string" || node_id === "") throw malformedInit("node_id", "a name");
    if (!isListOfNames(node_ids)) {
      throw malformedInit("node_ids", "a list of names, each of them once");
    }
    if (!node_ids.includes(node_id)) {
      throw malformedInit("node_id", `one of ${quote(node_ids.join(", "))}`);
    }
    state.phase = "starting";
    state.nodeId = node_id;
    state.nodeIds = Object.freeze([...node_ids]);
    state.routes.join(node_id, node_ids, () => drawName(this.random, 48));
    try {
      if (this.#openStorage !== undefined) await this.#open(this.#openStorage);
      for (const hook of this.#initHooks) await hook();
    } catch (error) {
      state.phase = "new";
      if (error instanceof StorageError) return this.#fail(error);
      throw error;
    }
    this.reply(message, {});
    state.phase = "ready";
    this.#dispatcher.releaseEarly();
  }

  /** Opens the storage; a second `init`, after one that was refused, finds it open. */
  async #open(open: OpenStorage): Promise<void> {
    if (this.#storage !== undefined) return;
    const storage = await open(this.id);
    this.#storage = storage;
    if (!storage.isDurable) return;
    this.#durable = new DurableOutput(this.#output, storage, this.clock, (error) => {
      this.#fail(error);
    });
  }

  /** Ends the node: what it sends from now on goes nowhere. */
  #fail(cause: unknown): void {
    if (this.failed.aborted) return;
    const error = cause instanceof StorageError
      ? cause
      : new StorageError(`Cannot use the storage: ${errorText(cause)}`, { cause });
    this.#output = { write: () => {} };
    this.#durable = undefined;
    this.#failure.abort(error);
    this.#dispatcher.wake();
  }

  #receiveMalformed(
    line: string,
    problem: string,
    request: Received<JsonObject> | undefined,
  ): void {
    if (line.trim() === "") return; // Checked here, where it costs well-formed lines nothing.
    this.state.counts.malformed++;
    this.log(`Cannot parse line ${this.#lineNumber}: ${problem}: ${quote(line)}`);
    if (request === undefined) return;
    this.replyError(request, new RpcError(ErrorCode.malformedRequest, problem));
  }

  /** Whether a message may still be answered: once, and only while its client waits. */
  #answerable(message: Message<unknown>): boolean {
    if (message.body.msg_id === undefined) return false;
    if (!(message instanceof Received)) return true;
    if (message.answered) {
      this.log(`Dropped a second reply to ${quote(message.body.type)} from ${message.src}`);
      return false;
    }
    if (message.receivedAtMs === undefined || !isClient(message.src)) return true;
    const ageMs = this.clock.now() - message.receivedAtMs;
    if (ageMs < this.#clientDeadlineMs) return true;
    message.answered = true;
    this.state.counts.lateReplies++;
    const what = `Dropped a reply to ${quote(message.body.type)} from ${message.src}`;
    this.log(`${what}: ${Math.round(ageMs)} ms old, its client has stopped waiting`);
    return false;
  }

  /**
   * Sends a request under a fresh `msg_id` and waits for the reply with that id from that node.
   *
   * Its entry in `state.calls` is removed when the reply comes, time is up, or the signal aborts.
   */
  #call(
    dest: string,
    body: object,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const msgId = this.state.takeMsgId();
      const fail = (error: unknown) => {
        this.state.takeCall(msgId, dest);
        reject(error);
        this.#dispatcher.wake();
      };
      const abort = () => fail(signal?.reason);
      const cancel = this.clock.schedule(timeoutMs, () => {
        this.suspect(dest);
        fail(new RpcError(ErrorCode.timeout, `No reply from ${dest} in ${timeoutMs} ms`));
      });
      signal?.addEventListener("abort", abort, { once: true });
      const release = () => {
        cancel();
        signal?.removeEventListener("abort", abort);
      };
      this.state.calls.set(msgId, { dest, resolve, release });
      this.#dispatcher.wake();
      // Last: an output that delivers at once may bring the reply before this returns.
      try {
        this.#write(dest, { ...body, msg_id: msgId });
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Resolves the call that a reply answers; drops and counts a reply that answers none. */
  #settle(reply: Message): void {
    const waiting = this.state.takeCall(reply.body.in_reply_to, reply.src);
    if (waiting === undefined) {
      this.state.counts.unknownReplies++;
      return;
    }
    waiting.resolve(reply);
    this.#dispatcher.wake();
  }

  /** Writes a message, if it is one; the body's own keys have been read once. */
  #write(dest: string, body: object, src: string = this.state.nodeId): void {
    const { type, toJSON } = (body ?? {}) as { type?: unknown; toJSON?: unknown };
    if (typeof dest !== "string" || typeof type !== "string" || typeof toJSON === "function") {
      throw notSendable(dest, body);
    }
    const routed = this.state.routes.active
      ? this.state.routes.send(dest, body, this.clock.now())
      : undefined;
    if (routed === undefined) this.#put(src, dest, body);
    else for (const each of routed) this.#put(src, each.dest, each.body);
  }

  #put(src: string, dest: string, body: object): void {
    const line = JSON.stringify({ src, dest, body });
    (this.#durable ?? this.#output).write(line, dest);
  }
}

/** A log that throws nothing: where the given one fails, the line goes to standard error. */
function safeLog(log: (text: string) => void): (text: string) => void {
  return (text) => {
    try {
      log(text);
    } catch (error) {
      stderrLog(`${text}\nCannot log this line: ${describeError(error)}`);
    }
  };
}

function isListOfNames(value: unknown): value is string[] {
  return Array.isArray(value) && new Set(value).size === value.length &&
    value.every((item) => typeof item === "string" && item !== "");
}

/** A body's own keys with their values, which a getter may change. */
function readOnce(body: object): object {
  return typeof body === "object" && body !== null ? { ...body } : body;
}

/** Refuses what only code that no compiler checked, or a class, gives for a body. */
function refuseUnlessBody(body: unknown): void {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    const what = Array.isArray(body) ? "a list" : kindOf(body);
    throw new TypeError(`Cannot answer with ${what}: a reply's body is an object`);
  }
  const prototype = Object.getPrototypeOf(body);
  if (prototype === Object.prototype || prototype === null) return;
  // A plain object may be of another global scope.
  if (Object.getPrototypeOf(prototype) === null || Object.keys(body).length > 0) return;
  const name = errorText(body.constructor?.name);
  throw new TypeError(`Cannot answer with an instance of ${name}, which has no keys`);
}

function kindOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}

/** What is wrong with a message that cannot be sent; only code that no compiler checked sends one. */
function notSendable(dest: unknown, body: unknown): TypeError {
  if (typeof body !== "object" || body === null) {
    return new TypeError(`Cannot send to ${dest}: body must be an object, not ${kindOf(body)}`);
  }
  const { type, toJSON } = body as { type?: unknown; toJSON?: unknown };
  if (typeof type !== "string") {
    return new TypeError(`Cannot send to ${dest}: body.type must be a string, not ${kindOf(type)}`);
  }
  return new TypeError(
    typeof toJSON === "function"
      ? `Cannot send ${type}: its body must be data, and has a function toJSON`
      : `Cannot send ${type}: its dest must be a string, not ${kindOf(dest)}`,
  );
}

function malformedInit(field: string, expected: string): RpcError {
  return new RpcError(ErrorCode.malformedRequest, `Malformed init: ${field} must be ${expected}`);
}

function peerError({ code, text }: JsonObject): RpcError {
  const number = isErrorCode(code) ? code : ErrorCode.crash;
  return new RpcError(number, typeof text === "string" ? text : `Error ${number}`);
}
