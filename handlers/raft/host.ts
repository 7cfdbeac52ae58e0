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
import { DurableRaftStorage } from "./log.ts";
import { isMessage, MESSAGE_TYPES, type Payload } from "./message.ts";
import type { Raft } from "./raft.ts";
import {
  type Machine,
  type Outcome,
  payloadOf,
  Replica,
  type ReplicaOptions,
  Sessions,
} from "./replica.ts";

/** Settings of a {@linkcode NodeReplica}. */
export type NodeReplicaOptions = Pick<
  ReplicaOptions<Json, object>,
  "maxLatencyMs" | "leaseReads" | "timing" | "storage" | "sessions" | "makeRaft"
>;

/** No cluster holds so many elections: a term so far ahead of this node's is a fault of its sender. */
const MAX_TERM_LEAD = 2 ** 32;

/** Sums of fractions are inexact: a turn that comes a rounding error early must not repeat itself. */
const MIN_DELAY_MS = 0.01;

/**
 * A node's copy of a state machine, which it runs together with all other nodes.
 *
 * It gives its {@linkcode Replica} turns: one for all that arrived together, and one when the
 * replica asks for it.
 */
export class NodeReplica<Operation extends Json, Reply extends object> {
  readonly #node: Node;
  readonly #machine: Machine<Operation, Reply>;
  readonly #options: NodeReplicaOptions;
  readonly #payload: Payload;
  #replica: Replica<Operation, Reply> | undefined;
  #isTurnDue = false;
  /** What was told last of the replica. */
  #seen: { readonly role: Raft["role"] | ""; readonly term: number } = { role: "", term: 0 };
  #wakeAtMs = Infinity;
  #cancelWake: (() => void) | undefined;

  constructor(node: Node, machine: Machine<Operation, Reply>, options: NodeReplicaOptions) {
    this.#node = node;
    this.#machine = machine;
    this.#options = options;
    this.#payload = payloadOf(machine);
    node.onInit(() => this.#start());
    for (const type of MESSAGE_TYPES) {
      node.on(type, ({ src, body }) => this.#receive(src, body));
    }
  }

  /**
   * Has an operation executed once, by all nodes.
   *
   * @throws {RpcError} the operation's own; 11 if it certainly did not happen, 0 if it may have.
   */
  // The outcome is made in a turn, in which nothing else runs: no state is carried over the wait.
  execute(operation: Operation): Promise<Reply> {
    return this.#settled((replica, nowMs, settle) => replica.execute(operation, nowMs, settle));
  }

  /**
   * Calls `read` when the state machine's state is no older than now, and returns its outcome.
   *
   * @throws {RpcError} that of `read`, or 11.
   */
  query<Value extends object>(read: () => Outcome<Value>): Promise<Value> {
    return this.#settled((replica, nowMs, settle) => replica.query(read, nowMs, settle));
  }

  #start(): void {
    const { id, nodeIds, random, clock } = this.#node;
    const options = this.#options;
    const kept = options.storage === undefined ? this.#restore() : {};
    const nowMs = clock.now();
    const machine = this.#machine;
    this.#replica = new Replica({ id, nodeIds, random, nowMs, machine, ...options, ...kept });
    this.#node.state.attach("replica", this.#replica);
    this.#scheduleTurn();
  }

  /** What the node's storage has kept, if it outlives the process. */
  #restore(): Pick<ReplicaOptions<Operation, Reply>, "storage" | "sessions" | "applied"> {
    if (!this.#node.storage.isDurable) return {};
    const storage = new DurableRaftStorage(this.#node.storage);
    const { sessions = new Sessions() } = this.#options;
    if (storage.snapshot !== undefined) {
      const [kept, ...items] = storage.snapshot.items;
      if (Sessions.isSnapshot(kept)) sessions.restore(kept);
      this.#machine.restore(items);
    }
    return { storage, sessions, applied: storage.baseIndex };
  }

  #receive(src: string, body: JsonObject): void {
    if (!isMessage(body, this.#payload)) {
      throw new RpcError(ErrorCode.malformedRequest, `Malformed ${body.type}`);
    }
    const replica = this.#replica;
    if (replica === undefined) return;
    if (body.term > replica.raft.term + MAX_TERM_LEAD) {
      throw new RpcError(ErrorCode.malformedRequest, `Term ${body.term} cannot have been reached`);
    }
    replica.step(src, body, this.#node.clock.now());
    this.#scheduleTurn();
  }

  #settled<Value extends object>(
    request: (
      replica: Replica<Operation, Reply>,
      nowMs: number,
      settle: (outcome: Outcome<Value>) => void,
    ) => void,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      const replica = this.#replica;
      if (replica === undefined) throw new Error("Cannot serve requests before init");
      request(replica, this.#node.clock.now(), (outcome) => {
        if (outcome instanceof RpcError) reject(outcome);
        else resolve(outcome);
      });
      this.#scheduleTurn();
    });
  }

  /** Ends this turn when all that arrived with it has been taken. */
  #scheduleTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#node.clock.schedule(0, () => this.#turn());
  }

  #turn(): void {
    this.#isTurnDue = false;
    const replica = this.#replica;
    if (replica === undefined || this.#node.state.phase === "draining") return;
    const messages = replica.turn(this.#node.clock.now());
    for (const { to, message, isRepeat } of messages) {
      // What goes to a suspected peer also takes another way: this message already.
      if (isRepeat) this.#node.suspect(to);
      this.#node.send(to, message as object as Body);
    }
    this.#observe(replica.raft);
    this.#wakeAt(replica.wakeAtMs);
  }

  #observe({ role, term }: Pick<Raft, "role" | "term">): void {
    if (role === this.#seen.role && term === this.#seen.term) return;
    this.#seen = { role, term };
    this.#node.observe(this.#seen);
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
