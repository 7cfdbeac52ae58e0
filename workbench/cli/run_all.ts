/**
 * Many runs on all cores, as `sweep` and `demo` do them: how far they are, signals, and the results
 * of those that are not valid.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { verdict } from "../explain.ts";
import { worst } from "../history.ts";
import { removeRun } from "../results_dir.ts";
import { type Job, type RunFigures, runsAtOnce, taskOf, TaskPool, wasEnded } from "../sweep.ts";
import { MAX_KEPT } from "./commands.ts";
import { exitCodeOf } from "./exit_codes.ts";
import { describeRuns, ProgressLine } from "./progress.ts";
import { Interrupts, printError, StatusLine } from "./terminal.ts";

/** A job of {@linkcode runAll}. */
export interface Kept extends Job {
  /**
   * Where its results are kept if it is not valid, for which it is run again; only the first
   * {@linkcode MAX_KEPT} are.
   */
  readonly keptIn?: Job["store"];
}

/** Decides jobs part by part. */
interface RunParts<Each extends Job> {
  /** How many jobs a part has. */
  readonly size: number;
  /** The jobs in place of those that were given; none if no more are to be done. */
  next(jobs: readonly Each[]): readonly Each[];
  /** Takes what the run of a job of this part came to. */
  take(job: Each, outcome: RunFigures): void;
}

/** Other machines, which do runs in place of this one. */
export interface Fleet<Each extends Job> {
  /**
   * Does the runs of jobs.
   *
   * @param from the place of the first among all runs
   * @throws {Error} if a run could not be done, or the signal's reason.
   */
  run(jobs: readonly Each[], from: number, hooks: FleetHooks): Promise<void>;
  /** How many machines there are and how fast they are, for the line that shows how far it is. */
  describe(): string;
}

/** What is called by a {@linkcode Fleet}. */
export interface FleetHooks {
  /** Called with each outcome, the place of its job among those that were given, and what it took. */
  readonly onOutcome: (outcome: RunFigures, index: number, tookMs: number) => void;
  /** Called with a sentence for whoever waits. */
  readonly say: (text: string) => void;
  /** Ends it all. */
  readonly signal: AbortSignal;
}

/** What is called with what runs came to. */
interface RunAllHooks<Each extends Job> {
  /** As many as fit by default. */
  readonly atOnce?: number;
  /** Decides the jobs part by part, by what those before came to; all at once by default. */
  readonly parts?: RunParts<Each> | undefined;
  /** Does the runs; threads of this process by default. */
  readonly fleet?: Fleet<Each> | undefined;
  /**
   * Called with each outcome, as it comes or once it is known where its results are, and with how
   * long the run took.
   */
  readonly onOutcome?: (outcome: RunFigures, job: Each, index: number, tookMs: number) => void;
  /** Called with the jobs that are done and their outcomes, in order. */
  readonly show: (jobs: readonly Each[], outcomes: readonly RunFigures[]) => void;
}

/**
 * Does runs on all cores and shows what they came to; a signal ends them early.
 *
 * @returns the exit code of the worst.
 * @throws {Error} if they were interrupted, after showing those that are done.
 */
