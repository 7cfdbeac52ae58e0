/**
 * What runs the nodes that are programs, which `--bin` names; Eddy's own need none of these modules.
 *
 * @module
 */

import { UsageError } from "@eddy/maelstrom/flags";
import { findMutant, isMutant } from "@eddy/mutants";
import type { RunOptions } from "../options.ts";
import { describeEngine, type PlanProgram } from "../plan.ts";
import { findProgram } from "../process.ts";
import { isLoadable, isWasm, type LoadedProgram, loadProgram } from "../program.ts";
import type { RunHooks, RunResult } from "../run.ts";
import { runProgram, simulateProgram } from "../run_program.ts";
import { simulate } from "../simulate.ts";
import { noRealTime, refuseSimulated, type RunFlags } from "./flags.ts";
import { refuseArgs } from "./mutants.ts";

/** What runs the nodes of a run. */
export interface Engine {
  /** What it is, in a line. */
  readonly name: string;
  readonly isVirtual: boolean;
  /** The program; undefined for Eddy's own node. */
  readonly program?: PlanProgram;
  /** What it was loaded to, where it runs in this process. */
  readonly loaded?: LoadedProgram;
  /** Runs; `args` are what Eddy's own nodes are started with where they are drawn for a run. */
  readonly run: (
    options: RunOptions,
    hooks: RunHooks,
    args?: readonly string[],
  ) => Promise<RunResult>;
}

/**
 * What runs the nodes that `--bin` names: a mutant's handlers, a program in this process, or
 * processes.
 *
 * @param args what follows `--`: arguments of the program
 * @throws {Error} if there is no such program, or it cannot be bundled or executed.
 * @throws {UsageError} if it takes no such arguments.
 */
export async function programEngine(
  bin: string,
  flags: RunFlags,
  args: readonly string[],
): Promise<Engine> {
  checkRealTime(flags);
  if (isMutant(bin)) {
    const { install } = findMutant(bin, flags.workload);
    refuseArgs(bin, args);
    return {
      name: describeEngine({ bin }, true),
      isVirtual: true,
      program: { bin },
      run: (options, hooks) => simulate({ ...options, install, ...hooks }),
    };
  }
  if (runsVirtually(flags)) {
    const program = await loadProgram(bin);
    return {
      name: describeEngine({ bin }, true),
      isVirtual: true,
      program: await virtualProgram(bin, program),
      loaded: program,
      run: (options, hooks) => simulateProgram(program, args, options, hooks),
    };
  }
  return {
    name: describeEngine({ bin }, false),
    isVirtual: false,
    program: await processProgram(bin, flags),
    run: (options, hooks) => runProgram({ bin, args }, options, hooks),
  };
}

/** What a plan says of a program that runs in this process. */
export async function virtualProgram(bin: string, program: LoadedProgram): Promise<PlanProgram> {
  // What is run of a TypeScript program is its bundle, with all that it imports.
  const bytes = program.kind === "module"
    ? new TextEncoder().encode(program.code)
    : await Deno.readFile(program.path);
  return { bin, sha256: await sha256(bytes) };
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * Checks whether nodes that are to run in real time can.
 *
 * @throws {UsageError} if they are no program, and so have virtual time only.
 */
export function checkRealTime({ bin, "real-time": realTime }: RunFlags): void {
  if (!realTime || (bin !== undefined && !isMutant(bin))) return;
  throw noRealTime(bin);
}

/**
 * Checks whether a program can run as processes, and returns what a plan says of it.
 *
 * @throws {Error} if there is no such program, or it cannot be executed.
 * @throws {UsageError} if virtual time is asked for, or it has no other.
 */
export async function processProgram(bin: string, flags: RunFlags): Promise<PlanProgram> {
  if (isWasm(bin)) {
    throw new UsageError(
      `Cannot use --real-time for ${bin}: WebAssembly runs in virtual time; a script that starts it ` +
        "in a runtime of your own runs in real time",
    );
  }
  refuseSimulated(bin, flags);
  if (flags.compute !== undefined) {
    throw new UsageError(`Cannot use --compute for ${bin}: it runs in real time`);
  }
  const path = findProgram(bin);
  return {
    bin,
    sha256: await Deno.readFile(path).then(sha256, () => undefined),
    realTime: isLoadable(bin) || undefined,
  };
}

/** Whether nodes run in this process, under virtual time. */
export function runsVirtually({ bin, "real-time": realTime }: RunFlags): boolean {
  return bin === undefined || isMutant(bin) || (isLoadable(bin) && !realTime);
}
