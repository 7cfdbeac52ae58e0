/**
 * Measures checks of long histories: `deno task bench:check --help`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { type Flags, type FlagValues, integer } from "@eddy/maelstrom/flags";
import type { CheckBill } from "./bench_workbench/check_one.ts";
import {
  HISTORIES,
  type HistoryName,
  longHistory,
  workloadOf,
} from "./bench_workbench/long_histories.ts";
import { measureRows } from "./bench_workbench/rows.ts";
import { runDeno } from "./bench_workbench/runs.ts";
import { attempt, runCommand, ScriptError, warn, withTempDir } from "../scripts/support.ts";

const flags = {
  operations: {
    help: "How many operations a history has",
    value: "N",
    ...integer(100, 100_000_000),
    default: 1_000_000,
  },
  only: {
    help: `Check only these, of ${HISTORIES.join(", ")}`,
    value: "NAMES",
    accepts: `names of ${HISTORIES.join(", ")}, with commas between`,
    parse: parseOnly,
  },
} satisfies Flags;

const usage = `Usage: deno task bench:check [options]

Writes a valid history of each workload to a temporary file, checks it in a process of its own, and
prints the size of the file, the most memory that was in use, the seconds that reading and checking
took, and the processor time of both. The keys of lin-kv have 300 operations each; those of
lin-kv-one-key are all on one.

Ten million operations take up to 3 GB of disk at a time, 1 to 6 GB of memory (the most for kafka),
and one to seven minutes for each, besides writing the file; all of them take an hour. A million, the
default, takes about a tenth of it.

Examples:
  deno task bench:check --only lin-kv,lin-kv-one-key
  deno task bench:check --only kafka --operations 10000000`;

function parseOnly(text: string): HistoryName[] | undefined {
  const names = text.split(",");
  return names.every((name) => HISTORIES.some((known) => known === name))
    ? HISTORIES.filter((known) => names.includes(known))
    : undefined;
}

const CHECK_ONE = "lab/bench_workbench/check_one.ts";

/** How much of a file is written at a time. */
const PIECE_CHARS = 2 ** 20;

async function writeHistory(file: string, name: HistoryName, operations: number): Promise<number> {
  const encoder = new TextEncoder();
  using output = await Deno.open(file, { write: true, create: true });
  let [piece, bytes] = ["", 0];
  // Not by the file's stream, which tells of no full disk, and loses what is closed at once.
  const write = async () => {
    const data = encoder.encode(piece);
    for (let done = 0; done < data.length;) done += await output.write(data.subarray(done));
    bytes += data.length;
    piece = "";
  };
  for (const line of longHistory(name, operations)) {
    piece += line;
    if (piece.length >= PIECE_CHARS) await write();
  }
  await write();
  return bytes;
}

async function measure(name: HistoryName, operations: number): Promise<string[]> {
  return await withTempDir({ prefix: "eddy-check-" }, async (folder) => {
    const file = join(folder, "history.jsonl");
    warn(`  writing ${operations} operations`);
    const bytes = await attempt(`write ${file}`, () => writeHistory(file, name, operations));
    warn(`  checking ${(bytes / 2 ** 20).toFixed(0)} MiB`);
    const { output } = await runDeno([CHECK_ONE, workloadOf(name), file]);
    const { valid, readMs, checkMs, cpuMs, peakMiB } = JSON.parse(output) as CheckBill;
    if (valid !== true) throw new ScriptError(`Cannot measure ${name}: it is not valid`);
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    const sizes = [`${(bytes / 2 ** 20).toFixed(0)} MiB`, `${peakMiB.toFixed(0)} MiB`];
    return [...sizes, seconds(readMs), seconds(checkMs), seconds(cpuMs)];
  });
}

async function main({ operations, only }: FlagValues<typeof flags>): Promise<number> {
  if (Deno.build.os !== "linux") {
    throw new ScriptError("Cannot measure here: memory is read from Linux's /proc");
  }
  return await measureRows(
    ["file", "peak memory", "reading, clock", "checking, clock", "processor time"],
    (only ?? HISTORIES).map((name) => ({ name, measure: () => measure(name, operations) })),
  );
}

if (import.meta.main) await runCommand(usage, flags, main);
