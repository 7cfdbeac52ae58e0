/**
 * Measures the workbench against its goals: `deno task bench:workbench --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer } from "@eddy/maelstrom/flags";
import { table } from "@eddy/workbench/cli/wrap.ts";
import { speeds } from "./bench_workbench/goals.ts";
import { runCommand, say, ScriptError, warn } from "../scripts/support.ts";

const flags = {
  rounds: { help: "How often to measure each", value: "N", ...integer(1, 1000), default: 3 },
  only: { help: "Measure only what has this in its name", value: "TEXT" },
} satisfies Flags;

const usage = `Usage: deno task bench:workbench [options]

Measures whole runs of the workbench, each in a process of its own, and prints medians beside what
is to be reached. Judged is the clock or the processor time, whichever is less: on a machine that
others use, too, the clock counts what they do.`;

async function main(
  given: FlagValues<typeof flags>,
): Promise<number> {
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

if (import.meta.main) await runCommand(usage, flags, main);
