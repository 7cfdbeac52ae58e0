/**
 * Nodes on a Raft with a mistake that shows in a rare interleaving, or under rare faults.
 *
 * Unlike those in `raft.ts` not each of them breaks one of the methods under "Rules".
 *
 * @module
 */

import {
  type ConsensusOptions,
  serveLinKv,
  serveTxnListAppend,
  serveTxnRwRegister,
} from "@eddy/handlers";
import { Raft, type RaftOptions } from "@eddy/handlers/raft";
import type { ReplicaOptions } from "@eddy/handlers/raft/replica";
import { ErrorCode, type Json, type Node, pause, RpcError } from "@eddy/maelstrom";
import { type Handler, withHandlers } from "./messages.ts";
import { NOT_SEEN, type RareMutant, type Settings } from "./mutant.ts";
import { crowded, quick, withoutAssertions } from "./raft_nodes.ts";

type RaftMessage = Parameters<Raft["step"]>[1];
type RaftContent = Parameters<Raft["send"]>[1];

/** Counts what a node promised when it was asked for a pre-vote as its vote. */
class CountsPreVotes extends Raft {
  override step(from: string, message: RaftMessage, nowMs: number): void {
    const isLate = message.type === "vote" && message.pre && message.granted &&
      this.role === "candidate" && message.term === this.term;
    super.step(from, isLate ? { ...message, pre: false } : message, nowMs);
  }
}

/** Goes on, when elected again, with what it knew of its followers. */
class KeepsMatches extends Raft {
  readonly #matches: number[] = [];

