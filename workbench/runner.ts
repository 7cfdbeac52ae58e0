/**
 * A run from its first node to its last: the stages, in Maelstrom's order.
 *
 * @module
 */

import type { Clock, Json, Random } from "@eddy/maelstrom";
import { Client, ClientIds, failureOf } from "./client.ts";
import type { Op, OpError, OpType } from "./history.ts";
import type { RunOptions, World } from "./options.ts";
import { drawInterval } from "./random.ts";
import { callOn, type Worker, Workers } from "./workers.ts";
import {
  CRASHED,
  type Generator,
  type Invocation,
  type MainGenerator,
  type Next,
  type WorkloadSpec,
} from "./generator.ts";
import { workloadSpecs } from "./workloads/mod.ts";

/** The nodes under test, with the services beside them. */
export interface RunCluster {
  /**
   * Starts services and nodes, and has every node answer `init`.
   *
   * @param ids where the clients that send `init` get their names, before all others
   */
  start(ids: ClientIds): Promise<void> | void;
  /** Ends nodes and services; also called when starting them failed, or is still under way. */
  stop(): Promise<void> | void;
}

/** Who injects faults. */
export interface RunNemesis {
  /** Begins to, with the first fault at once, and tells of each one's two ends. */
  start(record: (op: NemesisOp) => void): void;
  /** Injects no more faults; what is broken stays so. Harmless when repeated. */
  stop(): void;
  /** Repairs everything; called after {@linkcode RunNemesis.stop}, if at all. */
  heal(): Promise<void> | void;
}

/** Where a run stands. */
export type Stage = "start" | "setup" | "main" | "heal" | "recovery" | "final" | "stop" | "done";

/** What an observer is told. */
export interface Progress {
  /** Where the run stands. */
  readonly stage: Stage;
  /** Milliseconds since the main phase began. */
  readonly elapsedMs: number;
  /** What clients have done so far. */
  readonly counts: OpCounts;
}

/** Everything that makes a run. */
export interface TestSetup {
  readonly world: World;
  readonly options: RunOptions;
  readonly cluster: RunCluster;
  /** Nothing breaks without one. */
  readonly nemesis?: RunNemesis;
  /**
   * What clients do and how it is judged.
   *
   * @default the workload that the options name
   */
  readonly spec?: WorkloadSpec;
  /** Told at the beginning of every stage, and once a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Breaks the run off, say when a node breaks the protocol; the reason becomes its error. */
  readonly signal?: AbortSignal;
}

/** What is left of a run. */
export interface RunOutcome {
  /** All that happened, up to where the run broke off if it did. */
  readonly history: readonly Op[];
  readonly counts: OpCounts;
  /** When the history begins, by the world's clock. */
  readonly startMs: number;
  /** The stage in which the run broke off, and why; absent if it went to its end. */
  readonly broke?: { readonly stage: Stage; readonly error: Error };
}

/** How long nodes get to recover before the final phase. */
const RECOVERY_MS = 10_000;

/** How often an observer is told. */
const PROGRESS_INTERVAL_MS = 1000;

/**
 * Runs a workload against a cluster.
 *
 * Starts the cluster, sets nodes up, lets clients and nemesis loose up to the time limit, and, if
 * the workload has a final phase, heals, waits and runs that. Never throws: a run that could not
 * be brought to its end says why, beside the history up to there.
 *
 * @example
 * ```ts ignore
 * const { history, broke } = await world.run(() => runTest({ world, cluster, options }));
 * ```
 */
export async function runTest(setup: TestSetup): Promise<RunOutcome> {
  const run = new TestRun(setup);
  try {
    await run.orAborted(() => run.live());
  } catch (error) {
    run.breakOff(error);
  }
  await run.end();
  return run.outcome;
}

class TestRun {
  readonly #setup: TestSetup;
  readonly #spec: WorkloadSpec;
  readonly #ids = new ClientIds();
  readonly #recorder: Recorder;
  readonly #workers: Workers;
  readonly #setupClients: Client[] = [];
  #stage: Stage = "start";
  #phase: Phase | undefined;
  #broke: RunOutcome["broke"];
  #over = false;
  #cancelTick = () => {};

