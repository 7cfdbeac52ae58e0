/**
 * Runs the jobs and sets what they came to beside their goals.
 *
 * @module
 */

import { listOf, plural, quantile } from "@eddy/workbench/checkers/checker.ts";
import { printableLine, verdict } from "@eddy/workbench/explain.ts";
import { runTasks, type Task } from "@eddy/workbench/sweep.ts";
import { type CampaignResult, tenths } from "../campaign/campaign.ts";
import { type Case, caseOf } from "../campaign/cases.ts";
import { type AvailabilityJob, POSSIBLE_GOAL, REFUSED_GOAL, SETTLED_GOAL } from "./jobs.ts";
import type { AvailableRun, ConsensusRun } from "./measure_one.ts";
import { type Gap, paceOf, type Share } from "./service.ts";

/** A run, and how to do it again. */
export interface Done<Run> {
  readonly run: Run;
  readonly replay: string;
}

/** A row of the table without its job, and what missed its goal. */
interface Figure {
  readonly cells: readonly string[];
  readonly failures: readonly string[];
}

const HEADS = ["job", "figure", "goal", "all seeds", "worst seed", "reached"];

/** How many seeds that miss a goal are listed of each. */
const MAX_LISTED = 3;

/**
 * Runs jobs, each with the same seeds.
 *
 * @param maxGaps how many gaps in the service are told of each seed listed
 * @returns a table, and what is invalid or misses a goal, the worst seeds first, with their replays.
 */
export async function measureAvailability(
  jobs: readonly AvailabilityJob[],
  seeds: readonly number[],
  onProgress: (text: string) => void = () => {},
  maxGaps: number = 1,
): Promise<CampaignResult> {
  const cases = jobs.map(({ line }) => seeds.map((seed) => caseOf(line, seed)));
  const tasks = jobs.flatMap((job, index) => (cases[index] ?? []).map((each) => taskOf(job, each)));
  const onResult = tenths(tasks.length, "runs", onProgress);
  const runs = await runTasks<ConsensusRun | AvailableRun>(tasks, onResult);
  const rows: (readonly string[])[] = [HEADS];
  const failures: string[] = [];
  let first = 0;
  for (const [index, { name }] of jobs.entries()) {
    const those = cases[index] ?? [];
    const done = those.map(({ replay }, place) => ({ run: runs[first + place], replay }));
    first += those.length;
    const roundTripMs = paceOf(those[0]?.job.options.latency ?? NO_LATENCY).roundTripMs;
    const figures = [
      ...consensusFigures(done.filter(isConsensus), roundTripMs, maxGaps),
      ...availableFigures(done.filter(isAvailable)),
    ];
    for (const [place, { cells, failures: missed }] of figures.entries()) {
      rows.push([place === 0 ? name : "", ...cells]);
      failures.push(...missed.map((text) => `${name}: ${text}`));
    }
  }
  return { rows, failures };
}

const NO_LATENCY = { meanMs: 0, distribution: "constant" } as const;

function taskOf({ needsMajority }: AvailabilityJob, { job }: Case): Task {
  const module = new URL("./measure_one.ts", import.meta.url).href;
  return { module, name: needsMajority ? "measureConsensus" : "measureAvailable", input: job };
}

type AnyRun = ConsensusRun | AvailableRun | undefined;

function isConsensus(done: Done<AnyRun>): done is Done<ConsensusRun> {
  return done.run !== undefined && "service" in done.run;
}

function isAvailable(done: Done<AnyRun>): done is Done<AvailableRun> {
  return done.run !== undefined && "all" in done.run;
}

/** The figures of a workload that needs majorities; none of no runs. */
export function consensusFigures(
  done: readonly Done<ConsensusRun>[],
  roundTripMs: number,
  maxGaps: number,
): Figure[] {
  if (done.length === 0) return [];
  const quickMs = 2 * roundTripMs;
  return [
    shareFigure("settled operations served", "every seed", SETTLED_GOAL, done, (run) => ({
      ...run.service.settled,
      notes: run.service.gaps.slice(0, maxGaps).map((gap, index) =>
        describeGap(gap, run.during[index])
      ),
    })),
    shareFigure("possible operations served", "all seeds", POSSIBLE_GOAL, done, (run) => ({
      ...run.service.possible,
      notes: [],
    })),
    serviceFigure(done),
    shareFigure(`refused within ${quickMs} ms`, "all seeds", REFUSED_GOAL, done, (run) => {
      const { count, refusedMs } = run.service.outside;
      return { count, served: refusedMs.filter((ms) => ms <= quickMs).length, notes: [] };
    }),
    refusalFigure(done),
    neverOkFigure(done),
    validFigure(done.filter(({ run }) => !run.isStarved)),
  ];
}

/** The figures of a workload that is always to be served; none of no runs. */
export function availableFigures(done: readonly Done<AvailableRun>[]): Figure[] {
  if (done.length === 0) return [];
  return [
    shareFigure("operations served", "every seed", 1, done, ({ all }) => ({ ...all, notes: [] })),
    validFigure(done),
  ];
}

