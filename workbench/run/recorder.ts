/**
 * Keeps the history of a run, and its counts.
 *
 * @module
 */

import type { Clock, Json } from "@eddy/maelstrom";
import type { Op, OpError, OpType } from "../history.ts";
import type { Invocation } from "../workloads/spec.ts";

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
