/**
 * A whole run in one call: in process under virtual time, or with child processes in real time.
 *
 * @module
 */

import { findWorkload } from "@eddy/handlers";
import type { Clock, Node } from "@eddy/maelstrom";
import { createProcessCluster } from "./process.ts";
import type { Cluster, ClusterOptions } from "./cluster.ts";
import { createInProcessCluster } from "./in_process.ts";
import { ProtocolError } from "./protocol.ts";
import { Faults, type FaultVerbs } from "./faults.ts";
import { Nemesis } from "./nemesis.ts";
import type { Op } from "./history.ts";
import type { NetEvent } from "./journal.ts";
import { reportRun, type RunReport } from "./report.ts";
import { defaultOptions, type RunOptions, type RunSettings, type WorkloadName } from "./options.ts";
import {
  type Progress,
  type RunNemesis,
  type RunOutcome,
  runTest,
  type TestSetup,
} from "./runner.ts";
import { type Arena, createRealWorld, createVirtualWorld, Uncaught } from "./world.ts";

/** What can be watched of a run, and scripted in it. */
export interface RunHooks {
  /** Told every event of the network. */
  readonly onMessage?: (event: NetEvent) => void;
  /** Called with each line that a node writes to standard error. */
  readonly onLog?: (node: string, text: string) => void;
  /** Told at the beginning of every stage, and once a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Called when the main phase begins; for faults at stated times, by the clock. */
  readonly script?: (faults: FaultVerbs, clock: Clock) => void;
  /** Breaks the run off; what has happened so far is checked and reported. */
  readonly signal?: AbortSignal;
}

/** What to run. */
export interface SimulateOptions extends RunSettings, RunHooks {
  /** What clients do. */
  readonly workload: WorkloadName;
  /**
   * Registers a node's handlers.
   *
   * @default Eddy's own for the workload
   */
  readonly install?: (node: Node) => void;
  /** Options for Eddy's own handlers, as on the node's command line. */
  readonly args?: readonly string[];
}

/** What a run came to. */
export interface RunResult {
  /** Verdicts and figures; `results.valid` is the verdict of all. */
  readonly results: RunReport;
  /** What clients and nemesis did and saw. */
  readonly history: readonly Op[];
  /** What was run, defaults included. */
  readonly options: RunOptions;
  /** What nodes did that no node may do. */
  readonly protocolErrors: readonly ProtocolError[];
  /** When the history begins, by the world's clock. */
  readonly startMs: number;
}

/**
 * Runs a workload in this process, under virtual time: nothing sleeps, and the same seed gives the
 * same history on every machine.
 *
 * @throws {RangeError} if the options cannot be run.
 *
 * @example A cluster of echo nodes, and a fault at a stated time
 * ```ts
 * import { simulate } from "@eddy/workbench";
 * import { assertEquals } from "@std/assert";
 *
 * const { results, history } = await simulate({
 *   workload: "echo",
 *   nodeCount: 3,
 *   timeLimitSeconds: 10,
 *   rate: 20,
 *   seed: 7,
 *   install: (node) => node.on("echo", ({ body }) => ({ echo: body.echo })),
 *   script: (faults, clock) => void clock.schedule(3000, () => faults.isolate("n1")),
 * });
 * assertEquals(results.valid, true);
 * assertEquals(history[0]?.f, "echo");
 * ```
 */
export function simulate(options: SimulateOptions): Promise<RunResult> {
  const { workload, install, args, onMessage, onLog, onProgress, script, signal, ...settings } =
    options;
  const run = defaultOptions(workload, settings);
  const setup = install ?? findWorkload(workload).configure(args ?? []);
  const world = createVirtualWorld(run.seed, { latency: run.latency });
  const hooks = definedOnly({ onMessage, onLog, onProgress, script, signal });
  const make = (cluster: ClusterOptions) => createInProcessCluster({ ...cluster, setup });
  const uncaught = new Uncaught();
  const contained: Arena = {
    ...world,
    run: (main, onStuck) => uncaught.during(() => world.run(main, onStuck)),
  };
  return runIn(contained, make, run, hooks, uncaught);
}

/** A program to run as nodes. */
export interface Program {
  /** A path, which is not looked up anywhere. */
  readonly bin: string;
  /** What every node is started with. */
  readonly args: readonly string[];
}

/** Runs a workload against child processes, in real time, exactly as Maelstrom starts them. */
export function runProgram(
  { bin, args }: Program,
  options: RunOptions,
  hooks: RunHooks = {},
): Promise<RunResult> {
  const world = createRealWorld(options.seed, { latency: options.latency });
  const make = (cluster: ClusterOptions) => createProcessCluster({ ...cluster, bin, args });
  return runIn(world, make, options, hooks);
}

async function runIn(
  world: Arena,
  makeCluster: (options: ClusterOptions) => Cluster,
  options: RunOptions,
  hooks: RunHooks,
  uncaught?: Uncaught,
): Promise<RunResult> {
  const stop = new AbortController();
  const signals = hooks.signal === undefined ? [stop.signal] : [stop.signal, hooks.signal];
  const { nodeIds, strictMaelstrom, maelstromBugs } = options;
  const cluster = makeCluster({
    world,
    nodeIds,
    strictMaelstrom,
    maelstromBugs,
    onProtocolError: (error) => stop.abort(error),
    ...definedOnly({ onLog: hooks.onLog }),
  });
  const faults = new Faults({ world, cluster });
  world.network.journal.observer = hooks.onMessage;
  const nemesis = makeNemesis(world, faults, options, hooks);
  const setup: TestSetup = {
    world,
    options,
    cluster,
    nemesis,
    signal: AbortSignal.any(signals),
    ...definedOnly({ onProgress: hooks.onProgress }),
  };
  const outcome = await world.run(() => runTest(setup), (error) => stop.abort(error));
  const { history, startMs, counts } = outcome;
  const results = reportRun({
    options,
    history,
    invocations: counts.invocations,
    startMs,
    net: world.network.journal.stats(),
    dropped: world.network.journal.dropped,
    faults: faults.windows,
    warnings: [...cluster.warnings, ...uncaught?.warnings ?? []],
    broke: describeBreak(outcome),
  });
  return { results, history, options, protocolErrors: cluster.protocolErrors, startMs };
}

function makeNemesis(
  world: Arena,
  faults: Faults,
  options: RunOptions,
  { script }: RunHooks,
): RunNemesis {
  const nemesis = new Nemesis({
    world,
    faults,
    nodeIds: options.nodeIds,
    kinds: options.nemesis,
    intervalSeconds: options.nemesisIntervalSeconds,
  });
  return {
    start(record) {
      nemesis.start(record);
      script?.(faults, world.clock);
    },
    stop: () => nemesis.stop(),
    heal: () => nemesis.heal(),
  };
}

function describeBreak({ broke }: RunOutcome): { byNode: boolean; text: string } | undefined {
  if (broke === undefined) return undefined;
  return { byNode: broke.error instanceof ProtocolError, text: broke.error.message };
}

/** Leaves out what is undefined, as exact optional properties ask for. */
function definedOnly<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
