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

import type { Json, Random } from "@eddy/maelstrom";
import { Leader } from "./leader.ts";
import {
  type Acknowledge,
  type AppendEntries,
  type Content,
  type Entry,
  type InstallSnapshot,
  Link,
  type Message,
  type RequestVote,
  type Ticket,
  type Vote,
} from "./message.ts";
import { lastOfTerm, type Log, MemoryStorage, type Storage } from "./log.ts";

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
}

/** Settings of a {@linkcode Raft}. */
export interface RaftOptions {
  readonly id: string;
  /** All nodes of the cluster, this one included, in an order that all share. */
  readonly nodeIds: readonly string[];
  readonly random: Random;
  readonly nowMs: number;
  readonly commands: CommandSource;
  /** The state machine's state at the last entry that {@linkcode Raft.advance} was told of. */
  readonly snapshot: () => readonly Json[];
  /**
   * Term, vote and log.
   *
   * @default a new one, in memory
   */
  readonly storage?: Storage;
  /**
   * The last entry that the state machine has.
   *
   * @default 0
   */
  readonly applied?: number;
  /**
   * Whether a leader may answer reads without asking, for as long as those who heard it will not
   * vote (dissertation 6.4.1). It assumes that clocks run equally fast, to a tenth, and that no
   * node forgets: neither by a restart, nor by being paused between the check and the answer.
   *
   * @default false
   */
  readonly leaseReads?: boolean;
  readonly timing?: Partial<Timing>;
  /** @default raftRules */
  readonly rules?: Rules;
}

/** Reads up to a ticket that may go ahead once an index is applied. */
export interface Grant {
  readonly ticket: number;
  readonly index: number;
}

/** A state to take over from the leader. */
export interface Restore {
  readonly index: number;
  readonly items: readonly Json[];
}

/** What a role is to its node. */
export interface Role {
  readonly name: "follower" | "candidate" | "leader";
  /** Whether what is taken now is likely to be answered soon. */
  healthy(): boolean;
  /** Does what is due, and puts what there is to say in the outbox. */
  flush(): void;
  /** When to be flushed again at the latest. */
  wakeAtMs(): number;
}

/** A message and whom it is for. */
export interface Outgoing {
  readonly to: string;
  readonly message: Message;
}

/** What a node knows whatever its role. */
export class Context {
  readonly id: string;
  readonly nodeIds: readonly string[];
  readonly peers: readonly string[];
  readonly quorum: number;
  readonly storage: Storage;
  readonly rules: Rules;
  readonly timing: Timing;
  readonly leaseReads: boolean;
  readonly commands: CommandSource;
  readonly snapshot: () => readonly Json[];
  readonly links: ReadonlyMap<string, Link>;
  /** Tells this life of the node from an earlier one, whose tickets may still be about. */
  readonly life: number;

  /** The time of this turn. */
  nowMs: number;
  leader: string | undefined;
  /** When the leader was last heard, by a follower. */
  leaderHeardMs = -Infinity;
  /** Since when there has been no leader. */
  leaderlessSinceMs: number;
  /** How often the leader said it would be heard. */
  heartbeatMs: number;
  commit: number;
  applied: number;
  /** Tickets of this node's reads: the last given, when it is due, and the last granted. */
  readsWanted = 0;
  readsDueMs = Infinity;
  readsGranted = 0;

  outbox: Outgoing[] = [];
  grants: Grant[] = [];
  restore: Restore | undefined;

  readonly #random: Random;

  constructor(options: RaftOptions) {
    this.id = options.id;
    this.nodeIds = options.nodeIds;
    this.peers = options.nodeIds.filter((id) => id !== options.id);
    this.links = new Map(this.peers.map((peer) => [peer, new Link()]));
    this.rules = options.rules ?? raftRules;
    this.quorum = this.rules.quorum(options.nodeIds.length);
    this.storage = options.storage ?? new MemoryStorage();
    this.timing = { ...defaultTiming, ...options.timing };
    this.leaseReads = options.leaseReads ?? false;
    this.commands = options.commands;
    this.snapshot = options.snapshot;
    this.#random = options.random;
    this.life = Math.floor(options.random.next() * 2 ** 31);
    this.nowMs = options.nowMs;
    this.leaderlessSinceMs = options.nowMs;
    this.heartbeatMs = this.timing.heartbeatMs;
    this.applied = options.applied ?? this.storage.baseIndex;
    this.commit = this.applied;
  }

