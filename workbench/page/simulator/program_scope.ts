/**
 * What a program in a page sees of the language and of the outside, under the run's clock and chance.
 *
 * All nodes share one realm, since a page makes none without `eval`: the program is a function, called
 * once for each start of a node, whose parameters hide the globals. What a program changes in classes
 * of the language, such as `Array.prototype`, all nodes see.
 *
 * @module
 */

import { type Globals, type Outside, outside } from "../../realm_globals.ts";

/** What a worker has beside the language, and no program may see. */
const HIDDEN = [
  ..."postMessage onmessage onmessageerror importScripts close location name origin ".split(" "),
  ..."XMLHttpRequest indexedDB caches cookieStore scheduler eddyProgram".split(" "),
].filter((name) => name !== "");

/** The language's own globals that are found by `globalThis.NAME`. */
const LANGUAGE = Object.getOwnPropertyNames(globalThis).filter((name) =>
  /^(Object|Function|Array|Number|Boolean|String|Symbol|BigInt|Promise|RegExp|JSON|Proxy|Reflect|Map|Set|WeakMap|WeakSet|Iterator|\w*Error|parse(Int|Float)|is(NaN|Finite)|(en|de)codeURI(Component)?|NaN|Infinity|undefined)$/
    .test(name)
);

/**
 * What a program's function is called with.
 *
 * @param path where the program is, for `import.meta`
 */
export function programScope(
  { globals, module }: Globals,
  out: Outside,
): Record<string, unknown> {
  for (const name of LANGUAGE) globals[name] ??= Reflect.get(globalThis, name);
  Object.assign(globals, languageOf(out), { self: globals, global: globals });
  const hidden = Object.fromEntries(HIDDEN.map((name) => [name, undefined]));
  const { path } = out;
  return {
    ...hidden,
    ...Object.fromEntries(Object.entries(globals).filter(([name]) => !LANGUAGE.includes(name))),
    globalThis: globals,
    import_meta: {
      main: true,
      url: `file://${path}`,
      filename: path,
      dirname: path.slice(0, path.lastIndexOf("/")),
    },
    eddyModule: (name: string, key: string) => {
      const found = module(name);
      return key in found ? found[key] : Reflect.get(Object(found.default), key) ??
        outside(`${name}.${key}`);
    },
  };
}

/** The language's own globals that depend on the machine. */
function languageOf(out: Outside): Record<string, unknown> {
  const refused = (name: string, ...keys: readonly string[]) =>
    Object.fromEntries(keys.map((key) => [key, outside(`${name}.${key}`)]));
  return {
    Date: dateOf(() => Math.floor(out.epochMs + out.now() + out.jumpMs())),
    Math: copy(Math, { random: () => out.random() }),
    Intl: copy(Intl, localized),
    WeakRef: StrongRef,
    FinalizationRegistry: NoRegistry,
    Atomics: copy(Atomics, refused("Atomics", "wait", "waitAsync")),
    WebAssembly: copy(
      WebAssembly,
      refused("WebAssembly", "compile", "instantiate", "compileStreaming", "instantiateStreaming"),
    ),
    Temporal: temporalOf(out),
  };
}

/** The part of `Temporal` that is used; TypeScript's library has none of it yet. */
interface TemporalParts {
  readonly Now: object;
  readonly Instant: { fromEpochNanoseconds(ns: bigint): TemporalInstant };
}

interface TemporalInstant {
  toZonedDateTimeISO(zone: string): Record<
    "toPlainDateTime" | "toPlainDate" | "toPlainTime",
    () => object
  >;
}

/** `Temporal` under a run's clock, where the browser has it. */
function temporalOf({ epochMs, now, jumpMs }: Outside): object | undefined {
  const real = Reflect.get(globalThis, "Temporal") as TemporalParts | undefined;
  if (real === undefined) return undefined;
  const instant = () =>
    real.Instant.fromEpochNanoseconds(
      BigInt(epochMs) * 1000000n + BigInt(Math.floor((now() + jumpMs()) * 1e6)),
    );
  const zoned = (zone = "UTC") => instant().toZonedDateTimeISO(zone);
  const virtual = {
    instant,
    timeZoneId: () => "UTC",
    zonedDateTimeISO: zoned,
    plainDateTimeISO: (zone?: string) => zoned(zone).toPlainDateTime(),
    plainDateISO: (zone?: string) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone?: string) => zoned(zone).toPlainTime(),
  };
  return copy(real, { Now: copy(real.Now, virtual) });
}

/** An object of the language with some of its properties replaced. */
function copy(target: object, replaced: object): object {
  const all = {
    ...Object.getOwnPropertyDescriptors(target),
    ...Object.getOwnPropertyDescriptors(replaced),
  };
  return Object.defineProperties({}, all);
}

/** As a program in a realm sees it: memory is never reclaimed. */
class StrongRef {
  readonly #target: unknown;

  constructor(target: unknown) {
    this.#target = target;
  }

  deref(): unknown {
    return this.#target;
  }
}

class NoRegistry {
  register(): void {}

