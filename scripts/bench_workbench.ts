/**
 * Measures the workbench against its goals: `deno task bench:workbench --help`.
 *
 * @module
 */

import { describeFlags, type Flags, integer, parseFlags, UsageError } from "../node/flags.ts";
import { table } from "../workbench/cli/table.ts";
import { speeds } from "./bench_workbench/goals.ts";
import { runScript, say, ScriptError, warn } from "./support.ts";

const flags = {
  rounds: { help: "How often to measure each", value: "N", ...integer(1, 1000), default: 3 },
  only: { help: "Measure only what has this in its name", value: "TEXT" },
  help: { help: "Say this" },
} satisfies Flags;

const help = `Usage: deno task bench:workbench [options]

Measures whole runs of the workbench, each in a process of its own, and prints medians beside what
is to be reached. Judged is the clock or the processor time, whichever is less: on a machine that
others use, too, the clock counts what they do.

Options:
${describeFlags(flags)}`;

async function main(args: readonly string[]): Promise<number> {
  const { flags: given, words } = parseFlags(flags, args);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  if (given.help) {
    say(help);
    return 0;
  }
  if (Deno.build.os !== "linux") {
    throw new ScriptError("Cannot measure here: processor time is read from Linux's /proc");
  }
  const loads = Deno.loadavg().map((load) => load.toFixed(2)).join(", ");
  const rows = [["", "goal", "measured", "processor time", "reached"]];
  for (const { name, goal, measure } of speeds) {
    if (!name.includes(given.only ?? "")) continue;
    warn(name);
    const { measured, cpu, reached } = await measure(given.rounds);
    rows.push([name, goal, measured, cpu, reached ? "yes" : "no"]);
  }
  say(table(rows));
  say(
    `On ${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}, load before: ${loads}`,
  );
  return 0;
}

if (import.meta.main) await runScript(main);
