/**
 * The Raft consensus algorithm: one node's part in agreeing on a log.
 *
 * Nothing here waits, sends or reads a clock. Messages and the time go in; messages, entries to
 * apply and reads to answer come out. A host calls {@linkcode Raft.step} for every message that
 * arrived, then {@linkcode Raft.flush} once, and again at {@linkcode Raft.wakeAtMs} at the latest.
 * So all that arrived together is answered with one message to each node.
 *
 * From Ongaro and Ousterhout, "In search of an understandable consensus algorithm (extended
 * version)" (the paper), and Ongaro's dissertation; the methods under "Rules" name the sections.
 * With pre-votes (9.6), voters that stay with a leader they hear (4.2.3), leaders that step down
 * when cut off (6.2) and reads without log entries (6.4). Membership is fixed.
 *
 * @module
 */

import type { Json, Random } from "@eddy/maelstrom";
import { Leader } from "./leader.ts";
import { lastOfTerm, MemoryRaftStorage, type RaftStorage } from "./log.ts";
import {
  type Acknowledge,
  type AppendEntries,
  type Content,
  type Entry,
  type InstallSnapshot,
  Link,
  type Message,
  type RequestVote,
  SLACK_MS,
  type Ticket,
  type Vote,
} from "./message.ts";

/** How long a node other than the first waits for a first leader, in milliseconds. */
const FIRST_ELECTION_MS = 300;

/** Settings of a {@linkcode Raft}. */
export interface RaftOptions {
  readonly id: string;
  /** All nodes of the cluster, this one included, in an order that all share. */
  readonly nodeIds: readonly string[];
  readonly random: Random;
  readonly nowMs: number;
  readonly commands: CommandSource;
  /** The state machine's state at the last entry that {@linkcode Raft.advance} was given. */
  readonly snapshot: () => readonly Json[];
  /**
   * Term, vote and log.
   *
   * @default a new one, in memory
   */
  readonly storage?: RaftStorage | undefined;
  /**
   * The last entry that the state machine has.
   *
   * @default where the log begins
   */
  readonly applied?: number | undefined;
  /**
   * Whether a leader may answer reads without asking, for as long as those who heard it will not
   * vote (dissertation 6.4.1). It assumes that clocks run equally fast, to a tenth, that no node
   * loses its storage, and that none is paused between the check and the answer.
   *
   * @default false
   */
  readonly leaseReads?: boolean | undefined;
  readonly timing?: Partial<Timing> | undefined;
}

/** Bounds and paces. */
export interface Timing {
  /**
   * How far apart messages to one node are under load, in milliseconds. After a quiet moment one
   * leaves at once.
   *
   * @default 4.5
   */
  readonly spacingMs: number;
  /**
   * How often a leader is heard of, at least, in milliseconds.
   *
   * @default 100
   */
  readonly heartbeatMs: number;
  /**
   * How many entries a message may carry.
   *
   * @default 1024
   */
  readonly maxEntries: number;
  /**
   * About how many characters a message may carry, if more than one entry.
   *
   * @default 262144
   */
  readonly maxChars: number;
  /**
   * How many entries may be under way to a follower, and how many applied ones are kept for those
   * that fall behind.
   *
   * @default 8192
   */
  readonly maxLag: number;
}

const defaultTiming: Timing = {
  spacingMs: 4.5,
  heartbeatMs: 100,
  maxEntries: 1024,
  maxChars: 1 << 18,
  maxLag: 8192,
};

/** Commands of this node's clients that wait to be taken. */
export interface CommandSource {
  /** When the first of them must be taken; they may be taken before. `Infinity` for none. */
  readonly dueMs: number;
  /** Takes some. What is taken may happen from here on. */
  take(maxCount: number, maxChars: number): Json[];
  /** Has what was taken and not yet executed taken once more, since it may not have arrived. */
  repeat(): void;
}

