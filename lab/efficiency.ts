/**
 * Shows what the node's workloads cost: `deno task efficiency --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer, UsageError } from "@eddy/maelstrom/flags";
import { plural } from "@eddy/workbench/checkers/checker.ts";
import { runFlags } from "@eddy/workbench/cli/flags.ts";
import { table } from "@eddy/workbench/cli/wrap.ts";
import { describeMachine, machine } from "./bench/summary.ts";
import { jobsNamed } from "./campaign/cases.ts";
import { markdownTable } from "./campaign/record.ts";
import { type Job, jobs } from "./efficiency/goals.ts";
import { measure, QUIET_SHARE } from "./efficiency/measure.ts";
import {
  drawTradeoff,
  measureTradeoff,
  type Point,
  published,
  tradeoffRows,
} from "./efficiency/tradeoff.ts";
import { bundle } from "../scripts/bundle.ts";
import { projectPath, runCommand, runDeno, say, warn } from "../scripts/support.ts";

/** In ms, as two cores take in real time: medians of operations agree with those of processes. */
const COMPUTE = "0.4,1";

const PAGE = "docs/efficiency.md";
const FIGURE = "docs/broadcast_tradeoff.svg";

const flags = {
  seeds: { help: "How many seeds to run", value: "N", ...integer(1, 10_000), default: 10 },
  processes: {
    help: "How many seeds to run as processes, too, in real time: some ten minutes for each",
    value: "N",
    ...integer(0, 1000),
    default: 0,
  },
  compute: {
    help: "What a node takes over each message and timer in virtual time, as `eddy test --compute`",
    value: "MEAN[,JITTER]",
    accepts: runFlags.compute.accepts,
    parse: (text: string) => runFlags.compute.parse(text) && text,
    default: COMPUTE,
  },
  only: { help: "Run only jobs whose names begin so", value: "TEXT" },
  "no-curve": { help: "Leave out broadcast's trade-off curve" },
  write: { help: `Write ${PAGE} and ${FIGURE}` },
} satisfies Flags;

const usage = `Usage: deno task efficiency [options]

Runs the commands that this project has goals for, and prints each figure's goal, the best published
result, and ours: the median and the worst of the seeds, in virtual time. With --processes the
bundled node runs as real processes, too, one run at a time; these are what is set against the goal
then: the worst run, or of maxima all runs but one in five. On Linux it is
told how many of these runs other programs disturbed.
The exit code is 1 if a run was not valid, not if a goal was missed.`;

async function main(
  given: FlagValues<typeof flags>,
): Promise<number> {
  if (given.write && (given.only !== undefined || given["no-curve"])) {
    throw new UsageError(
      `Cannot write a part of ${PAGE}: --write goes without --only and --no-curve`,
    );
  }
  const wanted = jobsNamed(jobs, given.only ?? "");
  const bin = projectPath("dist/eddy.js");
  if (given.processes > 0) await bundle(bin);
  const processes = given.processes > 0 ? { bin, seeds: given.processes } : undefined;
  const { rows, failures, missed, disturbed } = await measure(wanted, given.seeds, {
    onProgress: warn,
    processes,
    compute: given.compute,
  });
  say(table(rows));
  for (const failure of failures) say(failure);
  say(sentenceOf(missed));
  const noise = given.processes === 0 ? "" : noiseOf(disturbed);
  if (noise !== "") say(noise);
  let points: Point[] = [];
  if (!given["no-curve"]) {
    points = [...await measureTradeoff(given.seeds, warn), ...published];
    say(`\n${table(tradeoffRows(points))}`);
  }
  if (given.write) {
    await write(pageOf(given, rows, missed, noise, points, wanted));
    await Deno.writeTextFile(projectPath(FIGURE), drawTradeoff(points));
  }
  return failures.length === 0 ? 0 : 1;
}

/** Which goals are missed. */
function sentenceOf(missed: readonly string[]): string {
  return missed.length === 0 ? "Every goal is reached." : `Missed: ${missed.join("; ")}.`;
}

/** What else ran on the machine. */
function noiseOf(disturbed: number): string {
  return `In ${disturbed} of these runs other programs took more than ${QUIET_SHARE * 100} % of ` +
    "the machine's time.";
}

async function write(page: string): Promise<void> {
  const path = projectPath(PAGE);
  await Deno.writeTextFile(path, page);
  await runDeno(["fmt", "--quiet", path]);
}

function pageOf(
  { seeds, processes, compute }: Pick<FlagValues<typeof flags>, "seeds" | "processes" | "compute">,
  rows: readonly (readonly string[])[],
  missed: readonly string[],
  noise: string,
  points: readonly Point[],
  wanted: readonly Job[],
): string {
  const date = new Date().toISOString().slice(0, 10);
  const curve = [
    "## Broadcast: latency against messages",
    "Each point of Eddy is a budget (`--max-latency`), with medians over the seeds; the others " +
    "are published results of the same command.",
    "![Messages per operation by worst stable latency](broadcast_tradeoff.svg)",
    markdownTable(tradeoffRows(points)),
  ];
  return [
    "# Efficiency",
    "This page is for readers who compare nodes: messages and latencies of each workload.",
    `Written by \`deno task efficiency --seeds ${seeds}` +
    `${processes === 0 ? "" : ` --processes ${processes}`} --write\` on ${date}: each command, ` +
    "beside the goal and the best published result. " +
    (processes === 0 ? "" : `"Processes" is the bundled node as real processes, in real time: ` +
      `the median of ${plural(processes, "run")}, the worst, and the median divided by that of ` +
      `virtual time. ${describeMachine(machine())}. ${noise} `) +
    `"Virtual" is the median of ${seeds} seeds in virtual time, and the worst; there a node takes ` +
    `time as \`--compute ${compute}\` says.`,
    "Servers msgs/op is Maelstrom's `:net :servers :msgs-per-op`. A goal is reached if " +
    (processes === 0 ? "the worst seed in virtual time" : "the worst run of real processes") +
    " reaches it; for maxima, which are the worst of a thousand operations, four of five are enough.",
    markdownTable(rows),
    sentenceOf(missed),
    ...curve,
    "## Commands",
    wanted.map(({ name, line }) => `- ${name}: \`eddy test ${line}\``).join("\n"),
  ].join("\n\n") + "\n";
}

if (import.meta.main) await runCommand(usage, flags, main);
