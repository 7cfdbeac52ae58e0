/**
 * A whole run of handlers in one call: in this process, under virtual time.
 *
 * @module
 */

import { findWorkload } from "@eddy/handlers/workloads";
import { describeError, type Node } from "@eddy/maelstrom";
import type { ClusterOptions } from "./cluster.ts";
import { nextTurn } from "./event_loop.ts";
import { createInProcessCluster } from "./in_process.ts";
import { checkGiven, defaultOptions, type RunSettings } from "./options.ts";
import {
  Activities,
  checkArgsAndHooks,
  type RunHooks,
  runIn,
  type RunResult,
  type Watcher,
} from "./run.ts";
import type { WorkloadName } from "./workloads/mod.ts";
import { createVirtualWorld } from "./world.ts";

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
export async function simulate(options: SimulateOptions): Promise<RunResult> {
  const { workload, install, args, ...others } = options;
  const { onMessage, onLog, onProgress, script, signal, plan, runTimeoutSeconds, ...settings } =
    others;
  const hooks = { onMessage, onLog, onProgress, script, signal, plan, runTimeoutSeconds };
  checkGiven("install", install, "a function", typeof install === "function");
  checkArgsAndHooks(args, hooks);
  const run = defaultOptions(workload, settings);
  const setup = install ?? (await findWorkload(workload)).configure(args ?? []);
  const world = createVirtualWorld(run.seed, { latency: run.latency, links: plan?.links });
  const make = (cluster: ClusterOptions) => createInProcessCluster({ ...cluster, setup });
  const watchers = [new Uncaught(), new RealTimers(), new Activities(run.seed)];
  return await runIn(world, make, run, hooks, { watchers });
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
  // Undefined in a page, where all modules are one script.
  const here: string | undefined = import.meta.url;
  const lines = (new Error().stack ?? "").split(/\n\s+(?=at )/).slice(1);
  return lines.find((line) => here !== undefined && !line.includes(here)) ?? "";
}