/** What a call of {@linkcode Raft.flush} came to. */
interface Ready {
  readonly messages: readonly Outgoing[];
  /** A state to take over from the leader, before anything else, and its last entry's index. */
  readonly restore: { readonly index: number; readonly items: readonly Json[] } | undefined;
  /** Entries to apply, and the index of the first of them. */
  readonly first: number;
  readonly entries: readonly Entry[];
  /** Reads to answer once their index is applied. */
  readonly grants: readonly Grant[];
}

/** A message and whom it is for. */
export interface Outgoing {
  readonly to: string;
  readonly message: Message;
  /** Whether it repeats what was not answered in time: what this node sends may not arrive. */
  readonly isRepeat: boolean;
}

/** Reads up to a ticket that may be answered once an index is applied. */
export interface Grant {
  readonly ticket: number;
  readonly index: number;
}

/** One node's part in consensus. A host uses the methods up to {@linkcode Raft.isHealthyAt}. */
export class Raft {
  readonly peers: readonly string[];
  readonly quorum: number;
  readonly storage: RaftStorage;
  readonly timing: Timing;
  readonly leaseReads: boolean;
  readonly commands: CommandSource;
  readonly snapshot: () => readonly Json[];
  readonly links: ReadonlyMap<string, Link>;
  /** Distinguishes this start of the node from earlier ones, whose tickets may still travel. */
  readonly life: number;

  /** The time of this turn. */
  nowMs: number;
  /** The leader, as far as this node knows. */
  leader: string | undefined;
  /** When this node last heard a leader or, where it led, a majority. */
  ledMs: number;
  /** How often the leader said it would be heard. */
  heartbeatMs: number;
  /** Up to here entries are known to be committed. */
  commit: number;
  /** Up to here entries are in the state machine. */
  applied: number;
  /** Tickets of this node's reads: the last given, when it is due, and the last granted. */
  readsWanted = 0;
  readsDueMs = Infinity;
  readsGranted = 0;
  /** A state that came from the leader, until the end of the turn. */
  restore: Ready["restore"];
  /** When the next turn was to be at the latest. */
  #wakeAtMs = Infinity;
  /** Until then this node votes for nobody, and does not stand for election. */
  #mayVoteMs = -Infinity;
  /** Until then no answer is missed: this process stood still, and what came waits to be taken. */
  #excusedUntilMs = -Infinity;

  readonly #id: string;
  readonly #random: Random;
  #role: Follower | Candidate | Leader;
  #outbox: Outgoing[] = [];
  #grants: Grant[] = [];

  constructor(options: RaftOptions) {
    const { id, nodeIds, random, nowMs } = options;
    this.#id = id;
    this.#random = random;
    this.peers = nodeIds.filter((peer) => peer !== id);
    this.links = new Map(this.peers.map((peer) => [peer, new Link()]));
    this.quorum = Math.floor(nodeIds.length / 2) + 1;
    this.storage = options.storage ?? new MemoryRaftStorage();
    this.timing = { ...defaultTiming, ...options.timing };
    this.leaseReads = options.leaseReads ?? false;
    this.commands = options.commands;
    this.snapshot = options.snapshot;
    this.life = Math.floor(random.next() * 2 ** 31);
    this.nowMs = nowMs;
    this.ledMs = nowMs;
    this.heartbeatMs = this.timing.heartbeatMs;
    this.applied = options.applied ?? this.storage.baseIndex;
    this.commit = this.applied;
    // The first node stands for election at once, the others in turn if there is no leader by then.
    const rank = nodeIds.indexOf(id);
    const delayMs = rank === 0 ? 0 : FIRST_ELECTION_MS + this.drawBetween(rank - 1, rank) * 100;
    // What an earlier process heard of a leader is not known, but a lease may rest on it.
    if (this.leaseReads && this.term > 0) this.#mayVoteMs = nowMs + this.stickyMs;
    this.#role = new Follower(this, Math.max(nowMs + delayMs, this.#mayVoteMs));
  }

