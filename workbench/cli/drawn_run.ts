/**
 * Runs whose faults, and with `swarm` all else, are drawn for each seed.
 *
 * @module
 */

import { findWorkload } from "@eddy/handlers/workloads";
import type { Random } from "@eddy/maelstrom";
import { UsageError } from "@eddy/maelstrom/flags";
import { allMutants, binOf, isMutant } from "@eddy/mutants";
import { plural } from "../checkers/checker.ts";
import { needsDisk, NEMESES, type NemesisName, type PlanFault } from "../nemesis.ts";
import { type RunOptions, type RunSettings, whyNotForProcesses } from "../options.ts";
import { seededRandom } from "../random.ts";
import {
  asPlanned,
  drawSchedule,
  drawWorld,
  faultyMs,
  needsThree,
  type ScheduleName,
} from "../schedules.ts";
import { type Parents, varyFaults } from "../steering.ts";
import { runsVirtually } from "./engine.ts";
import { type RunFlags, runFlags, toRunOptions } from "./flags.ts";

/** A run of a seed. */
export interface DrawnRun {
  readonly options: RunOptions;
  /** What every node is started with. */
  readonly args: readonly string[];
  readonly faults: readonly PlanFault[];
}

/**
 * What draws the runs of a command line.
 *
 * Flags with another value than their default are kept as they are.
 *
 * @param args what follows `--` on it
 */
export async function drawerOf(
  flags: RunFlags,
  name: ScheduleName,
  args: readonly string[],
): Promise<Drawer> {
  const { workload, bin } = flags;
  // What is given for the node stands alone, and other programs have options of their own.
  const nodeFlags = bin === undefined && args.length === 0
    ? (await findWorkload(workload)).flags
    : {};
  const kinds = kindsFor(flags);
  if (name === "skew" && !kinds.includes("clock")) {
    throw new UsageError(`Cannot use --nemesis skew for ${bin}: ${whyNotForProcesses("clock")}`);
  }
  const fresh: Drawer = (seed) => {
    const { nodeOptions = {}, ...world } = name === "swarm"
      ? drawWorld(workload, seededRandom(seed, "swarm"))
      : {};
    const options = toRunOptions(flags, seed, notGiven(flags, world));
    const { nodeIds } = options;
    if (needsThree(name) && nodeIds.length < 3) {
      throw new UsageError(
        `Cannot use --nemesis ${name} with ${
          plural(nodeIds.length, "node")
        }: it needs three or more`,
      );
    }
    const drawn = Object.entries(nodeOptions).filter(([option]) =>
      Object.hasOwn(nodeFlags, option)
    );
    return {
      args: [...args, ...drawn.flatMap(([option, value]) => [`--${option}`, String(value)])],
      ...withSchedule(options, seed),
    };
  };
  const withSchedule = (options: RunOptions, seed: number) => {
    const { nodeIds } = options;
    const random = seededRandom(seed, "schedule");
    const clocks = seededRandom(seed, "clocks");
    return withFaults(options, drawSchedule(name, options, { nodeIds, random, clocks, kinds }));
  };
  const varied = (seed: number, parents: Parents): DrawnRun => {
    const parent = parents.at(-1);
    const other = fresh(seed);
    if (parent === undefined) return other;
    const base = varied(parent, parents.slice(0, -1));
    const random = seededRandom(seed, "variation");
    const options = varyOptions(base.options, other.options, random);
    const { faults } = withSchedule(options, seed);
    const durationMs = faultyMs(options);
    const all = varyFaults(base.faults, faults, random, durationMs);
    return {
      args: random.next() < OTHER ? other.args : base.args,
      ...withFaults(options, asPlanned(all, { kinds, durationMs })),
    };
  };
  return (seed, parents = []) => varied(seed, parents);
}

/** Draws the run of a seed, or varies that of its parents. */
export type Drawer = (seed: number, parents?: Parents) => DrawnRun;

function withFaults(options: RunOptions, faults: readonly PlanFault[]) {
  const nemesis = [...new Set(faults.map(({ kind }) => kind))];
  return { options: { ...options, nemesis }, faults };
}

/** How likely each part of a run is another in a variation. */
const OTHER = 0.2;

/** The parts of a run that do not depend on each other, nor faults on them. */
const PARTS: readonly (readonly (keyof RunOptions)[])[] = [
  ["latency"],
  ["compute"],
  ["rate", "threadOrder"],
  ["keyCount", "maxTxnLength", "maxWritesPerKey"],
];

function varyOptions(base: RunOptions, other: RunOptions, random: Random): RunOptions {
  const parts = PARTS.filter(() => random.next() < OTHER).flat();
  return {
    ...base,
    ...Object.fromEntries(parts.map((name) => [name, other[name]])),
    seed: other.seed,
  };
}

/**
 * The kinds of faults that nodes can be asked to survive: what they keep outlives a kill only with
 * storage, which Eddy's own nodes have, and others that are given disks.
 */
export function kindsFor(flags: RunFlags): readonly NemesisName[] {
  const { bin, workload, disk } = flags;
  const hasStorage = bin === undefined || disk || isMutant(bin) && isOfStorage(bin, workload);
  const isVirtual = runsVirtually(flags);
  const survive = hasStorage && isVirtual;
  return NEMESES.filter((kind) => {
    if (!isVirtual && whyNotForProcesses(kind) !== undefined) return false;
    if (flags["no-disk"] && needsDisk(kind)) return false;
    return survive || !(kind === "kill" || needsDisk(kind));
  });
}

function isOfStorage(bin: string, workload: string): boolean {
  const mutant = allMutants.find((each) => each.workload === workload && binOf(each) === bin);
  return mutant?.needs?.nemesis?.some((kind) => kind === "kill" || kind.startsWith("disk-")) ??
    false;
}

/** Of what was drawn, that for which no flag has another value than its default. */
function notGiven(flags: RunFlags, world: RunSettings): RunSettings {
  const named = [...flags.nodes ?? [], ...flags.node, ...flags["nodes-file"] ?? []].length > 0;
  const isCounted = /^\d+$/.test(flags.concurrency ?? "");
  const kept: Partial<Record<keyof RunSettings, boolean>> = {
    // A number of clients may fit one number of nodes only.
    nodeCount: named || flags["node-count"] !== undefined || isCounted,
    concurrency: flags.concurrency !== undefined,
    timeLimitSeconds: flags["time-limit"] !== runFlags["time-limit"].default,
    rate: flags.rate !== runFlags.rate.default,
    latency: flags.latency !== runFlags.latency.default ||
      flags["latency-dist"] !== runFlags["latency-dist"].default,
    compute: flags.compute !== undefined || !runsVirtually(flags),
    keyCount: flags["key-count"] !== runFlags["key-count"].default,
    maxTxnLength: flags["max-txn-length"] !== runFlags["max-txn-length"].default,
    maxWritesPerKey: flags["max-writes-per-key"] !== runFlags["max-writes-per-key"].default,
  };
  return Object.fromEntries(
    Object.entries(world).filter(([name]) => kept[name as keyof RunSettings] !== true),
  );
}
