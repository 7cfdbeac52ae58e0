/**
 * Does parts of sweeps for a worker, in a process of its own: one that hangs or dies costs the part
 * that it does, and the worker starts another.
 *
 * It reads orders from standard input and writes answers to standard output, as JSON in a line each.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { UsageError } from "@eddy/maelstrom/flags";
import { TextLineStream } from "@std/streams/text-line-stream";
import { type SweepProgram, type SweepRuns, sweepRuns } from "@eddy/workbench/cli/sweep.ts";
import { type RunFigures, taskOf, TaskPool } from "@eddy/workbench/sweep.ts";
import { compileWasm } from "@eddy/workbench/wasm_program.ts";
import { checkSent } from "./fleet_args.ts";
import type { SweepPart } from "./fleet.ts";

/** A program as it is sent to the process. */
export interface SentProgram {
  /** How the command line names it. */
  readonly bin: string;
  /** Where it was read from on its own machine. */
  readonly path: string;
  readonly sha256: string;
  /** The bundle of a program in JavaScript. */
  readonly code?: string | undefined;
  /** The source map of that. */
  readonly map?: string | undefined;
  /** A program in WebAssembly, in base 64. */
  readonly wasm?: string | undefined;
}

/** What the process is asked: to make ready for a sweep, or to do runs of it. */
export type RunnerOrder =
  | { readonly args: readonly string[]; readonly programs: readonly SentProgram[] }
  | { readonly runs: SweepPart["runs"] };

/** A run that was done. */
export interface DoneRun {
  readonly index: number;
  readonly tookMs: number;
  readonly outcome: RunFigures;
}

/** What it answers: each run, and then that they are done; or why they are not. */
export type RunnerAnswer =
  | { readonly run: DoneRun }
  | { readonly done: true }
  | { readonly error: string };

const encoder = new TextEncoder();

function answer(said: RunnerAnswer): void {
  const bytes = encoder.encode(`${JSON.stringify(said)}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

function loaded({ bin, path, sha256, code = "", map, wasm }: SentProgram): SweepProgram {
  const program = wasm === undefined
    ? { kind: "module" as const, path, code, map }
    : compileWasm(bin, path, Uint8Array.fromBase64(wasm));
  return { program, planned: { bin, sha256 } };
}

/** The sweep that runs are done of. */
let sweep: SweepRuns | undefined;

/** One thread: the worker has as many processes as it does runs at once. */
const pool = new TaskPool(1, true);

async function obey(order: RunnerOrder): Promise<void> {
  if ("args" in order) {
    checkSent(order.args);
    const programs = new Map(order.programs.map((each) => [each.bin, loaded(each)]));
    sweep = await sweepRuns(order.args, programs);
    return;
  }
  const { jobs, vary } = sweep ?? { jobs: [], vary: (job) => job };
  const chosen = order.runs.map(([index = -1, ...parents]) => {
    const job = jobs[index];
    if (job === undefined) throw new UsageError(`Cannot do run ${index} of ${jobs.length}`);
    return parents.length === 0 ? job : vary(job, parents);
  });
  await pool.run<RunFigures>(chosen.map(taskOf), (outcome, i, tookMs) => {
    answer({ run: { index: order.runs[i]?.[0] ?? -1, tookMs: Math.round(tookMs), outcome } });
  });
}

/** Obeys until standard input ends, with the worker. */
async function serveWorker(): Promise<void> {
  // A terminal sends this to all processes in it, and the worker decides.
  Deno.addSignalListener("SIGINT", () => {});
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    // Not awaited: the end of the input ends a run as well.
    obey(JSON.parse(line)).then(
      () => answer({ done: true }),
      (error) => answer({ error: errorText(error) }),
    );
  }
  Deno.exit(0);
}

if (import.meta.main) await serveWorker();
