/**
 * Nodes that are programs in TypeScript or JavaScript, each in a realm of its own in this process:
 * under virtual time, unchanged, and reproducible.
 *
 * A realm (`node:vm`) has globals of its own, so that what a program keeps in its modules is one
 * node's. It is no sandbox: it keeps mistakes apart, not attackers out.
 *
 * @module
 */

import vm from "vm";
import { errorText } from "@eddy/maelstrom";
import { Cluster, type ClusterOptions, type Incarnation, type LaunchContext } from "./cluster.ts";
import { type Compute, ProcessClock } from "./in_process.ts";
import type { Packet } from "./network.ts";
import { LineSplitter } from "./process.ts";
import { type BundledProgram, MODULE_NAME, SourcePlaces } from "./program.ts";
import { RecentLines } from "./protocol.ts";
import { type Globals, makeGlobals, PRELUDE, preludeInput } from "./realm_globals.ts";
import { activity } from "./watchdog.ts";

/** Settings of {@linkcode createRealmCluster}. */
export interface RealmOptions extends ClusterOptions {
  readonly program: BundledProgram;
  /** What every node is started with. */
  readonly args: readonly string[];
}

/** A cluster of programs under the world's clock. */
export function createRealmCluster(options: RealmOptions): Cluster {
  const places = new SourcePlaces(options.program);
  return new Cluster(options, (context) => new RealmIncarnation(context, places, options));
}

/** Thrown to end a program where it stands. */
const EXIT = Symbol("exit");

/** How long a program takes over a message or a timer, unless something else is asked for. */
const COMPUTE: Compute = { meanMs: 0.02, jitter: 0 };