  constructor(setup: TestSetup) {
    const { world, options, spec } = setup;
    const { clock, network } = world;
    this.#setup = setup;
    this.#spec = spec ?? workloadSpecs[options.workload];
    this.#recorder = new Recorder(clock);
    this.#workers = new Workers({
      network,
      clock,
      ids: this.#ids,
      spec: this.#spec,
      options,
      random: world.random("threads"),
    });
  }

  get outcome(): RunOutcome {
    const { history, counts, startMs } = this.#recorder;
    return {
      history,
      counts,
      startMs,
      ...(this.#broke === undefined ? {} : { broke: this.#broke }),
    };
  }

  /** Remembers why the run broke off, the first time. */
  breakOff(error: unknown): void {
    this.#broke ??= {
      stage: this.#stage,
      error: error instanceof Error ? error : new Error(String(error)),
    };
  }

  /** Everything up to the end of the last phase. */
  async live(): Promise<void> {
    this.#enter("start");
    this.#tick();
    await this.#setup.cluster.start(this.#ids);
    if (this.#over) return;
    this.#enter("setup");
    await this.#setUp();
    if (this.#over) return;
    const { options, world } = this.#setup;
    const generator = this.#spec.generator(options, world.random("generator"));
    this.#recorder.start();
    this.#enter("main");
    await this.#main(generator);
    if (!this.#over && generator.final !== undefined) await this.#final(generator);
  }

  /** Clears up, whatever has happened; one part that fails does not keep the next from it. */
  async end(): Promise<void> {
    const begun = this.#stage !== "start" && this.#stage !== "setup";
    this.#over = true;
    this.#phase?.stop();
    const parts = [
      () => begun ? this.#setup.nemesis?.stop() : undefined,
      () => this.#enter("stop"),
      () => this.#workers.close(),
      ...this.#setupClients.map((client) => () => client.close()),
      () => this.#setup.cluster.stop(),
      () => this.#cancelTick(),
      () => this.#enter("done"),
    ];
    for (const part of parts) {
      try {
        await part();
      } catch (error) {
        this.breakOff(error);
      }
    }
  }

  /** Waits for `work`, but no longer than until the run is broken off. */
  orAborted(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#setup;
    if (signal === undefined) return work();
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      work().then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    });
  }

  /** Opens a client for every node and lets it prepare the node, all at the same time. */
  async #setUp(): Promise<void> {
    const { world: { clock, network }, options } = this.#setup;
    for (const _node of options.nodeIds) {
      this.#setupClients.push(new Client({ clock, network, ids: this.#ids }));
    }
    await Promise.all(this.#setupClients.map(async (client, i) => {
      const node = options.nodeIds[i] as string;
      try {
        await this.#spec.setup?.(callOn(client, node), options);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`Cannot set up node ${node}: ${why}`, { cause: error });
      }
    }));
  }

  async #main(generator: MainGenerator): Promise<void> {
    const { options: { rate, timeLimitSeconds }, nemesis } = this.#setup;
    const limitMs = timeLimitSeconds * 1000;
    nemesis?.start((op) => {
      if (!this.#over) this.#recorder.nemesis(op);
    });
    const onEmitted = () => nemesis?.stop();
    if (rate === 0) {
      await this.#sleep(limitMs);
      onEmitted();
    } else {
      await this.#run(generator, { intervalMs: 1000 / rate, limitMs, onEmitted });
    }
  }

  async #final(main: MainGenerator): Promise<void> {
    this.#enter("heal");
    await this.#setup.nemesis?.heal();
    if (this.#over) return;
    this.#enter("recovery");
    await this.#sleep(RECOVERY_MS);
    const phase = main.final?.();
    if (this.#over || phase === undefined) return;
    this.#enter("final");
    const { generator, limitMs } = phase;
    await this.#run(generator, limitMs === undefined ? {} : { limitMs });
  }

  #run(generator: Generator, settings: PhaseSettings): Promise<void> {
    const { clock, random } = this.#setup.world;
    this.#phase = new Phase(generator, settings, {
      clock,
      random: random("stagger"),
      workers: this.#workers,
      recorder: this.#recorder,
      spec: this.#spec,
    });
    return this.#phase.run();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#setup.world.clock.schedule(ms, resolve));
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#tell();
  }

  #tell(): void {
    const { counts, elapsedMs } = this.#recorder;
    this.#setup.onProgress?.({ stage: this.#stage, elapsedMs, counts });
  }

  #tick(): void {
    if (this.#setup.onProgress === undefined) return;
    this.#cancelTick = this.#setup.world.clock.schedule(PROGRESS_INTERVAL_MS, () => {
      this.#tell();
      this.#tick();
    });
  }
}