export async function runAll<Each extends Kept>(
  what: "sweep" | "demo",
  given: readonly Each[],
  { onOutcome = () => {}, atOnce = runsAtOnce(given), parts, fleet, show }: RunAllHooks<Each>,
): Promise<number> {
  const jobs = [...given];
  const byIndex = new Map<number, RunFigures>();
  const interrupts = new Interrupts(what);
  const { signal } = interrupts;
  const progress = new RunsProgress(jobs.length, fleet);
  // Beside a fleet this machine only does runs again to keep their results.
  const pool = new TaskPool(Math.min(jobs.length, atOnce), fleet !== undefined);
  const tookMs: number[] = [];
  const told = (outcome: RunFigures, i: number) => {
    progress.clear();
    onOutcome(outcome, jobs[i] as Each, i, tookMs[i] ?? 0);
  };
  const waits = (outcome: RunFigures, i: number) =>
    outcome.valid !== true && jobs[i]?.keptIn !== undefined;
  let isInterrupted = false;
  try {
    const noting = ({ reached, ...outcome }: RunFigures, i: number, ms: number) => {
      byIndex.set(i, outcome);
      tookMs[i] = ms;
      parts?.take(jobs[i] as Each, { ...outcome, reached });
      if (!waits(outcome, i)) told(outcome, i);
      progress.add(outcome);
    };
    const size = parts?.size ?? jobs.length;
    for (let from = 0; from < jobs.length; from += size) {
      const part = jobs.slice(from, from + size);
      const next = parts?.next(part) ?? part;
      jobs.splice(from, size, ...next);
      if (next.length === 0) jobs.length = from;
      const onEach = (outcome: RunFigures, k: number, ms: number) => noting(outcome, from + k, ms);
      if (fleet === undefined) await pool.run<RunFigures>(next.map(taskOf), onEach, signal);
      else {
        await fleet.run(next, from, {
          onOutcome: onEach,
          say(text) {
            progress.clear();
            printError(text);
          },
          signal,
        });
      }
    }
    await keepFailing(jobs, byIndex, pool, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    isInterrupted = true;
  } finally {
    await pool.stop();
    interrupts.stop();
    progress.stop();
  }
  const done = [...byIndex].sort(([a], [b]) => a - b);
  for (const [i, outcome] of done) if (waits(outcome, i)) told(outcome, i);
  const outcomes = done.map(([, outcome]) => outcome);
  if (done.length > 0) show(done.map(([i]) => jobs[i] as Each), outcomes);
  if (isInterrupted) {
    const state = done.length < jobs.length
      ? `${done.length} of ${jobs.length} runs were done`
      : "all runs were done, but results that were to be kept are missing";
    throw new Error(`${errorText(signal.reason)}: ${state}`);
  }
  return exitCodeOf(worst(outcomes.map(({ valid }) => valid)));
}

/**
 * Does the first runs that are not valid again, and adds to their outcomes where the results are; a
 * signal leaves nothing of those that have not ended.
 */
async function keepFailing(
  jobs: readonly Kept[],
  byIndex: Map<number, RunFigures>,
  pool: TaskPool,
  signal: AbortSignal,
): Promise<void> {
  const failing = jobs.flatMap((job, i) => {
    const outcome = byIndex.get(i);
    const keeps = job.keptIn !== undefined && outcome?.valid !== true;
    // What was ended with its worker would be again, and leave nothing.
    if (outcome === undefined || !keeps || wasEnded(outcome)) return [];
    return [{ i, outcome, job: { ...job, store: job.keptIn, isCovered: false } }];
  }).slice(0, MAX_KEPT);
  if (failing.length === 0) return;
  const unfinished = new Set(failing);
  const onOutcome = ({ valid, path, notes }: RunFigures, k: number) => {
    const again = failing[k];
    if (again === undefined) return;
    unfinished.delete(again);
    const { i, outcome } = again;
    const same = valid === outcome.valid ? [] : [
      `Seed ${outcome.seed} is ${verdict(valid)} when it is run again to keep its results, and ` +
      `was ${verdict(outcome.valid)}: its nodes do not depend on the seed alone`,
    ];
    byIndex.set(i, { ...outcome, path, notes: [...outcome.notes, ...same, ...notes] });
  };
  try {
    await pool.run(failing.map(({ job }) => taskOf(job)), onOutcome, signal);
  } catch (error) {
    if (signal.aborted) {
      for (const { job: { options, store } } of unfinished) {
        if (store !== undefined) removeRun(store.root, options.workload, store.name);
      }
    }
    throw error;
  }
}

/** How often the time that is left is counted anew. */
const TICK_MS = 1000;

/** How many of several runs are done, at the bottom of a terminal. */
class RunsProgress {
  readonly #line = new ProgressLine(new StatusLine(), Deno.stderr.isTerminal());
  readonly #count: number;
  #done = 0;
  #wrong = 0;
  readonly #timer = setInterval(() => this.#update(), TICK_MS);
  readonly #fleet: Pick<Fleet<Job>, "describe"> | undefined;

  constructor(count: number, fleet: Pick<Fleet<Job>, "describe"> | undefined) {
    this.#count = count;
    this.#fleet = fleet;
  }

  /** Adds a run that is done. */
  add({ valid }: RunFigures): void {
    this.#done++;
    if (valid !== true) this.#wrong++;
    this.#update();
  }

  /** Removes the line until the next change. */
  clear(): void {
    this.#line.clear();
  }

  /** Removes the line for good. */
  stop(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #update(): void {
    const state = { done: this.#done, wrong: this.#wrong, count: this.#count };
    const others = this.#fleet === undefined ? "" : `, ${this.#fleet.describe()}`;
    this.#line.update((elapsedMs) => describeRuns(state, elapsedMs) + others);
  }
}
