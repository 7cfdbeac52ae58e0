/**
 * Nodes on a Raft that breaks one rule, for `txn-list-append`: what clients see of each mutation.
 *
 * Raft's own assertions are off, so that a node goes on where it comes upon what cannot be.
 *
 * @module
 */

import { type ConsensusOptions, serveTxnListAppend } from "@eddy/handlers";
import { Raft, type RaftOptions } from "@eddy/handlers/raft";
import type { ReplicaOptions } from "@eddy/handlers/raft/replica";
import type { Json, Node } from "@eddy/maelstrom";
import { NOT_SEEN, type RareMutant, type Settings } from "./mutant.ts";
import { type Mutation, type MutationParts, mutations } from "./raft.ts";

/** A mutant on Raft; the rule has its place in the Raft paper where it has one. */
export type RaftMutant = RareMutant;

/** Leaders are missed as soon as the links allow, so that there are many. */
export const quick: MutationParts["timing"] = { heartbeatMs: 5 };
/** So small messages that an old entry may arrive without the first of the new term. */
const oneByOne: MutationParts["timing"] = { ...quick, maxEntries: 1, spacingMs: 60 };
/** So short a memory that followers need snapshots all the time. */
export const shortLog: MutationParts["timing"] = { ...quick, maxLag: 8, maxEntries: 4 };

/** Where faults show, and how fast the leader's messages are for that. */
interface Condition {
  readonly timing: MutationParts["timing"];
  readonly needs: Settings;
}

/** Much at once on few keys; who is cut off waits for long, so that others must go on. */
export const crowded = {
  nodeCount: 3,
  concurrency: "20n",
  rate: 200,
  timeLimitSeconds: 10,
  latency: { meanMs: 10, distribution: "exponential" },
  keyCount: 3,
  maxTxnLength: 3,
  maxWritesPerKey: 64,
} as const satisfies Settings;

const cut: Settings = {
  ...crowded,
  nemesis: ["partition", "one-way"],
  nemesisIntervalSeconds: 0.3,
};
const anything: Settings = {
  ...crowded,
  nemesis: ["partition", "one-way", "loss", "duplicate", "slow", "pause"],
  nemesisIntervalSeconds: 0.2,
};
const short = { ...crowded.latency, meanMs: 3 };

const cuts: Condition = { timing: quick, needs: cut };
const cutsOfFive: Condition = { timing: quick, needs: { ...cut, nodeCount: 5 } };
const storms: Condition = { timing: quick, needs: anything };
/** Two stand for election at the same time, and who votes is asked late. */
const duels: Condition = {
  timing: quick,
  needs: {
    ...crowded,
    rate: 500,
    latency: short,
    nemesis: ["partition", "pause"],
    nemesisIntervalSeconds: 0.05,
  },
};
/** The majority changes sides before an entry is everywhere, as in the paper's figure 8. */
const seesaw: Condition = {
  timing: oneByOne,
  needs: {
    ...crowded,
    rate: 60,
    latency: short,
    nemesis: ["partition"],
    nemesisIntervalSeconds: 0.15,
  },
};
const stalls: Condition = {
  timing: quick,
  needs: {
    ...crowded,
    latency: short,
    nemesis: ["partition", "slow", "pause"],
    nemesisIntervalSeconds: 0.1,
  },
};
const snapshots: Condition = {
  timing: shortLog,
  needs: { ...anything, nemesisIntervalSeconds: 0.3 },
};

const lateSnapshots: Condition = {
  timing: shortLog,
  needs: { ...anything, latency: short, nemesisIntervalSeconds: 0.15 },
};
/** A leader that is slow learns late that another leads. */
const slowNodes: Condition = {
  timing: quick,
  needs: {
    ...crowded,
    nodeCount: 5,
    rate: 500,
    latency: short,
    nemesis: ["slow"],
    nemesisIntervalSeconds: 0.15,
  },
};

type Row = readonly [
  mutation: string,
  name: string,
  rule: string,
  condition: Condition,
  seeds: number | undefined,
  anomaly: string,
];

