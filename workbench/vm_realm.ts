/**
 * What evaluates programs in TypeScript and JavaScript in Deno: realms of `node:vm`, with stacks that
 * name the places in the programs' files.
 *
 * @module
 */

import * as realCrypto from "node-crypto";
import { EventEmitter } from "node-events";
import { SourceMap } from "node-module";
import { getBuiltinModule, nextTick } from "process";
import { Readable, Writable } from "node-stream";
import { format, inspect, promisify } from "node-util";
import vm from "vm";
import { join } from "@std/path/join";
import { type BundledProgram, folderOf } from "./program.ts";
import { MODULE_NAME, type RealmEngine, type RealmScope } from "./realm.ts";
import { type Globals, type Outside, outside, type RealmHost } from "./realm_globals.ts";

/** Realms of `node:vm` for a program. */
export class VmEngine implements RealmEngine {
  readonly path: string;
  readonly host: RealmHost = host;
  readonly #program: BundledProgram;
  readonly #places: SourcePlaces;

  constructor(program: BundledProgram) {
    this.path = program.path;
    this.#program = program;
    this.#places = new SourcePlaces(program);
  }

  open(globals: Globals, out: Outside): RealmScope {
    const context = vm.createContext(globals.globals);
    const promises: object = vm.runInContext("Promise.prototype", context);
    vm.runInContext(PRELUDE, context)(preludeInput(out));
    return { promises, evaluate: () => this.#evaluate(globals, context) };
  }

  trace(stack: string): string {
    return this.#places.trace(stack);
  }

  #evaluate(globals: Globals, context: vm.Context): Promise<void> {
    const load = (name: string): VmModule => {
      const exports = globals.module(name.replace(/^node:/, ""));
      return new SyntheticModule(Object.keys(exports), function () {
        for (const [key, value] of Object.entries(exports)) this.setExport(key, value);
      }, { context, identifier: name });
    };
    const module = new SourceTextModule(this.#program.code, {
      context,
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
        return load(name);
      },
    });
    return module.link(load).then(() => module.evaluate());
  }
}

/** An object whose functions all throw, but for those that are given. */
function withOutside(name: string, host: object, given: object): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(host)) {
    const value = Reflect.get(host, key);
    result[key] = typeof value === "function" ? outside(`${name}.${key}`) : value;
  }
  return Object.defineProperties(result, Object.getOwnPropertyDescriptors(given));
}

function builtin(name: string): object {
  const found: object | undefined = getBuiltinModule(name);
  if (found === undefined) throw new Error(`Cannot import ${name}: it is no module of Node.js`);
  return found;
}

/** The functions of `node:crypto` that only compute. */
const { createHash, createHmac, timingSafeEqual } = realCrypto;

const host: RealmHost = {
  EventEmitter,
  Readable,
  Writable,
  Buffer,
  format,
  inspect,
  promisified: promisify.custom,
  nextTick,
  deno: {
    build: { ...Deno.build, os: "linux" },
    version: Deno.version,
    errors: Deno.errors,
    inspect: Deno.inspect,
  },
  module: builtin,
  outer(name, given) {
    if (name === "Deno") return withOutside(name, Deno, given);
    const computing = name === "crypto" ? { createHash, createHmac, timingSafeEqual } : {};
    return withOutside(name, builtin(name), { ...computing, ...given });
  },
};

/** Keeps the time zone UTC. */
export class UtcZone {
  /** How many runs are under way, and the time zone to go back to after the last. */
  static #running = 0;
  static #zone: string | undefined;
  readonly warnings: readonly string[] = [];