  /** Takes a message. */
  step(from: string, message: Message, nowMs: number): void {
    const link = this.links.get(from);
    if (link === undefined) return;
    this.nowMs = Math.max(this.nowMs, nowMs);
    link.receive(message.link, this.nowMs);
    if (message.type === "request_vote") return this.#answerVoteRequest(from, message);
    // A granted pre-vote names the term asked for, which no node is in yet.
    const isPreVote = message.type === "vote" && message.pre && message.granted;
    if (!isPreVote && message.term > this.storage.term) this.#becomeFollower(message.term);
    if (this.isStale(message.term)) {
      // The sender might not hear otherwise that its term is over (paper 5.1).
      if (message.type !== "vote") this.#sendResigned(from);
      return;
    }
    const role = this.#role;
    if (role.name === "leader") this.#stepLeader(role, from, message);
    else if (role.name === "candidate") this.#stepCandidate(role, from, message);
    else this.#stepFollower(role, from, message);
  }

  /** Issues a ticket for a read, due at `dueMs`; it may be answered when the ticket is granted. */
  read(dueMs: number): number {
    const isFirst = this.openTicket === undefined;
    this.readsDueMs = isFirst ? dueMs : Math.min(this.readsDueMs, dueMs);
    return ++this.readsWanted;
  }

  /** Ends a turn: does what is due, and returns what came of the turn. */
  flush(nowMs: number): Ready {
    this.nowMs = Math.max(this.nowMs, nowMs);
    this.#noticeStandstill();
    this.#changeRole();
    this.#role.flush();
    this.#wakeAtMs = this.#role.wakeAtMs();
    const first = this.applied + 1;
    const last = this.applyLimit();
    const entries = last < first ? [] : this.storage.slice(first, last);
    const messages = this.#outbox;
    const grants = this.#grants;
    const { restore } = this;
    this.#outbox = [];
    this.#grants = [];
    this.restore = undefined;
    return { messages, grants, restore, first, entries };
  }

  /** When to flush again at the latest. */
  get wakeAtMs(): number {
    return this.#role.wakeAtMs();
  }

  /** Notes that the state machine has all entries up to `applied`; drops old ones from the log. */
  advance(applied: number): void {
    const { maxLag } = this.timing;
    this.applied = applied;
    if (applied - this.storage.baseIndex <= 2 * maxLag) return;
    this.storage.compact(applied - maxLag, () => ({ lastIndex: applied, items: this.snapshot() }));
  }

  /** The role that this node has. */
  get role(): "follower" | "candidate" | "leader" {
    return this.#role.name;
  }

  /** The current term. */
  get term(): number {
    return this.storage.term;
  }

  /**
   * From when on no leader is to be expected soon: when every node that heard this one's last leader
   * has stood for election and had its answers, and later where a majority is heard, which may have
   * one.
   */
  get lostAtMs(): number {
    if (this.#role.name === "leader") return Infinity;
    const { nowMs, electionMs, heartbeatMs } = this;
    let heard = 1;
    let tripMs = Infinity;
    for (const link of this.links.values()) {
      if (nowMs - link.heardMs < electionMs) heard++;
      tripMs = Math.min(tripMs, link.roundTripMs);
    }
    const moreMs = heard >= this.quorum ? 2 * electionMs : 2 * heartbeatMs + 2 * tripMs;
    return this.ledMs + electionMs + moreMs;
  }

  /** Whether a command or read taken now is likely to be answered soon. */
  isHealthyAt(nowMs: number): boolean {
    this.nowMs = Math.max(this.nowMs, nowMs);
    return this.#role.isHealthy();
  }

  #stepFollower(role: Follower, from: string, message: Content): void {
    switch (message.type) {
      case "append_entries":
        this.leader = from;
        return role.append(message);
      case "install_snapshot":
        this.leader = from;
        return role.install(message);
      case "acknowledge":
        return this.#sendResigned(from);
      case "resigned":
        if (this.leader !== from) return;
        // For about as long it has not led a majority.
        this.ledMs = Math.min(this.ledMs, this.nowMs - this.electionMs);
        this.leader = undefined;
        role.standSoon();
    }
  }