/** What a phase needs of the run. */
export interface PhaseContext {
  readonly clock: Clock;
  /** Draws the time between operations. */
  readonly random: Random;
  readonly workers: Workers;
  readonly recorder: Recorder;
  readonly spec: WorkloadSpec;
}

/** How a phase goes about it. */
export interface PhaseSettings {
  /**
   * The mean time between operations over all threads.
   *
   * @default 0: an operation is due whenever a thread is free
   */
  readonly intervalMs?: number;
  /**
   * How long operations are emitted, from the first one on.
   *
   * @default until the generator is done
   */
  readonly limitMs?: number;
  /** Called when no more is emitted, while operations may still be under way. */
  readonly onEmitted?: () => void;
}

/** Less than a nanosecond, which no sum of doubles can be relied on for. */
const EPSILON_MS = 1e-7;

/** How late a timer may be without the operations after it being late, too. */
const MAX_TIMER_LAG_MS = 50;

/** A phase; {@linkcode Phase.run} runs it, once. */
export class Phase {
  readonly #context: PhaseContext;
  readonly #generator: Generator;
  readonly #intervalMs: number;
  readonly #limitMs: number;
  readonly #onEmitted: () => void;
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers();
  #emitting = true;
  #stopped = false;
  /** When the next operation is due. */
  #dueMs: number;
  /** Whether the one that is due has had to wait for a thread. */
  #slipped = false;
  #endMs = Infinity;
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(generator: Generator, settings: PhaseSettings, context: PhaseContext) {
    this.#context = context;
    this.#generator = generator;
    this.#intervalMs = settings.intervalMs ?? 0;
    this.#limitMs = settings.limitMs ?? Infinity;
    this.#onEmitted = settings.onEmitted ?? (() => {});
    this.#dueMs = context.clock.now();
  }

  /**
   * Emits operations until the generator is done or time is up, then waits for those under way.
   *
   * @throws what neither a node nor the network can cause.
   */
  run(): Promise<void> {
    this.#pump();
    return this.#ended.promise;
  }

  /** Emits no more and records no more; {@linkcode Phase.run} never resolves. */
  stop(): void {
    this.#stopped = true;
    this.#setTimer(Infinity);
  }

