/**
 * The clock of one process of a node, which stops and dies with it.
 *
 * @module
 */

import type { Clock } from "@eddy/maelstrom";

interface Timer {
  /** Undefined once cancelled or run. */
  callback: (() => void) | undefined;
}

/** A clock whose timers wait while it is paused, and never run once it is dead. */
export class ProcessClock implements Clock {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #phase: "running" | "paused" | "dead" = "running";
  /** What came due during a pause. */
  #due: Timer[] = [];

  /** @param onError told of what timers throw */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Goes on during a pause, as the machine's own clock does. */
  now(): number {
    return this.#clock.now();
  }

  schedule(delayMs: number, callback: () => void): () => void {
    if (this.#phase === "dead") return () => {};
    const timer: Timer = { callback };
    const cancel = this.#clock.schedule(delayMs, () => this.#fire(timer));
    return () => {
      timer.callback = undefined;
      cancel();
    };
  }

  /** Holds back what comes due. */
  pause(): void {
    if (this.#phase === "running") this.#phase = "paused";
  }

  /** Runs what came due during the pause, in order. */
  resume(): void {
    if (this.#phase !== "paused") return;
    this.#phase = "running";
    const due = this.#due;
    this.#due = [];
    for (const timer of due) this.#clock.schedule(0, () => this.#fire(timer));
  }

  /** Ends all timers, now and for ever. */
  kill(): void {
    this.#phase = "dead";
    this.#due = [];
  }

  #fire(timer: Timer): void {
    const { callback } = timer;
    if (callback === undefined || this.#phase === "dead") return;
    if (this.#phase === "paused") {
      this.#due.push(timer);
      return;
    }
    timer.callback = undefined;
    try {
      callback();
    } catch (error) {
      this.#onError(error);
    }
  }
}
