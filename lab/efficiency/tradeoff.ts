/**
 * What broadcast costs, by what a value may take to reach everyone.
 *
 * @module
 */

import { type RunFigures, runJobs } from "@eddy/workbench/sweep.ts";
import { caseOf } from "../campaign/cases.ts";
import { tenths } from "../campaign/campaign.ts";
import { summary } from "./measure.ts";

/** One result: ours at a budget, or one that was published. */
export interface Point {
  readonly name: string;
  /** Whether it is ours. */
  readonly ours: boolean;
  readonly serversPerOp: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

/** What others reached with the same command, loss-tolerant or not. */
export const published: readonly Point[] = [
  other("tree, 50 ms batches, acks", 7.75, 333, 533),
  other("direct, not loss-tolerant", 11.8, 84, 105),
  other("batched", 1.92, 764, 1087),
  other("batched star", 1.99, 339, 678),
];

function other(name: string, serversPerOp: number, medianMs: number, maxMs: number): Point {
  return { name, ours: false, serversPerOp, medianMs, maxMs };
}

/** Budgets in ms. */
const budgets = [0, 120, 200, 300, 400, 550, 700, 900, 1200, 1500, 2000] as const;

const LINE = "-w broadcast --node-count 25 --time-limit 20 --rate 100 --latency 100";

/** Runs every budget; each figure is the median of the seeds. */
export async function measureTradeoff(
  seeds: number,
  onProgress: (text: string) => void = () => {},
): Promise<Point[]> {
  const jobs = budgets.flatMap((budget) =>
    Array.from(
      { length: seeds },
      (_, seed) => caseOf(`${LINE} -- --max-latency ${budget}`, seed).job,
    )
  );
  const outcomes = await runJobs(jobs, {
    onOutcome: tenths(jobs.length, "trade-off", onProgress),
  });
  return budgets.map((budget, index) =>
    pointOf(budget, outcomes.slice(index * seeds, (index + 1) * seeds))
  );
}

function pointOf(budget: number, outcomes: readonly RunFigures[]): Point {
  const median = (of: (outcome: RunFigures) => number | undefined) =>
    summary({ of }, outcomes).median;
  return {
    name: `${budget} ms`,
    ours: true,
    serversPerOp: median(({ serversPerOp }) => serversPerOp),
    medianMs: median(({ stableMs }) => stableMs?.median),
    maxMs: median(({ stableMs }) => stableMs?.max),
  };
}

/** Points as rows of a table, under their heads. */
export function tradeoffRows(points: readonly Point[]): string[][] {
  return [
    ["", "servers msgs/op", "stable median ms", "stable max ms"],
    ...points.map(({ name, ours, serversPerOp, medianMs, maxMs }) => [
      ours ? `Eddy, budget ${name}` : name,
      serversPerOp.toFixed(2),
      medianMs.toFixed(0),
      maxMs.toFixed(0),
    ]),
  ];
}
