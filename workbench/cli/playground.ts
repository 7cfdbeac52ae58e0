/**
 * `playground`: a page that runs Eddy's own nodes and the mutants, in a browser.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { allMutants, binOf, DEFAULT_SETTINGS, type Mutant, type RareMutant } from "@eddy/mutants";
import { NEMESES } from "../nemesis.ts";
import { DISTRIBUTIONS, type RunSettings } from "../options.ts";
import type { PlaygroundChoices } from "../page/simulator/simulator.ts";
import { pagePart } from "../page_parts.ts";
import { writePage } from "../report_page.ts";
import { writeWhole } from "../whole_file.ts";
import { WORKLOADS } from "../workloads/mod.ts";
import { print } from "./terminal.ts";

/** The flags of `playground`. */
export const playgroundFlags = {
  output: {
    help: "The file to write",
    value: "FILE",
    short: "o",
    default: "eddy-playground.html",
  },
};

/** Runs the command and returns the exit code. */
export async function playgroundCommand(args: readonly string[]): Promise<number> {
  const { flags: { output }, words } = parseFlags(playgroundFlags, args);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  const page = await playgroundPage().catch((cause) => {
    throw new Error(`There is no playground: ${errorText(cause)}`, { cause });
  });
  try {
    writeWhole(output, page);
  } catch (cause) {
    throw new UsageError(`Cannot write --output ${output}: ${errorText(cause)}`, { cause });
  }
  print(`Playground: ${output}`);
  return 0;
}

/** The page: one file, that loads nothing. */
export async function playgroundPage(): Promise<string> {
  const choices: PlaygroundChoices = {
    workloads: WORKLOADS,
    faults: NEMESES,
    distributions: DISTRIBUTIONS,
    first: {
      workload: "lin-kv",
      nodeCount: 5,
      rate: 20,
      timeLimitSeconds: 30,
      latency: { meanMs: 10, distribution: "exponential" },
      nemesis: ["partition"],
      nemesisIntervalSeconds: 5,
    },
    mutants: allMutants.map((mutant) => ({
      // The names of faults are checked where they are run.
      settings: {
        ...DEFAULT_SETTINGS,
        ...mutant.needs as RunSettings,
        workload: mutant.workload,
        bin: binOf(mutant),
      },
      about: describeFault(mutant),
    })),
  };
  return await writePage({
    title: "Eddy playground",
    body: INTRODUCTION,
    code: await pagePart("playground"),
    texts: { choices: JSON.stringify(choices), simulator: await pagePart("mutants_worker") },
    allows: { workers: ["blob:"] },
  });
}

/** What is wrong with a mutant, and what is to be found. */
function describeFault(mutant: Mutant | RareMutant): string {
  const found = `To be found: ${mutant.anomaly}`;
  if (!("rule" in mutant)) return found;
  const shows = mutant.seeds === undefined
    ? ", though no seed is known with which it shows"
    : mutant.seeds > 1
    ? `, with one of ${mutant.seeds} seeds`
    : "";
  return `Breaks the rule: ${mutant.rule}. ${found}${shows}`;
}

const INTRODUCTION = `<h1>Eddy playground</h1>
<p>Choose what clients do, what the nodes are and what goes wrong. The cluster runs in this page, under
virtual time: the same settings and seed give the same run on every machine. Nothing leaves the page.</p>
<div id="playground"><noscript><p>The playground needs JavaScript.</p></noscript></div>`;
