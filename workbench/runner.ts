/**
 * A run from start to end: the stages in Maelstrom's order, the phases of operations, the history.
 *
 * @module
 */

import { type Clock, errorText, type Json, type Random } from "@eddy/maelstrom";
import { Client, ClientIds, failureOf } from "./client.ts";
import type { Cluster } from "./cluster.ts";
import {
  CRASHED,
  type Generator,
  type Invocation,
  type MainGenerator,
  type Next,
  type Threads,
  type Workload,
} from "./generator.ts";
import type { Op, OpError, OpType } from "./history.ts";
import { KeptLists, withValue } from "./kept_lists.ts";
import type { Nemesis, NemesisEvent } from "./nemesis.ts";
import { mainPhaseMs, type RunOptions } from "./options.ts";
import { drawInterval } from "./random.ts";
import { callOn, type Worker, Workers } from "./workers.ts";
import { workloads } from "./workloads/mod.ts";
import type { World } from "./world.ts";

/** Where a run stands. */
export type Stage = "start" | "setup" | "main" | "heal" | "recovery" | "final" | "stop" | "done";

/** How many operations of clients there were, and how they ended. */
export interface OpCounts {
  /** Operations begun. */
  readonly invocations: number;
  /** Operations that succeeded. */
  readonly ok: number;
  /** Operations that certainly did not happen. */
  readonly fail: number;
  /** Operations that may or may not have happened. */
  readonly info: number;
}

/** Where a run stands, for an observer. */
export interface RunProgress {
  /** Where the run stands. */
  readonly stage: Stage;
  /** Milliseconds since the main phase began. */
  readonly elapsedMs: number;
  /** What clients have done so far. */
  readonly counts: OpCounts;
}

/** What a run may have beside its nodes. */
export interface RunTestOptions {
  /** Injects faults from the beginning of the main phase on. */
  readonly nemesis?: Nemesis | undefined;
  /** The operations of the main phase, if none are drawn. */
  readonly plan?: readonly PlanOp[] | undefined;
  /** Called at the beginning of every stage, and once a second. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  /** Called with the history so far, once a second. */
  readonly onHistory?: ((history: readonly Op[]) => void) | undefined;
  /** Breaks the run off, say when a node breaks the protocol; the reason becomes its error. */
  readonly signal?: AbortSignal | undefined;
}

/** How many operations the main phase was to have, and had. */
export interface PlannedOps {
  /** As many as would have begun with more threads: about the rate times the time limit. */
  readonly count: number;
  /** How many began; fewer where no thread was free, because all waited for answers. */
  readonly begun: number;
}

/** An operation of a plan. */
export interface PlanOp {
  /** When it is due, in ms since the main phase began; it begins once its thread is free. */
  readonly atMs: number;
  /** The thread that does it; thread 1 of 3 nodes talks to the second node. */
  readonly thread: number;
  /** What is done: `read`, `add`, `txn`, ... */
  readonly f: string;
  /** With what. */
  readonly value: Json;
}

/** What a run leaves behind, before it is checked. */
export interface RunOutcome {
  /** All operations, up to where the run broke off if it did. */
  readonly history: readonly Op[];
  readonly counts: OpCounts;
  /** The operations of the main phase; undefined if it did not come to its end. */
  readonly planned: PlannedOps | undefined;
  /** The operations of the main phase that have begun. */
  readonly emitted: readonly PlanOp[];
  /** When the history begins, by the world's clock. */
  readonly startMs: number;
  /** The stage in which the run broke off, and why; undefined if it went to its end. */
  readonly broke: { readonly stage: Stage; readonly error: Error } | undefined;
}

/** How many operations, at least, end before nodes are killed or paused. */
const MIN_FIRST_OPS = 10;

/** How long nodes get to recover before the final phase. */
export const RECOVERY_MS = 10_000;

/** How often `onProgress` is called. */
const PROGRESS_INTERVAL_MS = 1000;

/**
 * Runs a workload against a cluster.
 *
 * Starts the cluster, sets nodes up, runs clients and nemesis up to the time limit, and, if the
 * workload has a final phase, heals, waits and runs that. Never throws: the outcome of a run that
 * broke off has the error, and the history up to there.
 *
 * @example
 * ```ts ignore
 * const { history, broke } = await world.run(() => runTest(world, cluster, options));
 * ```
 */
