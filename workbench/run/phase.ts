/**
 * One phase of a run: emits what a generator gives when it is due, and waits for it to end.
 *
 * @module
 */

import type { Clock, Json, Random } from "@eddy/maelstrom";
import { failureOf } from "../clients/outcome.ts";
import { drawInterval } from "../workloads/draw.ts";
import {
  CRASHED,
  type Generator,
  type Invocation,
  type Next,
  type WorkloadSpec,
} from "../workloads/spec.ts";
import type { End, Recorder } from "./recorder.ts";
import type { Worker, Workers } from "./workers.ts";

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
