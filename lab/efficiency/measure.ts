/**
 * Runs the commands that have goals, and sets goal, best published and ours side by side.
 *
 * @module
 */

import { checkOwnOptions } from "@eddy/workbench/cli/flags.ts";
import { verdict } from "@eddy/workbench/explain.ts";
import { type RunFigures, runJobs } from "@eddy/workbench/sweep.ts";
import { median } from "../bench/summary.ts";
import { type Case, caseOf } from "../campaign/cases.ts";
import { type CampaignResult, tenths } from "../campaign/campaign.ts";
import type { Figure, Goal, Job } from "./goals.ts";

/** How much of the machine's time others take at most while processes run undisturbed. */
export const QUIET_SHARE = 0.05;

/** What the runs came to; what is missed is no failure of a run, and is told apart. */
export interface Measured extends CampaignResult {
  /** During how many runs as processes others took more of the machine than {@linkcode QUIET_SHARE}. */
  readonly disturbed: number;
  /** Goals that are not reached: by real processes, where there are any, else in virtual time. */
  readonly missed: readonly string[];
}

/** What runs jobs as processes in real time, and how often each. */
export interface Processes {
  readonly bin: string;
  readonly seeds: number;
}

/** Settings of {@linkcode measure}. */
interface MeasureOptions {
  readonly onProgress?: (text: string) => void;
  readonly processes?: Processes | undefined;
  /** What `--compute` is under virtual time; that of `eddy test` by default. */
  readonly compute?: string | undefined;
}

/** Runs commands, each with the seeds from 0 up. */
export async function measure(
  jobs: readonly Job[],
  seeds: number,
  { onProgress = () => {}, processes, compute }: MeasureOptions = {},
): Promise<Measured> {
  const real = processes === undefined ? [] : ["processes", "worst", "/ virtual"];
  const rows = [[
    "job",
    "figure",
    "goal",
    "best published",
    ...real,
    "virtual",
    "worst",
    "reached",
  ]];
  const failures: string[] = [];
  const missed: string[] = [];
  let disturbed = 0;
  const series = await Promise.all(
    jobs.map(async (job) => ({ job, cases: await casesOf(job, seeds, compute) })),
  );
  const all = series.flatMap(({ cases }) => cases);
  const outcomes = await runJobs(
    all.map((each) => each.job),
    { onOutcome: tenths(all.length, "jobs", onProgress) },
  );
  for (const [index, { job, cases }] of series.entries()) {
    const virtual = outcomes.slice(index * seeds, (index + 1) * seeds);
    failures.push(...failuresOf(cases, virtual));
    const theirs = processes && await runAsProcesses(job, processes, onProgress);
    disturbed += theirs?.disturbed ?? 0;
    failures.push(...theirs?.failures ?? []);
    for (const [place, goal] of job.goals.entries()) {
      const { cells, reached } = judge(goal, virtual, theirs?.outcomes);
      rows.push([place === 0 ? job.name : "", ...cells]);
      if (theirs !== undefined) onProgress(`  ${cells.filter((cell) => cell !== "").join("  ")}`);
      if (!reached) missed.push(`${job.name}: ${goal.figure.name}`);
    }
  }
  return { rows, failures, missed, disturbed };
}

/** Runs a job one after the other as real processes. */
async function runAsProcesses(
  job: Job,
  { bin, seeds }: Processes,
  onProgress: (text: string) => void,
): Promise<{ outcomes: RunFigures[]; failures: string[]; disturbed: number }> {
  onProgress(`${job.name}: ${seeds} as processes`);
  const cases = await casesOf(job, seeds);
  const jobs = cases.map(({ job: { options, args } }) => ({
    options,
    bin,
    args: [options.workload, ...args],
  }));
  let disturbed = 0;
  let before = usedMs();
  const onOutcome = () => {
    const now = usedMs();
    if (othersShare(before, now) > QUIET_SHARE) disturbed++;
    before = now;
  };
  const outcomes = await runJobs(jobs, { atOnce: 1, onOutcome });
  return { outcomes, failures: failuresOf(cases, outcomes), disturbed };
}

/** A moment, and how much time of processors was used until then. */
interface Used {
  readonly atMs: number;
  /** By all programs of the machine. */
  readonly allMs: number;
  /** By this process and its children that have ended. */
  readonly ownMs: number;
}

