/**
 * Kills nodes that keep their data on disk, for real: `deno task kills --help`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { type Flags, type FlagValues, integer, parseFlags } from "@eddy/maelstrom/flags";
import { errorText, isJsonObject } from "@eddy/maelstrom";
import { type Op, parseHistory } from "@eddy/workbench";
import { BROKEN, runFlags, toRunOptions } from "@eddy/workbench/cli/flags.ts";
import { Interrupts } from "@eddy/workbench/cli/terminal.ts";
import { replayLine, testFlags } from "@eddy/workbench/cli/test.ts";
import { table } from "@eddy/workbench/cli/wrap.ts";
import { folderName, removeRun } from "@eddy/workbench/results_dir.ts";
import { interruptWork, runJob } from "@eddy/workbench/sweep.ts";
import { bundle } from "../scripts/bundle.ts";
import { attempt, projectPath, runCommand, say, ScriptError, warn } from "../scripts/support.ts";

const flags = {
  kills: {
    help: "Go on until so many nodes were killed",
    value: "N",
    ...integer(1, 100_000),
    default: 200,
  },
  control: { help: "Run nodes that answer before their data is durable, which must be found" },
  store: {
    ...testFlags.store,
    help: "Folder for the results of runs that are not valid, which `eddy serve` shows, too",
  },
} satisfies Flags;

const usage = `Usage: deno task kills [options]

Runs Eddy's node as processes that keep their data (--data), in real time, and kills them with
SIGKILL while clients are served: one, several or all at once, about once in two seconds, and starts
them again. The workbench judges every run. Prints for each workload how many nodes were killed, how
many operations were in flight on them then, and how many they had acknowledged in the 100 ms before.
The exit code is 1 if a run was not valid; with --control, if every run was; and 255 if it was
interrupted. 200 kills take about six minutes.

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

/** How a node is started that keeps its data in its run's folder. */
function argsOf(workload: string, isLate: boolean): readonly string[] {
  const run = ["run", "--quiet", "--no-prompt"];
  const permissions = ["--allow-read=data", "--allow-write=data", "--allow-env=EDDY_RUN"];
  const node = isLate
    ? ["--config", projectPath("lab/deno.json"), projectPath("lab/kills/late_node.ts")]
    : [projectPath("dist/eddy.js")];
  return [...run, ...permissions, ...node, workload, ...isLate ? ["data"] : ["--data", "data"]];
}

/** What a run came to. */
interface Ran extends Kills {
  readonly valid: boolean;
  /** What was wrong, and where its results are. */
  readonly text: string;
}

/** Does a run, and keeps its results if it is not valid. */
async function runOnce(line: string, seed: number, root: string, isLate: boolean): Promise<Ran> {
  const { flags: given } = parseFlags(runFlags, line.trim().split(/ +/));
  const options = toRunOptions(given, seed);
  const bin = Deno.execPath();
  const args = argsOf(options.workload, isLate);
  const replay = replayLine({ ...given, bin }, args, options);
  const store = { root, name: folderName() };
  const job = { options, args, bin, planned: { bin }, replay, store };
  const { valid, reason, path, notes } = await runJob(job);
  if (path === undefined) throw new ScriptError(notes.join("\n"));
  const file = join(path, "history.jsonl");
  const history = await attempt(`read ${file}`, () => Deno.readTextFile(file));
  const kills = countKills(parseHistory(history));
  if (valid === true) removeRun(root, options.workload, store.name);
  return { ...kills, valid: valid === true, text: `${reason}\n  Results in ${path}` };
}

async function main({ kills, control, store }: FlagValues<typeof flags>): Promise<number> {
  await bundle(projectPath("dist/eddy.js"));
  // Of a set every element that a node has acknowledged and lost is found.
  const jobs = control ? JOBS.filter(([workload]) => workload === "g-set") : JOBS;
  const rows = new Map<string, number[]>();
  const invalid: string[] = [];
  const { signal } = new Interrupts("run");
  signal.addEventListener("abort", () => interruptWork(errorText(signal.reason)));
  for (let [seed, done] = [0, 0]; done < kills && !signal.aborted; seed++) {
    const [workload, more] = jobs[seed % jobs.length] ?? ["lin-kv", ""];
    const run = await runOnce(`-w ${workload} ${COMMON} ${more}`, seed, store, control === true);
    const { killed, inFlight, acknowledged, valid, text } = run;
    // It would go on for ever with nodes that do not even start.
    if (killed === 0 && !signal.aborted) throw new ScriptError(`No node was killed: ${text}`);
    done += killed;
    warn(`${workload}, seed ${seed}: ${killed} killed; ${done} of at least ${kills}`);
    if (!valid) invalid.push(`${workload}, seed ${seed}: ${text}`);
    const sums = rows.get(workload) ?? [0, 0, 0, 0, 0];
    rows.set(
      workload,
      sums.map((sum, i) => sum + ([1, Number(valid), killed, inFlight, acknowledged][i] ?? 0)),
    );
  }
  const heads = ["workload", "runs", "valid", "nodes killed", "in flight", "acknowledged lately"];
  say(table([heads, ...[...rows].map(([name, sums]) => [name, ...sums.map(String)])]));
  for (const text of invalid) say(text);
  if (signal.aborted) return BROKEN;
  if (control && invalid.length === 0) warn("The nodes that sync too late were not found");
  return (invalid.length > 0) === (control === true) ? 0 : 1;
}

if (import.meta.main) await runCommand(usage, flags, main);
