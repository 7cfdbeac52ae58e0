/**
 * One node's copy of a replicated state machine, and its clients' requests.
 *
 * Like {@linkcode Raft} it neither waits nor sends: messages, requests and the time go in,
 * messages come out, and outcomes go to whoever asked.
 *
 * @module
 */

import type { Json, Random } from "@eddy/maelstrom";
import { Commands, unavailable } from "./commands.ts";
import type { Outgoing, Timing } from "./context.ts";
import type { Machine, Outcome } from "./machine.ts";
import type { Entry, Message } from "./message.ts";
import { Raft } from "./raft.ts";
import { Reads } from "./reads.ts";
import type { Rules } from "./rules.ts";
import { type Request, Sessions } from "./sessions.ts";
import type { Storage } from "./storage.ts";

/** Settings of a {@linkcode Replica}. */
export interface ReplicaOptions {
  readonly id: string;
  /** All nodes of the cluster, this one included, in an order that all share. */
  readonly nodeIds: readonly string[];
  readonly random: Random;
  readonly nowMs: number;
  readonly machine: Machine;
  /**
   * How long an operation may wait for others to share a message with, in milliseconds.
   *
   * @default 0
   */
  readonly maxLatencyMs?: number;
  /**
   * How long an operation may wait for a leader that answers before it is refused, in
   * milliseconds. Where no leader is known for long, it is refused at once.
   *
   * @default 900
   */
  readonly holdMs?: number;
  /** See {@linkcode RaftOptions.leaseReads}. */
  readonly leaseReads?: boolean;
  readonly timing?: Partial<Timing>;
  readonly rules?: Rules;
  readonly storage?: Storage;
  readonly sessions?: Sessions;
  /** The last entry that the state machine has. */
  readonly applied?: number;
}

/** Where two leaders, or two terms of one, cannot be told apart. */
const NO_LEADERSHIP = "";

/** One node's copy of a replicated state machine. */
export class Replica {
  readonly #raft: Raft;
  readonly #machine: Machine;
  readonly #sessions: Sessions;
  readonly #commands: Commands;
  readonly #reads: Reads;
  readonly #maxLatencyMs: number;
  #applied: number;
  #leadership = NO_LEADERSHIP;
  #isLost = false;

  constructor(options: ReplicaOptions) {
    const { id, nodeIds, random, nowMs, machine, maxLatencyMs = 0, holdMs = 900 } = options;
    this.#machine = machine;
    this.#sessions = options.sessions ?? new Sessions();
    // A restarted node must not take up the numbers of its past life.
    const session = `${id}.${Math.floor(random.next() * 2 ** 40).toString(36)}`;
    this.#commands = new Commands({ session, maxLatencyMs, holdMs });
    this.#reads = new Reads(holdMs);
    this.#applied = options.applied ?? 0;
    this.#raft = new Raft({
      id,
      nodeIds,
      random,
      nowMs,
      commands: this.#commands,
      snapshot: () => [this.#sessions.snapshot(), ...this.#machine.snapshot()],
      ...pick(options),
    });
    this.#maxLatencyMs = maxLatencyMs;
  }

  /** What consensus is at. */
  get raft(): Raft {
    return this.#raft;
  }

  /** The last entry that the state machine has. */
  get applied(): number {
    return this.#applied;
  }

  /** How many commands have no outcome yet. */
  get pending(): number {
    return this.#commands.size;
  }

  /** Takes a message. */
  step(from: string, message: Message, nowMs: number): void {
    this.#raft.step(from, message, nowMs);
  }

  /** Has an operation executed once by all nodes; `settle` is told what it came to. */
  execute(operation: Json, nowMs: number, settle: (outcome: Outcome) => void): void {
    if (this.#isLost) return settle(unavailable("No leader is known"));
    this.#commands.add(operation, nowMs, settle);
  }

  /** Answers an operation that changes nothing, from a state no older than now. */
  query(operation: Json, nowMs: number, settle: (outcome: Outcome) => void): void {
    if (this.#isLost) return settle(unavailable("No leader is known"));
    this.#reads.add(this.#raft.read(nowMs + this.#maxLatencyMs), operation, nowMs, settle);
  }

  /**
   * Ends a turn.
   *
   * @returns what is to be sent.
   */
  turn(nowMs: number): readonly Outgoing[] {
    this.#commands.nowMs = nowMs;
    this.#commands.isOpen = this.#raft.isHealthyAt(nowMs);
    const { messages, restore, first, entries, grants } = this.#raft.flush(nowMs);
    if (restore !== undefined) {
      const [sessions = null, ...items] = restore.items;
      this.#sessions.restore(sessions);
      this.#machine.restore(items);
      this.#applied = restore.index;
    }
    this.#apply(first, entries);
    this.#reads.granted(grants);
    this.#watchLeader(nowMs);
    this.#reads.serve(this.#applied, (operation) => this.#machine.query(operation));
    return messages;
  }

  /** When the next turn must come at the latest. */
  get wakeAtMs(): number {
    return Math.min(this.#raft.wakeAtMs, this.#commands.wakeAtMs, this.#reads.wakeAtMs);
  }

  #apply(first: number, entries: readonly Entry[]): void {
    for (const [position, [, command]] of entries.entries()) {
      this.#applied = first + position;
      if (command !== null) this.#execute(command as Request);
    }
    if (entries.length > 0) this.#raft.advance(this.#applied);
  }

  #execute(request: Request): void {
    if (!this.#sessions.admit(request)) return;
    const settle = this.#commands.executed(request);
    const outcome = this.#machine.apply(request[3], settle !== undefined);
    if (settle !== undefined && outcome !== undefined) settle(outcome);
  }

  #watchLeader(nowMs: number): void {
    const { leader, term, leaderlessSinceMs, electionMs } = this.#raft;
    const leadership = leader === undefined ? NO_LEADERSHIP : `${term} ${leader}`;
    if (leadership !== NO_LEADERSHIP && leadership !== this.#leadership) {
      this.#leadership = leadership;
      this.#commands.repeat();
      this.#reads.renew(() => this.#raft.read(nowMs));
    }
    this.#isLost = leaderlessSinceMs !== undefined && nowMs - leaderlessSinceMs > electionMs * 1.5;
    this.#commands.attend(nowMs, this.#isLost, electionMs);
    this.#reads.attend(nowMs, this.#isLost);
  }
}

/** The settings that are consensus's own, where they are given. */
function pick(options: ReplicaOptions): Partial<ReplicaOptions> {
  const { leaseReads, timing, rules, storage, applied } = options;
  return {
    ...(leaseReads !== undefined && { leaseReads }),
    ...(timing !== undefined && { timing }),
    ...(rules !== undefined && { rules }),
    ...(storage !== undefined && { storage }),
    ...(applied !== undefined && { applied }),
  };
}
