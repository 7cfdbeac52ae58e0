/**
 * Everything a node shares between its handlers, in one object.
 *
 * It changes only inside functions that do not `await`. Between two `await`s nothing else runs,
 * so such a function is a critical section, and no lock is needed.
 *
 * @module
 */

import type { Message, Received } from "./message.ts";
import { Routes } from "./routes.ts";

/** A node's phase: before init, running its init hooks, serving, or ended. */
export type Phase = "new" | "starting" | "ready" | "draining";

/** A request of ours that waits for its reply. */
export interface Call {
  /** The node it was sent to; a reply from another node is not its reply. */
  readonly dest: string;
  /** Called with the reply. */
  readonly resolve: (reply: Message) => void;
  /** Ends the timer and the subscription to the caller's signal. */
  readonly release: () => void;
}

/** How often a message was dropped, by reason. */
export interface Counts {
  /** Lines that were no message. */
  malformed: number;
  /** Replies to no waiting call: late, duplicate, or never asked for. */
  unknownReplies: number;
  /** Replies not sent because their client had stopped waiting. */
  lateReplies: number;
  /** Peers' messages dropped because too many waited for init. */
  droppedEarly: number;
  /** Other nodes' messages that were not passed on, because they had come too far or been here. */
  droppedRelays: number;
}

/** A node's shared state. */
export class NodeState {
  /** This node's name; empty until init. */
  nodeId = "";
  /** All nodes of the cluster, this one included; empty until init. */
  nodeIds: readonly string[] = [];
  /** The node's phase. */
  phase: Phase = "new";
  /** Handlers that have begun and not ended. */
  inFlight = 0;
  /** Messages that came before the node was ready for them. */
  early: Received[] = [];
  /** Requests that wait for a handler in flight to end; see `maxInFlight`. */
  readonly held: Received[] = [];
  /** Our requests that wait for a reply, by `msg_id`. */
  readonly calls: Map<number, Call> = new Map();
  /** How often a message was dropped, by reason. */
  readonly counts: Counts = {
    malformed: 0,
    unknownReplies: 0,
    lateReplies: 0,
    droppedEarly: 0,
    droppedRelays: 0,
  };
  /** Which nodes are suspected, and which way messages to them go. */
  readonly routes: Routes = new Routes(this.counts);
  readonly #parts = new Map<string, object>();
  #nextMsgId = 0;

  /** The next `msg_id`, from 0 up. */
  takeMsgId(): number {
    return this.#nextMsgId++;
  }

  /** Removes and returns the call that a reply from `src` answers. */
  takeCall(msgId: unknown, src: string): Call | undefined {
    if (typeof msgId !== "number") return undefined;
    const call = this.calls.get(msgId);
    if (call === undefined || call.dest !== src) return undefined;
    this.calls.delete(msgId);
    call.release();
    return call;
  }

  /**
   * Attaches a workload's own state to the node's.
   *
   * @param name whose state it is
   * @returns `part`, for its handlers to keep.
   * @throws {Error} if the name is taken.
   */
  attach<T extends object>(name: string, part: T): T {
    if (this.#parts.has(name)) throw new Error(`Cannot attach state ${name}: the name is taken`);
    this.#parts.set(name, part);
    return part;
  }

  /** The states that workloads have attached, by name. */
  get parts(): ReadonlyMap<string, object> {
    return this.#parts;
  }
}
