/**
 * Nodes whose verdict is known: the anomaly of every mutant is found, and nothing with right nodes.
 *
 * @module
 */

import type { MutantRow, RightRow, Trial } from "../reference/trials.ts";
import { mutants, raftMutants } from "@eddy/mutants";
import { runTasks } from "@eddy/workbench/sweep.ts";
import { rightNodes } from "../reference/right_nodes.ts";
import { type Campaign, tenths } from "./campaign.ts";

/** Runs one of the tasks of node_tasks.ts for every node. */
async function each<Row>(
  name: "tryMutant" | "tryRaftMutant" | "tryRightNode",
  count: number,
  seeds: number,
  onProgress: (text: string) => void,
): Promise<(Row | undefined)[]> {
  const module = new URL("./node_tasks.ts", import.meta.url).href;
  const tasks = Array.from({ length: count }, (_, index) => ({
    module,
    name,
    input: { index, seeds },
  }));
  const what = name === "tryRightNode" ? "right nodes" : "wrong nodes";
  return await runTasks<Row | undefined>(tasks, tenths(count, what, onProgress));
}

function isDone<Row>(row: Row | undefined): row is Row {
  return row !== undefined;
}

/** Mutants. */
export const mutantsCampaign: Campaign = {
  name: "mutants",
  description: "The anomaly of every node with one deliberate fault is found within 20 seeds",
  seeds: 20,
  async run(seeds, onProgress) {
    const tried = await each<MutantRow>("tryMutant", mutants.length, seeds, onProgress);
    const rows = tried.filter(isDone);
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

/** Mutants on Raft, with the flags that `mutants -w txn-list-append` prints for them. */
export const raftMutantsCampaign: Campaign = {
  name: "raft-mutants",
  description: "With Raft's own assertions off, and the faults of the line that the workbench " +
    "prints, clients notice every mutant on Raft but those of which it says that none does",
  seeds: 100,
  async run(seeds, onProgress) {
    const count = raftMutants.length;
    const trials = await each<Trial>("tryRaftMutant", count, seeds, onProgress);
    const rows = [["--bin", "rule that it breaks", "said", "first seed", "found"]];
    const failures: string[] = [];
    for (const [index, { name, rule, seeds: said }] of raftMutants.entries()) {
      const trial = trials[index];
      const found = trial?.signs.slice(0, 3).join(", ") ?? "";
      const many = said === undefined ? "none" : String(said);
      rows.push([name, rule, many, String(trial?.seed ?? "none"), found]);
      // What takes more seeds than are tried need not show.
      const isExpected = said !== undefined && said <= seeds;
      if (trial === undefined ? !isExpected : said !== undefined) continue;
      failures.push(
        trial === undefined
          ? `Not noticed: ${name}, ${seeds} seeds`
          : `Noticed after all: ${name}. ${describeTrial(trial)}`,
      );
    }
    return { rows, failures };
  },
};

/** Right nodes. */
export const rightNodesCampaign: Campaign = {
  name: "right-nodes",
  description: "Nothing is ever found wrong with a right node: without faults, with each fault " +
    "that it tolerates, and with all of these together",
  seeds: 1000,
  async run(seeds, onProgress) {
    const tried = await each<RightRow>("tryRightNode", rightNodes.length, seeds, onProgress);
    const rows = tried.filter(isDone);
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