  #stepCandidate(role: Candidate, from: string, message: Content): void {
    switch (message.type) {
      case "vote":
        return role.count(from, message);
      case "append_entries":
      case "install_snapshot":
        return this.#stepFollower(this.#becomeFollower(message.term, from), from, message);
      case "acknowledge":
        return this.#sendResigned(from);
    }
  }

  #stepLeader(role: Leader, from: string, message: Content): void {
    switch (message.type) {
      case "acknowledge":
        return role.step(from, message);
      case "append_entries":
      case "install_snapshot":
        this.cannotBe(`Term ${message.term} has two leaders`);
    }
  }

  /**
   * Stops this node where it comes upon what no node that follows the rules can see.
   *
   * @throws {Error} with that text.
   */
  cannotBe(what: string): void {
    throw new Error(what);
  }

  /**
   * Notices that this process was stopped, which makes a turn late: timers are served before the
   * messages that wait. Under load every turn is late, so this counts once in an election timeout.
   */
  #noticeStandstill(): void {
    const isLate = this.nowMs - this.#wakeAtMs > SLACK_MS;
    if (isLate && this.nowMs - this.#excusedUntilMs > this.electionMs) {
      this.#excusedUntilMs = this.nowMs + SLACK_MS;
      this.ledMs = Math.max(this.ledMs, this.nowMs - this.electionMs);
    }
  }

  /** Changes role where time or votes demand it. */
  #changeRole(): void {
    const isExcused = this.nowMs < this.#excusedUntilMs;
    if (this.#role.name === "leader" && !isExcused && this.#role.isCutOff) this.#resign();
    if (this.#role.name !== "leader" && this.nowMs >= this.#role.electionDueMs) {
      this.#becomeCandidate(true);
    }
    if (this.#role.name === "candidate" && this.#role.pre && this.#role.isElected) {
      this.#becomeCandidate(false);
    }
    if (this.#role.name === "candidate" && !this.#role.pre && this.#role.isElected) {
      this.#becomeLeader();
    }
  }

  #becomeFollower(term: number, leader?: string): Follower {
    if (term > this.storage.term) this.storage.setTerm(term, undefined);
    if (this.#role.name === "leader") this.ledMs = this.#role.heardMs;
    this.leader = leader;
    const role = new Follower(this, this.drawElectionMs());
    this.#role = role;
    return role;
  }

  #becomeCandidate(pre: boolean): void {
    this.leader = undefined;
    // A pre-vote changes nothing: a node that cannot win must not make others change their term.
    if (!pre) this.storage.setTerm(this.term + 1, this.#id);
    const term = pre ? this.term + 1 : this.term;
    const { lastIndex } = this.storage;
    const lastTerm = this.#lastTerm;
    const request = { type: "request_vote", term, pre, lastIndex, lastTerm } as const;
    this.#role = new Candidate(this, this.#id, request);
  }

  #becomeLeader(): void {
    this.leader = this.#id;
    this.#role = new Leader(this);
  }

  /**
   * Steps down and tells the others: those that hear this node, though it hears none of them, would
   * stay with it for another election timeout.
   */
  #resign(): void {
    this.#becomeFollower(this.term);
    for (const peer of this.peers) this.#sendResigned(peer);
  }

  #sendResigned(to: string): void {
    this.send(to, { type: "resigned", term: this.term }, Infinity);
  }

  #answerVoteRequest(from: string, request: RequestVote): void {
    const { term, pre } = request;
    // A node that hears a leader does not help to replace it (dissertation 4.2.3).
    const hasLeader = this.nowMs < this.#mayVoteMs || this.#role.name === "leader" ||
      (this.#role.name === "follower" && this.#role.hearsLeader);
    if (!hasLeader && !pre && term > this.term) this.#becomeFollower(term);
    const granted = !hasLeader && this.isUpToDate(request) &&
      (pre ? term > this.term : !this.isStale(term) && this.mayVote(from));
    if (granted && !pre) {
      this.storage.setTerm(term, from);
      if (this.#role.name !== "follower") this.#becomeFollower(term);
    }
    if (granted && this.#role.name === "follower") this.#role.postpone(pre);
    this.send(from, { type: "vote", term: granted ? term : this.term, pre, granted }, Infinity);
  }

  get #lastTerm(): number {
    return this.storage.termAt(this.storage.lastIndex) ?? 0;
  }

  // Rules. Safety rests on these; mutants/raft.ts overrides them one by one, and tests expect that
  // each wrong one is noticed.

  /** Whether a message of `term` comes from the past and is refused (paper 5.1). */
  protected isStale(term: number): boolean {
    return term < this.term;
  }

  /** One vote a term, for the first that asks (paper 5.2). */
  protected mayVote(candidate: string): boolean {
    const { vote } = this.storage;
    return vote === undefined || vote === candidate;
  }

  /** A voter's log must not be newer than the candidate's (paper 5.4.1). */
  protected isUpToDate({ lastIndex, lastTerm }: RequestVote): boolean {
    const own = this.#lastTerm;
    return lastTerm > own || (lastTerm === own && lastIndex >= this.storage.lastIndex);
  }

  /** Whether an election is won; each voter counts once (paper 5.2). */
  isElectedBy(voters: ReadonlySet<string>): boolean {
    return voters.size >= this.quorum;
  }

  /** The consistency check of an append (paper 5.3). */
  fits(prevIndex: number, prevTerm: number): boolean {
    return this.storage.termAt(prevIndex) === prevTerm;
  }

  /**
   * Finds the first of the entries after `prevIndex` that the log does not have: what the log has
   * there is dropped. An entry that is there already stays, and so does what follows it, since the
   * append may be an old one (paper 5.3, figure 2).
   *
   * @returns its position in `entries`; their number if the log has them all.
   */
  firstNew(prevIndex: number, entries: readonly Entry[]): number {
    let position = 0;
    for (const [term] of entries) {
      if (this.storage.termAt(prevIndex + 1 + position) !== term) break;
      position++;
    }
    return position;
  }

  /**
   * What the leader knows to be committed: what a majority holds, if it is of the leader's own
   * term; what is older is committed along with it, never by counting (paper 5.3, 5.4.2).
   *
   * @param matches for every node, the leader included: up to where it is known to hold the log
   */
  leaderCommit(matches: readonly number[]): number {
    const held = matches.toSorted((a, b) => b - a)[this.quorum - 1] ?? 0;
    return held > this.commit && this.storage.termAt(held) === this.term ? held : this.commit;
  }

  /**
   * What a follower knows to be committed after an append that fitted: what the leader says, as far
   * as the logs are known to agree (paper 5.3, figure 2). Where two nodes are a majority, also what
   * was just accepted, if it is of the leader's term: the leader and this follower hold it. For
   * that a leader must hold an entry before it sends it (no disk write in parallel with the
   * network, dissertation 10.2.1), and reads must wait as in {@linkcode Raft.readIndex}.
   *
   * @param verified up to where this log is known to be the leader's
   */
  followerCommit(leaderCommit: number, verified: number): number {
    const isCounted = this.quorum <= 2 && this.storage.termAt(verified) === this.term;
    return Math.max(this.commit, isCounted ? verified : 0, Math.min(leaderCommit, verified));
  }

  /**
   * What must be applied before a read may be answered (ReadIndex; paper 8, dissertation 6.4): all
   * that was committed anywhere when it came. The leader can know that only once an entry of its
   * own term is committed. Where two nodes are a majority a follower may know of a commit before
   * the leader does, so it is all that the leader's log holds.
   *
   * @param termStart the index of the first entry of the leader's term
   */
  readIndex(termStart: number): number {
    return this.quorum <= 2 ? this.storage.lastIndex : Math.max(this.commit, termStart);
  }

  /**
   * Whether so many nodes, the leader included, still followed it after a read came that no other
   * can have been elected before (paper 8, dissertation 6.4).
   */
  isConfirmedBy(followers: number): boolean {
    return followers >= this.quorum;
  }

  /** Up to where entries may be given to the state machine (paper 5.3). */
  protected applyLimit(): number {
    return this.commit;
  }

  /** Whether a snapshot brings anything new; if not it is dropped (paper 7). */
  isNewSnapshot(lastIndex: number): boolean {
    return lastIndex > this.commit;
  }

  /** Whether what follows a snapshot's last entry in the log stays (paper 7). */
  keepsSuffix(lastIndex: number, lastTerm: number): boolean {
    return this.storage.termAt(lastIndex) === lastTerm;
  }

  // What the roles use.

  /** The link to a peer. */
  link(peer: string): Link {
    const link = this.links.get(peer);
    if (link === undefined) throw new Error(`No link to ${peer}: it is not in the cluster`);
    return link;
  }

  /**
   * Sends a message at the end of this turn.
   *
   * @param answerMs how long an answer may be put off; `Infinity` if none is wanted
   */
  send(to: string, content: Content, answerMs: number): void {
    const link = this.link(to);
    const isRepeat = answerMs === 0 && this.nowMs >= this.repeatAtMs(to);
    if (isRepeat) link.repeated(this.nowMs);
    const message = { ...content, link: link.stamp(this.nowMs, answerMs) };
    this.#outbox.push({ to, message, isRepeat });
  }

  /** When a peer that has not answered is to be asked again. */
  repeatAtMs(peer: string): number {
    return Math.max(this.link(peer).repeatAtMs, this.#excusedUntilMs);
  }

  /** When a message that is due may go to a peer: not too soon after the previous one. */
  spaced(peer: string, dueMs: number): number {
    return Math.max(dueMs, this.link(peer).sentMs + this.timing.spacingMs);
  }

  /** How long a follower that hears nothing stays with its leader (dissertation 4.2.3). */
  get stickyMs(): number {
    return 2 * this.heartbeatMs + this.#leaderRoundTripMs;
  }

  /** How long a leader may be silent, or unheard by a majority, before it is given up. */
  get electionMs(): number {
    return 3 * this.heartbeatMs + this.#leaderRoundTripMs;
  }

  /** A moment to stand for election, drawn so that two nodes seldom do at once (paper 5.2). */
  drawElectionMs(): number {
    return this.nowMs + this.electionMs + this.drawBetween(0, 2 * this.heartbeatMs);
  }

  /** A number drawn from a range. */
  drawBetween(low: number, high: number): number {
    return low + this.#random.next() * (high - low);
  }

  /** Lets this node's reads up to a ticket be answered once an index is applied. */
  grant(ticket: number, index: number): void {
    if (ticket <= this.readsGranted || ticket > this.readsWanted) return;
    this.readsGranted = ticket;
    this.#grants.push({ ticket, index });
  }

  /** The ticket of this node's newest read that waits for the leader. */
  get openTicket(): Ticket | undefined {
    return this.readsWanted > this.readsGranted ? [this.life, this.readsWanted] : undefined;
  }

  get #leaderRoundTripMs(): number {
    const known = this.leader === undefined ? undefined : this.links.get(this.leader);
    if (known !== undefined) return known.roundTripMs;
    let longest = 0;
    for (const link of this.links.values()) longest = Math.max(longest, link.roundTripMs);
    return longest;
  }
}

