/**
 * The rules that make Raft safe, each a small function of plain values.
 *
 * "Paper" is Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm (extended
 * version, 2014); "dissertation" is Ongaro's, Consensus: Bridging Theory and Practice (2014).
 * They are one object, so that a test can break one of them and see that it is missed.
 *
 * @module
 */

import type { Entry } from "./message.ts";
import type { Log } from "./storage.ts";

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