export async function runTest(
  world: World,
  cluster: Cluster,
  options: RunOptions,
  others: RunTestOptions = {},
): Promise<RunOutcome> {
  const run = new TestRun(world, cluster, options, others);
  try {
    await run.orAborted(() => run.runStages());
  } catch (error) {
    run.breakOff(error);
  }
  await run.end();
  return run.outcome;
}

class TestRun {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #options: RunOptions;
  readonly #others: RunTestOptions;
  readonly #workload: Workload;
  readonly #ids = new ClientIds();
  readonly #recorder: Recorder;
  readonly #workers: Workers;
  readonly #setupClients: Client[] = [];
  #stage: Stage = "start";
  #phase: RunPhase | undefined;
  #planned: PlannedOps | undefined;
  readonly #emitted: PlanOp[] = [];
  #broke: RunOutcome["broke"];
  #over = false;
  #cancelTick = () => {};

  constructor(world: World, cluster: Cluster, options: RunOptions, others: RunTestOptions) {
    this.#world = world;
    this.#cluster = cluster;
    this.#options = options;
    this.#others = others;
    this.#workload = workloads[options.workload];
    const first = Math.max(MIN_FIRST_OPS, options.nodeIds.length);
    this.#recorder = new Recorder(world.clock, first);
    this.#workers = new Workers({
      network: world.network,
      clock: world.clock,
      ids: this.#ids,
      workload: this.#workload,
      options,
      random: world.random("threads"),
    });
  }

  get outcome(): RunOutcome {
    const { history, counts, startMs } = this.#recorder;
    const [planned, emitted, broke] = [this.#planned, this.#emitted, this.#broke];
    return { history, counts, planned, emitted, startMs, broke };
  }

  /** Remembers why the run broke off, the first time. */
  breakOff(error: unknown): void {
    this.#broke ??= {
      stage: this.#stage,
      error: error instanceof Error ? error : new Error(errorText(error)),
    };
  }

  /** Runs every stage from the start of the cluster to the end of the last phase. */
  async runStages(): Promise<void> {
    this.#enter("start");
    this.#tick();
    await this.#cluster.start(this.#ids);
    if (this.#over) return;
    this.#enter("setup");
    await this.#setUp();
    if (this.#over) return;
    const generator = this.#workload.generator(this.#options, this.#world.random("generator"));
    this.#recorder.start();
    this.#enter("main");
    await this.#main(generator);
    if (!this.#over && generator.final !== undefined) await this.#final(generator);
  }

  /** Stops everything that was started; an error in one part does not keep the next from it. */
  async end(): Promise<void> {
    const begun = this.#stage !== "start" && this.#stage !== "setup";
    this.#over = true;
    this.#phase?.stop();
    const parts = [
      () => begun ? this.#others.nemesis?.stop() : undefined,
      () => this.#enter("stop"),
      () => this.#workers.close(),
      ...this.#setupClients.map((client) => () => client.close()),
      () => this.#cluster.stop(),
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
    const { signal } = this.#others;
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
    const { clock, network } = this.#world;
    const jobs = this.#options.nodeIds.map((node) => {
      const client = new Client({ clock, network, ids: this.#ids });
      this.#setupClients.push(client);
      return { node, client };
    });
    await Promise.all(jobs.map(async ({ node, client }) => {
      try {
        await this.#workload.setup?.(callOn(client, node), this.#options);
      } catch (error) {
        const why = errorText(error);
        throw new Error(`Cannot set up node ${node}: ${why}`, { cause: error });
      }
    }));
  }

  async #main(generator: MainGenerator): Promise<void> {
    const { rate, timeLimitSeconds, heal } = this.#options;
    const { nemesis, plan } = this.#others;
    const limitMs = mainPhaseMs(this.#options);
    nemesis?.start((op) => {
      if (!this.#over) this.#recorder.nemesis(op);
    }, this.#recorder.answered);
    if (heal) {
      this.#world.clock.schedule(timeLimitSeconds * 1000, () => {
        if (!this.#over) nemesis?.heal().catch((error) => this.breakOff(error));
      });
    }
    const onEmitted = () => nemesis?.stop();
    const onOp = (op: PlanOp) => void this.#emitted.push(op);
    if (plan !== undefined) {
      const sorted = plan.toSorted((a, b) => a.atMs - b.atMs);
      const planned = new PlanGenerator(sorted, onOp);
      const duesMs = sorted.map(({ atMs }) => atMs);
      const both: Generator = {
        next: (threads, nowMs) => planned.next(threads, nowMs),
        update: (thread, completion) => generator.update?.(thread, completion),
      };
      await this.#run(both, { duesMs, limitMs, onEmitted });
    } else if (rate === 0) {
      await this.#sleep(limitMs);
      onEmitted();
    } else {
      await this.#run(generator, { intervalMs: 1000 / rate, limitMs, onOp, onEmitted });
    }
    const begun = this.#recorder.counts.invocations;
    const count = plan?.length ?? begun + (this.#phase?.missed ?? 0);
    this.#planned = { count, begun };
  }

  async #final(main: MainGenerator): Promise<void> {
    this.#enter("heal");
    await this.#others.nemesis?.heal();
    if (this.#over) return;
    this.#enter("recovery");
    await this.#sleep(RECOVERY_MS);
    const phase = main.final?.(this.#world.random("final"));
    if (this.#over || phase === undefined) return;
    this.#enter("final");
    await this.#run(phase.generator, { limitMs: phase.limitMs });
  }

  #run(generator: Generator, settings: PhaseSettings): Promise<void> {
    this.#phase = new RunPhase(generator, settings, {
      clock: this.#world.clock,
      random: this.#world.random("stagger"),
      workers: this.#workers,
      recorder: this.#recorder,
      workload: this.#workload,
    });
    return this.#phase.run();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.clock.schedule(ms, resolve));
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#reportProgress();
  }

  #reportProgress(): void {
    const { counts, elapsedMs } = this.#recorder;
    this.#others.onProgress?.({ stage: this.#stage, elapsedMs, counts });
  }

  #tick(): void {
    const { onProgress, onHistory } = this.#others;
    if ((onProgress ?? onHistory) === undefined) return;
    this.#cancelTick = this.#world.clock.schedule(PROGRESS_INTERVAL_MS, () => {
      this.#reportProgress();
      onHistory?.(this.#recorder.history);
      this.#tick();
    });
  }
}

/** Emits the operations of a plan, each when it is due and its thread is free. */
class PlanGenerator implements Generator {
  readonly #plan: readonly PlanOp[];
  #next = 0;
  /** Those that are due, and wait for their threads. */
  readonly #waiting: PlanOp[] = [];
  readonly #onOp: (op: PlanOp) => void;

  /** @param plan in the order of time */
  constructor(plan: readonly PlanOp[], onOp: (op: PlanOp) => void) {
    this.#plan = plan;
    this.#onOp = onOp;
  }

  next(threads: Threads, nowMs: number): Next {
    for (let op = this.#head; op !== undefined && op.atMs <= nowMs; op = this.#head) {
      this.#waiting.push(op);
      this.#next++;
    }
    const index = this.#waiting.findIndex(({ thread }) =>
      threads.nextFree(thread, thread + 1) !== undefined
    );
    const [op] = index === -1 ? [] : this.#waiting.splice(index, 1);
    if (op === undefined) {
      return { untilMs: this.#head?.atMs ?? Infinity };
    }
    this.#onOp(op);
    const { thread, f, value } = op;
    return { thread, op: { f, value } };
  }

  get #head(): PlanOp | undefined {
    return this.#plan[this.#next];
  }
}

