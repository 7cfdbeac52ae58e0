/**
 * Eddy's own nodes under all faults: of links and pauses, and of disks that outlive a kill.
 *
 * @module
 */

import { workloads } from "@eddy/handlers/workloads";
import type { WorkloadName } from "@eddy/workbench";
import { spread } from "@eddy/workbench/cli/sweep_table.ts";
import { verdict } from "@eddy/workbench/explain.ts";
import { type RunFigures, runJobs } from "@eddy/workbench/sweep.ts";
import { type Campaign, type CampaignResult, tenths } from "./campaign.ts";
import { type Case, caseOf } from "./cases.ts";

/** One row: a cluster of a size under a workload. */
interface Group {
  readonly workload: WorkloadName;
  readonly nodeCount: number;
  readonly seeds: number;
  /** Flags beside those that all have. */
  readonly flags: string;
  /** What is injected; `[0]` in half of the runs, `[1]` in the other. */
  readonly nemesis: readonly [string, string];
}

/** What links are like; one is taken after the other. */
const latencies: readonly string[] = [
  "",
  "--latency 10 --latency-dist exponential",
  "--latency 50 --latency-dist uniform",
  "--latency 100",
];

/** The run of a seed: latencies take turns, and then faults. */
function lineOf({ workload, nodeCount, flags, nemesis }: Group, seed: number): string {
  const half = Math.floor(seed / latencies.length) % 2 === 0 ? 0 : 1;
  return `-w ${workload} --node-count ${nodeCount} --time-limit 20 --nemesis-interval 4 ` +
    `--nemesis ${nemesis[half]} ${latencies[seed % latencies.length]} ${flags}`;
}

async function runGroups(
  groups: readonly Group[],
  maxSeeds: number,
  onProgress: (text: string) => void,
): Promise<CampaignResult> {
  const rows = [[
    "workload",
    "nodes",
    "runs",
    "valid",
    "starved",
    "invalid",
    "unknown",
    "ok-fraction",
    "info",
    "servers msgs/op",
  ]];
  const series = groups
    .filter(({ workload }) => Object.hasOwn(workloads, workload))
    .map((group) => ({
      group,
      cases: Array.from(
        { length: Math.min(maxSeeds, group.seeds) },
        (_, seed) => caseOf(lineOf(group, seed), seed),
      ),
    }));
  const all = series.flatMap(({ cases }) => cases);
  const outcomes = await runJobs(
    all.map(({ job }) => job),
    { onOutcome: tenths(all.length, "runs", onProgress) },
  );
  let first = 0;
  for (const { group, cases } of series) {
    rows.push(rowOf(group, outcomes.slice(first, first += cases.length)));
  }
  return { rows, failures: failuresOf(all, outcomes) };
}

function rowOf({ workload, nodeCount }: Group, outcomes: readonly RunFigures[]): string[] {
  const count = (wanted: RunFigures["valid"]) =>
    String(outcomes.filter((each) => each.valid === wanted && !isStarved(each)).length);
  return [
    workload,
    String(nodeCount),
    String(outcomes.length),
    count(true),
    String(outcomes.filter(isStarved).length),
    count(false),
    count("unknown"),
    spread(outcomes.map(({ okFraction }) => okFraction), 3, "least"),
    spread(outcomes.map(({ infoFraction }) => infoFraction), 3, "most"),
    spread(outcomes.map(({ serversPerOp }) => serversPerOp), 2, "most"),
  ];
}

/**
 * Whether nothing is wrong but that one kind of operation never succeeded, or so few did that there
 * was nothing to judge. Maelstrom's `stats` calls that invalid, but it is no violation: the faults
 * left no time for it.
 */
function isStarved({ valid, reason }: RunFigures): boolean {
  return valid !== true && /^(?:empty-transaction-graph|never-ok):/.test(reason);
}

function failuresOf(cases: readonly Case[], outcomes: readonly RunFigures[]): string[] {
  return outcomes.flatMap((outcome, index) => {
    const { valid, reason } = outcome;
    return valid === true || isStarved(outcome)
      ? []
      : [`${verdict(valid)}: ${reason}\n  ${cases[index]?.replay}`];
  });
}

