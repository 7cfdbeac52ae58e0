/**
 * Mutations of Eddy's own Raft: each breaks one rule, and the workbench sees it.
 *
 * @module
 */

import { runTasks, type Task } from "@eddy/workbench/sweep.ts";
import { type Campaign, type CampaignResult, tenths } from "./campaign.ts";
import { type Blame, type ConditionName, conditions, wrongRafts } from "./mutations_runs.ts";

/** With how many seeds Raft as it is is run under each condition, if none was needed for longer. */
const RIGHT_SEEDS = 100;
/** How many of them a worker does in a row. */
const CHUNK = 10;

/** Mutations as a campaign. */
export const raftMutations: Campaign = {
  name: "mutations",
  description: "Each way to break one rule of our Raft is caught by the workbench within 500 " +
    "seeds, by the checker of txn-list-append or because a node comes upon what cannot be; Raft " +
    "as it is, under the same faults with the same seeds and more, is blamed for nothing",
  seeds: 500,
  run: (seeds, onProgress) => runMutations(seeds, undefined, onProgress),
};

/**
 * Tries mutations, and Raft as it is under the same conditions.
 *
 * @param seeds at most so many for each
 * @param names which to try; all if not given
 */
export async function runMutations(
  seeds: number,
  names: readonly string[] | undefined,
  onProgress: (text: string) => void = () => {},
): Promise<CampaignResult> {
  const tried = wrongRafts.map((wrong, index) => ({ ...wrong, index }))
    .filter(({ name }) => names?.includes(name) ?? true);
  const blames = await runTasks<Blame | undefined>(
    tried.map(({ index }) => task("tryWrongRaft", { index, seeds })),
    tenths(tried.length, "mutations", onProgress),
  );
  const rows = [["what is wrong with it", "faults", "caught by seed", "for"]];
  const failures: string[] = [];
  const reached = new Map<ConditionName, number>();
  for (const [position, { name, condition }] of tried.entries()) {
    const caught = blames[position];
    rows.push([name, condition, String(caught?.seed ?? "none"), caught?.anomaly ?? ""]);
    if (caught === undefined) failures.push(`Not caught: ${name} (${condition}, ${seeds} seeds)`);
    const least = Math.min(seeds, RIGHT_SEEDS);
    reached.set(condition, Math.max(reached.get(condition) ?? least, caught?.seed ?? 0));
  }
  for (const condition of Object.keys(conditions) as ConditionName[]) {
    const count = reached.get(condition);
    if (count === undefined) continue;
    const alarms = await tryAsItIs(condition, count, onProgress);
    const all = alarms.map(({ anomaly }) => anomaly).join("; ");
    rows.push(["nothing", condition, `${alarms.length} of ${count}`, all]);
    for (const { seed, anomaly } of alarms) {
      failures.push(`False alarm: ${condition}, seed ${seed}: ${anomaly}`);
    }
  }
  return { rows, failures };
}

async function tryAsItIs(
  condition: ConditionName,
  count: number,
  onProgress: (text: string) => void,
): Promise<Blame[]> {
  const tasks: Task[] = [];
  for (let first = 1; first <= count; first += CHUNK) {
    const length = Math.min(CHUNK, count - first + 1);
    const seeds = Array.from({ length }, (_, i) => first + i);
    tasks.push(task("tryRight", { condition, seeds }));
  }
  const blames = await runTasks<Blame[]>(
    tasks,
    tenths(tasks.length, `Raft as it is, ${condition}, tens of seeds`, onProgress),
  );
  return blames.flat();
}

function task(name: "tryWrongRaft" | "tryRight", input: unknown): Task {
  return { module: new URL("./mutations_runs.ts", import.meta.url).href, name, input };
}
