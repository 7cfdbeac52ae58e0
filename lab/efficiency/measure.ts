/**
 * Runs the commands that have goals, and sets goal, best published and ours side by side.
 *
 * @module
 */

import { UsageError } from "@eddy/maelstrom/flags";
import { checkOwnOptions } from "@eddy/workbench/cli/flags.ts";
import { verdict } from "@eddy/workbench/explain.ts";
import { type RunFigures, runJobs } from "@eddy/workbench/sweep.ts";
import { median } from "../bench/summary.ts";
import { type Case, caseOf } from "../campaign/cases.ts";
import { type CampaignResult, tenths } from "../campaign/campaign.ts";
import type { Figure, Goal, Job } from "./goals.ts";

/** What the runs came to; what is missed is no failure of a run, and is told apart. */
export interface Measured extends CampaignResult {
  /** Goals that are not reached. */
  readonly missed: readonly string[];
  /** Those that the median of real processes does not reach. */
  readonly missedByProcesses: readonly string[];
}

/** What runs jobs as processes in real time, and how often each. */
export interface Processes {
  readonly bin: string;
  readonly seeds: number;
}

/**
 * Runs commands, each with the seeds from 0 up; those that the node has no handler or no option
 * for are left out.
 */
export async function measure(
  jobs: readonly Job[],
  seeds: number,
  onProgress: (text: string) => void = () => {},
  processes?: Processes,
): Promise<Measured> {
  const real = processes === undefined ? [] : ["processes"];
  const rows = [["job", "figure", "goal", "best published", ...real, "median", "worst", "reached"]];
  const failures: string[] = [];
  const missed: string[] = [];
  const missedByProcesses: string[] = [];
  const known = await Promise.all(
    jobs.map(async (job) => ({ job, cases: await casesOf(job, seeds) })),
  );
  const series = known.flatMap(({ job, cases }) => cases === undefined ? [] : [{ job, cases }]);
  const all = series.flatMap(({ cases }) => cases);
  const outcomes = await runJobs(
    all.map((each) => each.job),
    { onOutcome: tenths(all.length, "jobs", onProgress) },
  );
  for (const [index, { job, cases }] of series.entries()) {
    const those = outcomes.slice(index * seeds, (index + 1) * seeds);
    failures.push(...failuresOf(cases, those));
    const theirs = processes && await runAsProcesses(job, processes, onProgress);
    failures.push(...theirs?.failures ?? []);
    for (const [place, goal] of job.goals.entries()) {
      const { cells, reached } = judge(goal, those);
      const [name = "", asked = "", best = "", ...rest] = cells;
      const median = theirs && summary(goal.figure, theirs.outcomes).median;
      const cell = median === undefined ? [] : [median.toFixed(goal.figure.digits)];
      if (median !== undefined && !isReached(goal, median)) {
        missedByProcesses.push(`${job.name}: ${name}`);
      }
      rows.push([place === 0 ? job.name : "", name, asked, best, ...cell, ...rest]);
      if (!reached) missed.push(`${job.name}: ${goal.figure.name}`);
    }
  }
  return { rows, failures, missed, missedByProcesses };
}

/** Runs a job one after the other as real processes. */
async function runAsProcesses(
  job: Job,
  { bin, seeds }: Processes,
  onProgress: (text: string) => void,
): Promise<{ outcomes: RunFigures[]; failures: string[] }> {
  onProgress(`${job.name}: ${seeds} as processes`);
  const cases = await casesOf(job, seeds) ?? [];
  const jobs = cases.map(({ job: { options, args } }) => ({
    options,
    bin,
    args: [options.workload, ...args],
  }));
  const outcomes = await runJobs(jobs, { atOnce: 1 });
  return { outcomes, failures: failuresOf(cases, outcomes) };
}

/** The runs of a job; undefined if Eddy's own node has no such options. */
async function casesOf({ line }: Job, seeds: number): Promise<Case[] | undefined> {
  try {
    const cases = Array.from({ length: seeds }, (_, seed) => caseOf(line, seed));
    const [first] = cases;
    if (first !== undefined) await checkOwnOptions(first.job.options.workload, first.job.args);
    return cases;
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

function failuresOf(cases: readonly Case[], outcomes: readonly RunFigures[]): string[] {
  return outcomes.flatMap(({ valid, reason }, index) =>
    valid === true ? [] : [`${verdict(valid)}: ${reason}\n  ${cases[index]?.replay}`]
  );
}

function isReached({ figure, goal }: Pick<Goal, "figure" | "goal">, value: number): boolean {
  return figure.more ? value >= goal : value <= goal;
}

function judge(
  { figure, goal, best }: Goal,
  outcomes: readonly RunFigures[],
): { cells: string[]; reached: boolean } {
  const { median: middle, worst } = summary(figure, outcomes);
  const reached = isReached({ figure, goal }, worst);
  return {
    cells: [
      figure.name,
      `${figure.more ? ">=" : "<="} ${goal}`,
      best,
      middle.toFixed(figure.digits),
      worst.toFixed(figure.digits),
      reached ? "yes" : "no",
    ],
    reached,
  };
}

/** A figure over the seeds; not a number if a run does not have it. */
export function summary(
  { of, more }: Pick<Figure, "of" | "more">,
  outcomes: readonly RunFigures[],
): { median: number; worst: number } {
  const values = outcomes.map((outcome) => of(outcome) ?? NaN).sort((a, b) => a - b);
  if (values.some(Number.isNaN)) return { median: NaN, worst: NaN };
  return { median: median(values), worst: values.at(more ? 0 : -1) ?? NaN };
}