const links = "partition,one-way,loss,duplicate,slow";
const linksAndPauses = [links, `${links},pause`] as const;

const gossipGroups: readonly Group[] =
  (["broadcast", "g-set", "g-counter", "pn-counter", "kafka"] as const).flatMap((workload) =>
    [3, 5, 25].map((nodeCount) => ({
      workload,
      nodeCount,
      seeds: 300,
      flags: "--rate 100",
      nemesis: linksAndPauses,
    }))
  );

/** The workloads that need no consensus, under faults. */
export const gossipFaults: Campaign = {
  name: "gossip-faults",
  description: "With cut, one-way, lossy, doubling and slow links and, in half of the runs, " +
    "pauses, 20 s at rate 100: no value is lost, none stale 10 s after the heal",
  seeds: 300,
  run: (seeds, onProgress) => runGroups(gossipGroups, seeds, onProgress),
};

const consensus: readonly (readonly [workload: WorkloadName, flags: string])[] = [
  ["lin-kv", "--rate 30"],
  ["txn-list-append", "--concurrency 4n --rate 100"],
  ["txn-rw-register", "--concurrency 4n --rate 100"],
];

const consensusGroups: readonly Group[] = [3, 5].flatMap((nodeCount) =>
  consensus.map(([workload, flags]) => ({
    workload,
    nodeCount,
    seeds: workload === "lin-kv" ? 1000 : 300,
    flags,
    nemesis: linksAndPauses,
  }))
);

/** The workloads that need consensus, under faults. */
export const consensusFaults: Campaign = {
  name: "consensus-faults",
  description: "With cut, one-way, lossy, doubling and slow links and, in half of the runs, " +
    "pauses, for 20 s: registers are linearizable, transactions strict-serializable",
  seeds: 1000,
  run: (seeds, onProgress) => runGroups(consensusGroups, seeds, onProgress),
};

const always: readonly (readonly [workload: WorkloadName, flags: string])[] = [
  ["unique-ids", "--rate 100"],
  ["broadcast", "--rate 100"],
  ["g-set", "--rate 100"],
  ["g-counter", "--rate 100"],
  ["pn-counter", "--rate 100"],
  ["kafka", "--rate 100"],
  [
    "txn-rw-register",
    "--rate 100 --consistency-models read-committed -- --consistency read-committed",
  ],
];

/** Every workload with 3 and 5 nodes. */
function storageGroups(
  [ofConsensus, ofOthers]: readonly [number, number],
  nemesis: Group["nemesis"],
): Group[] {
  const groups = (all: typeof always, seeds: number) =>
    [3, 5].flatMap((nodeCount) =>
      all.map(([workload, flags]) => ({ workload, nodeCount, seeds, flags, nemesis }))
    );
  return [...groups(consensus, ofConsensus), ...groups(always, ofOthers)];
}

const losing = "kill,partition,pause,loss,disk-lose,disk-torn";

/** Nodes that are killed, and have disks that lose what was not synced. */
export const storageFaults: Campaign = {
  name: "storage-faults",
  description: "With kills, all nodes at once included, disks that lose what was not synced, in " +
    "part or torn, partitions, pauses and loss, and in half of the runs slow disks, latencies of " +
    "none to 100 ms, 20 s: nothing that was acknowledged is lost, and no rule is broken. So many faults leave little time in " +
    "which a majority is connected. Both kinds of transactions have the same operations and " +
    "faults, and go through the same log, so their figures are the same",
  seeds: 2000,
  run: (seeds, onProgress) =>
    runGroups(storageGroups([2000, 500], [losing, `${losing},disk-slow`]), seeds, onProgress),
};

/** Nodes whose disks fail, a minority at a time. */
export const failingDisks: Campaign = {
  name: "failing-disks",
  description: "With disks of a minority that are full or whose syncs fail, which ends their " +
    "nodes, and in half of the runs with kills and partitions, latencies of none to 100 ms, 20 s: " +
    "nothing that was " +
    "acknowledged is lost, and no rule is broken",
  seeds: 500,
  run: (seeds, onProgress) =>
    runGroups(
      storageGroups([500, 500], ["disk-eio,disk-full", "disk-eio,disk-full,kill,partition"]),
      seeds,
      onProgress,
    ),
};