/** What a phase needs of the run. */
interface PhaseContext {
  readonly clock: Clock;
  /** Draws the time between operations. */
  readonly random: Random;
  readonly workers: Workers;
  readonly recorder: Recorder;
  readonly workload: Workload;
}

/** When a phase emits operations. */
export interface PhaseSettings {
  /**
   * The mean time between operations over all threads.
   *
   * @default 0: an operation is due whenever a thread is free
   */
  readonly intervalMs?: number | undefined;
  /**
   * When each operation is due, in ms since the beginning of the phase.
   *
   * @default drawn
   */
  readonly duesMs?: readonly number[] | undefined;
  /**
   * How long operations are emitted, from the first one on.
   *
   * @default until the generator is done
   */
  readonly limitMs?: number | undefined;
  /** Called for each operation. */
  readonly onOp?: ((op: PlanOp) => void) | undefined;
  /** Called when no more is emitted, while operations may still be under way. */
  readonly onEmitted?: (() => void) | undefined;
}

/** How late a timer may be without the operations after it being late, too. */
const MAX_TIMER_LAG_MS = 50;

/** A phase; {@linkcode RunPhase.run} runs it, once. */
export class RunPhase {
  readonly #context: PhaseContext;
  readonly #generator: Generator;
  readonly #intervalMs: number;
  readonly #limitMs: number;
  readonly #duesMs: readonly number[] | undefined;
  readonly #onOp: (op: PlanOp) => void;
  readonly #onEmitted: () => void;
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers();
  /** When the phase begins, by the clock; all other times count from here. */
  readonly #startMs: number;
  #emitting = true;
  #stopped = false;
  #emittedCount = 0;
  /** When the next operation is due. */
  #dueMs: number;
  /** Whether the one that is due has had to wait. */
  #slipped = false;
  /** Whether it has had to wait for a thread, and for how long all have in sum. */
  #isShort = false;
  #shortMs = 0;
  #endMs: number;
  /** What the last timer was set to. */
  #reachedMs = 0;
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(generator: Generator, settings: PhaseSettings, context: PhaseContext) {
    this.#context = context;
    this.#generator = generator;
    this.#intervalMs = settings.intervalMs ?? 0;
    this.#limitMs = settings.limitMs ?? Infinity;
    this.#duesMs = settings.duesMs;
    this.#onOp = settings.onOp ?? (() => {});
    this.#onEmitted = settings.onEmitted ?? (() => {});
    this.#startMs = context.clock.now();
    this.#dueMs = this.#duesMs === undefined ? 0 : this.#duesMs[0] ?? Infinity;
    this.#endMs = this.#duesMs === undefined ? Infinity : this.#limitMs;
  }

