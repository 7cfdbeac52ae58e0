/**
 * Eddy's own handlers on a storage that forgets a part of what they write, or keeps it too late.
 *
 * They are right until a node is killed.
 *
 * @module
 */

import {
  type ConsensusOptions,
  serveBroadcast,
  serveGCounter,
  serveGSet,
  serveKafka,
  serveLinKv,
  servePnCounter,
  serveTxnListAppend,
  serveTxnRwRegister,
} from "@eddy/handlers";
import type { ReplicaOptions } from "@eddy/handlers/raft/replica";
import {
  type Json,
  type Node,
  parseJson,
  pause,
  type StorageWrite,
  type StoredLog,
} from "@eddy/maelstrom";
import { gSet } from "./g_set.ts";
import { serveByGossip, SetReplica } from "./gossip.ts";
import { type Mutant, NOT_SEEN, type RareMutant, type Settings } from "./mutant.ts";
import { crowded, quick, type RaftMutant, shortLog, withoutAssertions } from "./raft_nodes.ts";
import { changed, type Forward, late, never, onWrongStorage } from "./storage.ts";

/** How late a write reaches the disk. */
const LATE_MS = 500;

/** Whether the value or log of a write has this name. */
function named(name: string): (target: string) => boolean {
  return (target) => target === name;
}

/** Whether the value of a write is one for each key, with a name that begins so. */
function byKey(word: string): (target: string) => boolean {
  return (target) => target.startsWith(`value ${word} `);
}

/** Whether a node's term and vote are written; one value, so that both are kept or neither. */
const election = named("value raft");
const raftLog = named("log raft");
const gossip = named("value gossip");

/** Changes the value that is written. */
function alter(
  is: (target: string) => boolean,
  change: (value: readonly Json[]) => readonly Json[],
): Forward {
  return changed(is, (write) => {
    if (write.f !== "set" || write.value === undefined) return write;
    const value = parseJson(write.value);
    return Array.isArray(value) ? { ...write, value: JSON.stringify(change(value)) } : write;
  });
}

/** Changes the pieces of snapshots that are written to Raft's log: its head, the sessions, the state. */
function alterSnapshots(change: (pieces: readonly string[]) => readonly string[]): Forward {
  return changed(
    raftLog,
    (write) => write.f === "replace" ? { ...write, snapshot: change(write.snapshot) } : write,
  );
}

/** Leaves out one kind of writes to Raft's log. */
function without(kind: StorageWrite["f"]): Forward {
  return changed(raftLog, (write) => write.f === kind ? undefined : write);
}

/** Sessions of which none is known. */
const NO_SESSIONS = "[0,[]]";

/** What is left of a snapshot without the state. */
function stateless(pieces: readonly string[]): readonly string[] {
  return pieces.slice(0, 2);
}

/** Drops the entries first, and then takes its time for the snapshot that stands for them. */
function dropsFirst(write: StorageWrite): ReturnType<Forward> {
  if (write.f !== "replace") return [[write, 0]];
  return [[{ ...write, snapshot: stateless(write.snapshot) }, 0], [write, LATE_MS]];
}

/** Takes its time for what it removes, and adds meanwhile. */
function changedOrder(write: StorageWrite): ReturnType<Forward> {
  return [[write, write.f === "truncate" ? 1 : 0]];
}

/** Kills so often that most nodes are killed several times. */
const killed: Settings = {
  nemesis: ["kill"],
  nemesisIntervalSeconds: 1,
  timeLimitSeconds: 20,
  concurrency: "4n",
  rate: 100,
};

/** Who was killed is also cut off, so that it goes on with what it has kept. */
const killedAndCut: Settings = {
  ...killed,
  nemesis: ["kill", "partition"],
  nemesisIntervalSeconds: 0.5,
  latency: { meanMs: 50, distribution: "exponential" },
  rate: 300,
};

type MutantRow = readonly [name: string, anomaly: string, forward: Forward, needs?: Settings];

/** The mutants of one workload. */
function mutantsOf(
  workload: Mutant["workload"],
  install: (node: Node) => void,
  rows: readonly MutantRow[],
): Mutant[] {
  return rows.map(([name, anomaly, forward, needs = killed]) => {
    return { name, workload, anomaly, needs, install: onWrongStorage(forward, install) };
  });
}

