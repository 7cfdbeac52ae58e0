/**
 * What a sweep came to, in a table and below it, or as JSON.
 *
 * @module
 */

import { printableLine, verdict } from "../explain.ts";
import type { Validity } from "../history.ts";
import { reachedIn } from "../observations.ts";
import type { Parents } from "../steering.ts";
import type { RunFigures } from "../sweep.ts";
import { MAX_KEPT } from "./commands.ts";
import { type Line, resultsLines, styleOf, type Terminal } from "./terminal.ts";

/** A run of a sweep. */
export interface SweptRun {
  /** The value of the flag that varies. */
  readonly label: string;
  readonly seed: number;
  /** The seeds of the world that it varies, if it does. */
  readonly parents?: Parents | undefined;
  /** The command line that repeats it. */
  readonly replay: string;
  readonly outcome: RunFigures;
}

/** A run as `sweep --json` prints it. */
export function runJson({ label, parents, outcome }: SweptRun): Readonly<Record<string, unknown>> {
  const { moreFindings: _, ...printed } = outcome;
  return { label, parents, ...printed };
}

/**
 * Shows runs, in order.
 *
 * @param varied the flag that varies, if one does
 */
export function showRuns(
  terminal: Terminal,
  runs: readonly SweptRun[],
  varied: string | undefined,
): void {
  const rows = varied === undefined
    ? seedRows(runs.map(({ outcome }) => outcome))
    : variedRows(runs, varied);
  terminal.printTable(rows, FIGURES.length);
  terminal.print(describe(runs, varied));
}

/** How many seeds have a row each; of more only those that are not valid have. */
const MAX_ROWS = 30;

/** The figures of a table, which are its last columns; latencies are those of {@linkcode LATENCIES}. */
const FIGURES = ["ok-fraction", "median ms", "max ms", "msgs/op between servers"];

const LATENCIES =
  "median ms and max ms: how long until a value is on all nodes for broadcast and " +
  "g-set, else how long operations took.";

function figuresOf(outcomes: readonly RunFigures[]): string[] {
  const settled = outcomes.map(({ stableMs, latencyMs }) => stableMs ?? latencyMs);
  return [
    spread(outcomes.map(({ okFraction }) => okFraction), 3, "least"),
    spread(settled.map((latency) => latency?.median), 1, "most"),
    spread(settled.map((latency) => latency?.max), 1, "most"),
    spread(outcomes.map(({ serversPerOp }) => serversPerOp), 3, "most"),
  ];
}

/** A row for each value that varies, with a head. */
function variedRows(runs: readonly SweptRun[], what: string): string[][] {
  const labels = [...new Set(runs.map(({ label }) => label))];
  const body = labels.map((label) => {
    const those = runs.filter((run) => run.label === label).map(({ outcome }) => outcome);
    const count = (valid: Validity) => String(those.filter((row) => row.valid === valid).length);
    const counts = [String(those.length), count(true), count(false), count("unknown")];
    return [label, ...counts, ...figuresOf(those)];
  });
  return [[what, "runs", "valid", "invalid", "unknown", ...FIGURES], ...body];
}

/** A row for each seed, or each that is not valid where there are many, and one for all, with a head. */
function seedRows(outcomes: readonly RunFigures[]): string[][] {
  const listed = outcomes.length <= MAX_ROWS
    ? outcomes
    : outcomes.filter(({ valid }) => valid !== true);
  const body = listed.map((outcome) => {
    // A single figure has no worst.
    const figures = figuresOf([outcome]).map((text) => text.split(" / ")[0] ?? "");
    return [String(outcome.seed), verdict(outcome.valid), ...figures];
  });
  const counts = ([true, false, "unknown"] as const).flatMap((valid) => {
    const count = outcomes.filter((outcome) => outcome.valid === valid).length;
    return count === 0 ? [] : [`${count} ${verdict(valid)}`];
  });
  const all = [`all ${outcomes.length}`, counts.join(", "), ...figuresOf(outcomes)];
  return [["seed", "verdict", ...FIGURES], ...body, all];
}

/** What stands below the table: what was reached, and the runs that are not valid, in order. */
function describe(runs: readonly SweptRun[], varied: string | undefined): Line[] {
  const outcomes = runs.map(({ outcome }) => outcome);
  const lines: Line[] = [
    "Two figures in a cell: the median over the seeds and, after the slash, the worst of them.",
    LATENCIES,
    ...describeReached(outcomes),
  ];
  const noted = outcomes.map(({ machineNote }) => machineNote).filter((note) => note !== undefined);
  if (noted.length > 0) lines.push(`In ${noted.length} of ${outcomes.length} runs: ${noted[0]}`);
  const failing = outcomes.filter(({ valid }) => valid !== true).length;
  const more = failing - outcomes.filter(({ path }) => path !== undefined).length;
  if (failing > MAX_KEPT && more > 0) {
    lines.push(`${failing} runs are not valid; of ${more} of them no results are kept`);
  }
  for (const run of runs) {
    const { replay, outcome: { valid, reason, path } } = run;
    if (valid === true) continue;
    const [first = "", ...others] = reason.split("\n");
    const word = `${nameOf(run, varied)}: ${verdict(valid)}`;
    lines.push({ text: `${word}: ${first}`, style: styleOf(valid), word }, ...others);
    lines.push({ text: `  ${replay}`, isWhole: true });
    if (path !== undefined) lines.push(...resultsLines(path, "  "));
  }
  return lines;
}

/**
 * What tells a run from the others.
 *
 * @param varied the flag that varies, if one does
 */
export function nameOf(
  { label, seed }: Pick<SweptRun, "label" | "seed">,
  varied: string | undefined,
): string {
  return `${varied === undefined ? "" : `${varied}=${label}, `}seed ${seed}`;
}

/** How many names of `sometimes` are listed. */
const MAX_NAMES = 20;

/** In how many runs each name of `sometimes` was reached, the rarest first. */
function describeReached(outcomes: readonly RunFigures[]): string[] {
  const reached = [...reachedIn(outcomes.map(({ observed }) => observed))]
    .sort(([, a], [, b]) => a - b);
  const lines = reached.slice(0, MAX_NAMES).map(([name, count]) => {
    const seen = count === 0
      ? "reached in no run"
      : `reached in ${count} of ${outcomes.length} runs`;
    return `sometimes: ${printableLine(name)}: ${seen}`;
  });
  const more = reached.length - lines.length;
  return more > 0 ? [...lines, `... and ${more} more names`] : lines;
}

/** The median and the worst of some figures, as `median / worst`. */
export function spread(
  values: readonly (number | undefined)[],
  digits: number,
  worstIs: "least" | "most",
): string {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const worstOf = sorted.at(worstIs === "least" ? 0 : -1);
  if (median === undefined || worstOf === undefined) return "";
  return `${median.toFixed(digits)} / ${worstOf.toFixed(digits)}`;
}
