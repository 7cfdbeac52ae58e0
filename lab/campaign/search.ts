/**
 * How many seeds it takes to find the fault of a wrong node, how small its run becomes, and that
 * nothing is found with Eddy's own nodes.
 *
 * @module
 */

import { allMutants, binOf, type Mutant } from "@eddy/mutants";
import { plural } from "@eddy/workbench/checkers/checker.ts";
import { runTasks, type Task } from "@eddy/workbench/sweep.ts";
import { WORKLOADS } from "@eddy/workbench";
import { type Campaign, tenths } from "./campaign.ts";
import type { Found, How, SearchTask } from "./search_tasks.ts";

/** The first seeds of the ranges that are searched, which do not meet. */
const RANGES = [0, 100_000, 200_000, 300_000, 400_000];

const module = new URL("./search_tasks.ts", import.meta.url).href;

/** Wrong nodes, searched in three ways. */
export const searchCampaign: Campaign = {
  name: "search",
  description:
    "The fault of every wrong node is found by `sweep`, from each of five disjoint ranges of seeds; " +
    "steered is `sweep --steer`, from the first two, and blind one mix of all faults, from the " +
    "first. The first run that shows a fault is made small. It takes more than an hour",
  seeds: 500,
  async run(seeds, onProgress) {
    const tasks = allMutants.flatMap((_, index) =>
      WAYS.map(({ how, first }): Task => {
        const shrinks = how === "swarm" && first === 0;
        return {
          module,
          name: "searchMutant",
          input: { index, first, seeds, shrinks, how } satisfies SearchTask,
        };
      })
    );
    const found = await runTasks<Found | undefined>(
      tasks,
      tenths(tasks.length, "ranges", onProgress),
    );
    const rows = [[
      "--bin",
      "workload",
      "blind",
      ...["swarm", "most", "not found"],
      ...["steered", "most", "not found"],
      "operations",
      "faults",
      "runs",
      "seconds",
    ]];
    const failures: string[] = [];
    for (const [index, mutant] of allMutants.entries()) {
      const those = found.slice(index * WAYS.length, (index + 1) * WAYS.length);
      rows.push(cells(mutant, those));
      const missed = seedsOf(those, "swarm").filter((count) => count === Infinity).length;
      if (missed > 0 && isToBeSeen(mutant)) {
        failures.push(`Not found in ${missed} of ${RANGES.length} ranges: ${binOf(mutant)}`);
      }
    }
    rows.push(summary(found, rows.length - 1));
    return { rows, failures };
  },
};

/** In what ways a wrong node is searched, and from which seed. */
const WAYS: readonly Pick<SearchTask, "how" | "first">[] = [
  { how: "blind", first: RANGES[0] ?? 0 },
  ...RANGES.map((first) => ({ how: "swarm", first }) as const),
  ...RANGES.slice(0, 2).map((first) => ({ how: "steered", first }) as const),
];

/** How many seeds it took in one of the ways, the fewest first; infinite where it was not found. */
function seedsOf(found: readonly (Found | undefined)[], how: How): number[] {
  return found.filter((_, i) => WAYS[i % WAYS.length]?.how === how)
    .map((each) => each?.seeds ?? Infinity)
    .sort((a, b) => a - b);
}

/** Whether clients can notice a mutant at all. */
function isToBeSeen(mutant: Mutant): boolean {
  return !("rule" in mutant) || "seeds" in mutant && mutant.seeds !== undefined;
}

function cells(mutant: Mutant, found: readonly (Found | undefined)[]): string[] {
  const small = found.find((each) => each?.small !== undefined)?.small;
  return [
    binOf(mutant),
    mutant.workload,
    ...figuresOf(found),
    ...small === undefined ? ["-", "-", "-", "-"] : [
      `${small.before.operations} -> ${small.after.operations}`,
      `${small.before.faults} -> ${small.after.faults}`,
      String(small.runs),
      small.seconds.toFixed(1),
    ],
  ];
}

/** The median of blind; of the others also the most seeds that it took, and how often in vain. */
function figuresOf(found: readonly (Found | undefined)[]): string[] {
  const show = (count: number | undefined) =>
    count === undefined || count === Infinity ? "-" : String(count);
  const median = (counts: readonly number[]) => show(counts[Math.floor(counts.length / 2)]);
  const [blind, ...others] = (["blind", "swarm", "steered"] as const)
    .map((how) => seedsOf(found, how));
  return [
    median(blind ?? []),
    ...others.flatMap((counts) => [
      median(counts),
      show(counts.findLast((count) => count < Infinity)),
      String(counts.filter((count) => count === Infinity).length),
    ]),
  ];
}

/** The medians over all wrong nodes. */
function summary(found: readonly (Found | undefined)[], count: number): string[] {
  const small = found.flatMap((each) => each?.small ?? []);
  const middle = (values: readonly number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const pair = (part: "operations" | "faults") =>
    `${middle(small.map(({ before }) => before[part]))} -> ` +
    `${middle(small.map(({ after }) => after[part]))}`;
  return [
    `median of ${plural(count, "node")}`,
    "",
    ...figuresOf(found),
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
