/**
 * Consensus on a log: one node's part in it.
 *
 * Nothing here waits, sends or looks at a clock. Messages and the time go in; messages, entries to
 * apply and reads to answer come out. A host calls {@linkcode Raft.step} for every message of a
 * turn, then {@linkcode Raft.flush} once, and again at {@linkcode Raft.wakeAtMs} at the latest:
 * what came in one turn leaves in one message to each node.
 *
 * From Ongaro and Ousterhout's extended paper and Ongaro's dissertation; {@linkcode raftRules} says
 * where. With pre-votes (9.6), sticky leaders (4.2.3), leaders that resign when cut off (6.2) and
 * reads without log entries (6.4). Membership is fixed.
 *
 * @module
 */

import { Campaign } from "./campaign.ts";
import {
  Context,
  type Grant,
  type Outgoing,
  type RaftOptions,
  type Restore,
  type Role,
} from "./context.ts";
import { Follower } from "./follower.ts";
import { Leader } from "./leader.ts";
import type { Content, Entry, Message, RequestVote } from "./message.ts";

/** How long a node other than the first waits for a first leader, in milliseconds. */
const FIRST_ELECTION_MS = 300;

/** What a turn came to. */
export interface Ready {
  readonly messages: readonly Outgoing[];
  /** A state to take over before anything else. */
  readonly restore: Restore | undefined;
  /** Entries to apply, and the index of the first of them. */
  readonly first: number;
  readonly entries: readonly Entry[];
  /** Reads to answer once their index is applied. */
  readonly grants: readonly Grant[];
}

/** One node's part in consensus. */
export class Raft {
  readonly #context: Context;
  #role: Role & (Follower | Campaign | Leader);

  constructor(options: RaftOptions) {
    const context = new Context(options);
    this.#context = context;
    const rank = context.nodeIds.indexOf(context.id);
    const patienceMs = rank === 0 ? 0 : FIRST_ELECTION_MS + context.between(rank - 1, rank) * 100;
    this.#role = new Follower(context, context.nowMs + patienceMs);
  }

