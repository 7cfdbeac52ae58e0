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
import { Cluster, type LaunchContext } from "./cluster.ts";
import { type BundledProgram, MODULE_NAME, SourcePlaces } from "./program.ts";
import { EPOCH_MS, type ProgramOptions, ProgramProcess } from "./program_process.ts";
import { type Globals, makeGlobals, PRELUDE, preludeInput } from "./realm_globals.ts";

/** Settings of {@linkcode createRealmCluster}. */
export interface RealmOptions extends ProgramOptions {
  readonly program: BundledProgram;
}

/** A cluster of programs under the world's clock. */
export function createRealmCluster(options: RealmOptions): Cluster {
  const places = new SourcePlaces(options.program);
  return new Cluster(options, (context) => new Realm(context, places, options).process);
}

/** Thrown to end a program where it stands. */
const EXIT = Symbol("exit");

/** A program's own globals and modules, and what runs in them. */
class Realm {
  readonly process: ProgramProcess;
  readonly #context: LaunchContext;
  readonly #program: BundledProgram;
  readonly #places: SourcePlaces;
  readonly #globals: Globals;
  readonly #realm: vm.Context;
  #readers: ((bytes: Uint8Array) => void)[] = [];
  #isEvaluated = false;
  #isCheckDue = false;
  #isLeaving = false;

  constructor(
    context: LaunchContext,
    places: SourcePlaces,
    { program, args, compute }: RealmOptions,
  ) {
    this.#context = context;
    this.#program = program;
    this.#places = places;
    const process = this.process = new ProgramProcess(context, {
      onInput: () => this.#run(() => this.#readers.shift()?.(process.takeInput())),
      onError: (error) => this.fail(error, false),
      trace: (line) => line.includes(MODULE_NAME) ? places.trace(line) : line,
    }, compute);
    const outside = {
      args,
      path: program.path,
      pid: 1000 + process.generation,
      epochMs: Math.floor(EPOCH_MS + process.startMs),
      now: () => process.now(),
      random: () => process.random.next(),
      schedule: (delayMs: number, callback: () => void) =>
        process.clock.schedule(delayMs, () => this.#run(callback)),
      run: (callback: () => void) => this.#run(callback),
      read: () => this.#read(),
      write: (fd: 1 | 2, data: Uint8Array | string) => process.write(fd, data),
      exit: (code: number) => this.#exit(code),
    };
    this.#globals = makeGlobals(outside);
    this.#realm = vm.createContext(this.#globals.globals);
    realms.set(vm.runInContext("Promise.prototype", this.#realm), this);
    vm.runInContext(PRELUDE, this.#realm)(preludeInput(outside));
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
    this.process.write(2, `error: Uncaught${where} ${this.#places.trace(stackOf(fatal))}\n`);
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
    const module = new SourceTextModule(this.#program.code, {
      context: this.#realm,
      identifier: MODULE_NAME,
      initializeImportMeta: (meta) => {
        const { path } = this.#program;
        const dirname = path.slice(0, path.lastIndexOf("/"));
        Object.assign(meta, { main: true, url: `file://${path}`, filename: path, dirname });
      },
      importModuleDynamically: (name) => {
        if (/^(\.|\/|file:|npm:|jsr:|https?:)/.test(name)) {
          throw new Error(
            `Cannot import ${name}: it is not in the bundle, since its name is computed; write it as a ` +
              "text, or use --real-time",
          );
        }
        return this.#import(name);
      },
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