/** A share that is to reach a goal: each seed's, or that of all together. */
function shareFigure<Run extends { readonly seed: number }>(
  name: string,
  of: "every seed" | "all seeds",
  goal: number,
  done: readonly Done<Run>[],
  shareIn: (run: Run) => Share & { readonly notes: readonly string[] },
): Figure {
  const shares = done.map(({ run, replay }) => {
    const { count, served, notes } = shareIn(run);
    return { seed: run.seed, replay, count, served, notes, part: count === 0 ? 1 : served / count };
  }).sort((a, b) => a.part - b.part);
  const total = shares.reduce((sum, { count }) => sum + count, 0);
  const served = shares.reduce((sum, share) => sum + share.served, 0);
  const all = total === 0 ? 1 : served / total;
  const [worst] = shares;
  const reached = (of === "every seed" ? worst?.part ?? 1 : all) >= goal;
  const missed = reached ? [] : shares.filter(({ part }) => part < goal);
  return {
    cells: [
      name,
      `>= ${goal} in ${of}`,
      `${part(all)} of ${total}`,
      worst === undefined ? "" : `${part(worst.part)} of ${worst.count}, seed ${worst.seed}`,
      reached ? "yes" : "no",
    ],
    failures: missed.slice(0, MAX_LISTED).map((share, index) => {
      const more = index === 0 ? `, ${plural(missed.length, "seed")} below ${goal}` : "";
      const head = `${share.served} of ${share.count} ${name}, seed ${share.seed}${more}`;
      return [head, ...share.notes, share.replay].join("\n  ");
    }),
  };
}

/** A share, rounded down, so that only what is whole is 1. */
function part(share: number): string {
  return (Math.floor(share * 1e5) / 1e5).toFixed(5);
}

function describeGap({ fromMs, toMs, nodes, codes }: Gap, during: string | undefined): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(3);
  const ends = Object.entries(codes).map(([code, count]) => `${count} with error ${code}`);
  return `${seconds(fromMs)} to ${seconds(toMs)} s on ${listOf(nodes)}: ${listOf(ends)}` +
    (during ? `; ${printableLine(during)}` : "; no fault was on");
}

/** How long service takes after a change of connectivity. */
function serviceFigure(done: readonly Done<ConsensusRun>[]): Figure {
  const times = done.map(({ run: { seed, service: { changes } } }) => ({ seed, ...changes }));
  const sum = (of: "brief" | "dead") => times.reduce((total, each) => total + each[of], 0);
  const last = (ms: readonly number[]) => ms.reduce((a, b) => Math.max(a, b), 0);
  const worst = times.toSorted((a, b) => b.dead - a.dead || last(b.serviceMs) - last(a.serviceMs))
    .at(0);
  const without = `without service: ${sum("dead")}, and ${sum("brief")} brief`;
  const worstCell = worst === undefined
    ? ""
    : worst.dead > 0
    ? `${worst.dead} without service, seed ${worst.seed}`
    : `${last(worst.serviceMs).toFixed(0)}, seed ${worst.seed}`;
  return {
    cells: [
      "ms from a change to service",
      "",
      `${spread(times.flatMap(({ serviceMs }) => serviceMs))}; ${without}`,
      worstCell,
      "",
    ],
    failures: [],
  };
}

/** How long it takes to refuse what no majority can be asked for. */
function refusalFigure(done: readonly Done<ConsensusRun>[]): Figure {
  const all = done.flatMap(({ run }) => run.service.outside.refusedMs);
  return { cells: ["ms until error 11", "", spread(all), "", ""], failures: [] };
}

/** Quantiles in ms: `p50 / p90 / p99 / max of count`. */
function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number) => quantile(sorted, q)?.toFixed(0) ?? "";
  return `${[0.5, 0.9, 0.99, 1].map(at).join(" / ")} of ${sorted.length}`;
}

/** Seeds in which no operation, or none of a kind, succeeded, although some were possible. */
function neverOkFigure(done: readonly Done<ConsensusRun>[]): Figure {
  const starved = done.filter(({ run }) => run.isStarved && run.service.possible.count > 0);
  return noneFigure("seeds with never-ok", starved, done.length, ({ reason, service }) => {
    return `${reason}\n  ${service.possible.count} operations were possible`;
  });
}

/** Runs that are not valid. */
function validFigure(done: readonly Done<ConsensusRun | AvailableRun>[]): Figure {
  const wrong = done.filter(({ run }) => run.valid !== true);
  return noneFigure(
    "runs not valid",
    wrong,
    done.length,
    ({ valid, reason }) => `${verdict(valid)}: ${reason}`,
  );
}

/** The figure of what is to be in no run. */
function noneFigure<Run extends ConsensusRun | AvailableRun>(
  name: string,
  those: readonly Done<Run>[],
  count: number,
  explain: (run: Run) => string,
): Figure {
  const [first] = those;
  return {
    cells: [
      name,
      "0",
      `${those.length} of ${count}`,
      first === undefined ? "" : `seed ${first.run.seed}`,
      first === undefined ? "yes" : "no",
    ],
    failures: those.slice(0, MAX_LISTED).map(({ run, replay }) => `${explain(run)}\n  ${replay}`),
  };
}