  /** The link to a peer. */
  link(peer: string): Link {
    const link = this.links.get(peer);
    if (link === undefined) throw new Error(`No link to ${peer}: it is not in the cluster`);
    return link;
  }

  /** Sends a message at the end of this turn. `prompt` says that an answer is wanted soon. */
  send(to: string, content: Content, prompt: boolean): void {
    const link = this.link(to).stamp(this.nowMs, prompt);
    this.outbox.push({ to, message: { ...content, link } });
  }

  /** When a message that is due may go to a peer: not too soon after the previous one. */
  spaced(peer: string, dueMs: number): number {
    return Math.max(dueMs, this.link(peer).sentMs + this.timing.spacingMs);
  }

  /** How long a leader's silence is no reason to vote for another (dissertation 4.2.3). */
  get stickyMs(): number {
    return 2 * this.heartbeatMs + this.#leaderRoundTripMs;
  }

  /** How long a leader may be silent, or unheard by a majority, before it is given up. */
  get electionMs(): number {
    return 3 * this.heartbeatMs + this.#leaderRoundTripMs;
  }

  /** A moment when to stand for election, drawn so that seldom two do at once (paper 5.2). */
  drawElection(): number {
    return this.nowMs + this.electionMs + this.between(0, 2 * this.heartbeatMs);
  }

  /** A number drawn from a range. */
  between(low: number, high: number): number {
    return low + this.#random.next() * (high - low);
  }

  /** Where this node's log ends. */
  get logEnd(): { lastIndex: number; lastTerm: number } {
    const { lastIndex } = this.storage;
    return { lastIndex, lastTerm: this.storage.termAt(lastIndex) ?? 0 };
  }

  /** The entries to apply next, with the index of the first. */
  committed(): { first: number; entries: Entry[] } {
    const first = this.applied + 1;
    const last = this.rules.applyLimit(this.commit, this.storage);
    return { first, entries: last < first ? [] : this.storage.slice(first, last) };
  }

