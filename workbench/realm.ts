/**
 * Nodes that are programs in TypeScript or JavaScript, each in a realm of its own in this process:
 * under virtual time, unchanged, and reproducible.
 *
 * A realm has globals of its own, so that what a program keeps in its modules is one node's. It is
 * no sandbox: it keeps mistakes apart, not attackers out.
 *
 * @module
 */

import { type Clock, errorText, MemoryStorage } from "@eddy/maelstrom";
import { Cluster, type ClusterOptions, type LaunchContext } from "./cluster.ts";
import { nextTurn } from "./event_loop.ts";
import type { RunOptions } from "./options.ts";
import { EPOCH_MS, type ProgramOptions, ProgramProcess } from "./program_process.ts";
import { type Globals, makeGlobals, type Outside, type RealmHost } from "./realm_globals.ts";
import { Activities, type RunHooks, runIn, type RunResult, type Watcher } from "./run.ts";
import { createVirtualWorld } from "./world.ts";

/** What evaluates a program, once for each start of a node: `node:vm`, or a page. */
export interface RealmEngine {
  /** Where the program is. */
  readonly path: string;
  readonly host: RealmHost;
  /** Makes what a program is evaluated in. */
  open(globals: Globals, outside: Outside): RealmScope;
  /** A stack with the places in the program's own files. */
  trace(stack: string): string;
}

/** What one program is evaluated in. */
export interface RealmScope {
  /** The prototype of its promises, where they have one of their own. */
  readonly promises?: object;
  /** Evaluates the program, once. */
  evaluate(): Promise<unknown>;
}

/** Settings of {@linkcode createRealmCluster}. */
interface RealmOptions extends ProgramOptions {
  readonly engine: RealmEngine;
}

/** The name of a program's module in stacks. */
export const MODULE_NAME = "eddy-program.js";

/** A cluster of programs under the world's clock. */
function createRealmCluster(options: RealmOptions): Cluster {
  return new Cluster(options, (context) => new Realm(context, options).process);
}

/**
 * Runs a workload against a program in this process, under virtual time.
 *
 * @param watchers what else looks at what the program does
 */
export async function runInRealms(
  engine: RealmEngine,
  args: readonly string[],
  options: RunOptions,
  hooks: RunHooks,
  watchers: readonly Watcher[] = [],
): Promise<RunResult> {
  const { seed, latency } = options;
  const world = createVirtualWorld(seed, { latency, links: hooks.plan?.links, turns: true });
  const make = (cluster: ClusterOptions) => createRealmCluster({ ...cluster, engine, args });
  const all = [new RealmGuard(), ...watchers, new Activities(seed)];
  return await runIn(world, make, options, hooks, { watchers: all });
}

/** Thrown to end a program where it stands. */
const EXIT = Symbol("exit");

/** A program's own globals and modules, and what runs in them. */
class Realm {
  readonly process: ProgramProcess;
  readonly #context: LaunchContext;
  readonly #engine: RealmEngine;
  readonly #globals: Globals;
  readonly #scope: RealmScope;
  #readers: ((bytes: Uint8Array) => void)[] = [];
  #isEvaluated = false;
  #isCheckDue = false;
  #isLeaving = false;

