/**
 * A whole run in one call: in this process, under virtual time. `run_program.ts` has those of
 * programs.
 *
 * @module
 */

import { findWorkload } from "@eddy/handlers";
import { type Clock, describeError, type Node } from "@eddy/maelstrom";
import type { Cluster, ClusterOptions } from "./cluster.ts";
import { createInProcessCluster } from "./in_process.ts";
import { nextTurn } from "./event_loop.ts";
import { ProtocolError } from "./protocol.ts";
import { Faults, type FaultVerbs } from "./faults.ts";
import { Nemesis } from "./nemesis.ts";
import type { Op } from "./history.ts";
import type { NetEvent } from "./journal.ts";
import { type ObservationRecord, Observations } from "./observations.ts";
import type { Plan } from "./plan.ts";
import { reportRun, type RunReport } from "./report.ts";
import { checkGiven, defaultOptions, MAX, type RunOptions, type RunSettings } from "./options.ts";
import type { LoadMeter } from "./load_meter.ts";
import { type RunProgress, runTest } from "./runner.ts";
import { activity } from "./watchdog.ts";
import type { WorkloadName } from "./workloads/mod.ts";
import { createVirtualWorld, type World } from "./world.ts";

/** What can be watched of a run, and scripted in it. */
export interface RunHooks {
  /** Called for every event of the network. */
  readonly onMessage?: ((event: NetEvent) => void) | undefined;
  /** Called for every line of a node's log. */
  readonly onLog?: ((node: string, text: string) => void) | undefined;
  /** Called at the beginning of every stage, and once a second. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  /** Called when the main phase begins; for faults at stated times, by the clock. */
  readonly script?: ((faults: FaultVerbs, clock: Clock) => void) | undefined;
  /** Breaks the run off; what has happened so far is checked and reported. */
  readonly signal?: AbortSignal | undefined;
  /** What is not drawn: the operations, faults and messages of another run, or of one's own making. */
  readonly plan?: PlannedParts | undefined;
  /**
   * How long the run may take, in seconds of the machine's time, before it is broken off. It does
   * not end a handler that does not return, nor the check.
   *
   * @default no limit
   */
  readonly runTimeoutSeconds?: number | undefined;
}

/** The parts of a plan that a run follows beside its options. */
export type PlannedParts = Pick<Plan, "ops" | "faults" | "links">;

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

/** The outcome of a run. */
export interface RunResult {
  /** Verdicts and figures; `results.valid` is the verdict of all. */
  readonly results: RunReport;
  /** What clients and nemesis did and saw. */
  readonly history: readonly Op[];
  /** What was run, defaults included. */
  readonly options: RunOptions;
  /** How nodes have broken the protocol. */
  readonly protocolErrors: readonly ProtocolError[];
  /** When the history begins, by the world's clock. */
  readonly startMs: number;
  /** What the run was given and what it drew, to be run again; faults of a script are not in it. */
  readonly plan: () => PlannedParts;
  /** The most memory that a node had, in bytes; known for WebAssembly only. */
  readonly peakMemoryBytes?: number;
  /** What nodes told of themselves. */
  readonly observations: readonly ObservationRecord[];
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
  const { workload, install, args, ...others } = options;
  const { onMessage, onLog, onProgress, script, signal, plan, runTimeoutSeconds, ...settings } =
    others;
  const hooks = { onMessage, onLog, onProgress, script, signal, plan, runTimeoutSeconds };
  checkGiven("install", install, "a function", typeof install === "function");
  checkArgsAndHooks(args, hooks);
  const run = defaultOptions(workload, settings);
  const setup = install ?? findWorkload(workload).configure(args ?? []);
  const world = createVirtualWorld(run.seed, { latency: run.latency, links: plan?.links });
  const make = (cluster: ClusterOptions) => createInProcessCluster({ ...cluster, setup });
  const watchers = [new Uncaught(), new RealTimers(), new Activities(run.seed)];
  return runIn(world, make, run, hooks, { watchers });
}

/**
 * Checks what a run is given beside its options.
 *
 * @throws {RangeError} naming what cannot be used.
 */