  override leaderCommit([own = 0, ...others]: readonly number[]): number {
    for (const [i, match] of others.entries()) {
      this.#matches[i] = Math.max(this.#matches[i] ?? 0, match);
    }
    return super.leaderCommit([own, ...this.#matches]);
  }
}

/** Lets a read share a round that was sent before the read came. */
class JoinsRoundsUnderWay extends Raft {
  override step(from: string, message: RaftMessage, nowMs: number): void {
    const isAnswer = message.type === "acknowledge";
    super.step(from, isAnswer ? { ...message, round: message.round + 1 } : message, nowMs);
  }
}

/** Has a lease for as long as its followers will not vote, from their answers on. */
class CountsLeasesFromAnswers extends Raft {
  readonly #answeredMs = new Map<string, number>();

  override step(from: string, message: RaftMessage, nowMs: number): void {
    if (message.type === "acknowledge" && message.term === this.term) {
      this.#answeredMs.set(from, nowMs);
    }
    super.step(from, message, nowMs);
  }

  override isConfirmedBy(followers: number): boolean {
    if (super.isConfirmedBy(followers)) return true;
    const times = [...this.#answeredMs.values()].toSorted((a, b) => b - a);
    return this.nowMs - (times[this.quorum - 2] ?? -Infinity) < 2 * this.heartbeatMs;
  }
}

/** Votes for whom asks, though it hears a leader. */
class DesertsLeaders extends Raft {
  override get stickyMs(): number {
    return 0;
  }
}

/** Takes half of the nodes, rounded up, for a majority. */
class HalvesEvenClusters extends Raft {
  override readonly quorum: number = Math.ceil((this.peers.length + 1) / 2);
}

/** Acknowledges its whole log when an append fits. */
class AcknowledgesItsLog extends Raft {
  override send(to: string, content: RaftContent, answerMs: number): void {
    const fitted = content.type === "acknowledge" && content.reject === undefined;
    const sent = fitted ? { ...content, match: this.storage.lastIndex } : content;
    super.send(to, sent, answerMs);
  }
}

/** As a follower, answers a read when the leader lets it, with what it has. */
class AnswersWhenGranted extends Raft {
  override grant(ticket: number, index: number): void {
    super.grant(ticket, this.role === "follower" ? Math.min(index, this.applied) : index);
  }
}

/** Does not tell the tickets of its reads from those of an earlier process. */
class HasOneLife extends Raft {
  override readonly life: number = 0;
}

/** After this long a request without an answer is handed in again, in milliseconds. */
const IMPATIENT_MS = 1000;

/** Hands a request in again that has no answer yet, or of which nothing is known: as a new one. */
const handsInAgain = (handle: Handler, node: Node): Handler => async (message) => {
  const first = Promise.resolve(handle(message));
  try {
    const late = pause(node.clock, IMPATIENT_MS).then(() => "late");
    const answer = await Promise.race([first, late]);
    if (answer !== "late") return answer;
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== ErrorCode.timeout) throw error;
  }
  first.catch(() => {});
  return await handle(message);
};

/** What is wrong, or otherwise than usual. */
type Parts = Partial<Pick<ReplicaOptions<Json, object>, "makeRaft" | "timing">>;

const servers = {
  "lin-kv": serveLinKv,
  "txn-list-append": serveTxnListAppend,
  "txn-rw-register": serveTxnRwRegister,
};

/** Serves a workload on a Raft whose own assertions are off. */
function onRaft(
  workload: keyof typeof servers,
  makeParts: () => Parts & ConsensusOptions,
): (node: Node) => void {
  return (node) => {
    const { makeRaft, ...parts } = makeParts();
    servers[workload](
      node,
      { ...parts, makeRaft: withoutAssertions(makeRaft) } as ConsensusOptions,
    );
  };
}

function made(Wrong: new (options: RaftOptions) => Raft): Parts {
  return { makeRaft: (options) => new Wrong(options) };
}

const short = { ...crowded.latency, meanMs: 3 };
/** Much at once on few registers, under the faults given. */
function under(nemesis: readonly string[], more: Settings = {}): Settings {
  return { ...crowded, nemesis, nemesisIntervalSeconds: 0.2, ...more };
}

/** A leader that is slow learns late that another leads, and what it was sent before comes late. */
function slow(more: Settings = {}): Settings {
  return under(["slow"], { rate: 500, latency: short, nemesisIntervalSeconds: 0.15, ...more });
}

/** One group of clients, so that all of them read and write the same register at a time. */
const register: Settings = { concurrency: "2n", rate: 300, latency: short };

type RareRow = readonly [
  workload: keyof typeof servers,
  name: string,
  rule: string,
  parts: () => Parts & ConsensusOptions,
  needs: Settings,
  seeds: number | undefined,
  anomaly: string,
];

const rows: readonly RareRow[] = [
  [
    "txn-list-append",
    "counts late pre-votes as votes",
    "a pre-vote is no vote: who gave it may vote for another (dissertation 9.6)",
    () => ({ ...made(CountsPreVotes), timing: quick }),
    under(["partition", "pause"], { nodeCount: 5, latency: short, nemesisIntervalSeconds: 0.05 }),
    5,
    "incompatible-order",
  ],
  [
    "txn-list-append",
    "remembers its followers from an earlier term",
    "a new leader knows nothing of its followers' logs (figure 2)",
    () => ({ ...made(KeepsMatches), timing: { ...quick, maxEntries: 8 } }),
    under(["partition", "one-way"], { nodeCount: 5, latency: short }),
    undefined,
    NOT_SEEN,
  ],
  [
    "txn-list-append",
    "lets a read join a round under way",
    "that a leader still leads is asked after a read came (8)",
    () => ({ ...made(JoinsRoundsUnderWay), timing: quick }),
    slow({ nodeCount: 5 }),
    undefined,
    NOT_SEEN,
  ],
  [
    "txn-rw-register",
    "counts its lease from the answers",
    "a lease lasts from when a follower heard the leader, not from when it said so (dissertation 6.4.1)",
    () => ({ ...made(CountsLeasesFromAnswers), timing: { heartbeatMs: 30 } }),
    under(["partition", "one-way", "loss", "slow"], {
      nodeCount: 5,
      latency: short,
      nemesisIntervalSeconds: 0.3,
    }),
    undefined,
    NOT_SEEN,
  ],
  [
    "lin-kv",
    "votes within another's lease",
    "who hears a leader does not vote, since leases rest on that (dissertation 4.2.3, 6.4.1)",
    () => ({ ...made(DesertsLeaders), leaseReads: true, timing: { heartbeatMs: 50 } }),
    under(["partition", "one-way"], { nodeCount: 5, ...register, nemesisIntervalSeconds: 0.5 }),
    undefined,
    NOT_SEEN,
  ],
  [
    "txn-rw-register",
    "takes half of an even cluster for a majority",
    "two majorities have a node in common (5.2)",
    () => ({ ...made(HalvesEvenClusters), timing: quick }),
    under(["partition"], { nodeCount: 4 }),
    2,
    "G-single-item-realtime",
  ],
  [
    "txn-list-append",
    "acknowledges all that its log holds",
    "a follower acknowledges what it knows to be the leader's (5.3)",
    () => ({ ...made(AcknowledgesItsLog), timing: { ...quick, maxEntries: 4 } }),
    under(["partition", "loss"], { nodeCount: 5 }),
    8,
    "incompatible-order",
  ],
  [
    "lin-kv",
    "answers a read before it has what was read",
    "a read waits until all is applied that the leader held (8)",
    () => made(AnswersWhenGranted),
    under(["loss"], { nodeCount: 5, ...register }),
    1,
    "nonlinearizable",
  ],
  [
    "txn-rw-register",
    "takes answers to an earlier process for its own",
    "a restarted node tells answers to its earlier process from its own (dissertation 6.4)",
    () => ({ ...made(HasOneLife), timing: quick }),
    under(["kill", "slow"], { nodeCount: 5, latency: short }),
    undefined,
    NOT_SEEN,
  ],
];

/** The mutants. */
export const rareRaftMutants: readonly RareMutant[] = [
  ...rows.map(([workload, name, rule, parts, needs, seeds, anomaly]): RareMutant => {
    const install = onRaft(workload, parts);
    return { name, workload, rule, seeds, anomaly, needs, install };
  }),
  {
    name: "hands in again as new what is not answered",
    workload: "txn-rw-register",
    rule: "a request that is sent again has the number that it had (8)",
    needs: under(["partition"], { nemesisIntervalSeconds: 1 }),
    seeds: 4,
    anomaly: "G1a",
    install: withHandlers(["txn"], handsInAgain, serveTxnRwRegister),
  },
];