  /** Runs `main` in UTC. */
  async during<T>(main: () => Promise<T>): Promise<T> {
    if (UtcZone.#running++ === 0) {
      UtcZone.#zone = Deno.env.get("TZ");
      Deno.env.set("TZ", "UTC");
    }
    try {
      return await main();
    } finally {
      if (--UtcZone.#running === 0) {
        if (UtcZone.#zone === undefined) Deno.env.delete("TZ");
        else Deno.env.set("TZ", UtcZone.#zone);
      }
    }
  }
}

/** The places in a bundled program's own files, for those in the bundle. */
export class SourcePlaces {
  readonly #map: SourceMap | undefined;
  readonly #folder: string;

  constructor({ path, map }: BundledProgram) {
    this.#map = map === undefined ? undefined : new SourceMap(JSON.parse(map));
    this.#folder = folderOf(path);
  }

  /** A stack with places in the program's files; frames of the workbench are left out. */
  trace(stack: string): string {
    return stack.split("\n").flatMap((line) => {
      if (line.includes(MODULE_NAME)) {
        return [line.replace(PLACE, (...found) => this.#place(found))];
      }
      return /^\s+at /.test(line) ? [] : [line];
    }).join("\n");
  }

  #place([place, row, column]: string[]): string {
    const entry = this.#map?.findEntry(Number(row) - 1, Number(column) - 1);
    if (entry === undefined || !("originalSource" in entry)) return place ?? "";
    const { originalSource: source, originalLine, originalColumn } = entry;
    const file = source.startsWith("/") ? source : join(this.#folder, source);
    return `${file}:${originalLine + 1}:${originalColumn + 1}`;
  }
}

const PLACE = new RegExp(`${MODULE_NAME.replace(".", "\\.")}:(\\d+):(\\d+)`);

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

/**
 * What is evaluated in a realm before its program: a function that is given what the outside is for
 * the language's own globals. Nothing of it may differ between machines.
 */
const PRELUDE = `(function ({ epochMs, now, jumpMs, random, isError, refuse }) {
  const RealDate = Date;
  const nowMs = () => Math.floor(epochMs + now() + jumpMs());
  function VirtualDate(...args) {
    if (new.target === undefined) return String(new RealDate(nowMs()));
    return Reflect.construct(RealDate, args.length === 0 ? [nowMs()] : args, new.target);
  }
  VirtualDate.prototype = RealDate.prototype;
  RealDate.prototype.constructor = VirtualDate;
  Object.defineProperty(VirtualDate, "name", { value: "Date" });
  Object.defineProperty(VirtualDate, "length", { value: 7 });
  const hidden = (target, entries) => {
    for (const [key, value] of Object.entries(entries)) {
      Object.defineProperty(target, key, { value, writable: true, configurable: true });
    }
  };
  // The name of the time zone is written in the language of the machine.
  for (const name of ["toString", "toTimeString"]) {
    const real = RealDate.prototype[name];
    hidden(RealDate.prototype, {
      [name]() {
        return real.call(this).replace(/\\(.*\\)$/, "(Coordinated Universal Time)");
      },
    });
  }
  hidden(VirtualDate, { now: nowMs, parse: RealDate.parse, UTC: RealDate.UTC });
  hidden(globalThis, { Date: VirtualDate });
  hidden(Math, { random });

  if (typeof Temporal === "object") {
    const instant = () =>
      Temporal.Instant.fromEpochNanoseconds(
        BigInt(epochMs) * 1000000n + BigInt(Math.floor((now() + jumpMs()) * 1e6)),
      );
    const zoned = (zone = "UTC") => instant().toZonedDateTimeISO(zone);
    hidden(Temporal.Now, {
      instant,
      timeZoneId: () => "UTC",
      zonedDateTimeISO: zoned,
      plainDateTimeISO: (zone) => zoned(zone).toPlainDateTime(),
      plainDateISO: (zone) => zoned(zone).toPlainDate(),
      plainTimeISO: (zone) => zoned(zone).toPlainTime(),
    });
  }

  for (const name of Object.getOwnPropertyNames(Intl)) {
    const Real = Intl[name];
    if (typeof Real !== "function" || Real.supportedLocalesOf === undefined) continue;
    const inUtc = (options) => name === "DateTimeFormat" ? { timeZone: "UTC", ...options } : options;
    function Localized(locales = "en-US", options) {
      const args = [locales, inUtc(options)];
      return new.target === undefined ? Real(...args) : Reflect.construct(Real, args, new.target);
    }
    Localized.prototype = Real.prototype;
    Real.prototype.constructor = Localized;
    hidden(Localized, { name, supportedLocalesOf: Real.supportedLocalesOf });
    hidden(Intl, { [name]: Localized });
  }
  const localize = (target, name, zoned) => {
    const real = target[name];
    hidden(target, {
      [name](locales = "en-US", options) {
        return real.call(this, locales, zoned ? { timeZone: "UTC", ...options } : options);
      },
    });
  };
  for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) {
    localize(RealDate.prototype, name, true);
  }
  for (const { prototype } of [Number, BigInt]) localize(prototype, "toLocaleString", false);
  const { localeCompare } = String.prototype;
  hidden(String.prototype, {
    localeCompare(that, locales = "en-US", options) {
      return localeCompare.call(this, that, locales, options);
    },
  });

  // When memory is reclaimed depends on the machine: here it never is, as far as a program can see.
  hidden(globalThis, {
    WeakRef: class WeakRef {
      #target;
      constructor(target) {
        this.#target = target;
      }
      deref() {
        return this.#target;
      }
    },
    FinalizationRegistry: class FinalizationRegistry {
      register() {}
      unregister() {
        return false;
      }
    },
  });
  hidden(globalThis, { global: globalThis, self: globalThis });
  // These compile in threads of the machine, and end when those do.
  for (const name of ["compile", "instantiate", "compileStreaming", "instantiateStreaming"]) {
    hidden(WebAssembly, { [name]: refuse(\`WebAssembly.\${name}\`) });
  }
  hidden(Atomics, { wait: refuse("Atomics.wait"), waitAsync: refuse("Atomics.waitAsync") });

  // Streams and other classes come from outside, and so do the errors that they throw.
  const isInstance = Function.prototype[Symbol.hasInstance];
  Object.defineProperty(Error, Symbol.hasInstance, {
    value(error) {
      return isInstance.call(this, error) || (this === Error && isError(error));
    },
  });
})`;

/** What {@linkcode PRELUDE} is called with. */
function preludeInput(out: Outside): Record<string, unknown> {
  return {
    epochMs: out.epochMs,
    now: () => out.now(),
    jumpMs: () => out.jumpMs(),
    random: () => out.random(),
    isError: (value: unknown) => value instanceof Error,
    refuse: outside,
  };
}
