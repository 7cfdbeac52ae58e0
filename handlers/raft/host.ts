/**
 * A replicated state machine on a {@linkcode Node}.
 *
 * @module
 */

import {
  type Body,
  ErrorCode,
  type Json,
  type JsonObject,
  type Node,
  RpcError,
} from "@eddy/maelstrom";
import { SharedLog } from "../txn/shared_log.ts";
import { type Message, MESSAGE_TYPES } from "./message.ts";
import { Replica, type ReplicaOptions } from "./replica.ts";

/** Settings of {@linkcode serveReplicated}. */
export type ConsensusOptions = Pick<
  ReplicaOptions,
  "maxLatencyMs" | "holdMs" | "leaseReads" | "timing" | "storage" | "sessions" | "makeRaft"
>;

/** Sums of fractions are inexact: a turn that comes a rounding error early must not repeat itself. */
const MIN_DELAY_MS = 0.01;

/** What handlers do with a replicated state machine. */
export interface Replicated {
  /**
   * Has an operation executed once, by all nodes.
   *
   * @throws {RpcError} the operation's own, 11 if it certainly did not happen, 0 if nobody knows.
   */
  execute(operation: Json): Promise<object>;
  /**
   * Answers an operation that changes nothing, from a state no older than now.
   *
   * @throws {RpcError} the operation's own, or 11.
   */
  query(operation: Json): Promise<object>;
}

/** Makes `node` run a copy of a state machine, together with all other nodes. */
export function serveReplicated(
  node: Node,
  machine: Machine,
  options: ConsensusOptions = {},
): Replicated {
  const host = new Host(node, machine, options);
  node.onInit(() => host.start());
  for (const type of MESSAGE_TYPES) {
    node.on(type, ({ src, body }) => host.receive(src, body));
  }
  return host;
}

/** Gives a replica its turns: one for all that arrived together, and one when it asks for it. */
class Host implements Replicated {
  readonly #node: Node;
  readonly #machine: Machine;
  readonly #options: ConsensusOptions;
  #replica: Replica | undefined;
  #isTurnDue = false;
  #wakeAtMs = Infinity;
  #cancelWake: (() => void) | undefined;

  constructor(node: Node, machine: Machine, options: ConsensusOptions) {
    this.#node = node;
    this.#machine = machine;
    this.#options = options;
  }

  start(): void {
    const { id, nodeIds, random, clock } = this.#node;
    const nowMs = clock.now();
    const machine = this.#machine;
    this.#replica = new Replica({ id, nodeIds, random, nowMs, machine, ...this.#options });
    this.#node.state.attach("replica", this.#replica);
    this.#soon();
  }

  receive(src: string, body: JsonObject): void {
    if (!isMessage(body)) {
      throw new RpcError(ErrorCode.malformedRequest, `Malformed ${body.type}`);
    }
    this.#replica?.step(src, body, this.#node.clock.now());
    this.#soon();
  }

  // The outcome is made in a turn, in which nothing else runs: no state is carried over the wait.
  execute(operation: Json): Promise<object> {
    return this.#ask((replica, nowMs, settle) => replica.execute(operation, nowMs, settle));
  }

  query(operation: Json): Promise<object> {
    return this.#ask((replica, nowMs, settle) => replica.query(operation, nowMs, settle));
  }

  #ask(
    ask: (replica: Replica, nowMs: number, settle: (outcome: Outcome) => void) => void,
  ): Promise<object> {
    return new Promise((resolve, reject) => {
      const replica = this.#replica;
      if (replica === undefined) throw new Error("Cannot serve requests before init");
      ask(replica, this.#node.clock.now(), (outcome) => {
        if (outcome instanceof RpcError) reject(outcome);
        else resolve(outcome);
      });
      this.#soon();
    });
  }

  /** Ends this turn when all that arrived with it has been taken. */
  #soon(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#node.clock.schedule(0, () => this.#turn());
  }

  #turn(): void {
    this.#isTurnDue = false;
    const replica = this.#replica;
    if (replica === undefined || this.#node.state.phase === "draining") return;
    const messages = replica.turn(this.#node.clock.now());
    for (const { to, message } of messages) this.#node.send(to, message as object as Body);
    this.#wakeAt(replica.wakeAtMs);
  }

  #wakeAt(atMs: number): void {
    if (this.#cancelWake !== undefined && this.#wakeAtMs <= atMs) return;
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    this.#wakeAtMs = atMs;
    if (atMs === Infinity) return;
    const delayMs = Math.max(MIN_DELAY_MS, atMs - this.#node.clock.now());
    this.#cancelWake = this.#node.clock.schedule(delayMs, () => {
      this.#cancelWake = undefined;
      this.#turn();
    });
  }
}

function isMessage(body: object): body is Message {
  const { term, link } = body as { term?: unknown; link?: unknown };
  return typeof term === "number" && Array.isArray(link) && link.length === 3;
}

/** What an operation came to: a reply's keys, or why it did nothing. */
export type Outcome = object | RpcError;

/** A state machine. Everything it does follows from its state and the operation alone. */
export interface Machine {
  /**
   * Does an operation.
   *
   * @param isWanted whether anybody here waits for the outcome; it need not be made up if not
   */
  apply(operation: Json, isWanted: boolean): Outcome | undefined;
  /** Answers an operation that changes nothing. */
  query(operation: Json): Outcome;
  /** A copy of the whole state, in pieces. */
  snapshot(): Json[];
  /** Takes over a state that {@linkcode Machine.snapshot} gave. */
  restore(items: readonly Json[]): void;
}

/** Settings of a workload on a replicated log. */
export interface StoreOptions extends ConsensusOptions {
  /**
   * Who keeps the log: the nodes themselves, or Maelstrom's lin-kv service. The latter is for
   * comparison: Maelstrom never cuts that service off, so it is available in every partition.
   *
   * @default "own"
   */
  readonly store?: "own" | "lin-kv";
}

/** Makes `node` run a copy of a state machine over the log that all nodes share. */
export function serveStore(node: Node, machine: Machine, options: StoreOptions): Replicated {
  const { store = "own", ...consensus } = options;
  if (store === "own") return serveReplicated(node, machine, consensus);
  return new SharedLog(node, machine, options.maxLatencyMs ?? 0);
}
