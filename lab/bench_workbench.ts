/**
 * Measures the workbench against its goals: `deno task bench:workbench --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer } from "@eddy/maelstrom/flags";
import { speeds } from "./bench_workbench/goals.ts";
import { measureRows } from "./bench_workbench/rows.ts";
import { runCommand, say, ScriptError } from "../scripts/support.ts";

const flags = {
  rounds: { help: "How often to measure each", value: "N", ...integer(1, 1000), default: 3 },
  only: {
    help: "Measure only what has this in its name",
    value: "TEXT",
    accepts: `a part of one of these names: ${speeds.map(({ name }) => name).join("; ")}`,
    parse: (text: string) => speeds.some(({ name }) => name.includes(text)) ? text : undefined,
  },
} satisfies Flags;

const usage = `Usage: deno task bench:workbench [options]

Measures whole runs of the workbench, each in a process of its own, and prints medians beside what
is to be reached. Judged is the clock or the processor time, whichever is less: on a machine that
others use, too, the clock counts what they do. All takes some minutes.

Examples:
  deno task bench:workbench --only sweep
  deno task bench:workbench --only "per message" --rounds 1`;

async function main(
  given: FlagValues<typeof flags>,
): Promise<number> {
  if (Deno.build.os !== "linux") {
    throw new ScriptError("Cannot measure here: processor time is read from Linux's /proc");
  }
  const loads = Deno.loadavg().map((load) => load.toFixed(2)).join(", ");
  const chosen = speeds.filter(({ name }) => name.includes(given.only ?? ""));
  const code = await measureRows(
    ["goal", "measured", "processor time", "reached by either"],
    chosen.map(({ name, goal, measure }) => ({
      name,
      async measure() {
        const { measured, cpu, reached } = await measure(given.rounds);
        return [goal, measured, cpu, reached ? "yes" : "no"];
      },
    })),
  );
  say(
    `On ${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}, load before: ${loads}`,
  );
  return code;
}

if (import.meta.main) await runCommand(usage, flags, main);