  constructor(context: LaunchContext, { engine, args, compute }: RealmOptions) {
    this.#context = context;
    this.#engine = engine;
    const process = this.process = new ProgramProcess(context, {
      onInput: () => this.#run(() => this.#readers.shift()?.(process.takeInput())),
      onError: (error) => this.fail(error, false),
      trace: (line) => line.includes(MODULE_NAME) ? engine.trace(line) : line,
    }, compute);
    const timersOf = (clock: Pick<Clock, "schedule">) => ({
      schedule: (delayMs: number, callback: () => void) =>
        clock.schedule(delayMs, () => this.#run(callback)),
    });
    const outside = {
      args,
      path: engine.path,
      pid: 1000 + process.generation,
      epochMs: Math.floor(EPOCH_MS + process.startMs),
      now: () => process.now(),
      jumpMs: () => process.clock.jumpMs,
      random: () => process.random.next(),
      ...timersOf(process.clock),
      run: (callback: () => void) => this.#run(callback),
      read: () => this.#read(),
      write: (fd: 1 | 2, data: Uint8Array | string) => process.write(fd, data),
      exit: (code: number) => this.#exit(code),
      openStorage: () => context.disk?.open(timersOf(process.clock.world)) ?? new MemoryStorage(),
    };
    this.#globals = makeGlobals(outside, engine.host);
    this.#scope = engine.open(this.#globals, outside);
    const { promises } = this.#scope;
    if (promises !== undefined) realms.set(promises, this);
    process.clock.schedule(0, () => this.#run(() => this.#start()));
  }

  /** Ends the program as an error ends it that nothing catches. */
  fail(error: unknown, isPromise: boolean, promise?: Promise<unknown>): void {
    if (this.process.isDead || error === EXIT) return;
    let fatal = error;
    try {
      if (this.#isHandled(error, isPromise, promise)) return;
    } catch (another) {
      // What a listener throws that was to take an error ends the program.
      if (this.process.isDead || another === EXIT) return;
      fatal = another;
    }
    const where = isPromise ? " (in promise)" : "";
    this.process.write(2, `error: Uncaught${where} ${this.#engine.trace(stackOf(fatal))}\n`);
    this.process.end(1);
  }

  /** Whether a listener of the program's takes the error. */
  #isHandled(error: unknown, isPromise: boolean, promise?: Promise<unknown>): boolean {
    const { process, events } = this.#globals;
    const name = isPromise ? "unhandledRejection" : "uncaughtException";
    if (process.listenerCount(name) > 0) return process.emit(name, error, promise);
    const event = isPromise
      ? new PromiseRejectionEvent("unhandledrejection", {
        promise: promise ?? Promise.resolve(),
        reason: error,
        cancelable: true,
      })
      : new ErrorEvent("error", { error, message: errorText(error), cancelable: true });
    return !events.dispatch(event);
  }

  /** Evaluates the program. */
  #start(): void {
    this.#scope.evaluate().then(() => {
      this.#isEvaluated = true;
      this.#scheduleCheck();
    }, (error) => this.fail(error, false));
  }

  #run(callback: () => void): void {
    if (this.process.isDead) return;
    current = this;
    try {
      callback();
    } catch (error) {
      this.fail(error, false);
    }
    this.#scheduleCheck();
  }

  #read(): Promise<Uint8Array> {
    const { process } = this;
    if (process.hasInput) return Promise.resolve(process.takeInput());
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  #exit(code: number): never {
    this.#leave(code);
    throw EXIT;
  }

  /** Ends the program, after its own listeners. */
  #leave(code: number): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    try {
      this.#globals.process.emit("exit", code);
    } catch (error) {
      this.fail(error, false);
    }
    this.process.end(code);
  }

  /** Ends the program when nothing can wake it any more, as its runtime would. */
  #scheduleCheck(): void {
    if (this.#isCheckDue || this.#isWaiting()) return;
    this.#isCheckDue = true;
    this.#context.world.clock.schedule(0, () => {
      this.#isCheckDue = false;
      if (this.process.isDead || this.#isWaiting()) return;
      if (!this.#isEvaluated) {
        this.process.write(2, "error: Top-level await promise never resolved\n");
        this.process.end(1);
      } else this.#leave(Number(Reflect.get(this.#globals.process, "exitCode") ?? 0));
    });
  }

  #isWaiting(): boolean {
    return this.#readers.length > 0 || this.#globals.hasTimers();
  }
}

/** The stack of what was thrown, or its text; anything can be thrown. */
function stackOf(error: unknown): string {
  try {
    if (typeof error === "object" && error !== null && "stack" in error) return String(error.stack);
  } catch {
    // A stack may be a getter, or made by a function of the program's.
  }
  return errorText(error);
}

/** The realm whose turn it is, or was. */
let current: Realm | undefined;

/** The realms, by the prototype of their promises. */
const realms = new WeakMap<object, Realm>();

/** Hands what nothing has caught to the program that it comes from. */
class RealmGuard {
  readonly warnings: readonly string[] = [];

  /** Runs `main`, and hands over what is thrown meanwhile. */
  async during<T>(main: () => Promise<T>): Promise<T> {
    const onRejection = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      const realm = realms.get(Object.getPrototypeOf(event.promise)) ?? current;
      realm?.fail(event.reason, true, event.promise);
    };
    const onError = (event: ErrorEvent) => {
      event.preventDefault();
      current?.fail(event.error, false);
    };
    globalThis.addEventListener("unhandledrejection", onRejection);
    globalThis.addEventListener("error", onError);
    try {
      return await main();
    } finally {
      // The event of a last rejection comes with the next turn of the event loop.
      await new Promise<void>(nextTurn);
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onError);
      current = undefined;
    }
  }
}