/** A node that follows, whether or not it knows a leader. */
class Follower {
  readonly name = "follower";
  /** When this node stands for election, unless it hears from a leader (paper 5.2). */
  electionDueMs: number;

  readonly #raft: Raft;
  #leaderHeardMs = -Infinity;
  /** Up to here the log is the leader's; a leader has all that is committed (paper 5.4). */
  #verified: number;
  /** The newest leadership round that the leader has sent. */
  #round = 0;
  #ackDueMs = Infinity;
  #reject: Acknowledge["reject"];
  /** The part of a snapshot that has come. */
  #snapshot: { readonly lastIndex: number; readonly items: Json[] } | undefined;
  #installed: Acknowledge["installed"];
  /** The newest read that the leader was asked about, and when to ask again. */
  #asked = 0;
  #askAgainMs = Infinity;
  /** Whether a pre-vote has put off this node's own election. */
  #hasPostponed = false;

  constructor(raft: Raft, electionDueMs: number) {
    this.#raft = raft;
    this.#verified = raft.commit;
    this.electionDueMs = electionDueMs;
  }

  /** Takes what the leader of this term sends (paper 5.3). */
  append(message: AppendEntries): void {
    const raft = this.#raft;
    const { storage, nowMs } = raft;
    this.#hear(message.heartbeatMs);
    this.#round = Math.max(this.#round, message.round);
    if (message.granted !== undefined) {
      const [[life, ticket], index] = message.granted;
      if (life === raft.life) raft.grant(ticket, index);
    }
    const { prevIndex, prevTerm } = message;
    const covered = storage.baseIndex - prevIndex;
    if (covered > 0) {
      // A snapshot covers the beginning, which is committed and thus the same here and there.
      const rest = message.entries.slice(covered);
      if (rest.length > 0) this.#accept(storage.baseIndex, rest, message.commit);
    } else if (raft.fits(prevIndex, prevTerm)) {
      this.#accept(prevIndex, message.entries, message.commit);
    } else {
      const hint = lastOfTerm(storage, prevIndex, prevTerm);
      this.#reject = [prevIndex, hint, storage.termAt(hint) ?? 0];
      this.#ackDueMs = nowMs;
    }
    const delayMs = message.prompt ? 0 : raft.heartbeatMs;
    this.#ackDueMs = Math.min(this.#ackDueMs, nowMs + delayMs);
  }