  /** Takes a message. */
  step(from: string, message: Message, nowMs: number): void {
    const context = this.#context;
    if (!context.links.has(from)) return;
    context.nowMs = Math.max(context.nowMs, nowMs);
    context.link(from).receive(message.link, context.nowMs);
    const { storage, rules } = context;
    if (message.type === "request_vote") return this.#answerVote(from, message);
    const isPromise = message.type === "vote" && message.pre && message.granted;
    if (!isPromise && message.term > storage.term) this.#follow(message.term);
    if (rules.isStale(message.term, storage.term)) return this.#answerStale(from, message);
    switch (message.type) {
      case "vote":
        if (this.#role instanceof Campaign) this.#role.step(from, message);
        break;
      case "acknowledge":
        if (this.#role instanceof Leader) this.#role.step(from, message);
        else context.send(from, { type: "resigned", term: storage.term }, false);
        break;
      case "resigned":
        if (this.#role instanceof Follower && context.leader === from) {
          this.#role.abandon(context.nowMs + context.between(0, context.heartbeatMs));
        }
        break;
      default:
        this.#following(from, message);
    }
  }

  /** Gives a read its ticket; it is due at `dueMs` and may go ahead when that ticket is granted. */
  read(dueMs: number): number {
    const context = this.#context;
    const isFirst = context.openTicket === undefined;
    context.readsDueMs = isFirst ? dueMs : Math.min(context.readsDueMs, dueMs);
    return ++context.readsWanted;
  }

  /** Ends a turn: does what is due, and says what came of it. */
  flush(nowMs: number): Ready {
    const context = this.#context;
    context.nowMs = Math.max(context.nowMs, nowMs);
    this.#reconsider();
    this.#role.flush();
    const { outbox, grants, restore } = context;
    context.outbox = [];
    context.grants = [];
    context.restore = undefined;
    return { messages: outbox, grants, restore, ...context.committed() };
  }

  /** When to flush again at the latest. */
  get wakeAtMs(): number {
    return this.#role.wakeAtMs();
  }

  /** Notes that the state machine has all entries up to `applied`; drops old ones from the log. */
  advance(applied: number): void {
    const { storage, timing } = this.#context;
    this.#context.applied = applied;
    if (applied - storage.baseIndex > 2 * timing.maxLag) storage.compact(applied - timing.maxLag);
  }

  /** Whether what is taken now is likely to be answered soon. */
  isHealthyAt(nowMs: number): boolean {
    this.#context.nowMs = Math.max(this.#context.nowMs, nowMs);
    return this.#role.healthy();
  }

  /** The leader, as far as this node knows. */
  get leader(): string | undefined {
    return this.#context.leader;
  }

  /** The role that this node has. */
  get role(): Role["name"] {
    return this.#role.name;
  }

  /** The current term. */
  get term(): number {
    return this.#context.storage.term;
  }

  /** Up to here entries are known to be committed. */
  get commit(): number {
    return this.#context.commit;
  }

  /** Since when this node has known of no leader; undefined if it knows one. */
  get leaderlessSinceMs(): number | undefined {
    return this.#context.leader === undefined ? this.#context.leaderlessSinceMs : undefined;
  }

  /** How long an election may take here, from noticing that a leader is gone. */
  get electionMs(): number {
    return this.#context.electionMs;
  }

  /** Changes role where time or votes say so. */
  #reconsider(): void {
    const context = this.#context;
    if (this.#role instanceof Leader && this.#role.isCutOff) this.#resign();
    if (this.#role instanceof Follower && context.nowMs >= this.#role.electionDueMs) {
      this.#stand(true);
    } else if (this.#role instanceof Campaign && this.#role.lost) {
      this.#stand(true);
    }
    if (this.#role instanceof Campaign && this.#role.pre && this.#role.won) this.#stand(false);
    if (this.#role instanceof Campaign && !this.#role.pre && this.#role.won) this.#lead();
  }

  #follow(term: number, leader?: string): void {
    const context = this.#context;
    if (term > context.storage.term) context.storage.setTerm(term, undefined);
    this.#setLeader(leader);
    this.#role = new Follower(context, context.drawElection());
  }

  /**
   * Leads no more, and says so: who can hear this node, though it hears nobody, would be loyal to
   * it for another election timeout.
   */
  #resign(): void {
    const { storage: { term }, peers } = this.#context;
    this.#follow(term);
    for (const peer of peers) this.#context.send(peer, { type: "resigned", term }, false);
  }

  #stand(pre: boolean): void {
    this.#setLeader(undefined);
    this.#role = new Campaign(this.#context, pre);
  }

  #lead(): void {
    this.#setLeader(this.#context.id);
    this.#role = new Leader(this.#context);
  }

  #setLeader(leader: string | undefined): void {
    const context = this.#context;
    if (context.leader !== undefined && leader === undefined) {
      context.leaderlessSinceMs = context.nowMs;
    }
    context.leader = leader;
  }

  /** Follows the sender, who leads this term. */
  #following(from: string, message: Content): void {
    if (this.#role instanceof Leader) throw new Error(`Term ${message.term} has two leaders`);
    if (!(this.#role instanceof Follower)) this.#follow(message.term, from);
    this.#setLeader(from);
    if (!(this.#role instanceof Follower)) return;
    if (message.type === "append_entries") this.#role.append(message);
    else if (message.type === "install_snapshot") this.#role.install(message);
  }

  /** Tells a node that its term is over, if it might not hear of that otherwise (paper 5.1). */
  #answerStale(from: string, message: Content): void {
    const { term } = this.#context.storage;
    if (message.type === "vote") return;
    this.#context.send(from, { type: "resigned", term }, false);
  }

  #answerVote(from: string, request: RequestVote): void {
    const context = this.#context;
    const { storage, rules, leader, nowMs, stickyMs } = context;
    const { term, pre } = request;
    // Nobody who hears a leader helps to replace it (dissertation 4.2.3).
    const isContent = this.#role instanceof Leader ||
      (leader !== undefined && nowMs - context.leaderHeardMs < stickyMs);
    if (!isContent && !pre && term > storage.term) this.#follow(term);
    const isUpToDate = rules.isUpToDate(request, context.logEnd);
    const granted = !isContent && isUpToDate &&
      (pre ? term > storage.term : !rules.isStale(term, storage.term) &&
        rules.mayVote(storage.vote, from));
    if (granted && !pre) {
      storage.setTerm(term, from);
      if (!(this.#role instanceof Follower)) this.#follow(term);
    }
    if (granted && this.#role instanceof Follower) this.#role.giveWay(!pre);
    const answered = granted ? term : storage.term;
    context.send(from, { type: "vote", term: answered, pre, granted }, false);
  }
}
