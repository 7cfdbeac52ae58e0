/**
 * Shows where the time of simulated runs goes: `deno task profile --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer, UsageError } from "@eddy/maelstrom/flags";
import { isLoadable } from "@eddy/workbench/program.ts";
import { join } from "@std/path/join";
import { caseOf } from "./campaign/cases.ts";
import type { Bill, Order } from "./bench_workbench/run_one.ts";
import { runDeno } from "./bench_workbench/runs.ts";
import { attempt, projectPath, runCommand, say, ScriptError, warn } from "../scripts/support.ts";

const flags = {
  seeds: { help: "How many seeds of it", value: "N", ...integer(1, 1_000_000), default: 40 },
  bin: {
    help: "The program to run, instead of Eddy's own handlers",
    value: "FILE",
    accepts: "the file of a program in TypeScript, JavaScript or WebAssembly",
    parse: (text: string) => isLoadable(text) ? text : undefined,
  },
  output: {
    help: "The folder for the files, made if it is missing (default: dist/profiles)",
    value: "FOLDER",
  },
} satisfies Flags;

/** Run where nothing is said. */
const RUN = "-w lin-kv --node-count 3 --time-limit 60 --rate 30 --nemesis partition";

const usage = `Usage: deno task profile [options] [-- flags of eddy test]

Runs seeds under virtual time, in a process in which V8 takes samples, and writes where the time
went: a flame graph, which a browser opens, and a profile for the DevTools of Chromium. A minute of
samples is some megabytes.

What is run unless flags follow: ${RUN}

Examples:
  deno task profile
  deno task profile -- -w broadcast --node-count 25 --time-limit 20 --rate 100 --latency 100
  deno task profile --seeds 1 --bin ./node.wasm -- -w echo --rate 2000 --time-limit 10`;

async function main(given: FlagValues<typeof flags>, run: readonly string[]): Promise<number> {
  const [word] = run;
  if (word !== undefined && !word.startsWith("-")) {
    throw new UsageError(`Unexpected argument ${JSON.stringify(word)}`);
  }
  const line = run.length === 0 ? RUN : run.join(" ");
  caseOf(line, 0); // A wrong flag is refused here.
  const folder = given.output ?? projectPath("dist/profiles");
  await attempt(`make the folder ${folder}`, () => Deno.mkdir(folder, { recursive: true }));
  const before = new Set(filesOf(folder));
  const order: Order = {
    line,
    seed: 0,
    seeds: given.seeds,
    ...(given.bin !== undefined && { bin: given.bin }),
  };
  const { output } = await runDeno([
    ...["--cpu-prof", "--cpu-prof-flamegraph", `--cpu-prof-dir=${folder}`],
    ...["lab/bench_workbench/run_one.ts", JSON.stringify(order)],
  ]);
  const { valid, cpuMs, operations, messages } = JSON.parse(output) as Bill;
  if (!valid) warn("A run was not valid: `eddy test` with the same flags says why");
  const [ms, ops, sent] = [cpuMs, operations, messages].map((mean) => mean.toFixed(0));
  say(`A seed took ${ms} ms of processor time, for ${ops} operations and ${sent} messages`);
  const written = filesOf(folder).filter((file) => !before.has(file));
  if (!written.some((file) => file.endsWith(".svg"))) {
    throw new ScriptError(`Cannot write all files into ${folder}: Deno left one out`);
  }
  for (const file of written) say(`Wrote ${join(folder, file)}`);
  return 0;
}

function filesOf(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

if (import.meta.main) {
  await runCommand(usage, flags, (given, _, rest) => main(given, rest), { takesRest: true });
}
