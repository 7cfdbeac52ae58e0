/**
 * What workers do for the campaigns of search.ts.
 *
 * @module
 */

import { parseFlags } from "@eddy/maelstrom/flags";
import {
  allMutants,
  binOf,
  findMutant,
  isMutant,
  type Mutant,
  type NodeUnderTest,
} from "@eddy/mutants";
import {
  type NetEvent,
  type RunHooks,
  type RunResult,
  simulate,
  type WorkloadName,
} from "@eddy/workbench";
import { type Drawer, drawerOf, type DrawnRun, kindsFor } from "@eddy/workbench/cli/drawn_run.ts";
import { runFlags, toRunOptions } from "@eddy/workbench/cli/flags.ts";
import { Coverage } from "@eddy/workbench/coverage.ts";
import { GENERATION, Steering } from "@eddy/workbench/steering.ts";
import { type Plan, PLAN_VERSION } from "@eddy/workbench/plan.ts";
import {
  Losses,
  type PlanSize,
  shrinkPlan,
  sizeOf,
  UnrepeatedRun,
} from "@eddy/workbench/shrink.ts";
import { rightNodes } from "../reference/right_nodes.ts";
import { isAmong, signsOf } from "../reference/trials.ts";

/** Which wrong node, and which seeds. */
export interface SearchTask {
  readonly index: number;
  readonly first: number;
  /** How many seeds at most. */
  readonly seeds: number;
  /** Whether the run that shows the fault is made small. */
  readonly shrinks: boolean;
  readonly how: How;
}

/**
 * How seeds are searched: all with one mix of faults, each with a world of its own, or also with
 * variations of worlds that reached something new.
 */
export type How = "blind" | "swarm" | "steered";

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
  { index, first, seeds, shrinks, how }: SearchTask,
): Promise<Found | undefined> {
  const mutant = allMutants[index];
  if (mutant === undefined) throw new RangeError(`There is no mutant ${index}`);
  const draw = await drawerFor(`--bin ${binOf(mutant)} ${lineOf(mutant)}`, how);
  const { install } = mutant;
  const steering = how === "steered" ? new Steering() : undefined;
  for (let seed = first; seed < first + seeds; seed++) {
    if ((seed - first) % GENERATION === 0) steering?.learn();
    const parents = steering?.parents(seed) ?? [];
    const { options, plan } = draw(seed, parents);
    const coverage = new Coverage();
    const onMessage = (event: NetEvent) => coverage.add(event);
    const run = await simulate({
      ...options,
      install,
      plan,
      ...steering && { onMessage },
    });
    if (shows(run, mutant)) {
      const whole: Plan = { version: PLAN_VERSION, args: [], options, ...run.plan() };
      return {
        seeds: seed - first + 1,
        small: shrinks ? await shrink(whole, mutant) : undefined,
      };
    }
    steering?.add([...parents, seed], coverage.reached(run));
  }
  return undefined;
}

/** What a node serves, and what it promises, as flags. */
function lineOf({ workload, needs = {} }: NodeUnderTest): string {
  const { availability, consistencyModels } = needs;
  return [
    `-w ${workload}`,
    ...availability === undefined ? [] : [`--availability ${availability}`],
    ...consistencyModels === undefined ? [] : [`--consistency-models ${consistencyModels.join()}`],
  ].join(" ");
}

/** Findings that right nodes with as short a log have, too, if it is made so short. */
const OF_WAITING: readonly string[] = ["never-ok", "unfinished", "unserved"];

/** Whether a run blames a wrong node for its fault. */
function shows(run: RunResult, mutant: Mutant): boolean {
  const signs = signsOf(run);
  // What clients see of a broken rule may have several names, but that they wait may not be why.
  if ("rule" in mutant) {
    const { valid, findings } = run.results;
    return valid === false && findings.some(({ anomaly }) => !OF_WAITING.includes(anomaly));
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
  } catch (error) {
    // It shows its fault once only, although nothing but the seed decides: the table lacks it.
    if (error instanceof UnrepeatedRun) return undefined;
    throw error;
  }
}

/** What was found with a right node. */
export interface Control {
  /** Each run in which it was blamed, with the line or the node that shows it. */
  readonly blamed: readonly string[];
  /** In how many other runs clients waited, also at the end, when no fault was on. */
  readonly waiting: number;
}

/** Runs Eddy's own node of a workload. */
export async function searchOwn(
  { workload, seeds }: { readonly workload: WorkloadName; readonly seeds: number },
): Promise<Control> {
  const draw = await drawerFor(`-w ${workload}`, "swarm");
  const name = `eddy test -w ${workload} --nemesis swarm`;
  return await control(name, seeds, (seed) => {
    const { options, args, plan } = draw(seed);
    return simulate({ ...options, args, plan });
  });
}

/** Runs a right node of another kind, under those of the faults that it tolerates. */
export async function searchRight(
  { index, seeds }: { readonly index: number; readonly seeds: number },
): Promise<Control> {
  const right = rightNodes[index];
  if (right === undefined) throw new RangeError(`There is no right node ${index}`);
  const { name, workload, install, tolerates } = right;
  const draw = await drawerFor(lineOf(right), "swarm");
  return await control(`${workload}, ${name},`, seeds, (seed) => {
    const { options, plan } = draw(seed);
    const faults = (plan?.faults ?? []).filter(({ kind }) => tolerates.includes(kind));
    const nemesis = options.nemesis.filter((kind) => tolerates.includes(kind));
    return simulate({ ...options, nemesis, install, plan: { faults } });
  });
}

/** What follows from it that clients wait: that polls take too long to get all messages. */
const FOLLOWING: readonly string[] = [...OF_WAITING, "unseen"];

async function control(
  name: string,
  seeds: number,
  run: (seed: number) => Promise<RunResult>,
): Promise<Control> {
  const blamed: string[] = [];
  let waiting = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const { valid, findings, explanations, warnings } = (await run(seed)).results;
    if (valid === true) continue;
    const found = findings.map(({ anomaly }) => anomaly);
    const isWaiting = found.some((each) => OF_WAITING.includes(each)) ||
      warnings.some((warning) => warning.includes("all clients waited"));
    if (isWaiting && found.every((each) => FOLLOWING.includes(each))) waiting++;
    else {
      const why = explanations[0]?.[0] ?? warnings[0] ?? "no reason known";
      blamed.push(`${name} --seed ${seed}: ${why}`);
    }
  }
  return { blamed, waiting };
}

/** The one mix of faults of a blind search, in runs that are as long as the median of a swarm's. */
const MIX = "--node-count 3 --concurrency 2n --rate 40 --time-limit 8 --heal --latency 10 " +
  "--latency-dist exponential --nemesis-interval 1";

/** Draws a run; its faults are in the plan, or left to what its options say. */
type AnyDrawer = (...given: Parameters<Drawer>) =>
  & Pick<DrawnRun, "options" | "args">
  & Pick<RunHooks, "plan">;

async function drawerFor(line: string, how: How): Promise<AnyDrawer> {
  const all = how === "blind" ? `${line} ${MIX}` : line;
  const { flags } = parseFlags(runFlags, all.split(" "));
  const { bin, workload } = flags;
  if (isMutant(bin)) findMutant(bin, workload);
  if (how === "blind") {
    const nemesis = [...kindsFor(flags)];
    return (seed) => ({ options: toRunOptions({ ...flags, nemesis }, seed), args: [] });
  }
  const draw = await drawerOf(flags, "swarm", []);
  return (...given) => {
    const { faults, ...run } = draw(...given);
    return { ...run, plan: { faults } };
  };
}