  unregister(): boolean {
    return false;
  }
}

/** `Intl` with the locale and the time zone of every machine. */
const localized = Object.fromEntries(
  Object.getOwnPropertyNames(Intl).flatMap((name) => {
    const Real: unknown = Reflect.get(Intl, name);
    if (typeof Real !== "function" || !("supportedLocalesOf" in Real)) return [];
    const make = (_: unknown, [locales = "en-US", options]: [unknown?, object?]) => {
      const zoned = name === "DateTimeFormat" ? { timeZone: "UTC", ...options } : options;
      return Reflect.construct(Real, [locales, zoned]);
    };
    return [[
      name,
      new Proxy(Real, {
        apply: (target, _, args) => make(target, args as []),
        construct: (target, args) => make(target, args as []),
      }),
    ]];
  }),
);

/** Gives methods that write in a language one that is the same on every machine. */
function localize(target: object, name: string, options: object = {}): void {
  const real: unknown = Reflect.get(target, name);
  if (typeof real !== "function") return;
  const value = function (this: unknown, locales = "en-US", given?: object) {
    return Reflect.apply(real, this, [locales, { ...options, ...given }]);
  };
  Object.defineProperty(target, name, { value, writable: true, configurable: true });
}

/** The parts of a `Date` that are read and set by its time zone. */
const PARTS = ["FullYear", "Month", "Date", "Day", "Hours", "Minutes", "Seconds", "Milliseconds"];

/** Makes a `Date` whose time is a run's, and whose time zone is UTC. */
function dateOf(nowMs: () => number): unknown {
  const VirtualDate = function (this: unknown, ...args: unknown[]) {
    if (new.target === undefined) return String(Reflect.construct(Real, [nowMs()], VirtualDate));
    return Reflect.construct(Real, [timeOf(args, nowMs)], new.target);
  };
  const Real = Date;
  const prototype: Record<string, unknown> = Object.create(Real.prototype, {
    constructor: { value: VirtualDate, writable: true, configurable: true },
  });
  const define = (name: string, value: unknown) =>
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  for (const part of PARTS) {
    for (const verb of ["get", "set"]) {
      const utc: unknown = Reflect.get(Real.prototype, `${verb}UTC${part}`);
      if (utc !== undefined) define(`${verb}${part}`, utc);
    }
  }
  define("getTimezoneOffset", () => 0);
  const words = (date: Date) => Real.prototype.toUTCString.call(date).split(/,? /);
  define("toDateString", function (this: Date) {
    const [day, date, month, year] = words(this);
    return year === undefined ? "Invalid Date" : [day, month, date, year].join(" ");
  });
  define("toTimeString", function (this: Date) {
    const time = words(this)[4];
    return time === undefined ? "Invalid Date" : `${time} GMT+0000 (Coordinated Universal Time)`;
  });
  define("toString", function (this: Date & Record<"toDateString" | "toTimeString", () => string>) {
    const text = this.toDateString();
    return text === "Invalid Date" ? text : `${text} ${this.toTimeString()}`;
  });
  for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) {
    define(name, Reflect.get(Real.prototype, name));
    localize(prototype, name, { timeZone: "UTC" });
  }
  return Object.defineProperties(VirtualDate, {
    name: { value: "Date" },
    length: { value: 7 },
    prototype: { value: prototype, writable: false },
    now: { value: nowMs, writable: true, configurable: true },
    parse: { value: parseInUtc, writable: true, configurable: true },
    UTC: { value: Real.UTC, writable: true, configurable: true },
  });
}

/** The time that the arguments of `new Date` stand for. */
function timeOf(args: readonly unknown[], nowMs: () => number): unknown {
  if (args.length === 0) return nowMs();
  if (args.length > 1) return Date.UTC(...args as [number, number]);
  const [value] = args;
  if (value instanceof Date) return value.getTime();
  const primitive = typeof value === "object" && value !== null
    ? Reflect.apply(Date.prototype[Symbol.toPrimitive], value, ["default"])
    : value;
  return typeof primitive === "string" ? parseInUtc(primitive) : primitive;
}

/** The time of a text, which is in UTC unless it names a time zone. */
function parseInUtc(text: string): number {
  const ms = Date.parse(text);
  const isDate = /^\s*[+-]?\d+(-\d\d)?(-\d\d)?\s*$/.test(text);
  if (isDate || /(Z|GMT|UTC?|[A-Z]{2}T|[+-]\d\d:?\d\d)\s*(\(.*\))?\s*$/i.test(text)) return ms;
  return ms - new Date(ms).getTimezoneOffset() * 60_000;
}

/** Makes what all realms of this thread share write in a language that is the same everywhere. */
export function localizeLanguage(): void {
  for (const { prototype } of [Number, BigInt]) localize(prototype, "toLocaleString");
  const { localeCompare } = String.prototype;
  Object.defineProperty(String.prototype, "localeCompare", {
    value(this: string, that: string, locales: string = "en-US", options?: Intl.CollatorOptions) {
      return localeCompare.call(this, that, locales, options);
    },
    writable: true,
    configurable: true,
  });
}