  /** Lets this node's reads up to a ticket go ahead once an index is applied. */
  grant(ticket: number, index: number): void {
    if (ticket <= this.readsGranted) return;
    this.readsGranted = ticket;
    this.grants.push({ ticket, index });
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

/** Where a log ends. */
export interface LogEnd {
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/** What the leader's commit rule looks at. */
export interface Replication {
  readonly term: number;
  readonly quorum: number;
  readonly commit: number;
  /** For every node, the leader included: up to which index it is known to hold the log. */
  readonly matches: readonly number[];
}

/** What the follower's commit rule looks at, after an append that fitted its log. */
export interface Accepted {
  readonly term: number;
  readonly quorum: number;
  readonly commit: number;
  readonly leaderCommit: number;
  /** Up to here the follower's log is now known to be the leader's. */
  readonly verified: number;
}

/** The state a leader looks at when a read comes. */
export interface ReadPoint {
  readonly quorum: number;
  readonly commit: number;
  readonly lastIndex: number;
  /** The index of the first entry of the leader's term. */
  readonly termStart: number;
}

/** The rules of Raft. */
export interface Rules {
  /** How many of `nodes` are a majority. */
  quorum(nodes: number): number;
  /** Whether a message of `messageTerm` comes from the past and is refused (paper 5.1). */
  isStale(messageTerm: number, term: number): boolean;
  /** One vote a term, first come first served (paper 5.2). */
  mayVote(vote: string | undefined, candidate: string): boolean;
  /** A voter's log must not be newer than the candidate's (paper 5.4.1). */
  isUpToDate(candidate: LogEnd, own: LogEnd): boolean;
  /** Whether an election is won; each voter counts once (paper 5.2). */
  isElected(voters: ReadonlySet<string>, quorum: number): boolean;
  /** The consistency check of an append (paper 5.3). */
  fits(log: Log, prevIndex: number, prevTerm: number): boolean;
  /**
   * Which of the entries that follow `prevIndex` is the first that the log has not: whatever
   * stands there is dropped. An entry that is there already stays, and so does what follows it,
   * since the append may be an old one (paper 5.3, figure 2).
   *
   * @returns its position in `entries`; their number if the log has them all.
   */
  firstNew(log: Log, prevIndex: number, entries: readonly Entry[]): number;
  /**
   * What the leader knows to be committed: what a majority holds, if it is of the leader's own
   * term; what is older is committed along with it, never by counting (paper 5.3, 5.4.2).
   */
  leaderCommit(log: Log, replication: Replication): number;
  /**
   * What a follower knows to be committed: what the leader says, as far as the logs are known to
   * agree (paper 5.3, figure 2). And where two nodes are a majority, more: the leader and this
   * follower hold what was just accepted, so it is committed if it is of the leader's term. That
   * asks of the leader to hold an entry before it sends it (no disk write in parallel with the
   * network, dissertation 10.2.1), and of reads what {@linkcode Rules.readIndex} says.
   */
  followerCommit(log: Log, accepted: Accepted): number;
  /**
   * What must be applied before a read may be answered: all that was committed anywhere when it
   * came, and that the leader can know of only once an entry of its own term is committed
   * (paper 8, dissertation 6.4). Where two nodes are a majority a follower may know of a commit
   * before the leader does, so it is all that the leader's log holds.
   */
  readIndex(point: ReadPoint): number;
  /**
   * Whether so many nodes, the leader included, still followed it after a read came that nobody
   * can have been elected before (paper 8, dissertation 6.4).
   */
  isConfirmed(followers: number, quorum: number): boolean;
  /** Up to where entries may be given to the state machine (paper 5.3). */
  applyLimit(commit: number, log: Log): number;
  /** Whether a snapshot brings anything new; if not it is dropped (paper 7). */
  isNews(snapshotIndex: number, commit: number): boolean;
  /** Whether what follows a snapshot's last entry in the log stays (paper 7). */
  keepsSuffix(log: Log, lastIndex: number, lastTerm: number): boolean;
}

/** The rules as they are. */
export const raftRules: Rules = {
  quorum: (nodes) => Math.floor(nodes / 2) + 1,
  isStale: (messageTerm, term) => messageTerm < term,
  mayVote: (vote, candidate) => vote === undefined || vote === candidate,
  isUpToDate: (candidate, own) =>
    candidate.lastTerm > own.lastTerm ||
    (candidate.lastTerm === own.lastTerm && candidate.lastIndex >= own.lastIndex),
  isElected: (voters, quorum) => voters.size >= quorum,
  fits: (log, prevIndex, prevTerm) => log.termAt(prevIndex) === prevTerm,
  firstNew(log, prevIndex, entries) {
    let position = 0;
    for (const [term] of entries) {
      if (log.termAt(prevIndex + 1 + position) !== term) break;
      position++;
    }
    return position;
  },
  leaderCommit(log, { term, quorum, commit, matches }) {
    const held = matches.toSorted((a, b) => b - a)[quorum - 1] ?? 0;
    return held > commit && log.termAt(held) === term ? held : commit;
  },
  followerCommit(log, { term, quorum, commit, leaderCommit, verified }) {
    const counted = quorum <= 2 && log.termAt(verified) === term ? verified : 0;
    return Math.max(commit, counted, Math.min(leaderCommit, verified));
  },
  readIndex: ({ quorum, commit, lastIndex, termStart }) =>
    quorum <= 2 ? lastIndex : Math.max(commit, termStart),
  isConfirmed: (followers, quorum) => followers >= quorum,
  applyLimit: (commit) => commit,
  isNews: (snapshotIndex, commit) => snapshotIndex > commit,
  keepsSuffix: (log, lastIndex, lastTerm) => log.termAt(lastIndex) === lastTerm,
};

/** A node that stands for election (paper 5.2), or with `pre` asks first (dissertation 9.6). */
export class Campaign implements Role {
  readonly name = "candidate";
  readonly pre: boolean;
  readonly #context: Context;
  readonly #term: number;
  readonly #voters: Set<string>;
  readonly #deadlineMs: number;

  constructor(context: Context, pre: boolean) {
    this.pre = pre;
    this.#context = context;
    const { storage } = context;
    // A pre-vote changes nothing: a node that cannot win must not make others change their term.
    if (!pre) storage.setTerm(storage.term + 1, context.id);
    this.#term = pre ? storage.term + 1 : storage.term;
    this.#voters = new Set([context.id]);
    const { electionMs, nowMs } = context;
    this.#deadlineMs = nowMs + context.between(electionMs / 2, electionMs);
    const request = {
      type: "request_vote",
      term: this.#term,
      pre,
      ...context.logEnd,
    } as const;
    for (const peer of context.peers) context.send(peer, request, false);
  }

  /** Counts a vote. */
  step(from: string, { term, pre, granted }: Vote): void {
    if (granted && pre === this.pre && term === this.#term) this.#voters.add(from);
  }

  /** Whether a majority is for this node. */
  get won(): boolean {
    return this.#context.rules.isElected(this.#voters, this.#context.quorum);
  }

  /** Whether it is time to try again. */
  get lost(): boolean {
    return this.#context.nowMs >= this.#deadlineMs;
  }

  healthy(): boolean {
    return false;
  }

  flush(): void {}

  wakeAtMs(): number {
    return this.won ? this.#context.nowMs : this.#deadlineMs;
  }
}

/** The part of a snapshot that has come. */
interface Arriving {
  readonly lastIndex: number;
  readonly items: Json[];
}

/** A node that follows, whether or not it knows whom. */
export class Follower implements Role {
  readonly name = "follower";
  /** When this node stands for election, unless it hears from a leader (paper 5.2). */
  electionDueMs: number;

  readonly #context: Context;
  /** Up to here the log is the leader's; a leader has all that is committed (paper 5.4). */
  #verified: number;
  #round = 0;
  #ackDueMs = Infinity;
  #reject: Acknowledge["reject"];
  #arriving: Arriving | undefined;
  #installed: Acknowledge["installed"];
  /** The newest read that the leader was asked about, and when to ask again. */
  #asked = 0;
  #askAgainMs = Infinity;
  #hasGivenWay = false;

  constructor(context: Context, electionDueMs: number) {
    this.#context = context;
    this.#verified = context.commit;
    this.electionDueMs = electionDueMs;
  }

  /** Takes what the leader of this term sends (paper 5.3). */
  append(message: AppendEntries): void {
    const context = this.#context;
    this.#hear(message.heartbeatMs);
    this.#round = Math.max(this.#round, message.round);
    if (message.granted !== undefined) {
      const [[life, ticket], index] = message.granted;
      if (life === context.life) context.grant(ticket, index);
    }
    const { prevIndex, prevTerm } = message;
    const covered = context.storage.baseIndex - prevIndex;
    if (covered > 0) {
      // A snapshot covers the beginning, which is committed and thus the same here and there.
      const rest = message.entries.slice(covered);
      if (rest.length > 0) this.#accept(context.storage.baseIndex, rest, message.commit);
    } else if (context.rules.fits(context.storage, prevIndex, prevTerm)) {
      this.#accept(prevIndex, message.entries, message.commit);
    } else {
      const hint = lastOfTerm(context.storage, prevIndex, prevTerm);
      this.#reject = [prevIndex, hint, context.storage.termAt(hint) ?? 0];
      this.#ackDueMs = context.nowMs;
    }
    const delayMs = message.prompt ? 0 : context.heartbeatMs;
    this.#ackDueMs = Math.min(this.#ackDueMs, context.nowMs + delayMs);
  }

  /** Takes a piece of a snapshot (paper 7). */
  install(message: InstallSnapshot): void {
    const context = this.#context;
    const { lastIndex, lastTerm, offset, items, done } = message;
    this.#hear(message.heartbeatMs);
    this.#ackDueMs = context.nowMs;
    if (!context.rules.isNews(lastIndex, context.commit)) return;
    if (this.#arriving?.lastIndex !== lastIndex) this.#arriving = { lastIndex, items: [] };
    const arriving = this.#arriving;
    const fits = offset === arriving.items.length;
    if (fits) { for (const item of items) arriving.items.push(item); }
    this.#installed = [lastIndex, arriving.items.length];
    if (!fits || !done) return;
    const { storage, rules } = context;
    if (rules.keepsSuffix(storage, lastIndex, lastTerm)) storage.compact(lastIndex);
    else storage.reset(lastIndex, lastTerm);
    context.commit = lastIndex;
    context.applied = lastIndex;
    context.restore = { index: lastIndex, items: arriving.items };
    this.#arriving = undefined;
    this.#installed = undefined;
    this.#verified = Math.max(this.#verified, lastIndex);
  }

  /**
   * Lets another stand first. One who only asks whether to stand is let first once: who hears
   * no answers asks for ever.
   */
  giveWay(isVote: boolean): void {
    if (!isVote && this.#hasGivenWay) return;
    this.#hasGivenWay = !isVote;
    this.electionDueMs = this.#context.drawElection();
  }

  /** The leader leads no more. */
  abandon(electionDueMs: number): void {
    this.#context.leader = undefined;
    this.#context.leaderlessSinceMs = this.#context.nowMs;
    this.electionDueMs = Math.min(this.electionDueMs, electionDueMs);
  }

  healthy(): boolean {
    const { leader, nowMs } = this.#context;
    return leader !== undefined && !this.#context.link(leader).overdue(nowMs);
  }

  flush(): void {
    const context = this.#context;
    const { leader, nowMs, commands, timing } = context;
    if (leader === undefined || this.#wordDueMs(leader) > nowMs) return;
    const taken = commands.take(timing.maxEntries, timing.maxChars);
    const reads = context.openTicket;
    const prompt = taken.length > 0 || reads !== undefined;
    context.send(leader, {
      type: "acknowledge",
      term: context.storage.term,
      match: this.#verified,
      round: this.#round,
      reject: this.#reject,
      commands: taken.length > 0 ? taken : undefined,
      reads,
      installed: this.#installed,
    }, prompt);
    this.#reject = undefined;
    this.#installed = undefined;
    this.#ackDueMs = Infinity;
    this.#asked = context.readsWanted;
    this.#askAgainMs = nowMs + context.link(leader).patienceMs;
  }

  wakeAtMs(): number {
    const { leader } = this.#context;
    if (leader === undefined) return this.electionDueMs;
    return Math.min(this.electionDueMs, this.#wordDueMs(leader));
  }

  /** When the leader is to hear from this node. */
  #wordDueMs(leader: string): number {
    const { commands, readsWanted, readsGranted, readsDueMs } = this.#context;
    let readsMs = Infinity;
    if (readsWanted > readsGranted) {
      readsMs = readsWanted > this.#asked ? readsDueMs : this.#askAgainMs;
    }
    return this.#context.spaced(leader, Math.min(this.#ackDueMs, readsMs, commands.dueMs));
  }

  #hear(heartbeatMs: number): void {
    this.#context.heartbeatMs = heartbeatMs;
    this.#context.leaderHeardMs = this.#context.nowMs;
    this.#hasGivenWay = false;
    this.electionDueMs = this.#context.drawElection();
  }

  /** Adds entries that follow `prevIndex`, where the logs agree. */
  #accept(prevIndex: number, entries: readonly Entry[], leaderCommit: number): void {
    const { storage, rules, quorum, commit } = this.#context;
    const position = rules.firstNew(storage, prevIndex, entries);
    if (position < entries.length) {
      const index = prevIndex + 1 + position;
      if (index <= commit) throw new Error(`Cannot drop entry ${index}: it is committed`);
      if (index <= storage.lastIndex) storage.truncate(index);
      storage.append(position === 0 ? entries : entries.slice(position));
    }
    const verified = Math.max(this.#verified, prevIndex + entries.length);
    this.#verified = verified;
    const { term } = storage;
    const accepted = { term, quorum, commit, leaderCommit, verified };
    this.#context.commit = rules.followerCommit(storage, accepted);
  }
}
