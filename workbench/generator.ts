/**
 * What a workload consists of: its operations, its client, its checker.
 *
 * @module
 */

import type { Json, Random, Schema } from "@eddy/maelstrom";
import type { ClientRequest, ErrorPolicy } from "./client.ts";
import type { CheckResult, History, OpType } from "./history.ts";
import type { RunOptions } from "./options.ts";
import { randomBelow, shuffled } from "./random.ts";

/** An operation for a client to do. */
export interface Invocation {
  readonly f: string;
  readonly value: Json;
  /** Whether it is marked as part of the final phase. */
  readonly final?: true;
  /** For kafka's `assign`: whether to read everything again rather than go on. */
  readonly seekToBeginning?: true;
}

/** What a generator sees of the worker threads. */
export interface Threads {
  /** How many there are; they are numbered from 0. */
  readonly count: number;
  /** The process that a thread runs now. */
  process(thread: number): number;
  /**
   * The free thread whose turn it is, of those from `from` up to, and without, `to`.
   *
   * @returns undefined if none of them is free.
   */
  nextFree(from?: number, to?: number): number | undefined;
}

/**
 * What comes next: an operation for a free thread, nothing until `untilMs` unless an operation
 * ends before, nothing until one ends, or nothing ever.
 */
export type Next =
  | { readonly thread: number; readonly op: Invocation }
  | { readonly untilMs: number }
  | "pending"
  | "done";

/** Decides what clients do. Anything but `pending` and `done` counts as emitted. */
export interface Generator {
  /** Called when an operation is due. */
  next(threads: Threads, nowMs: number): Next;
  /** Called at every completion. */
  update?(thread: number, completion: CompletedOp): void;
}

/** The end of an operation. */
export interface CompletedOp {
  readonly type: OpType;
  readonly f: string;
  readonly value: Json;
}

/** Sends a request to the client's node and reads the reply; throws as `Client.call` does. */
export type ClientCall = <Reply>(
  request: ClientRequest,
  schema: Schema<Reply>,
  timeoutMs?: number,
) => Promise<Reply>;

/** What a client that crashes on purpose returns in place of a value. */
export const CRASHED: unique symbol = Symbol("crashed");

/** Does one client's operations; returns the value of a success, and throws what went wrong. */
export type ClientSession = (op: Invocation) => Promise<Json | typeof CRASHED>;

/** What checking needs of a run's options. */
type CheckOptions = Pick<RunOptions, "consistencyModels">;

/** A workload. */
export interface Workload {
  /** Its operations by `f`, and which values they can have when they succeed. */
  readonly operations: Readonly<Record<string, (value: Json) => boolean>>;
  /** Whether the checker also reads completions whose invocation is missing. */
  readonly takesLoneCompletions?: true;
  readonly errors: ErrorPolicy;
  /** Whether a client is used again after an operation whose outcome is unknown. */
  readonly reusableClients: boolean;
  /** A new client's session. */
  session(call: ClientCall, options: RunOptions): ClientSession;
  /** Prepares one node before any operation. */
  setup?(call: ClientCall, options: RunOptions): Promise<void>;
  /** What clients do up to the time limit. */
  generator(options: RunOptions, random: Random): MainGenerator;
  /** Checks the history. */
  check(history: History, options: CheckOptions): CheckResult;
  /** The anomalies that no later operation can undo. */
  readonly lasting?: readonly string[] | "all";
}

/** A generator of the main phase, which may name a final phase. */
export interface MainGenerator extends Generator {
  /**
   * What clients do once the network has healed; a workload without this ends at the time limit.
   *
   * @param random draws of its own, which the main phase does not shift
   */
  final?(random: Random): FinalPhase;
}

/** The last phase of a run, in which nothing is staggered. */
export interface FinalPhase {
  readonly generator: Generator;
  /** How long operations may be emitted, from the first; without it, until the generator is done. */
  readonly limitMs?: number;
}

/** For operations that can succeed with any value. */
export function anyValue(): boolean {
  return true;
}

/** For operations that succeed with a list, or with `null` in place of an empty one. */
export function isList(value: Json): boolean {
  return value === null || Array.isArray(value);
}

/** A definite error is a failure, as in most workloads. */
export function mappedErrors(...idempotent: string[]): ErrorPolicy {
  return { definiteFails: true, idempotent: new Set(idempotent) };
}

/** After any error the outcome is unknown, as in the workloads that add to sets and counters. */
export const openErrors: ErrorPolicy = { definiteFails: false, idempotent: new Set() };

/** Draws an operation for whichever free thread's turn it is, without end. */
export function eachTime(draw: () => Invocation): Generator {
  return {
    next(threads) {
      const thread = threads.nextFree();
      return thread === undefined ? "pending" : { thread, op: draw() };
    },
  };
}

/**
 * Adds 0, 1, 2, ... and reads, one as often as the other; at the end one read on every thread.
 *
 * @param addF the name of the operation that adds
 */
export function addsAndReads(
  addF: string,
  finalRead: Invocation,
  random: Random,
): MainGenerator {
  let element = 0;
  const draw = () =>
    randomBelow(random, 2) === 0 ? { f: addF, value: element++ } : { f: "read", value: null };
  return { ...eachTime(draw), final: (random) => oncePerThread(finalRead, random) };
}

/** One operation on every thread, all at once, in random order. */
export function oncePerThread(op: Invocation, random: Random): FinalPhase {
  return { generator: new OncePerThread(op, random) };
}

class OncePerThread implements Generator {
  readonly #op: Invocation;
  readonly #random: Random;
  #left: number[] | undefined;

  constructor(op: Invocation, random: Random) {
    this.#op = op;
    this.#random = random;
  }

  next(threads: Threads): Next {
    this.#left ??= shuffled(this.#random, Array.from({ length: threads.count }, (_, t) => t));
    // All threads are idle when a final phase begins, and none is asked twice: each is free.
    const thread = this.#left.pop();
    return thread === undefined ? "done" : { thread, op: this.#op };
  }
}
