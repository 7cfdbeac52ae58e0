/**
 * How far a run, or a sweep, has come: one line at the bottom of a terminal.
 *
 * @module
 */

import { plural } from "../checkers/checker.ts";
import { mainPhaseMs, type RunOptions } from "../options.ts";
import { seededRandom } from "../random.ts";
import { RECOVERY_MS, type RunProgress } from "../runner.ts";
import { workloads } from "../workloads/mod.ts";
import type { StatusLine } from "./terminal.ts";

/** A run that takes less than this is over before a line could be read. */
const SHORT_MS = 1000;

/** How much time is between two changes of the line. */
const INTERVAL_MS = 100;

/** A status line that appears when there is something to wait for, and does not flicker. */
export class ProgressLine {
  readonly #status: StatusLine;
  readonly #isShown: boolean;
  readonly #now: () => number;
  readonly #beganMs: number;
  #lastMs = -Infinity;

  /**
   * @param isShown whether there is a terminal for it
   * @param now milliseconds of the machine's time
   */
  constructor(status: StatusLine, isShown: boolean, now: () => number = () => performance.now()) {
    this.#status = status;
    this.#isShown = isShown;
    this.#now = now;
    this.#beganMs = now();
  }

  /**
   * Shows another text, at most ten times a second, and none in the first second.
   *
   * @param text makes it, of the machine's time since the beginning
   */
  update(text: (elapsedMs: number) => string): void {
    const nowMs = this.#now();
    const elapsedMs = nowMs - this.#beganMs;
    if (!this.#isShown || elapsedMs < SHORT_MS || nowMs - this.#lastMs < INTERVAL_MS) return;
    this.#lastMs = nowMs;
    this.#status.show(text(elapsedMs));
  }

  /** Removes the line, if it is there, so that something else can be written. */
  clear(): void {
    if (this.#lastMs === -Infinity) return;
    this.#lastMs = -Infinity;
    this.#status.show("");
  }
}

/** What of a run's length is known before it begins. */
export interface RunLength {
  /** From the main phase's beginning to the end of the recovery, in ms of the run's time. */
  readonly totalMs: number;
  /** Whether that passes faster or slower than the machine's. */
  readonly isVirtual: boolean;
}

/** How long a run with such options takes. */
export function lengthOf(options: RunOptions, isVirtual: boolean): RunLength {
  const { final } = workloads[options.workload].generator(options, seededRandom(0, "generator"));
  const recoveryMs = final === undefined ? 0 : RECOVERY_MS;
  return { totalMs: mainPhaseMs(options) + recoveryMs, isVirtual };
}

/**
 * Where a run stands, and how long it still takes.
 *
 * @param tookMs how long it has taken so far, in the machine's time
 */
export function describeRun(
  { stage, elapsedMs, counts }: RunProgress,
  { totalMs, isVirtual }: RunLength,
  tookMs: number,
): string {
  const { invocations, ok, fail, info } = counts;
  if (stage === "done") return `check of ${plural(invocations, "operation")}`;
  // Before the main phase there is no other time to count from.
  const isBefore = stage === "start" || stage === "setup";
  const doneMs = isBefore ? 0 : Math.min(elapsedMs, totalMs);
  const leftMs = totalMs - doneMs;
  const realLeftMs = isVirtual ? tookMs * leftMs / doneMs : leftMs;
  const left = Number.isFinite(realLeftMs) ? `, ${wholeSeconds(realLeftMs)} left` : "";
  return `${stage} ${wholeSeconds(elapsedMs)}, ${percent(doneMs, totalMs)}${left}: ` +
    `${plural(invocations, "operation")}, ${ok} ok, ${fail} fail, ${info} info`;
}

/**
 * How many runs are done, and about how long the others take.
 *
 * @param wrong how many of those that are done are not valid
 */
export function describeRuns(
  { done, wrong, count }: { readonly done: number; readonly wrong: number; readonly count: number },
  tookMs: number,
): string {
  const left = done === 0 ? "" : `, about ${wholeSeconds(tookMs * (count - done) / done)} left`;
  const failed = wrong === 0 ? "" : `, ${wrong} not valid`;
  return `${done} of ${plural(count, "run")}, ${percent(done, count)}${left}${failed}`;
}

function percent(part: number, whole: number): string {
  return `${Math.floor(100 * part / whole)} %`;
}

function wholeSeconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