const ownElements = named("log values");
const total = named("value total");
const kafkaLog = named("log kafka");

const EARLY = "answers before its write is on disk";

/** Wrong nodes, but for those on Raft's lists. */
export const storageMutants: readonly Mutant[] = [
  ...mutantsOf("broadcast", serveBroadcast, [
    [EARLY, "lost", late(ownElements, LATE_MS)],
    ["forgets its own messages in a crash", "lost", never(ownElements)],
  ]),
  ...mutantsOf("g-set", serveGSet, [
    [EARLY, "lost", late(ownElements, LATE_MS)],
    ["forgets its own elements in a crash", "lost", never(ownElements)],
    [
      "does not say that it was started again",
      "lost",
      alter(gossip, ([tag = null]) => [tag, 0]),
    ],
  ]),
  ...mutantsOf("g-counter", serveGCounter, [
    [EARLY, "wrong-final-read", late(total, LATE_MS)],
    ["forgets its own total in a crash", "wrong-final-read", never(total)],
    ["counts its total again as another node's after a crash", "wrong-final-read", never(gossip)],
  ]),
  ...mutantsOf("pn-counter", servePnCounter, [
    [EARLY, "wrong-final-read", late(total, LATE_MS)],
  ]),
  ...mutantsOf("lin-kv", serveLinKv, [
    [EARLY, "nonlinearizable", late(raftLog, LATE_MS)],
    ["forgets its log in a crash", "nonlinearizable", never(raftLog)],
  ]),
  ...mutantsOf("kafka", serveKafka, [
    [EARLY, "lost-write", late(kafkaLog, LATE_MS)],
    ["forgets its own entries in a crash", "lost-write", never(kafkaLog)],
    [
      "forgets in a crash which offsets it has seen",
      "int-poll-skip",
      never(byKey("promise")),
      killedAndCut,
    ],
  ]),
  ...mutantsOf("txn-rw-register", serveTxnRwRegister, [
    [EARLY, "G-single-item-realtime", late(raftLog, LATE_MS)],
    ["forgets its log in a crash", "G-single-item-realtime", never(raftLog)],
  ]),
];

const crashes: Settings = { ...crowded, nemesis: ["kill"], nemesisIntervalSeconds: 0.5 };
/** Terms come and go between crashes. */
const elections: Settings = {
  ...crowded,
  concurrency: "60n",
  latency: { ...crowded.latency, meanMs: 3 },
  nemesis: ["kill", "partition"],
  nemesisIntervalSeconds: 0.15,
};
/** Who leads or was killed hears too little of what the others agree on. */
const deaf: Settings = { ...elections, nemesis: ["kill", "one-way"], nemesisIntervalSeconds: 0.3 };
/** Answers are lost, so that requests come again, to whom was killed meanwhile, too. */
const repeated: Settings = {
  ...elections,
  nemesis: ["kill", "loss", "slow"],
  nemesisIntervalSeconds: 0.2,
};

/** Serves `txn-list-append` with the timing of a condition. */
function lists(timing: typeof quick): (node: Node) => void {
  return (node) => {
    const makeRaft = withoutAssertions();
    const options: ConsensusOptions & Pick<ReplicaOptions<Json, object>, "timing" | "makeRaft"> = {
      timing,
      makeRaft,
    };
    serveTxnListAppend(node, options);
  };
}

type RaftRow = readonly [
  name: string,
  rule: string,
  forward: Forward,
  timing: typeof quick,
  needs: Settings,
  seeds: number | undefined,
  anomaly: string,
];

const PERSISTENT = "term, vote and log are on disk before a message is answered (figure 2)";