  /**
   * Emits operations until the generator is done or time is up, then waits for those under way.
   *
   * @throws an error that neither a node nor the network can cause.
   */
  run(): Promise<void> {
    this.#pump();
    return this.#ended.promise;
  }

  /** About how many operations were left out because no thread was free. */
  get missed(): number {
    return this.#intervalMs === 0 ? 0 : Math.round(this.#shortMs / this.#intervalMs);
  }

  /** Emits no more and records no more; {@linkcode RunPhase.run} never resolves. */
  stop(): void {
    this.#stopped = true;
    this.#setTimer(Infinity);
  }

  /** The time since the beginning; no less than what a timer was set to, for all rounding. */
  #nowMs(): number {
    return Math.max(this.#reachedMs, this.#context.clock.now() - this.#startMs);
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
      const nowMs = this.#nowMs();
      if (nowMs >= this.#endMs) return this.#endEmission();
      if (this.#dueMs > nowMs) return this.#setTimer(this.#dueMs);
      const next = this.#generator.next(this.#context.workers, nowMs);
      if (next === "done") return this.#endEmission();
      if (next === "pending" || "untilMs" in next) return this.#wait(next);
      const { thread, op } = next;
      this.#onOp({ atMs: this.#dueMs, thread, f: op.f, value: op.value });
      this.#schedule(nowMs);
      this.#emit(thread, op);
    }
    if (!this.#emitting) this.#endIfIdle();
  }

  #wait(next: Extract<Next, "pending" | { untilMs: number }>): void {
    this.#slipped = true;
    if (next === "pending") this.#isShort = true;
    this.#setTimer(next === "pending" ? Infinity : next.untilMs);
  }

  /** Decides when the operation after the one that is emitted now is due. */
  #schedule(nowMs: number): void {
    if (this.#endMs === Infinity) this.#endMs = nowMs + this.#limitMs;
    this.#countMissed(nowMs);
    this.#emittedCount++;
    // The schedule may slip for want of threads, but not because timers are coarse.
    const fromMs = this.#slipped ? nowMs : Math.max(this.#dueMs, nowMs - MAX_TIMER_LAG_MS);
    this.#slipped = false;
    this.#dueMs = this.#duesMs === undefined
      ? fromMs + drawInterval(this.#context.random, this.#intervalMs)
      : this.#duesMs[this.#emittedCount] ?? Infinity;
  }

  /** Notes for how long an operation that was due has had to wait for a thread. */
  #countMissed(nowMs: number): void {
    if (this.#isShort) this.#shortMs += Math.max(0, nowMs - this.#dueMs);
    this.#isShort = false;
  }

  #setTimer(atMs: number): void {
    const earliestMs = this.#stopped ? Infinity : Math.min(atMs, this.#endMs);
    if (this.#timer?.atMs === earliestMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (earliestMs === Infinity) return;
    const delayMs = Math.max(0, earliestMs - this.#nowMs());
    const cancel = this.#context.clock.schedule(delayMs, () => {
      this.#timer = undefined;
      this.#reachedMs = earliestMs;
      this.#pump();
    });
    this.#timer = { atMs: earliestMs, cancel };
  }

  #endEmission(): void {
    this.#countMissed(Math.min(this.#nowMs(), this.#endMs));
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
    const { workers, recorder, workload } = this.#context;
    const worker = workers.take(thread);
    recorder.client(worker, op, { type: "invoke", value: op.value });
    workers.session(worker)(op).then(
      (value): End => value === CRASHED ? { type: "info", value: op.value } : { type: "ok", value },
      (error): End => ({ value: op.value, ...failureOf(error, op.f, workload.errors) }),
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

/** The process that does a client's operation. */
interface Actor {
  readonly process: number;
  /** The node that it talks to. */
  readonly node: string;
}

/** One end of an operation: its invocation or its completion. */
interface End {
  readonly type: OpType;
  readonly value: Json;
  readonly error?: OpError;
}

/** Records the history, in the order of events. */
export class Recorder {
  readonly #clock: Clock;
  readonly #history: Op[] = [];
  readonly #lists = new KeptLists();
  readonly #counts = { invocations: 0, ok: 0, fail: 0, info: 0 };
  readonly #answered = Promise.withResolvers<void>();
  readonly #answerCount: number;
  #startMs: number;

  /** @param answerCount how many operations count as the first ones */
  constructor(clock: Clock, answerCount: number) {
    this.#clock = clock;
    this.#answerCount = answerCount;
    this.#startMs = clock.now();
  }

  /** The history so far. */
  get history(): readonly Op[] {
    return this.#history;
  }

  /** Resolves when the first operations of clients have ended. */
  get answered(): Promise<void> {
    return this.#answered.promise;
  }

  /** Figures over all clients so far. */
  get counts(): OpCounts {
    return { ...this.#counts };
  }

  /** When the history's time began, by the clock. */
  get startMs(): number {
    return this.#startMs;
  }

  /** Milliseconds since the history's time began. */
  get elapsedMs(): number {
    return this.#clock.now() - this.#startMs;
  }

  /** Makes this the beginning of the history's time. */
  start(): void {
    this.#startMs = this.#clock.now();
  }

  /** Adds one end of a client's operation. */
  client({ process, node }: Actor, { f, final }: Invocation, { type, value, error }: End): void {
    this.#counts[type === "invoke" ? "invocations" : type]++;
    const { ok, fail, info } = this.#counts;
    if (ok + fail + info === this.#answerCount) this.#answered.resolve();
    const index = this.#history.length;
    const time = this.#timeNs();
    const op = {
      index,
      time,
      type,
      process,
      f,
      value,
      node,
      ...(error && { error }),
      ...(final && { final }),
    };
    const kept = this.#lists.keep(node, value);
    this.#history.push(kept === undefined ? op : withValue(op, kept));
  }

  /** Adds an operation of the nemesis. */
  nemesis({ type, f, value }: NemesisEvent): void {
    const index = this.#history.length;
    this.#history.push({ index, time: this.#timeNs(), type, process: "nemesis", f, value });
  }

  #timeNs(): number {
    return Math.round(this.elapsedMs * 1e6);
  }
}
