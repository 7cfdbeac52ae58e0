/**
 * Eddy's own nodes under all faults that leave them their memory.
 *
 * @module
 */

import { workloads } from "@eddy/handlers/workloads";
import type { WorkloadName } from "@eddy/workbench";
import { spread } from "@eddy/workbench/cli/sweep.ts";
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
}

/** What links are like; one is taken after the other. */
const latencies: readonly string[] = [
  "",
  "--latency 10 --latency-dist exponential",
  "--latency 50 --latency-dist uniform",
  "--latency 100",
];

const links = "partition,one-way,loss,duplicate,slow";

/** The run of a seed: latencies take turns, and half of the runs have pauses, too. */
function lineOf({ workload, nodeCount, flags }: Group, seed: number): string {
  const pauses = Math.floor(seed / latencies.length) % 2 === 1;
  return `-w ${workload} --node-count ${nodeCount} --time-limit 20 --nemesis-interval 4 ` +
    `--nemesis ${links}${pauses ? ",pause" : ""} ${latencies[seed % latencies.length]} ${flags}`;
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
 * Whether nothing is wrong but that one kind of operation never succeeded, or none at all.
 * Maelstrom's `stats` calls that invalid, but it is no violation: the faults left no time for it.
 */
function isStarved({ valid, reason, okFraction }: RunFigures): boolean {
  const nothingToJudge = okFraction === 0 && reason.startsWith("empty-transaction-graph:");
  return valid === false && (nothingToJudge || reason.startsWith("never-ok:"));
}

function failuresOf(cases: readonly Case[], outcomes: readonly RunFigures[]): string[] {
  return outcomes.flatMap((outcome, index) => {
    const { valid, reason } = outcome;
    return valid === true || isStarved(outcome)
      ? []
      : [`${verdict(valid)}: ${reason}\n  ${cases[index]?.replay}`];
  });
}

const gossipGroups: readonly Group[] =
  (["broadcast", "g-set", "g-counter", "pn-counter", "kafka"] as const).flatMap((workload) =>
    [3, 5, 25].map((nodeCount) => ({ workload, nodeCount, seeds: 300, flags: "--rate 100" }))
  );

/** The workloads that need no consensus, under faults. */
export const gossipFaults: Campaign = {
  name: "gossip-faults",
  description: "With cut, one-way, lossy, doubling and slow links and, in half of the runs, " +
    "pauses, 20 s at rate 100: no value is lost, none stale 10 s after the heal",
  seeds: 300,
  run: (seeds, onProgress) => runGroups(gossipGroups, seeds, onProgress),
};

const consensusGroups: readonly Group[] = [3, 5].flatMap((nodeCount) => [
  { workload: "lin-kv", nodeCount, seeds: 1000, flags: "--rate 30" },
  { workload: "txn-list-append", nodeCount, seeds: 300, flags: "--concurrency 4n --rate 100" },
  { workload: "txn-rw-register", nodeCount, seeds: 300, flags: "--concurrency 4n --rate 100" },
]);

/** The workloads that need consensus, under faults. */
export const consensusFaults: Campaign = {
  name: "consensus-faults",
  description: "With cut, one-way, lossy, doubling and slow links and, in half of the runs, " +
    "pauses, for 20 s: registers are linearizable, transactions strict-serializable (starved: " +
    "some kind of operation never succeeded, which is no violation)",
  seeds: 1000,
  run: (seeds, onProgress) => runGroups(consensusGroups, seeds, onProgress),
};