class RealmIncarnation implements Incarnation {
  readonly #context: LaunchContext;
  readonly #program: BundledProgram;
  readonly #places: SourcePlaces;
  readonly #clock: ProcessClock;
  readonly #globals: Globals;
  readonly #realm: vm.Context;
  readonly #encoder = new TextEncoder();
  readonly #recentLog = new RecentLines();
  readonly #output = {
    1: new LineSplitter((line) => this.#context.stdout.accept(line)),
    2: new LineSplitter((line) => this.#log(line)),
  };
  /** Lines that the program has not read yet. */
  #input: string[] = [];
  #readers: ((bytes: Uint8Array) => void)[] = [];
  #releases: (() => void)[] = [];
  #isEvaluated = false;
  #isCheckDue = false;
  #isLeaving = false;
  #dead = false;

  constructor(
    context: LaunchContext,
    places: SourcePlaces,
    { program, args, compute = COMPUTE }: RealmOptions,
  ) {
    const { node, generation, world } = context;
    this.#context = context;
    this.#program = program;
    this.#places = places;
    this.#clock = new ProcessClock(context, (error) => this.#fail(error), compute);
    const random = world.random(generation === 1 ? `node ${node}` : `node ${node} #${generation}`);
    const startMs = world.clock.now();
    const outside = {
      args,
      path: program.path,
      pid: 1000 + generation,
      now: () => world.clock.now() - startMs,
      random: () => random.next(),
      schedule: (delayMs: number, callback: () => void) =>
        this.#clock.schedule(delayMs, () => this.#run(callback)),
      run: (callback: () => void) => this.#run(callback),
      read: () => this.#read(),
      write: (fd: 1 | 2, data: Uint8Array | string) => this.#write(fd, data),
      exit: (code: number) => this.#exit(code),
    };
    this.#globals = makeGlobals(outside);
    this.#realm = vm.createContext(this.#globals.globals);
    realms.set(vm.runInContext("Promise.prototype", this.#realm), this);
    vm.runInContext(PRELUDE, this.#realm)(preludeInput(outside));
    this.#clock.schedule(0, () => this.#run(() => this.#start()));
  }

  deliver(packet: Packet): void {
    this.#clock.schedule(0, () => this.#run(() => this.#receive(packet)));
  }

  #receive(packet: Packet): void {
    activity.mark(this.#context.node, packet.text);
    this.#input.push(packet.toLine());
    const reader = this.#readers.shift();
    if (reader !== undefined) reader(this.#takeInput());
  }

  kill(): Promise<void> {
    this.#die();
    return Promise.resolve();
  }

  pause(): void {
    const { world: { network }, node } = this.#context;
    this.#clock.pause();
    this.#releases.push(network.hold(node));
  }

  resume(): void {
    this.#clock.resume();
    for (const release of this.#releases) release();
    this.#releases = [];
  }

  /** Ends the program as an error ends it that nothing catches. */
  fail(error: unknown, isPromise: boolean, promise?: Promise<unknown>): void {
    if (this.#dead || error === EXIT) return;
    let fatal = error;
    try {
      if (this.#isHandled(error, isPromise, promise)) return;
    } catch (another) {
      // What a listener throws that was to take an error ends the program.
      if (this.#dead || another === EXIT) return;
      fatal = another;
    }
    const where = isPromise ? " (in promise)" : "";
    this.#write(2, `error: Uncaught${where} ${this.#places.trace(stackOf(fatal))}\n`);
    this.#end(1);
  }

  #fail(error: unknown): void {
    this.fail(error, false);
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
    const module = new SourceTextModule(this.#program.code, {
      context: this.#realm,
      identifier: MODULE_NAME,
      initializeImportMeta: (meta) => {
        const { path } = this.#program;
        const dirname = path.slice(0, path.lastIndexOf("/"));
        Object.assign(meta, { main: true, url: `file://${path}`, filename: path, dirname });
      },
      importModuleDynamically: (name) => this.#import(name),
    });
    module.link((name) => this.#import(name))
      .then(() => module.evaluate())
      .then(() => {
        this.#isEvaluated = true;
        this.#scheduleCheck();
      }, (error) => this.fail(error, false));
  }

  #import(name: string): VmModule {
    const exports = this.#globals.module(name.replace(/^node:/, ""));
    return new SyntheticModule(Object.keys(exports), function () {
      for (const [key, value] of Object.entries(exports)) this.setExport(key, value);
    }, { context: this.#realm, identifier: name });
  }

  #run(callback: () => void): void {
    if (this.#dead) return;
    current = this;
    try {
      callback();
    } catch (error) {
      this.fail(error, false);
    }
    this.#scheduleCheck();
  }

  #read(): Promise<Uint8Array> {
    if (this.#input.length > 0) return Promise.resolve(this.#takeInput());
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  #takeInput(): Uint8Array {
    const text = this.#input.join("\n") + "\n";
    this.#input = [];
    return this.#encoder.encode(text);
  }

  #write(fd: 1 | 2, data: Uint8Array | string): void {
    if (this.#dead) return;
    this.#output[fd].add(data);
  }

  #log(line: string): void {
    const text = line.includes(MODULE_NAME) ? this.#places.trace(line) : line;
    this.#recentLog.add(text);
    this.#context.log(text);
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
    this.#end(code);
  }

  #end(code: number): void {
    if (this.#dead) return;
    this.#die();
    this.#context.onExit({ code }, this.#recentLog.lines);
  }

  #die(): void {
    this.#dead = true;
    this.#clock.kill();
    this.#readers = [];
    for (const release of this.#releases) release();
  }

  /** Ends the program when nothing can wake it any more, as its runtime would. */
  #scheduleCheck(): void {
    if (this.#isCheckDue || this.#isWaiting()) return;
    this.#isCheckDue = true;
    this.#context.world.clock.schedule(0, () => {
      this.#isCheckDue = false;
      if (this.#dead || this.#isWaiting()) return;
      if (!this.#isEvaluated) {
        this.#write(2, "error: Top-level await promise never resolved\n");
        this.#end(1);
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
let current: RealmIncarnation | undefined;

/** The realms, by the prototype of their promises. */
const realms = new WeakMap<object, RealmIncarnation>();

/** Hands what nothing has caught to the program that it comes from, and keeps the time zone UTC. */
export class RealmGuard {
  /** How many runs are under way, and the time zone to go back to after the last. */
  static #running = 0;
  static #zone: string | undefined;
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
    if (RealmGuard.#running++ === 0) {
      RealmGuard.#zone = Deno.env.get("TZ");
      Deno.env.set("TZ", "UTC");
    }
    try {
      return await main();
    } finally {
      if (--RealmGuard.#running === 0) {
        if (RealmGuard.#zone === undefined) Deno.env.delete("TZ");
        else Deno.env.set("TZ", RealmGuard.#zone);
      }
      // The event of a last rejection comes with the next turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onError);
      current = undefined;
    }
  }
}

/** The part of `node:vm`'s modules that is used; its types come with a flag only. */
interface VmModule {
  link(linker: (name: string) => VmModule): Promise<void>;
  evaluate(): Promise<void>;
  setExport(name: string, value: unknown): void;
}

interface VmModules {
  readonly SourceTextModule: new (code: string, options: {
    readonly context: vm.Context;
    readonly identifier: string;
    readonly initializeImportMeta: (meta: object) => void;
    readonly importModuleDynamically: (name: string) => VmModule;
  }) => VmModule;
  readonly SyntheticModule: new (
    names: readonly string[],
    evaluate: (this: VmModule) => void,
    options: { readonly context: vm.Context; readonly identifier: string },
  ) => VmModule;
}

const { SourceTextModule, SyntheticModule } = vm as unknown as VmModules;