export function checkArgsAndHooks(
  args: unknown,
  { signal, plan: _, runTimeoutSeconds, ...functions }: RunHooks,
): void {
  const ok = Array.isArray(args) && args.every((arg) => typeof arg === "string");
  checkGiven("args", args, "a list of texts", ok);
  checkGiven("signal", signal, "an AbortSignal", signal instanceof AbortSignal);
  checkGiven(
    "run timeout",
    runTimeoutSeconds,
    `a positive number up to ${MAX.runTimeoutSeconds}`,
    Number(runTimeoutSeconds) > 0 && Number(runTimeoutSeconds) <= MAX.runTimeoutSeconds,
  );
  for (const [name, hook] of Object.entries(functions)) {
    checkGiven(name, hook, "a function", typeof hook === "function");
  }
}

/** What looks at a run from outside. */
export interface Onlookers {
  /** They look at what nodes in this process do to it. */
  readonly watchers?: readonly Watcher[];
  /**
   * Makes what measures how busy the machine is.
   *
   * @default it is not measured
   */
  readonly makeMeter?: (world: World, cluster: Cluster) => LoadMeter;
}

/** Does a run in a world, and reports it. */
export async function runIn(
  world: World,
  makeCluster: (options: ClusterOptions) => Cluster,
  options: RunOptions,
  hooks: RunHooks,
  { watchers = [], makeMeter }: Onlookers = {},
): Promise<RunResult> {
  const { onMessage, onLog, onProgress, script, signal, plan, runTimeoutSeconds } = hooks;
  const stop = new AbortController();
  const { nodeIds, strictMaelstrom, maelstromBugs } = options;
  const onProtocolError = (error: ProtocolError) => stop.abort(error);
  const observations = new Observations(() => world.clock.now());
  const cluster = makeCluster({
    world,
    nodeIds,
    strictMaelstrom,
    maelstromBugs,
    compute: options.compute,
    onProtocolError,
    onLog: guarded(onLog, stop),
    onObservation: (node, observation) => observations.add(node, observation),
  });
  const { journal } = world.network;
  journal.observer = guarded(onMessage, stop);
  const faults = new Faults({ world, cluster });
  const nemesis = new Nemesis({
    world,
    faults,
    nodeIds,
    kinds: options.nemesis,
    intervalSeconds: options.nemesisIntervalSeconds,
    plan: plan?.faults,
    script,
  });
  const signals = signal === undefined ? [stop.signal] : [stop.signal, signal];
  const meter = makeMeter?.(world, cluster);
  const others = {
    nemesis,
    plan: plan?.ops,
    onProgress: (progress: RunProgress) => {
      meter?.follow(progress.stage);
      onProgress?.(progress);
    },
    signal: AbortSignal.any(signals),
  };
  const main = () =>
    world.run(
      () => runTest(world, cluster, options, others),
      (error) => stop.abort(error),
    );
  const watched = watchers.reduce((inner, watcher) => () => watcher.during(inner), main);
  const timer = runTimeoutSeconds && setTimeout(() => {
    const limit = `${runTimeoutSeconds} s of real time`;
    stop.abort(new Error(`The run was broken off: it took longer than ${limit} (--run-timeout)`));
  }, runTimeoutSeconds * 1000);
  const outcome = await watched().finally(() => clearTimeout(timer));
  const { history, startMs, counts, planned, broke } = outcome;
  const results = reportRun({
    options,
    history,
    invocations: counts.invocations,
    planned,
    startMs,
    net: journal.stats(),
    dropped: journal.dropped,
    faults: faults.windows,
    machineLoad: meter?.load,
    observed: observations.summary(startMs),
    warnings: [...cluster.warnings, ...watchers.flatMap(({ warnings }) => warnings)],
    broke: broke &&
      { byNode: broke.error instanceof ProtocolError, text: broke.error.message },
  });
  return {
    results,
    history,
    options,
    protocolErrors: cluster.protocolErrors,
    startMs,
    observations: observations.records(startMs),
    plan: () => ({
      ops: outcome.emitted,
      faults: nemesis.plan,
      links: world.network.planLinks(),
    }),
  };
}

