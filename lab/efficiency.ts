/**
 * Shows what the node's workloads cost: `deno task efficiency --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer, UsageError } from "@eddy/maelstrom/flags";
import { plural } from "@eddy/workbench/checkers/checker.ts";
import { table } from "@eddy/workbench/cli/wrap.ts";
import { describeMachine, machine } from "./bench/summary.ts";
import { markdownTable } from "./campaign/record.ts";
import { type Job, jobs } from "./efficiency/goals.ts";
import { measure, type Measured } from "./efficiency/measure.ts";
import {
  drawTradeoff,
  measureTradeoff,
  type Point,
  published,
  tradeoffRows,
} from "./efficiency/tradeoff.ts";
import { bundle } from "../scripts/bundle.ts";
import { projectPath, runCommand, runDeno, say, warn } from "../scripts/support.ts";

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
  only: { help: "Run only jobs whose names begin so", value: "TEXT" },
  "no-curve": { help: "Leave out broadcast's trade-off curve" },
  write: { help: `Write ${PAGE} and ${FIGURE}` },
} satisfies Flags;

const usage = `Usage: deno task efficiency [options]

Runs the commands that this project has goals for, in virtual time, and prints each figure's goal,
the best published result, and ours: the median and the worst of the seeds. With --processes the
bundled node runs as real processes, too, one run at a time.
The exit code is 1 if a run was not valid, not if a goal was missed.`;

async function main(
  given: FlagValues<typeof flags>,
): Promise<number> {
  if (given.write && (given.only !== undefined || given["no-curve"])) {
    throw new UsageError(
      `Cannot write a part of ${PAGE}: --write goes without --only and --no-curve`,
    );
  }
  const wanted = jobs.filter(({ name }) => name.startsWith(given.only ?? ""));
  const bin = projectPath("dist/eddy.js");
  if (given.processes > 0) await bundle(bin);
  const processes = given.processes > 0 ? { bin, seeds: given.processes } : undefined;
  const { rows, failures, ...misses } = await measure(wanted, given.seeds, warn, processes);
  say(table(rows));
  for (const failure of failures) say(failure);
  for (const sentence of sentencesOf(misses)) say(sentence);
  let points: Point[] = [];
  if (!given["no-curve"]) {
    points = [...await measureTradeoff(given.seeds, warn), ...published];
    say(`\n${table(tradeoffRows(points))}`);
  }
  if (given.write) {
    await write(pageOf(given, rows, misses, points, wanted));
    await Deno.writeTextFile(projectPath(FIGURE), drawTradeoff(points));
  }
  return failures.length === 0 ? 0 : 1;
}

type Misses = Pick<Measured, "missed" | "missedByProcesses">;

/** Which goals are missed. */
function sentencesOf({ missed, missedByProcesses }: Misses): string[] {
  const sentences = [];
  if (missed.length > 0) {
    sentences.push(`Missed by the worst seed in virtual time: ${missed.join("; ")}.`);
  }
  if (missedByProcesses.length > 0) {
    sentences.push(`Missed by real processes: ${missedByProcesses.join("; ")}.`);
  }
  return sentences.length === 0 ? ["Every goal is reached."] : sentences;
}

async function write(page: string): Promise<void> {
  const path = projectPath(PAGE);
  await Deno.writeTextFile(path, page);
  await runDeno(["fmt", "--quiet", path]);
}

function pageOf(
  { seeds, processes }: Pick<FlagValues<typeof flags>, "seeds" | "processes">,
  rows: readonly (readonly string[])[],
  misses: Misses,
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
    (processes === 0 ? "" : `"Processes" is the median of the bundled node as real processes, ` +
      `${plural(processes, "seed")}. ${describeMachine(machine())}. `) +
    `"Median" and "worst" are of ${seeds} seeds in virtual time. ` +
    "Servers msgs/op is Maelstrom's `:net :servers :msgs-per-op`; a goal is reached if the worst " +
    "seed in virtual time reaches it. Latencies of operations need real time and are in " +
    "[consensus.md](consensus.md).",
    markdownTable(rows),
    sentencesOf(misses).join("\n\n"),
    ...curve,
    "## Commands",
    wanted.map(({ name, line }) => `- ${name}: \`eddy test ${line}\``).join("\n"),
  ].join("\n\n") + "\n";
}

if (import.meta.main) await runCommand(usage, flags, main);
