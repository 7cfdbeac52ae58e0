/**
 * How many seeds it takes to find the fault of a wrong node, how small its run becomes, and that
 * nothing is found with Eddy's own nodes.
 *
 * @module
 */

import { allMutants, binOf, type Mutant } from "@eddy/mutants";
import { plural } from "@eddy/workbench/checkers/checker.ts";
import { runTasks } from "@eddy/workbench/sweep.ts";
import { WORKLOADS } from "@eddy/workbench";
import { type Campaign, tenths } from "./campaign.ts";
import type { Found, SearchTask } from "./search_tasks.ts";

/** The first seeds of the ranges that are searched, which do not meet. */
const RANGES = [0, 100_000, 200_000, 300_000, 400_000];

const module = new URL("./search_tasks.ts", import.meta.url).href;

/** Wrong nodes under `--nemesis swarm`. */
export const searchCampaign: Campaign = {
  name: "search",
  description:
    "The fault of every wrong node is found by `sweep --nemesis swarm`, from each of five " +
    "disjoint ranges of seeds; the first run that shows it is made small",
  seeds: 500,
  async run(seeds, onProgress) {
    const tasks = allMutants.flatMap((_, index) =>
      RANGES.map((first, range) => {
        const input: SearchTask = { index, first, seeds, shrinks: range === 0 };
        return { module, name: "searchMutant", input };
      })
    );
    const found = await runTasks<Found | undefined>(
      tasks,
      tenths(tasks.length, "ranges", onProgress),
    );
    const rows = [[
      "--bin",
      "workload",
      "median seeds",
      "most",
      "not found",
      "operations",
      "faults",
      "runs",
      "seconds",
    ]];
    const failures: string[] = [];
    for (const [index, mutant] of allMutants.entries()) {
      const those = found.slice(index * RANGES.length, (index + 1) * RANGES.length);
      rows.push(cells(mutant, those));
      const missed = those.filter((each) => each === undefined).length;
      if (missed > 0 && isToBeSeen(mutant)) {
        failures.push(`Not found in ${missed} of ${RANGES.length} ranges: ${binOf(mutant)}`);
      }
    }
    rows.push(summary(found, rows.length - 1));
    return { rows, failures };
  },
};

/** Whether clients can notice a mutant at all. */
function isToBeSeen(mutant: Mutant): boolean {
  return !("rule" in mutant) || "seeds" in mutant && mutant.seeds !== undefined;
}

function cells(mutant: Mutant, found: readonly (Found | undefined)[]): string[] {
  const seeds = found.map((each) => each?.seeds ?? Infinity).sort((a, b) => a - b);
  const missed = seeds.filter((count) => count === Infinity).length;
  const show = (count: number | undefined) =>
    count === undefined || count === Infinity ? "-" : String(count);
  const small = found[0]?.small;
  return [
    binOf(mutant),
    mutant.workload,
    show(seeds[Math.floor(seeds.length / 2)]),
    show(seeds.findLast((count) => count < Infinity)),
    String(missed),
    ...small === undefined ? ["-", "-", "-", "-"] : [
      `${small.before.operations} -> ${small.after.operations}`,
      `${small.before.faults} -> ${small.after.faults}`,
      String(small.runs),
      small.seconds.toFixed(1),
    ],
  ];
}

/** The medians over all wrong nodes that were found. */
function summary(found: readonly (Found | undefined)[], count: number): string[] {
  const small = found.flatMap((each) => each?.small ?? []);
  const middle = (values: readonly number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const seeds = found.flatMap((each) => each?.seeds ?? []);
  const pair = (part: "operations" | "faults") =>
    `${middle(small.map(({ before }) => before[part]))} -> ` +
    `${middle(small.map(({ after }) => after[part]))}`;
  return [
    `median of ${plural(count, "node")}`,
    "",
    String(middle(seeds)),
    String(Math.max(0, ...seeds)),
    String(found.length - seeds.length),
    pair("operations"),
    pair("faults"),
    String(middle(small.map(({ runs }) => runs))),
    middle(small.map(({ seconds }) => seconds))?.toFixed(1) ?? "",
  ];
}

/** Eddy's own nodes under `--nemesis swarm`. */
export const swarmControl: Campaign = {
  name: "swarm-control",
  description: "Nothing is found with Eddy's own nodes by `sweep --nemesis swarm`",
  seeds: 200,
  async run(seeds, onProgress) {
    const tasks = WORKLOADS.map((workload) => {
      return { module, name: "searchOwn", input: { workload, seeds } };
    });
    const blamed = await runTasks<readonly string[]>(
      tasks,
      tenths(tasks.length, "workloads", onProgress),
    );
    return {
      rows: [
        ["workload", "runs", "blamed"],
        ...WORKLOADS.map((workload, i) => [
          workload,
          String(seeds),
          String(blamed[i]?.length ?? 0),
        ]),
      ],
      failures: blamed.flat(),
    };
  },
};
