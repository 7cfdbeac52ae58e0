/**
 * Kills nodes that keep their data on disk, for real: `deno task kills --help`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { type Flags, type FlagValues, integer, parseFlags } from "@eddy/maelstrom/flags";
import { isJsonObject } from "@eddy/maelstrom";
import type { Op } from "@eddy/workbench";
import { runFlags, toRunOptions } from "@eddy/workbench/cli/flags.ts";
import { table } from "@eddy/workbench/cli/wrap.ts";
import { type Program, runProgram } from "@eddy/workbench/run_program.ts";
import { reasonOf } from "@eddy/workbench/sweep.ts";
import { bundle } from "../scripts/bundle.ts";
import { projectPath, runCommand, say, warn, withTempDir } from "../scripts/support.ts";

const flags = {
  kills: {
    help: "Go on until so many nodes were killed",
    value: "N",
    ...integer(1, 100_000),
    default: 200,
  },
  control: { help: "Run nodes that answer before their data is durable, which must be found" },
} satisfies Flags;

const usage = `Usage: deno task kills [options]

Runs Eddy's node as processes that keep their data in a temporary directory (--data), in real time,
and kills them with SIGKILL while clients are served: one, several or all at once, about once in two
seconds, and starts them again. The workbench judges every run. Prints for each workload how many
nodes were killed, how many operations were in flight on them then, and how many they had
acknowledged in the 100 ms before. The exit code is 1 if a run was not valid; with --control, if
every run was.

Examples:
  deno task kills
  deno task kills --control --kills 50`;

/** What is run, in turn: the workload, and flags beside those that all have. */
const JOBS: readonly (readonly [workload: string, flags: string])[] = [
  ["lin-kv", "--concurrency 4n"],
  ["kafka", ""],
  ["txn-list-append", "--concurrency 4n"],
  ["g-set", ""],
  ["txn-rw-register", "--concurrency 4n"],
  ["pn-counter", ""],
  ["broadcast", ""],
];

const COMMON = "--node-count 3 --rate 200 --time-limit 20 --nemesis kill --nemesis-interval 1";

/** How long before a kill an operation was acknowledged lately. */
const LATELY_NS = 100e6;

/** What the kills of a run came to. */
interface Kills {
  readonly killed: number;
  readonly inFlight: number;
  readonly acknowledged: number;
}

/** Counts the nodes that were killed, and what they had in hand. */
export function countKills(history: Iterable<Op>): Kills {
  const ops = [...history];
  const clients = spansOf(ops);
  let [killed, inFlight, acknowledged] = [0, 0, 0];
  for (const { process, f, value, time } of ops) {
    if (process !== "nemesis" || f !== "start-kill" || !isJsonObject(value)) continue;
    for (const [node, what] of Object.entries(value)) {
      if (what !== "killed") continue;
      killed++;
      for (const { node: its, fromNs, toNs, isOk } of clients) {
        if (its !== node || fromNs > time) continue;
        if (toNs > time) inFlight++;
        else if (isOk && toNs > time - LATELY_NS) acknowledged++;
      }
    }
  }
  return { killed, inFlight, acknowledged };
}

interface Span {
  readonly node: string | undefined;
  readonly fromNs: number;
  readonly toNs: number;
  readonly isOk: boolean;
}

/** When each client operation began and ended. */
function spansOf(ops: readonly Op[]): Span[] {
  const open = new Map<Op["process"], Op>();
  const spans: Span[] = [];
  for (const op of ops) {
    if (op.process === "nemesis") continue;
    const began = open.get(op.process);
    open.delete(op.process);
    if (op.type === "invoke") open.set(op.process, op);
    else if (began !== undefined) {
      spans.push({ node: op.node, fromNs: began.time, toNs: op.time, isOk: op.type === "ok" });
    }
  }
  return spans;
}

/** A script that starts a node with permission for its data. */
async function writeScript(folder: string, command: string): Promise<string> {
  const script = join(folder, "node.sh");
  const permissions = `--allow-read="${folder}" --allow-write="${folder}" --allow-env=EDDY_RUN`;
  const text = `#!/bin/sh\nexec deno run --quiet --no-prompt ${permissions} ${command}\n`;
  await Deno.writeTextFile(script, text, { mode: 0o755 });
  return script;
}

async function runOnce(
  workload: string,
  more: string,
  seed: number,
  command: (data: string) => string,
): Promise<Kills & { readonly valid: boolean; readonly reason: string }> {
  return await withTempDir({ prefix: "eddy-kills-" }, async (folder) => {
    const program: Program = {
      bin: await writeScript(folder, command(join(folder, "data"))),
      args: [],
    };
    const line = `-w ${workload} ${COMMON} ${more}`.trim().split(/ +/);
    const { flags: given } = parseFlags(runFlags, line);
    const { results, history } = await runProgram(program, toRunOptions(given, seed));
    return { ...countKills(history), valid: results.valid === true, reason: reasonOf(results) };
  });
}

async function main({ kills, control }: FlagValues<typeof flags>): Promise<number> {
  const path = projectPath("dist/eddy.js");
  await bundle(path);
  // Of a set every element that a node has acknowledged and lost is found.
  const jobs = control ? JOBS.filter(([workload]) => workload === "g-set") : JOBS;
  const late = `--config "${projectPath("lab/deno.json")}" ` +
    `"${projectPath("lab/kills/late_node.ts")}"`;
  const rows = new Map<string, number[]>();
  const invalid: string[] = [];
  for (let [seed, done] = [0, 0]; done < kills; seed++) {
    const [workload, more] = jobs[seed % jobs.length] ?? ["lin-kv", ""];
    const command = (data: string) =>
      control ? `${late} ${workload} "${data}"` : `"${path}" ${workload} --data "${data}"`;
    const run = await runOnce(workload, more, seed, command);
    const { killed, inFlight, acknowledged, valid, reason } = run;
    done += killed;
    warn(`${workload}, seed ${seed}: ${killed} killed; ${done} of at least ${kills}`);
    if (!valid) invalid.push(`${workload}, seed ${seed}: ${reason}`);
    const sums = rows.get(workload) ?? [0, 0, 0, 0, 0];
    rows.set(
      workload,
      sums.map((sum, i) => sum + ([1, Number(valid), killed, inFlight, acknowledged][i] ?? 0)),
    );
  }
  const heads = ["workload", "runs", "valid", "nodes killed", "in flight", "acknowledged lately"];
  say(table([heads, ...[...rows].map(([name, sums]) => [name, ...sums.map(String)])]));
  for (const text of invalid) say(text);
  if (control && invalid.length === 0) warn("The nodes that sync too late were not found");
  return (invalid.length > 0) === (control === true) ? 0 : 1;
}

if (import.meta.main) await runCommand(usage, flags, main);
