/**
 * Ways to get Raft wrong, each breaking one rule: what the seeds must catch.
 *
 * @module
 */

import { raftRules, type Rules, type Timing } from "@eddy/handlers/raft";
import { MemoryStorage } from "@eddy/handlers/raft/log";
import { type Request, Sessions } from "@eddy/handlers/raft/replica";

/** A way to get it wrong. */
export interface Mutation {
  readonly name: string;
  /** What is replaced. */
  readonly parts: MutationParts;
}

/** What takes the place of a part of Raft, and where that matters. */
export interface MutationParts {
  readonly rules?: Rules;
  readonly makeStorage?: () => MemoryStorage;
  readonly makeSessions?: () => Sessions;
  readonly timing?: Partial<Timing>;
  readonly nodeCount?: number;
  /** Whether leaders come and go so fast that little else happens. */
  readonly isStormy?: boolean;
}

/** Forgets whom it voted for when it is read back. */
class ForgetfulStorage extends MemoryStorage {
  override get vote(): string | undefined {
    return undefined;
  }
}

/** Executes whatever comes. */
class CarelessSessions extends Sessions {
  override admit(request: Request): boolean {
    super.admit(request);
    return true;
  }
}

/** Does not hand on what was executed. */
class UnsharedSessions extends Sessions {
  override restore(): void {}
}

function breaking(
  name: string,
  rules: Partial<Rules>,
  parts: MutationParts = {},
): Mutation {
  return { name, parts: { ...parts, rules: { ...raftRules, ...rules } } };
}

const five = { nodeCount: 5 };
/** So short a memory that followers need snapshots all the time. */
const shortLog = { timing: { maxLag: 8, maxEntries: 4 } };

/** So small messages that an old entry may arrive without the first of the new term. */
const oneByOne = { isStormy: true, timing: { heartbeatMs: 5, maxEntries: 1, spacingMs: 60 } };

/** All mutations. */
export const mutations: readonly Mutation[] = [
  breaking("votes twice in a term", { mayVote: () => true }),
  { name: "loses its vote", parts: { makeStorage: () => new ForgetfulStorage() } },
  breaking("votes without looking at the log", { isUpToDate: () => true }),
  breaking("looks at the log's length, not at its last term", {
    isUpToDate: (candidate, own) => candidate.lastIndex >= own.lastIndex,
  }),
  breaking("is elected by half of the nodes", {
    isElected: (voters, quorum) => voters.size >= quorum - 1,
  }),
  breaking("commits an old term's entry by counting", {
    leaderCommit: (_log, { quorum, commit, matches }) =>
      Math.max(commit, matches.toSorted((a, b) => b - a)[quorum - 1] ?? 0),
  }, oneByOne),
  breaking("commits an old term's entry by counting, as a follower", {
    followerCommit: (_log, { quorum, commit, leaderCommit, verified }) =>
      Math.max(commit, quorum <= 2 ? verified : 0, Math.min(leaderCommit, verified)),
  }, oneByOne),
  breaking("commits what less than a majority holds", {
    leaderCommit: (_log, { quorum, commit, matches }) =>
      Math.max(commit, matches.toSorted((a, b) => b - a)[quorum - 2] ?? 0),
  }),
  breaking("commits as if two were a majority", {
    followerCommit: (log, accepted) => raftRules.followerCommit(log, { ...accepted, quorum: 2 }),
  }, five),
  breaking("commits what it was told to, whether or not it has it", {
    followerCommit: (log, { commit, leaderCommit }) =>
      Math.max(commit, Math.min(leaderCommit, log.lastIndex)),
  }, five),
  breaking("appends wherever there is room", {
    fits: (log, prevIndex) => prevIndex <= log.lastIndex,
  }),
  breaking("keeps what conflicts", {
    firstNew: (log, prevIndex, entries) => Math.min(entries.length, log.lastIndex - prevIndex),
  }),
  breaking("drops all that follows an append", { firstNew: () => 0 }),
  breaking("listens to the past", { isStale: () => false }),
  breaking("applies before it commits", { applyLimit: (_commit, log) => log.lastIndex }),
  breaking("reads without asking whether it leads", { isConfirmed: () => true }, five),
  breaking("reads what it knows to be committed, not what may be", {
    readIndex: ({ commit }) => commit,
  }),
  breaking("reads before its term has begun", { readIndex: ({ commit }) => commit }, five),
  { name: "executes what was executed", parts: { makeSessions: () => new CarelessSessions() } },
  {
    name: "leaves out of a snapshot what was executed",
    parts: { ...shortLog, makeSessions: () => new UnsharedSessions() },
  },
  breaking("goes back to an old snapshot", { isNews: () => true }, shortLog),
  breaking("drops what follows a snapshot", { keepsSuffix: () => false }, { ...five, ...shortLog }),
];
