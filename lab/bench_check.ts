/**
 * Measures checks of long histories: `deno task bench:check --help`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { type Flags, type FlagValues, integer } from "@eddy/maelstrom/flags";
import { WORKLOADS } from "@eddy/workbench";
import type { WorkloadName } from "@eddy/workbench";
import { table } from "@eddy/workbench/cli/wrap.ts";
import type { CheckBill } from "./bench_workbench/check_one.ts";
import { longHistory } from "./bench_workbench/long_histories.ts";
import { runDeno } from "./bench_workbench/runs.ts";
import { runCommand, say, ScriptError, warn, withTempDir } from "../scripts/support.ts";

const flags = {
  operations: {
    help: "How many operations a history has",
    value: "N",
    ...integer(1, 100_000_000),
    default: 1_000_000,
  },
  only: { help: "Check only the workloads that have this in their names", value: "TEXT" },
} satisfies Flags;

const usage = `Usage: deno task bench:check [options]

Writes a valid history of each workload to a file, checks it in a process of its own, and prints the
seconds and the most memory that was in use. Ten million operations take up to 4 GB of disk at a time.

Examples:
  deno task bench:check --only lin-kv --operations 10000000`;

/** How much of a file is written at a time. */
const PIECE_CHARS = 2 ** 20;

async function writeHistory(
  file: string,
  workload: WorkloadName,
  operations: number,
): Promise<number> {
  const encoder = new TextEncoder();
  using output = await Deno.open(file, { write: true, create: true });
  const writer = output.writable.getWriter();
  let [piece, bytes] = ["", 0];
  const write = async () => {
    const data = encoder.encode(piece);
    bytes += data.length;
    piece = "";
    await writer.write(data);
  };
  for (const line of longHistory(workload, operations)) {
    piece += line;
    if (piece.length >= PIECE_CHARS) await write();
  }
  await write();
  return bytes;
}

async function measure(workload: WorkloadName, operations: number): Promise<string[]> {
  return await withTempDir({ prefix: "eddy-check-" }, async (folder) => {
    const file = join(folder, "history.jsonl");
    const bytes = await writeHistory(file, workload, operations);
    const { output } = await runDeno(["lab/bench_workbench/check_one.ts", workload, file]);
    const { valid, readMs, checkMs, cpuMs, peakMiB } = JSON.parse(output) as CheckBill;
    if (valid !== true) throw new ScriptError(`Cannot measure ${workload}: it is not valid`);
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    const sizes = [`${(bytes / 2 ** 20).toFixed(0)} MiB`, `${peakMiB.toFixed(0)} MiB`];
    return [workload, ...sizes, seconds(readMs), seconds(checkMs), seconds(cpuMs)];
  });
}

async function main({ operations, only = "" }: FlagValues<typeof flags>): Promise<number> {
  if (Deno.build.os !== "linux") {
    throw new ScriptError("Cannot measure here: memory is read from Linux's /proc");
  }
  const rows = [["", "file", "peak memory", "reading", "checking", "processor time"]];
  for (const workload of WORKLOADS) {
    if (!workload.includes(only)) continue;
    warn(workload);
    rows.push(await measure(workload, operations));
  }
  say(table(rows));
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);
