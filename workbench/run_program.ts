/**
 * A whole run of a program in one call: in this process under virtual time, or as child processes
 * in real time.
 *
 * @module
 */

import type { Cluster, ClusterOptions } from "./cluster.ts";
import { LoadMeter } from "./load_meter.ts";
import { checkOptions, OWN_DISK, type RunOptions, whyNotForProcesses } from "./options.ts";
import type { LoadedProgram } from "./program.ts";
import { checkArgsAndHooks, type RunHooks, runIn, type RunResult } from "./run.ts";
import { createRealWorld, type World } from "./world.ts";

/** A program to run as nodes. */
export interface Program {
  /** A path, which is not looked up anywhere. */
  readonly bin: string;
  /** What every node is started with. */
  readonly args: readonly string[];
}

/**
 * Runs a workload against a program in this process, under virtual time.
 *
 * @param args what every node is started with
 * @throws {RangeError} if the options cannot be run.
 */
export async function simulateProgram(
  program: LoadedProgram,
  args: readonly string[],
  options: RunOptions,
  hooks: RunHooks = {},
): Promise<RunResult> {
  checkArgsAndHooks(args, hooks);
  checkOptions(options);
  // What runs programs is loaded when one is run: most runs are of handlers.
  if (program.kind === "wasm") {
    const { runInWasm } = await import("./wasm.ts");
    return await runInWasm(program, args, options, hooks);
  }
  const [{ runInRealms }, { UtcZone, VmEngine }] = await Promise.all([
    import("./realm.ts"),
    import("./vm_realm.ts"),
  ]);
  return await runInRealms(new VmEngine(program), args, options, hooks, [new UtcZone()]);
}

/**
 * Refuses what only nodes under virtual time can have: simulated disks, and faults of disks and clocks.
 *
 * @throws {RangeError} naming the option.
 */
function refuseSimulated(bin: string, { disk, nemesis }: RunOptions): void {
  for (const fault of nemesis) {
    const why = whyNotForProcesses(fault);
    if (why !== undefined) throw new RangeError(`Cannot run ${bin} with nemesis ${fault}: ${why}`);
  }
  if (disk) throw new RangeError(`Cannot run ${bin} with disks: ${OWN_DISK}`);
}

/**
 * Runs a workload against child processes, in real time, as Maelstrom starts them.
 *
 * @throws {Error} if there is no such program, or it cannot be executed.
 * @throws {RangeError} if the options cannot be run.
 */
export function runProgram(
  program: Program,
  options: RunOptions,
  hooks: RunHooks = {},
): Promise<RunResult> {
  checkArgsAndHooks(program.args, hooks);
  checkOptions(options);
  refuseSimulated(program.bin, options);
  return runProcesses(program, options, hooks);
}

async function runProcesses(
  { bin, args }: Program,
  options: RunOptions,
  hooks: RunHooks,
): Promise<RunResult> {
  const links = hooks.plan?.links;
  const { createProcessCluster } = await import("./process.ts");
  const world = createRealWorld(options.seed, { latency: options.latency, links });
  const make = (cluster: ClusterOptions) => createProcessCluster({ ...cluster, bin, args });
  const makeMeter = ({ clock }: World, cluster: Cluster) =>
    new LoadMeter(clock, () => cluster.processIds);
  return await runIn(world, make, options, hooks, { makeMeter });
}