  #pump(): void {
    try {
      this.#emitDue();
    } catch (error) {
      this.#fail(error);
    }
  }

  #emitDue(): void {
    while (this.#emitting && !this.#stopped) {
      const nowMs = this.#context.clock.now();
      if (nowMs + EPSILON_MS >= this.#endMs) return this.#endEmission();
      if (this.#dueMs - nowMs > EPSILON_MS) return this.#setTimer(this.#dueMs);
      const next = this.#generator.next(this.#context.workers, nowMs);
      if (next === "done") return this.#endEmission();
      if (next === "pending" || "untilMs" in next) return this.#wait(next);
      this.#schedule(nowMs);
      this.#emit(next.thread, next.op);
    }
    if (!this.#emitting) this.#endIfIdle();
  }

  #wait(next: Next): void {
    this.#slipped = true;
    this.#setTimer(typeof next === "object" && "untilMs" in next ? next.untilMs : Infinity);
  }

  /** Draws when the operation after the one that is emitted now is due. */
  #schedule(nowMs: number): void {
    if (this.#endMs === Infinity) this.#endMs = nowMs + this.#limitMs;
    // Too few threads make the schedule slip, a timer's coarseness should not.
    const fromMs = this.#slipped ? nowMs : Math.max(this.#dueMs, nowMs - MAX_TIMER_LAG_MS);
    this.#slipped = false;
    this.#dueMs = fromMs + drawInterval(this.#context.random, this.#intervalMs);
  }

  #setTimer(atMs: number): void {
    const earliestMs = this.#stopped ? Infinity : Math.min(atMs, this.#endMs);
    if (this.#timer?.atMs === earliestMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (earliestMs === Infinity) return;
    const { clock } = this.#context;
    const cancel = clock.schedule(Math.max(0, earliestMs - clock.now()), () => {
      this.#timer = undefined;
      this.#pump();
    });
    this.#timer = { atMs: earliestMs, cancel };
  }

  #endEmission(): void {
    this.#emitting = false;
    this.#endMs = Infinity;
    this.#setTimer(Infinity);
    this.#onEmitted();
    this.#endIfIdle();
  }

  #endIfIdle(): void {
    if (this.#context.workers.busyCount === 0) this.#ended.resolve();
  }

  #emit(thread: number, op: Invocation): void {
    const { workers, recorder, spec } = this.#context;
    const worker = workers.take(thread);
    recorder.client(worker, op, { type: "invoke", value: op.value });
    workers.session(worker)(op).then(
      (value) => value === CRASHED ? { type: "info", value: op.value } as const : okOf(value),
      (error) => ({ value: op.value, ...failureOf(error, op.f, spec.errors) }),
    ).then((ending) => this.#complete(worker, op, ending)).catch((error) => this.#fail(error));
  }

  #complete(worker: Worker, op: Invocation, ending: End): void {
    if (this.#stopped) return;
    const { workers, recorder } = this.#context;
    recorder.client(worker, op, ending);
    workers.release(worker, ending.type === "info");
    this.#generator.update?.(worker.thread, { type: ending.type, f: op.f, value: ending.value });
    this.#pump();
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#ended.reject(error);
  }
}

function okOf(value: Json): End {
  return { type: "ok", value };
}

/** How many operations of clients there were, and how they ended. */
export interface OpCounts {
  /** Operations begun. */
  readonly invocations: number;
  /** Operations that succeeded. */
  readonly ok: number;
  /** Operations that certainly did not happen. */
  readonly fail: number;
  /** Operations of which nobody knows. */
  readonly info: number;
}

/** What a nemesis did, or how that ended. */
export interface NemesisOp {
  /** Jepsen's nemesis has `info` at both ends. */
  readonly type: OpType;
  readonly f: string;
  readonly value: Json;
}

/** Who does a client's operation. */
export interface Actor {
  readonly process: number;
  /** The node that it talks to. */
  readonly node: string;
}

/** One end of an operation: its invocation or its completion. */
export interface End {
  readonly type: OpType;
  readonly value: Json;
  readonly error?: OpError;
}

/** Writes down what happens, in the order in which it does. */
export class Recorder {
  readonly #clock: Clock;
  readonly #history: Op[] = [];
  readonly #counts = { invocations: 0, ok: 0, fail: 0, info: 0 };
  #startMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.now();
  }

  /** All that happened so far. */
  get history(): readonly Op[] {
    return this.#history;
  }

  /** Figures over all clients so far. */
  get counts(): OpCounts {
    return { ...this.#counts };
  }

  /** When time began, by the clock. */
  get startMs(): number {
    return this.#startMs;
  }

  /** Milliseconds since the run's beginning. */
  get elapsedMs(): number {
    return this.#clock.now() - this.#startMs;
  }

  /** Lets time begin now. */
  start(): void {
    this.#startMs = this.#clock.now();
  }

  /** Adds one end of a client's operation. */
  client({ process, node }: Actor, { f, final }: Invocation, { type, value, error }: End): void {
    this.#counts[type === "invoke" ? "invocations" : type]++;
    const index = this.#history.length;
    const time = this.#timeNs();
    const op: Op = { index, time, type, process, f, value, node };
    this.#history.push(
      error === undefined && final === undefined ? op : {
        ...op,
        ...(error === undefined ? {} : { error }),
        ...(final === undefined ? {} : { final }),
      },
    );
  }

  /** Adds an operation of the nemesis. */
  nemesis({ type, f, value }: NemesisOp): void {
    const index = this.#history.length;
    this.#history.push({ index, time: this.#timeNs(), type, process: "nemesis", f, value });
  }

  #timeNs(): number {
    return Math.round(this.elapsedMs * 1e6);
  }
}