const rows: readonly Row[] = [
  [
    "votes twice in a term",
    "votes twice",
    "a node votes once in a term (5.2)",
    duels,
    20,
    "incompatible-order",
  ],
  [
    "loses its vote",
    "loses its vote",
    "a vote is kept until the term ends (5.2)",
    duels,
    20,
    "incompatible-order",
  ],
  [
    "votes without looking at the log",
    "votes for any log",
    "a voter's log is not newer than that of whom it votes for (5.4.1)",
    cuts,
    1,
    "incompatible-order",
  ],
  [
    "looks at the log's length, not at its last term",
    "compares lengths of logs",
    "of two logs that with the later last term is newer, however long (5.4.1)",
    seesaw,
    100,
    "G2-item",
  ],
  [
    "is elected by half of the nodes",
    "is elected by half",
    "a leader has the votes of a majority (5.2)",
    storms,
    1,
    "incompatible-order",
  ],
  [
    "commits an old term's entry by counting",
    "commits old terms by counting",
    "a leader commits by counting entries of its own term alone (5.4.2)",
    seesaw,
    20,
    "G-single-item-realtime",
  ],
  [
    "commits an old term's entry by counting, as a follower",
    "commits old terms by counting as a follower",
    "a follower, too, commits by counting entries of the present term alone (5.4.2)",
    seesaw,
    50,
    "incompatible-order",
  ],
  [
    "commits what less than a majority holds",
    "commits without a majority",
    "an entry is committed when a majority holds it (5.3)",
    cuts,
    1,
    "incompatible-order",
  ],
  [
    "commits as if two were a majority",
    "commits what two of five hold",
    "an entry is committed when a majority holds it (5.3)",
    cutsOfFive,
    1,
    "G-single-item-realtime",
  ],
  [
    "commits what it was told to, whether or not it has it",
    "commits what it may not have",
    "a follower commits up to the last entry that it knows to be the leader's (5.3)",
    cutsOfFive,
    3,
    "incompatible-order",
  ],
  [
    "appends wherever there is room",
    "appends wherever there is room",
    "entries follow one of the same index and term (5.3)",
    seesaw,
    1,
    "incompatible-order",
  ],
  [
    "keeps what conflicts",
    "keeps what conflicts",
    "an entry that conflicts with the leader's is removed (5.3)",
    cuts,
    2,
    "incompatible-order",
  ],
  [
    "drops all that follows an append",
    "drops what follows",
    "entries are removed only where they conflict (5.3)",
    stalls,
    10,
    "incompatible-order",
  ],
  [
    "listens to the past",
    "listens to the past",
    "messages of earlier terms are refused (5.1)",
    stalls,
    60,
    "incompatible-order",
  ],
  [
    "applies before it commits",
    "applies before it commits",
    "an entry is applied when it is committed (5.3)",
    storms,
    4,
    "incompatible-order",
  ],
  [
    "reads without asking whether it leads",
    "reads unconfirmed",
    "a read waits until a majority has confirmed that its node leads (8)",
    slowNodes,
    50,
    "G-single-item-realtime",
  ],
  [
    "reads what it knows to be committed, not what may be",
    "reads at its own commit",
    "a new leader reads once an entry of its own term is committed (8)",
    storms,
    2,
    "G-single-item-realtime",
  ],
  [
    "executes what was executed",
    "executes twice",
    "a command that is sent again is executed once (8)",
    storms,
    1,
    "duplicate-elements",
  ],
  [
    "leaves out of a snapshot what was executed",
    "forgets what was executed",
    "a snapshot has what was executed, too (7, 8)",
    snapshots,
    1,
    "duplicate-elements",
  ],
  [
    "goes back to an old snapshot",
    "goes back to an old snapshot",
    "a snapshot that is older than the state is ignored (7)",
    lateSnapshots,
    800,
    "incompatible-order",
  ],
  [
    "drops what follows a snapshot",
    "drops what follows a snapshot",
    "entries that follow a snapshot are kept (7)",
    snapshots,
    undefined,
    NOT_SEEN,
  ],
];

/** The mutants on Raft. */
export const raftMutants: readonly RaftMutant[] = rows.map(
  ([mutation, name, rule, { timing, needs }, seeds, anomaly]) => {
    const { parts } = mutationNamed(mutation);
    const install = (node: Node) => serveWrong(node, parts, timing);
    return { name, workload: "txn-list-append", rule, seeds, anomaly, needs, install };
  },
);

/** Makes Rafts whose own assertions are off. */
export function withoutAssertions(
  makeRaft: (options: RaftOptions) => Raft = (options) => new Raft(options),
): (options: RaftOptions) => Raft {
  return (options) => {
    const raft = makeRaft(options);
    raft.cannotBe = () => {};
    return raft;
  };
}

/** What is wrong with a replica. */
type WrongParts = Pick<
  ReplicaOptions<Json, object>,
  "timing" | "makeRaft" | "storage" | "sessions"
>;

function mutationNamed(name: string): Mutation {
  const found = mutations.find((mutation) => mutation.name === name);
  if (found === undefined) throw new Error(`Cannot find the mutation: ${name}`);
  return found;
}

function serveWrong(
  node: Node,
  { makeRaft, makeStorage, makeSessions }: MutationParts,
  timing: MutationParts["timing"],
): void {
  const options: WrongParts & ConsensusOptions = {
    timing,
    makeRaft: withoutAssertions(makeRaft),
    storage: makeStorage?.(),
    sessions: makeSessions?.(),
  };
  // The replica takes what the options of the workload do not name, too.
  serveTxnListAppend(node, options);
}
