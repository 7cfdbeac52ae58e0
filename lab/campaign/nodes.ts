/**
 * Nodes whose verdict is known: the anomaly of every mutant is found, and nothing with right nodes.
 *
 * @module
 */

import type { MutantRow, RightRow, Trial } from "../reference/trials.ts";
import { mutants } from "@eddy/mutants";
import { runTasks } from "@eddy/workbench/sweep.ts";
import { rightNodes } from "../reference/right_nodes.ts";
import { type Campaign, tenths } from "./campaign.ts";

/** Runs one of the tasks of node_tasks.ts for every node. */
async function each<Row>(
  name: "tryMutant" | "tryRightNode",
  count: number,
  seeds: number,
  onProgress: (text: string) => void,
): Promise<Row[]> {
  const module = new URL("./node_tasks.ts", import.meta.url).href;
  const tasks = Array.from({ length: count }, (_, index) => ({
    module,
    name,
    input: { index, seeds },
  }));
  const what = name === "tryMutant" ? "wrong nodes" : "right nodes";
  const rows = await runTasks<Row | undefined>(tasks, tenths(count, what, onProgress));
  return rows.filter((row) => row !== undefined);
}

/** Mutants. */
export const mutantsCampaign: Campaign = {
  name: "mutants",
  description: "The anomaly of every node with one deliberate fault is found within 20 seeds",
  seeds: 20,
  async run(seeds, onProgress) {
    const rows = await each<MutantRow>("tryMutant", mutants.length, seeds, onProgress);
    return {
      rows: [
        ["workload", "what is wrong with it", "anomaly", "caught by seed"],
        ...rows.map(cells),
      ],
      failures: rows.filter(({ caughtAfter }) => caughtAfter === undefined).map(describeEscape),
    };
  },
};

function cells({ workload, name, anomaly, caughtAfter }: MutantRow): string[] {
  return [workload, name, anomaly, String(caughtAfter ?? "none")];
}

function describeEscape({ workload, name, anomaly, trial }: MutantRow): string {
  return `Not caught: ${workload}, ${name}; it anomaly ${anomaly}. ${describeTrial(trial)}`;
}

/** Right nodes. */
export const rightNodesCampaign: Campaign = {
  name: "right-nodes",
  description: "Nothing is ever found wrong with a right node: without faults, with each fault " +
    "that it tolerates, and with all of these together",
  seeds: 1000,
  async run(seeds, onProgress) {
    const rows = await each<RightRow>("tryRightNode", rightNodes.length, seeds, onProgress);
    return {
      rows: [
        ["workload", "node", "runs", "false alarms"],
        ...rows.map(({ workload, name, runs, falseAlarms }) => [
          workload,
          name,
          String(runs),
          String(falseAlarms.length),
        ]),
      ],
      failures: rows.flatMap(({ workload, name, falseAlarms }) =>
        falseAlarms.map((trial) => `False alarm: ${workload}, ${name}. ${describeTrial(trial)}`)
      ),
    };
  },
};

function describeTrial(trial: Trial | undefined): string {
  if (trial === undefined) return "No run was made";
  const { seed, nemesis, signs } = trial;
  const faults = nemesis.length === 0 ? "no faults" : nemesis.join(" + ");
  return `Seed ${seed}, ${faults}; found: ${signs.join("; ") || "nothing"}`;
}
