/**
 * What a node knows whatever its role, and what it has to say when its turn ends.
 *
 * @module
 */

import type { Json, Random } from "@eddy/maelstrom";
import { Link } from "./link.ts";
import type { Content, Entry, Message, Ticket } from "./message.ts";
import { raftRules, type Rules } from "./rules.ts";
import { MemoryStorage, type Storage } from "./storage.ts";

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