  /** Takes a piece of a snapshot (paper 7). */
  install(message: InstallSnapshot): void {
    const raft = this.#raft;
    const { lastIndex, lastTerm, offset, items, done } = message;
    this.#hear(message.heartbeatMs);
    this.#ackDueMs = raft.nowMs;
    if (!raft.isNewSnapshot(lastIndex)) return;
    if (this.#snapshot?.lastIndex !== lastIndex) this.#snapshot = { lastIndex, items: [] };
    const snapshot = this.#snapshot;
    const fits = offset === snapshot.items.length;
    if (fits) { for (const item of items) snapshot.items.push(item); }
    this.#installed = [lastIndex, snapshot.items.length];
    if (!fits || !done) return;
    if (raft.keepsSuffix(lastIndex, lastTerm)) raft.storage.compact(lastIndex, () => snapshot);
    else raft.storage.reset(snapshot, lastTerm);
    raft.commit = lastIndex;
    raft.applied = lastIndex;
    raft.restore = { index: lastIndex, items: snapshot.items };
    this.#snapshot = undefined;
    this.#installed = undefined;
    this.#verified = Math.max(this.#verified, lastIndex);
  }

  /**
   * Puts off this node's own election in favour of a candidate's. For a candidate that only asks
   * for pre-votes it does so once: one that hears no answers asks again and again.
   */
  postpone(pre: boolean): void {
    if (pre && this.#hasPostponed) return;
    this.#hasPostponed = pre;
    this.electionDueMs = this.#raft.drawElectionMs();
  }

  /** The leader has stepped down: there is no need to wait for its silence. */
  standSoon(): void {
    const raft = this.#raft;
    const dueMs = raft.nowMs + raft.drawBetween(0, raft.heartbeatMs);
    this.electionDueMs = Math.min(this.electionDueMs, dueMs);
  }

  /** Whether a leader was heard so lately that this node stays with it (dissertation 4.2.3). */
  get hearsLeader(): boolean {
    const { leader, nowMs, stickyMs } = this.#raft;
    return leader !== undefined && nowMs - this.#leaderHeardMs < stickyMs;
  }

  isHealthy(): boolean {
    const { leader, nowMs } = this.#raft;
    return leader !== undefined && !this.#raft.link(leader).overdue(nowMs);
  }

  flush(): void {
    const raft = this.#raft;
    const { leader, nowMs, commands, timing } = raft;
    if (leader === undefined || this.#ackAtMs(leader) > nowMs) return;
    const isRepeat = raft.repeatAtMs(leader) <= nowMs;
    if (isRepeat) commands.repeat();
    const taken = commands.take(timing.maxEntries, timing.maxChars);
    const reads = raft.openTicket;
    const wantsAnswer = isRepeat || taken.length > 0 || reads !== undefined;
    raft.send(leader, {
      type: "acknowledge",
      term: raft.term,
      match: this.#verified,
      round: this.#round,
      reject: this.#reject,
      commands: taken.length > 0 ? taken : undefined,
      reads,
      installed: this.#installed,
    }, wantsAnswer ? 0 : Infinity);
    this.#reject = undefined;
    this.#installed = undefined;
    this.#ackDueMs = Infinity;
    this.#asked = raft.readsWanted;
    this.#askAgainMs = nowMs + raft.link(leader).patienceMs;
  }

  wakeAtMs(): number {
    const { leader } = this.#raft;
    if (leader === undefined) return this.electionDueMs;
    return Math.min(this.electionDueMs, this.#ackAtMs(leader));
  }

  /** When to send the leader an acknowledgement, with commands and reads. */
  #ackAtMs(leader: string): number {
    const { commands, readsWanted, readsGranted, readsDueMs } = this.#raft;
    let askMs = this.#raft.repeatAtMs(leader);
    // A leader that answers may still have to be asked again about reads.
    if (readsWanted > this.#asked) askMs = Math.min(askMs, readsDueMs);
    else if (readsWanted > readsGranted && askMs === Infinity) askMs = this.#askAgainMs;
    return this.#raft.spaced(leader, Math.min(this.#ackDueMs, askMs, commands.dueMs));
  }

  #hear(heartbeatMs: number): void {
    this.#raft.heartbeatMs = heartbeatMs;
    this.#leaderHeardMs = this.#raft.nowMs;
    this.#raft.ledMs = this.#raft.nowMs;
    this.#hasPostponed = false;
    this.electionDueMs = this.#raft.drawElectionMs();
  }

  /** Adds entries that follow `prevIndex`, where the logs agree. */
  #accept(prevIndex: number, entries: readonly Entry[], leaderCommit: number): void {
    const raft = this.#raft;
    const { storage } = raft;
    const position = raft.firstNew(prevIndex, entries);
    if (position < entries.length) {
      const index = prevIndex + 1 + position;
      if (index <= raft.commit) raft.cannotBe(`Cannot drop entry ${index}: it is committed`);
      if (index <= storage.lastIndex) storage.truncate(index);
      storage.append(position === 0 ? entries : entries.slice(position));
    }
    this.#verified = Math.max(this.#verified, prevIndex + entries.length);
    raft.commit = raft.followerCommit(leaderCommit, this.#verified);
  }
}

/** A node that stands for election (paper 5.2), or with `pre` asks whether it would win (9.6). */
class Candidate {
  readonly name = "candidate";
  readonly pre: boolean;
  /** When to begin another election. */
  readonly electionDueMs: number;
  readonly #raft: Raft;
  readonly #request: RequestVote;
  readonly #voters: Set<string>;
  #hasAsked = false;

  constructor(raft: Raft, id: string, request: RequestVote) {
    this.pre = request.pre;
    this.#raft = raft;
    this.#request = request;
    this.#voters = new Set([id]);
    const { electionMs, nowMs } = raft;
    this.electionDueMs = nowMs + raft.drawBetween(electionMs / 2, electionMs);
  }

  /** Counts a vote. */
  count(from: string, { term, pre, granted }: Vote): void {
    if (granted && pre === this.pre && term === this.#request.term) this.#voters.add(from);
  }

  get isElected(): boolean {
    return this.#raft.isElectedBy(this.#voters);
  }

  isHealthy(): boolean {
    return false;
  }

  /** Asks all others, and those that do not answer again. */
  flush(): void {
    const raft = this.#raft;
    for (const peer of raft.peers) {
      if (this.#hasAsked && raft.repeatAtMs(peer) > raft.nowMs) continue;
      raft.send(peer, this.#request, 0);
    }
    this.#hasAsked = true;
  }

  wakeAtMs(): number {
    if (this.isElected) return this.#raft.nowMs;
    const repeats = this.#raft.peers.map((peer) => this.#raft.repeatAtMs(peer));
    return Math.min(this.electionDueMs, ...repeats);
  }
}
