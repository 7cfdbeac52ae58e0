/**
 * What workers do for the campaigns of search.ts.
 *
 * @module
 */

import { parseFlags } from "@eddy/maelstrom/flags";
import { allMutants, binOf, findMutant, isMutant, type Mutant } from "@eddy/mutants";
import { type NetEvent, type RunResult, simulate, type WorkloadName } from "@eddy/workbench";
import { drawerOf } from "@eddy/workbench/cli/drawn_run.ts";
import { runFlags } from "@eddy/workbench/cli/flags.ts";
import { type Plan, PLAN_VERSION } from "@eddy/workbench/plan.ts";
import { Losses, type PlanSize, shrinkPlan, sizeOf } from "@eddy/workbench/shrink.ts";
import { isAmong, signsOf } from "../reference/trials.ts";

/** Which wrong node, and which seeds. */
export interface SearchTask {
  readonly index: number;
  readonly first: number;
  /** How many seeds at most. */
  readonly seeds: number;
  /** Whether the run that shows the fault is made small. */
  readonly shrinks: boolean;
}

/** A run that shows a fault. */
export interface Found {
  /** How many seeds it took. */
  readonly seeds: number;
  readonly small: Small | undefined;
}

/** What became of it. */
interface Small {
  readonly before: PlanSize;
  readonly after: PlanSize;
  readonly runs: number;
  readonly seconds: number;
}

const MAX_SHRINK_RUNS = 500;

/** Searches the fault of a wrong node; undefined if no seed shows it. */
export async function searchMutant(
  { index, first, seeds, shrinks }: SearchTask,
): Promise<Found | undefined> {
  const mutant = allMutants[index];
  if (mutant === undefined) throw new RangeError(`There is no mutant ${index}`);
  const { workload, needs = {} } = mutant;
  const { availability, consistencyModels } = needs;
  const line = [
    `-w ${workload} --bin ${binOf(mutant)} --nemesis swarm`,
    ...availability === undefined ? [] : [`--availability ${availability}`],
    ...consistencyModels === undefined ? [] : [`--consistency-models ${consistencyModels.join()}`],
  ].join(" ");
  const draw = await drawerFor(line);
  for (let seed = first; seed < first + seeds; seed++) {
    const { options, faults } = draw(seed);
    const { install } = mutant;
    const run = await simulate({ ...options, install, plan: { faults } });
    if (!shows(run, mutant)) continue;
    const plan: Plan = { version: PLAN_VERSION, args: [], options, ...run.plan() };
    return {
      seeds: seed - first + 1,
      small: shrinks ? await shrink(plan, mutant) : undefined,
    };
  }
  return undefined;
}

/** Whether a run blames a wrong node for its fault. */
function shows(run: RunResult, mutant: Mutant): boolean {
  const signs = signsOf(run);
  // What clients see of a broken rule of Raft may have several names.
  if ("rule" in mutant) {
    const { valid, findings } = run.results;
    return valid === false && findings.some(({ anomaly }) => anomaly !== "never-ok");
  }
  return isAmong(signs, mutant.anomaly);
}

async function shrink(plan: Plan, mutant: Mutant): Promise<Small | undefined> {
  const beganMs = performance.now();
  const { install } = mutant;
  try {
    const { plan: small, runs } = await shrinkPlan(plan, {
      maxRuns: MAX_SHRINK_RUNS,
      atOnce: 1,
      fail: (plans) =>
        Promise.all(
          plans.map(async (each) =>
            shows(await simulate({ ...each.options, install, plan: each }), mutant)
          ),
        ),
      async lost(each) {
        const losses = new Losses(each.options.nemesis);
        const onMessage = (event: NetEvent) => losses.add(event);
        await simulate({ ...each.options, install, plan: each, onMessage });
        return losses.lost;
      },
    });
    const seconds = (performance.now() - beganMs) / 1000;
    return { before: sizeOf(plan), after: sizeOf(small), runs, seconds };
  } catch {
    // It shows its fault once only, although nothing but the seed decides: the table lacks it.
    return undefined;
  }
}

/** Runs Eddy's own node of a workload, and returns what was found, with the line that shows it. */
export async function searchOwn(
  { workload, seeds }: { readonly workload: WorkloadName; readonly seeds: number },
): Promise<readonly string[]> {
  const draw = await drawerFor(`-w ${workload} --nemesis swarm`);
  const blamed: string[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const { options, args, faults } = draw(seed);
    const { results } = await simulate({ ...options, args, plan: { faults } });
    if (results.valid === true) continue;
    const why = results.explanations[0]?.[0] ?? results.warnings[0] ?? "no reason known";
    blamed.push(`eddy test -w ${workload} --nemesis swarm --seed ${seed}: ${why}`);
  }
  return blamed;
}

async function drawerFor(line: string) {
  const { flags } = parseFlags(runFlags, line.split(" "));
  const { bin, workload } = flags;
  if (isMutant(bin)) findMutant(bin, workload);
  return await drawerOf(flags, "swarm", []);
}
