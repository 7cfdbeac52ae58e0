/**
 * How many seeds it takes to find the fault of a wrong node, how small its run becomes, and that
 * nothing is found with right nodes.
 *
 * @module
 */

import { allMutants, binOf, type Mutant } from "@eddy/mutants";
import { plural } from "@eddy/workbench/checkers/checker.ts";
import { runTasks, type Task } from "@eddy/workbench/sweep.ts";
import { WORKLOADS } from "@eddy/workbench";
import { type Campaign, tenths } from "./campaign.ts";
import { rightNodes } from "../reference/right_nodes.ts";
import type { Control, Found, How, SearchTask } from "./search_tasks.ts";

/** The first seeds of the ranges that are searched, which do not meet. */
const RANGES = [0, 100_000, 200_000, 300_000, 400_000];
/** Where those that are found in none of these are searched further. */
const FURTHER = 500_000;

const module = new URL("./search_tasks.ts", import.meta.url).href;

/** Wrong nodes, searched in three ways. */
export const searchCampaign: Campaign = {
  name: "search",
  description:
    "The fault of every wrong node is found by `sweep`: swarm is how many seeds it took from each of " +
    "five disjoint ranges of 500, the median and the most, and further that of 500 more for those " +
    "that are found in none; steered is `sweep --steer`, from the first two ranges, and blind one " +
    "mix of all faults, from the first. The first run that shows a fault is made small. It takes " +
    "more than an hour",
  seeds: 500,
  async run(seeds, onProgress) {
    const tasks = allMutants.flatMap((_, index) =>
      WAYS.map(({ how, first }) =>
        taskOf({ index, first, seeds, shrinks: how === "swarm" && first === 0, how })
      )
    );
    const found = await runTasks<Found | undefined>(
      tasks,
      tenths(tasks.length, "ranges", onProgress),
    );
    const foundOf = (index: number) => found.slice(index * WAYS.length, (index + 1) * WAYS.length);
    const rare = allMutants.keys().filter((index) =>
      seedsOf(foundOf(index), "swarm").every((count) => count === Infinity)
    ).toArray();
    const further = await runTasks<Found | undefined>(
      rare.map((index) => taskOf({ index, first: FURTHER, seeds, shrinks: true, how: "swarm" })),
      tenths(rare.length, "rare nodes", onProgress),
    );
    const rows = [[
      "--bin",
      "workload",
      "blind",
      ...["swarm", "most", "not found", "further"],
      ...["steered", "most", "not found"],
      "operations",
      "faults",
      "runs",
      "seconds",
    ]];
    const failures: string[] = [];
    for (const [index, mutant] of allMutants.entries()) {
      const isRare = rare.includes(index);
      const more = isRare ? further[rare.indexOf(index)] : undefined;
      rows.push(cells(mutant, foundOf(index), more));
      if (isRare && more === undefined && isToBeSeen(mutant)) {
        failures.push(`Not found in ${(RANGES.length + 1) * seeds} seeds: ${binOf(mutant)}`);
      }
    }
    rows.push(summary(found, rows.length - 1));
    return { rows, failures };
  },
};

function taskOf(input: SearchTask): Task {
  return { module, name: "searchMutant", input };
}

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

function cells(
  mutant: Mutant,
  found: readonly (Found | undefined)[],
  further: Found | undefined,
): string[] {
  const small = [...found, further].find((each) => each?.small !== undefined)?.small;
  return [
    binOf(mutant),
    mutant.workload,
    ...figuresOf(found, further),
    ...small === undefined ? ["-", "-", "-", "-"] : [
      `${small.before.operations} -> ${small.after.operations}`,
      `${small.before.faults} -> ${small.after.faults}`,
      String(small.runs),
      small.seconds.toFixed(1),
    ],
  ];
}

/** The median of blind; of the others also the most seeds that it took, and how often in vain. */
function figuresOf(found: readonly (Found | undefined)[], further?: Found): string[] {
  const show = (count: number | undefined) =>
    count === undefined || count === Infinity ? "-" : String(count);
  const median = (counts: readonly number[]) => show(counts[Math.floor(counts.length / 2)]);
  const figures = (how: How) => {
    const counts = seedsOf(found, how);
    return [
      median(counts),
      show(counts.findLast((count) => count < Infinity)),
      String(counts.filter((count) => count === Infinity).length),
    ];
  };
  return [
    median(seedsOf(found, "blind")),
    ...figures("swarm"),
    show(further?.seeds),
    ...figures("steered"),
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

/** Right nodes under `--nemesis swarm`: Eddy's own, of which clients never wait, and others. */
export const swarmControl: Campaign = {
  name: "swarm-control",
  description:
    "Nothing is found with right nodes by `sweep --nemesis swarm`, and clients of Eddy's own do " +
    "not wait at the end, when no fault is on. Those of simpler nodes do: of some that compare and " +
    "set one key of a service, again and again, while others do so, too",
  seeds: 200,
  async run(seeds, onProgress) {
    const own = WORKLOADS.map((workload) => {
      return { module, name: "searchOwn", input: { workload, seeds } };
    });
    const others = rightNodes.map((_, index) => {
      return { module, name: "searchRight", input: { index, seeds } };
    });
    const tasks = [...own, ...others];
    const found = await runTasks<Control>(tasks, tenths(tasks.length, "nodes", onProgress));
    const names = [
      ...WORKLOADS.map((workload) => [workload, "Eddy's own"]),
      ...rightNodes.map(({ workload, name }) => [workload, name]),
    ];
    return {
      rows: [
        ["workload", "node", "runs", "blamed", "clients wait"],
        ...found.map(({ blamed, waiting }, i) => [
          ...names[i] ?? [],
          ...[seeds, blamed.length, waiting].map(String),
        ]),
      ],
      failures: found.flatMap(({ blamed, waiting }, i) => {
        const [workload, node] = names[i] ?? [];
        return waiting === 0 || i >= own.length
          ? blamed
          : [...blamed, `${workload}, ${node}: clients wait in ${plural(waiting, "run")}`];
      }),
    };
  },
};