/** What Linux calls a tick in /proc, for all programs. */
const TICK_MS = 10;

function usedMs(): Used {
  const atMs = performance.now();
  if (Deno.build.os !== "linux") return { atMs, allMs: 0, ownMs: 0 };
  const [user, nice, system, , , irq, softirq] = fieldsOf("/proc/stat", /^cpu +(.*)$/m);
  // After the name, in parentheses: state, and so on; see proc(5).
  const own = fieldsOf("/proc/self/stat", /\) (.*)$/m).slice(11, 15);
  const sum = (ticks: readonly (number | undefined)[]) =>
    ticks.reduce<number>((total, each) => total + (each ?? 0), 0) * TICK_MS;
  return { atMs, allMs: sum([user, nice, system, irq, softirq]), ownMs: sum(own) };
}

function fieldsOf(path: string, line: RegExp): number[] {
  const [, fields = ""] = line.exec(Deno.readTextFileSync(path)) ?? [];
  return fields.split(" ").map(Number);
}

/** Which share of the machine's time others used in between. */
function othersShare(before: Used, now: Used): number {
  const others = now.allMs - before.allMs - (now.ownMs - before.ownMs);
  return Math.max(0, others) / ((now.atMs - before.atMs) * navigator.hardwareConcurrency);
}

/**
 * The runs of a job.
 *
 * @throws {UsageError} if Eddy's own node has no such options.
 */
async function casesOf({ line }: Job, seeds: number, compute?: string): Promise<Case[]> {
  const cost = compute === undefined ? "" : `--compute ${compute} `;
  const cases = Array.from({ length: seeds }, (_, seed) => caseOf(cost + line, seed));
  const [first] = cases;
  if (first !== undefined) await checkOwnOptions(first.job.options.workload, first.job.args);
  return cases;
}

function failuresOf(cases: readonly Case[], outcomes: readonly RunFigures[]): string[] {
  return outcomes.flatMap(({ valid, reason }, index) =>
    valid === true ? [] : [`${verdict(valid)}: ${reason}\n  ${cases[index]?.replay}`]
  );
}

/** The cells of a figure, and whether its goal is reached, if it has one. */
function judge(
  { figure, goal, best }: Goal,
  virtual: readonly RunFigures[],
  processes: readonly RunFigures[] | undefined,
): { cells: string[]; reached: boolean } {
  const inVirtualTime = summary(figure, virtual);
  const cells = [
    figure.name,
    goal === undefined ? "" : `${figure.more ? ">=" : "<="} ${goal}`,
    best,
  ];
  let { decisive } = inVirtualTime;
  if (processes !== undefined) {
    const real = summary(figure, processes);
    decisive = real.decisive;
    const ratio = real.median === inVirtualTime.median ? 1 : real.median / inVirtualTime.median;
    cells.push(...textsOf(figure, real), Number.isFinite(ratio) ? ratio.toFixed(2) : "");
  }
  const reached = goal === undefined || (figure.more ? decisive >= goal : decisive <= goal);
  cells.push(...textsOf(figure, inVirtualTime));
  cells.push(goal === undefined ? "" : reached ? "yes" : "no");
  return { cells, reached };
}

function textsOf({ digits }: Figure, { median, worst }: Summary): string[] {
  return [median.toFixed(digits), worst.toFixed(digits)];
}

/** A figure over several runs. */
interface Summary {
  readonly median: number;
  readonly worst: number;
  /** What is set against the goal: the worst, or the worst but for a fifth of the runs. */
  readonly decisive: number;
}

/** A figure over the seeds; not a number if a run does not have it. */
export function summary(
  { of, more, extreme }: Pick<Figure, "of" | "more" | "extreme">,
  outcomes: readonly RunFigures[],
): Summary {
  const values = outcomes.map((outcome) => of(outcome) ?? NaN).sort((a, b) => more ? b - a : a - b);
  if (values.some(Number.isNaN)) return { median: NaN, worst: NaN, decisive: NaN };
  const passed = extreme ? Math.floor(values.length / 5) : 0;
  const worst = values.at(-1) ?? NaN;
  return { median: median(values), worst, decisive: values.at(-1 - passed) ?? NaN };
}
