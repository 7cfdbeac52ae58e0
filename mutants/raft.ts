/**
 * Ways to get Raft wrong, each of which breaks one rule: tests must find each of them.
 *
 * @module
 */

import { Raft, type RaftOptions, type Timing } from "@eddy/handlers/raft";
import { MemoryRaftStorage } from "@eddy/handlers/raft/log";
import { type Request, Sessions } from "@eddy/handlers/raft/replica";

/** A way to get Raft wrong. */
export interface Mutation {
  readonly name: string;
  /** What is replaced. */
  readonly parts: MutationParts;
}

/** What takes the place of a part of Raft, and where that matters. */
export interface MutationParts {
  readonly makeRaft?: (options: RaftOptions) => Raft;
  readonly makeStorage?: () => MemoryRaftStorage;
  readonly makeSessions?: () => Sessions;
  readonly timing?: Partial<Timing>;
  readonly nodeCount?: number;
  /** Whether leaders come and go so fast that little else happens. */
  readonly isStormy?: boolean;
}

/** Does not keep the vote. */
class ForgetfulStorage extends MemoryRaftStorage {
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

/** Does not take over from a snapshot what was executed. */
class UnsharedSessions extends Sessions {
  override restore(): void {}
}

/** Answers reads from what it knows to be committed. */
class ReadsAtCommit extends Raft {
  override readIndex(): number {
    return this.commit;
  }
}

/** A mutation of one method of {@linkcode Raft}. */
function breaking(
  name: string,
  Wrong: new (options: RaftOptions) => Raft,
  parts: MutationParts = {},
): Mutation {
  return { name, parts: { ...parts, makeRaft: (options) => new Wrong(options) } };
}

const five = { nodeCount: 5 };
/** So short a memory that followers need snapshots all the time. */
const shortLog = { timing: { maxLag: 8, maxEntries: 4 } };

/** So small messages that an old entry may arrive without the first of the new term. */
const oneByOne = { isStormy: true, timing: { heartbeatMs: 5, maxEntries: 1, spacingMs: 60 } };

/** The index that `count` nodes hold, or a later one. */
function heldBy(count: number, matches: readonly number[]): number {
  return matches.toSorted((a, b) => b - a)[count - 1] ?? 0;
}

/** All mutations. */
export const mutations: readonly Mutation[] = [
  breaking(
    "votes twice in a term",
    class extends Raft {
      override mayVote() {
        return true;
      }
    },
  ),
  { name: "loses its vote", parts: { makeStorage: () => new ForgetfulStorage() } },
  breaking(
    "votes without looking at the log",
    class extends Raft {
      override isUpToDate() {
        return true;
      }
    },
  ),
  breaking(
    "looks at the log's length, not at its last term",
    class extends Raft {
      override isUpToDate({ lastIndex }: { lastIndex: number }) {
        return lastIndex >= this.storage.lastIndex;
      }
    },
  ),
  breaking(
    "is elected by half of the nodes",
    class extends Raft {
      override isElectedBy(voters: ReadonlySet<string>) {
        return voters.size >= this.quorum - 1;
      }
    },
  ),
  breaking(
    "commits an old term's entry by counting",
    class extends Raft {
      override leaderCommit(matches: readonly number[]) {
        return Math.max(this.commit, heldBy(this.quorum, matches));
      }
    },
    oneByOne,
  ),
  breaking(
    "commits an old term's entry by counting, as a follower",
    class extends Raft {
      override followerCommit(leaderCommit: number, verified: number) {
        const counted = this.quorum <= 2 ? verified : 0;
        return Math.max(this.commit, counted, Math.min(leaderCommit, verified));
      }
    },
    oneByOne,
  ),
  breaking(
    "commits what less than a majority holds",
    class extends Raft {
      override leaderCommit(matches: readonly number[]) {
        return Math.max(this.commit, heldBy(this.quorum - 1, matches));
      }
    },
  ),
  breaking(
    "commits as if two were a majority",
    class extends Raft {
      override followerCommit(leaderCommit: number, verified: number) {
        const counted = this.storage.termAt(verified) === this.term ? verified : 0;
        return Math.max(super.followerCommit(leaderCommit, verified), counted);
      }
    },
    five,
  ),
  breaking(
    "commits what it was told to, whether or not it has it",
    class extends Raft {
      override followerCommit(leaderCommit: number) {
        return Math.max(this.commit, Math.min(leaderCommit, this.storage.lastIndex));
      }
    },
    five,
  ),
  breaking(
    "appends wherever there is room",
    class extends Raft {
      override fits(prevIndex: number) {
        return prevIndex <= this.storage.lastIndex;
      }
    },
  ),
  breaking(
    "keeps what conflicts",
    class extends Raft {
      override firstNew(prevIndex: number, entries: readonly unknown[]) {
        return Math.min(entries.length, this.storage.lastIndex - prevIndex);
      }
    },
  ),
  breaking(
    "drops all that follows an append",
    class extends Raft {
      override firstNew() {
        return 0;
      }
    },
  ),
  breaking(
    "listens to the past",
    class extends Raft {
      override isStale() {
        return false;
      }
    },
  ),
  breaking(
    "applies before it commits",
    class extends Raft {
      override applyLimit() {
        return this.storage.lastIndex;
      }
    },
  ),
  breaking(
    "reads without asking whether it leads",
    class extends Raft {
      override isConfirmedBy() {
        return true;
      }
    },
    five,
  ),
  breaking("reads what it knows to be committed, not what may be", ReadsAtCommit),
  breaking("reads before its term has begun", ReadsAtCommit, five),
  { name: "executes what was executed", parts: { makeSessions: () => new CarelessSessions() } },
  {
    name: "leaves out of a snapshot what was executed",
    parts: { ...shortLog, makeSessions: () => new UnsharedSessions() },
  },
  breaking(
    "goes back to an old snapshot",
    class extends Raft {
      override isNewSnapshot() {
        return true;
      }
    },
    shortLog,
  ),
  breaking(
    "drops what follows a snapshot",
    class extends Raft {
      override keepsSuffix() {
        return false;
      }
    },
    { ...five, ...shortLog },
  ),
];
