/**
 * A run from its world to its report, whatever runs the nodes.
 *
 * @module
 */

import type { Clock } from "@eddy/maelstrom";
import type { Cluster, ClusterOptions } from "./cluster.ts";
import { Disks } from "./disk.ts";
import { FailFast, LastingViolation } from "./fail_fast.ts";
import { Faults, type FaultVerbs } from "./faults.ts";
import type { Op } from "./history.ts";
import type { NetEvent } from "./journal.ts";
import type { LoadMeter } from "./load_meter.ts";
import { Nemesis, type PlanFault } from "./nemesis.ts";
import { type ObservationRecord, Observations } from "./observations.ts";
import { checkGiven, hasDisks, MAX, type RunOptions } from "./options.ts";
import type { Plan } from "./plan.ts";
import { ProtocolError } from "./protocol.ts";
import { reportRun, type RunReport } from "./report.ts";
import { type RunProgress, runTest } from "./runner.ts";
import { activity } from "./watchdog.ts";
import { WaitingCalls } from "./waiting.ts";
import type { World } from "./world.ts";

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
  /**
   * What is not drawn: the operations, faults and messages of another run, or of one's own making,
   * or some of these.
   */
  readonly plan?: Partial<PlannedParts> | undefined;
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
  const disks = disksOf(world, options, plan?.faults);
  const cluster = makeCluster({
    world,
    nodeIds,
    strictMaelstrom,
    maelstromBugs,
    compute: options.compute,
    disks,
    onProtocolError,
    onLog: guarded(onLog, stop),
    onObservation: (node, observation) => observations.add(node, observation),
  });
  const { journal } = world.network;
  const waiting = options.heal === true ? new WaitingCalls() : undefined;
  const observer = guarded(onMessage, stop);
  journal.observer = waiting === undefined ? observer : (event) => {
    waiting.add(event);
    observer?.(event);
  };
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
  const failFast = options.failFast === true ? new FailFast(options, observations) : undefined;
  const signals = signal === undefined ? [stop.signal] : [stop.signal, signal];
  const meter = makeMeter?.(world, cluster);
  const others = {
    nemesis,
    plan: plan?.ops,
    onProgress: (progress: RunProgress) => {
      meter?.follow(progress.stage);
      onProgress?.(progress);
    },
    onHistory: failFast && ((history: readonly Op[]) => {
      const found = failFast.check(history);
      if (found !== undefined) stop.abort(found);
    }),
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
  const lasting = broke?.error instanceof LastingViolation ? broke.error.findings : undefined;
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
    disks: disks?.stats(),
    warnings: [
      ...lasting === undefined ? [] : [broke?.error.message ?? ""],
      ...cluster.warnings,
      ...watchers.flatMap(({ warnings }) => warnings),
    ],
    waiting: waiting &&
      ((invoke, completion) => describeWaiting(waiting, startMs, invoke, completion)),
    lasting,
    broke: lasting === undefined && broke !== undefined
      ? { byNode: broke.error instanceof ProtocolError, text: broke.error.message }
      : undefined,
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

function describeWaiting(
  calls: WaitingCalls,
  startMs: number,
  { node = "", time }: Op,
  completion: Op | undefined,
): string | undefined {
  const worldMs = (timeNs: number) => startMs + timeNs / 1e6;
  const call = calls.of(node, worldMs(time), worldMs(completion?.time ?? Infinity));
  if (call === undefined) return undefined;
  const { type, dest, sentMs } = call;
  const seconds = ((sentMs - startMs) / 1000).toFixed(3);
  return `${node} has no reply of ${dest} to its ${JSON.stringify(type)} of ${seconds} s`;
}

/** The disks of a run's nodes, if they have simulated ones. */
function disksOf(
  world: World,
  options: RunOptions,
  planned: readonly PlanFault[] = [],
): Disks | undefined {
  const faults = [...options.nemesis, ...planned.map(({ kind }) => kind)];
  return hasDisks(options, faults) ? new Disks(world) : undefined;
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