const raftRows: readonly RaftRow[] = [
  [EARLY, PERSISTENT, late(raftLog, LATE_MS), quick, crashes, 1, "incompatible-order"],
  [
    "forgets its log in a crash",
    PERSISTENT,
    never(raftLog),
    quick,
    crashes,
    1,
    "incompatible-order",
  ],
  [
    "votes before its vote is on disk",
    PERSISTENT,
    late(election, LATE_MS),
    quick,
    elections,
    5,
    "incompatible-order",
  ],
  [
    "forgets its term in a crash",
    PERSISTENT,
    never(election),
    quick,
    elections,
    5,
    "incompatible-order",
  ],
  [
    "forgets its vote in a crash",
    "a vote is kept until the term ends, whatever happens (5.2)",
    alter(election, ([term = 0]) => [term, null]),
    quick,
    elections,
    undefined,
    NOT_SEEN,
  ],
  [
    "keeps on disk what conflicts",
    "an entry that conflicts with the leader's is removed, from the disk, too (5.3)",
    without("truncate"),
    quick,
    deaf,
    5,
    "incompatible-order",
  ],
  [
    "forgets snapshots in a crash",
    "what a leader has sent as a snapshot is on disk before it is confirmed (7)",
    without("replace"),
    shortLog,
    { ...crashes, concurrency: "60n", nemesisIntervalSeconds: 0.3 },
    8,
    "incompatible-order",
  ],
  [
    "keeps snapshots without the state",
    "a snapshot has all that the entries had for which it stands (7)",
    alterSnapshots(stateless),
    shortLog,
    crashes,
    1,
    "incompatible-order",
  ],
  [
    "drops entries before a snapshot is on disk",
    "entries are dropped when a snapshot stands for them (7)",
    dropsFirst,
    shortLog,
    crashes,
    1,
    "incompatible-order",
  ],
  [
    "removes from the disk after it has added",
    "what a node writes reaches its disk in its order (figure 2)",
    changedOrder,
    quick,
    deaf,
    40,
    "incompatible-order",
  ],
  [
    "keeps snapshots without what was executed",
    "a snapshot on disk has what was executed, too (7, 8)",
    alterSnapshots(([head = "", , ...state]) => [head, NO_SESSIONS, ...state]),
    shortLog,
    repeated,
    5,
    "duplicate-elements",
  ],
];

/** Mutants on Raft whose storage is wrong. */
export const raftStorageMutants: readonly RaftMutant[] = raftRows.map(
  ([name, rule, forward, timing, needs, seeds, anomaly]) => {
    const install = onWrongStorage(forward, lists(timing));
    return { name, workload: "txn-list-append", rule, seeds, anomaly, needs, install };
  },
);

/** How many elements are added before a snapshot takes their place. */
const SNAPSHOT_AFTER = 32;

/**
 * A set whose own elements are in a log, of which a snapshot is made now and then. That takes a
 * while, after which the snapshot takes the place of what has been added meanwhile, too.
 */
function serveSnapshots(node: Node): void {
  const set = new SetReplica();
  let isBusy = false;
  const compact = async (log: StoredLog) => {
    isBusy = true;
    const all = [...log.snapshot(), ...log.entries()];
    await pause(node.clock, 20);
    log.replace(log.last, all);
    isBusy = false;
  };
  node.onInit(() => {
    const log = node.storage.log("elements");
    for (const value of [...log.snapshot(), ...log.entries()]) set.add(value);
  });
  serveByGossip(node, gSet, {
    add(value) {
      const log = node.storage.log("elements");
      set.add(value);
      log.append([value]);
      if (!isBusy && log.last - log.base > SNAPSHOT_AFTER) void compact(log);
    },
    read: () => set.read(),
    copy: () => set.copy(),
    merge: (copy) => set.merge(copy),
  });
}

/** Mutants whose storage is wrong in a rare case only. */
export const rareStorageMutants: readonly RareMutant[] = [
  {
    name: "keeps on disk what a snapshot has replaced",
    workload: "txn-list-append",
    rule: "entries that do not follow a leader's snapshot are removed, from the disk, too (7)",
    anomaly: NOT_SEEN,
    needs: { ...elections, rate: 300, nemesisIntervalSeconds: 0.3 },
    seeds: undefined,
    install: onWrongStorage(
      changed(raftLog, (write) => write.f === "replace" ? { ...write, dropRest: false } : write),
      lists(shortLog),
    ),
  },
  {
    name: "snapshots what it had a moment before",
    workload: "g-set",
    rule: "a snapshot takes the place of the entries that it has, and of no others",
    anomaly: "lost",
    needs: { ...killed, rate: 100 },
    seeds: 2,
    install: serveSnapshots,
  },
  {
    name: "says that it was started again before it has noted it",
    workload: "pn-counter",
    rule: "a process that follows another has a name that no other has had",
    anomaly: "wrong-final-read",
    needs: { ...killed, nemesisIntervalSeconds: 0.3 },
    seeds: 3,
    install: onWrongStorage(late(gossip, LATE_MS), servePnCounter),
  },
];