/** A hook whose error breaks the run off, in place of going to a node or a stream that calls it. */
function guarded<Args extends unknown[]>(
  hook: ((...args: Args) => void) | undefined,
  stop: AbortController,
): ((...args: Args) => void) | undefined {
  return hook && ((...args) => {
    try {
      hook(...args);
    } catch (error) {
      stop.abort(error);
    }
  });
}

/** Looks at what nodes in this process do to it. */
export interface Watcher {
  /** One sentence for each thing that was seen. */
  readonly warnings: readonly string[];
  /** Runs `main`, and looks meanwhile. */
  during<T>(main: () => Promise<T>): Promise<T>;
}

/** Keeps a rejection that is not caught from ending the process, as `main.ts` does for one node. */
class Uncaught implements Watcher {
  #count = 0;
  #first = "";

  /** One sentence if there was a rejection. */
  get warnings(): string[] {
    if (this.#count === 0) return [];
    const more = this.#count === 1 ? "" : `, and ${this.#count - 1} more`;
    return [`Promises of nodes were rejected and not caught: ${this.#first}${more}`];
  }

  /** Runs `main`, and counts what is rejected meanwhile and not caught. */
  async during<T>(main: () => Promise<T>): Promise<T> {
    const note = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      if (this.#count++ === 0) this.#first = textAndPlace(event.reason);
    };
    globalThis.addEventListener("unhandledrejection", note);
    try {
      return await main();
    } finally {
      // The event of a last rejection comes with the next turn of the event loop.
      await new Promise<void>(nextTurn);
      globalThis.removeEventListener("unhandledrejection", note);
    }
  }
}

/** What was thrown, and the line of code it came from where that is known. */
function textAndPlace(reason: unknown): string {
  const [text = "", place] = describeError(reason).split(/\n\s+(?=at )/);
  return place === undefined ? text : `${text} ${place}`;
}

/** Tells a watchdog, if there is one, that nodes run. */
export class Activities implements Watcher {
  readonly warnings: readonly string[] = [];
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  async during<T>(main: () => Promise<T>): Promise<T> {
    activity.begin(this.#seed);
    try {
      return await main();
    } finally {
      activity.end();
    }
  }
}

const TIMERS = ["setTimeout", "setInterval"] as const;

/**
 * Notes the first timer of the machine's own time that is set while virtual time runs.
 *
 * It fires when virtual time has long passed on, or never, and makes a run depend on the machine.
 */
class RealTimers implements Watcher {
  /** The runs that look at present. */
  static readonly #all = new Set<RealTimers>();
  static #giveBack = () => {};
  #first: string | undefined;

  get warnings(): string[] {
    if (this.#first === undefined) return [];
    return [
      `A handler called ${this.#first}: that timer does not run in virtual time, so who waits for ` +
      "it may wait for ever; use node.clock.schedule",
    ];
  }

  async during<T>(main: () => Promise<T>): Promise<T> {
    const all = RealTimers.#all;
    if (all.size === 0) RealTimers.#giveBack = replaceTimers(RealTimers.#note);
    all.add(this);
    try {
      return await main();
    } finally {
      all.delete(this);
      if (all.size === 0) RealTimers.#giveBack();
    }
  }

  static readonly #note = (name: string) => {
    for (const each of RealTimers.#all) each.#first ??= `${name} ${placeOfCaller()}`;
  };
}

/** Replaces the global timers by ones that tell of a call, and returns how to undo that. */
function replaceTimers(note: (name: string) => void): () => void {
  const undo = TIMERS.map((name) => {
    const original: (...args: never[]) => unknown = globalThis[name];
    const replaced = (...args: never[]) => {
      note(name);
      return original(...args);
    };
    Object.assign(globalThis, { [name]: replaced });
    return () => {
      if (globalThis[name] as unknown === replaced) Object.assign(globalThis, { [name]: original });
    };
  });
  return () => undo.forEach((each) => each());
}

/** The line of code outside of this module that is being called from. */
function placeOfCaller(): string {
  const lines = (new Error().stack ?? "").split(/\n\s+(?=at )/).slice(1);
  return lines.find((line) => !line.includes(import.meta.url)) ?? "";
}
