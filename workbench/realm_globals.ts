/**
 * What a program in a realm sees of the outside: Deno, Node.js and the web, under the run's clock
 * and chance.
 *
 * @module
 */

import type { Storage } from "@eddy/maelstrom";

/** What the realm's globals are made of. */
export interface Outside {
  readonly args: readonly string[];
  /** Where the program is, for `process.argv`. */
  readonly path: string;
  readonly pid: number;
  /** When the program was started, in milliseconds since 1970, while the time of day is right. */
  readonly epochMs: number;
  /** Milliseconds since the program was started. */
  now(): number;
  /** How far the time of day is ahead of what these two say, in milliseconds. */
  jumpMs(): number;
  /** A number from 0 up to 1. */
  random(): number;
  /** Calls `callback` once; returns a function that cancels. */
  schedule(delayMs: number, callback: () => void): () => void;
  /** Calls `callback`; what it throws ends the program. */
  run(callback: () => void): void;
  /** The next bytes of standard input. */
  read(): Promise<Uint8Array>;
  /** Takes bytes or text for standard output (1) or error (2). */
  write(fd: 1 | 2, data: Uint8Array | string): void;
  /** Ends the program; never returns. */
  exit(code: number): never;
  /** Opens what a node on this project's library has in place of a storage on disk. */
  openStorage(): Storage;
}

/** Where `openDisk` of the library finds what opens a simulated disk in place of the machine's. */
const STORAGE = Symbol.for("eddy.storage");

/** The parts of Deno and of Node.js that globals are made of, as far as where they run has them. */
export interface RealmHost {
  readonly EventEmitter: new () => ProgramEmitter;
  readonly Readable: new (options: { read(this: ProgramInput): void }) => ProgramInput;
  readonly Writable: new (options: ProgramOutputOptions) => object;
  readonly Buffer: ProgramBuffers;
  readonly format: (...values: unknown[]) => string;
  readonly inspect: (value: unknown) => string;
  /** The symbol of functions that `promisify` is to give. */
  readonly promisified: symbol;
  /** Calls a function before anything but what runs. */
  readonly nextTick: (callback: () => void) => void;
  /** What `Deno` has that only computes. */
  readonly deno: object;
  /**
   * A module of Node.js that only computes.
   *
   * @throws {Error} if there is none of the name.
   */
  module(name: string): object;
  /** `Deno` or a module that reaches the outside: what is given, and functions that all throw. */
  outer(name: string, given: object): Record<string, unknown>;
}

/** An emitter of events, as in `node:events`. */
export interface ProgramEmitter {
  emit(name: string, ...args: unknown[]): boolean;
  listenerCount(name: string): number;
}

/** A stream to read, as in `node:stream`. */
export interface ProgramInput {
  push(chunk: unknown): boolean;
}

/** How a stream to write is made, as in `node:stream`. */
export interface ProgramOutputOptions {
  readonly decodeStrings: boolean;
  readonly highWaterMark: number;
  write(chunk: Uint8Array | string, encoding: string, done: () => void): void;
}

/** What is used of `Buffer`. */
export interface ProgramBuffers {
  alloc(size: number): Uint8Array;
  byteLength(text: string): number;
}

/** The globals of a realm, and the modules that it may import. */
export interface Globals {
  readonly globals: Record<string, unknown>;
  readonly process: ProgramEmitter;
  readonly events: ProgramEvents;
  /** The exports of a module of Node.js. */
  module(name: string): Record<string, unknown>;
  /** Whether a timer waits that keeps the program from ending. */
  hasTimers(): boolean;
}

/** Web globals that only compute. */
const PURE = [
  ..."AbortController Blob ByteLengthQueuingStrategy CountQueuingStrategy CustomEvent ".split(" "),
  ..."DOMException ErrorEvent Event EventTarget File FormData Headers MessageEvent ".split(" "),
  ..."PromiseRejectionEvent ReadableByteStreamController ReadableStream ".split(" "),
  ..."ReadableStreamBYOBReader ReadableStreamDefaultController ".split(" "),
  ..."ReadableStreamDefaultReader Request Response TextDecoder TextDecoderStream ".split(" "),
  ..."TextEncoder TextEncoderStream TransformStream URL URLPattern URLSearchParams ".split(" "),
  ..."WritableStream WritableStreamDefaultController WritableStreamDefaultWriter ".split(" "),
  ..."atob btoa structuredClone ".split(" "),
  // So that arrays of the realm and of these classes are of one kind.
  ..."ArrayBuffer DataView Uint8Array Int8Array Uint16Array Int16Array Uint32Array ".split(" "),
  ..."Int32Array BigUint64Array BigInt64Array Uint8ClampedArray Float32Array ".split(" "),
  "Float64Array",
].filter((name) => name !== "");

/** Web globals that reach the outside. */
const OUTER = [
  ..."fetch WebSocket Worker EventSource BroadcastChannel MessageChannel ".split(" "),
  ..."CompressionStream DecompressionStream".split(" "),
].filter((name) => name !== "");

/** Modules of Node.js that only compute. */
const PURE_MODULES: ReadonlySet<string> = new Set(
  "assert async_hooks buffer events path path/posix querystring readline readline/promises stream stream/promises stream/web string_decoder url util util/types punycode constants"
    .split(" "),
);

/** What throws when it is called or constructed. */
export function outside(name: string): () => never {
  return function () {
    throw new Error(`Cannot use ${name} under virtual time: run the program with --real-time`);
  };
}

/** Makes the globals of one realm. */
export function makeGlobals(out: Outside, host: RealmHost): Globals {
  const events = new ProgramEvents((type) => globals[`on${type}`]);
  const timers = new Timers(out, host);
  const { process, stdin, stdout, stderr } = processOf(out, host);
  const crypto = cryptoOf(out);
  const globals: Record<string, unknown> = { Buffer: host.Buffer };
  for (const name of PURE) globals[name] = Reflect.get(globalThis, name);
  for (const name of OUTER) globals[name] = outside(name);
  Object.assign(globals, timers.functions, {
    AbortSignal: abortSignalOf(timers),
    queueMicrotask: (callback: () => void) => {
      checkCallback(callback, host);
      queueMicrotask(() => out.run(callback));
    },
    console: consoleOf(out, host),
    crypto,
    performance: performanceOf(out),
    navigator: { userAgent: "Deno", hardwareConcurrency: 1, language: "en-US" },
    reportError: (error: unknown) => out.run(() => rethrow(error)),
    addEventListener: (type: string, listener: Listener) => events.add(type, listener),
    removeEventListener: (type: string, listener: Listener) => events.remove(type, listener),
    dispatchEvent: (event: Event) => events.dispatch(event),
    process,
    Deno: denoOf(out, host, timers),
    [STORAGE]: () => out.openStorage(),
  });
  const virtual: Record<string, () => object> = {
    process: () => process,
    fs: () => fileDescriptors(out, host, { stdin, stdout, stderr }),
    timers: () => timers.functions,
    "timers/promises": () => timers.promises,
    crypto: () => nodeCrypto(out, host, crypto),
    perf_hooks: () => ({ performance: globals.performance }),
    os: () => ({ EOL: "\n", platform: () => "linux", hostname: () => "node", cpus: () => [] }),
    module: () => ({
      createRequire: () => (name: string) => module(name.replace(/^node:/, "")).default,
    }),
  };
  const module = (name: string): Record<string, unknown> => {
    if (PURE_MODULES.has(name)) {
      const real = host.module(name);
      // A copy, where there is one: what a node sets on a module is its own.
      const own = typeof real === "function" ? real : { ...real };
      return { ...real, default: own };
    }
    const found = host.outer(name, virtual[name]?.() ?? {});
    return { ...found, default: name === "process" ? process : found };
  };
  Object.assign(process, {
    getBuiltinModule: (name: string) => module(name.replace(/^node:/, "")).default,
  });
  return { globals, process, events, module, hasTimers: () => timers.areWaiting };
}

type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };

/** The listeners that a program has on its global object; what they throw is the caller's. */
export class ProgramEvents {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #propertyOf: (type: string) => unknown;

  /** @param propertyOf what the program has set for an event's type, as `onerror` for `error` */
  constructor(propertyOf: (type: string) => unknown) {
    this.#propertyOf = propertyOf;
  }

  add(type: string, listener: Listener): void {
    const known = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, known.add(listener));
  }

  remove(type: string, listener: Listener): void {
    this.#listeners.get(type)?.delete(listener);
  }

  /** Calls the listeners of an event; returns whether none has prevented its default. */
  dispatch(event: Event): boolean {
    const handler = this.#propertyOf(event.type);
    if (typeof handler === "function") handler(event);
    for (const listener of [...this.#listeners.get(event.type) ?? []]) {
      if (typeof listener === "function") listener(event);
      else listener.handleEvent(event);
    }
    return !event.defaultPrevented;
  }
}

/** Throws where the program calls, not later where nothing says who did. */
function checkCallback(callback: unknown, { inspect }: RealmHost): void {
  if (typeof callback === "function") return;
  throw new TypeError(
    `The "callback" argument must be of type function. Received ${inspect(callback)}`,
  );
}

function rethrow(error: unknown): never {
  throw error;
}

/** A timer as both Deno and Node.js give it: an object that converts to its number. */
class ProgramTimer {
  readonly #id: number;
  isRef = true;
  cancel = () => {};
  arm = () => {};

  constructor(id: number) {
    this.#id = id;
  }

  ref(): this {
    this.isRef = true;
    return this;
  }

  unref(): this {
    this.isRef = false;
    return this;
  }

  /** Starts its time over. */
  refresh(): this {
    this.cancel();
    this.arm();
    return this;
  }

  hasRef(): boolean {
    return this.isRef;
  }

  [Symbol.toPrimitive](): number {
    return this.#id;
  }
}

type Callback = (...args: unknown[]) => void;

/** A delay as Deno and Node.js take it: at least a millisecond, and that for what is too long. */
function delayOf(delayMs: unknown): number {
  const ms = Number(delayMs) || 0;
  return ms < 1 || ms >= 2 ** 31 ? 1 : ms;
}

/** The promises of timers that others here are made of. */
interface ProgramPromises {
  setTimeout(
    delayMs?: number,
    value?: unknown,
    options?: { signal?: AbortSignal },
  ): Promise<unknown>;
  setImmediate(value?: unknown): Promise<unknown>;
}

/** Timers under the run's clock, with Node.js's least delay of 1 ms. */
class Timers {
  readonly #out: Outside;
  readonly #host: RealmHost;
  readonly #waiting = new Map<number, ProgramTimer>();
  #nextId = 1;

  constructor(out: Outside, host: RealmHost) {
    this.#out = out;
    this.#host = host;
  }

  /** Whether one waits that keeps the program from ending. */
  get areWaiting(): boolean {
    for (const { isRef } of this.#waiting.values()) if (isRef) return true;
    return false;
  }

  readonly setTimeout = (callback: Callback, delayMs?: number, ...args: unknown[]): ProgramTimer =>
    this.#set(callback, args, delayOf(delayMs), false);

  readonly setInterval = (callback: Callback, delayMs?: number, ...args: unknown[]): ProgramTimer =>
    this.#set(callback, args, delayOf(delayMs), true);

  readonly setImmediate = (callback: Callback, ...args: unknown[]): ProgramTimer =>
    this.#set(callback, args, 0, false);

  readonly clear = (timer?: ProgramTimer | number): void => {
    const id = Number(timer);
    this.#waiting.get(id)?.cancel();
    this.#waiting.delete(id);
  };

  get functions(): Record<string, unknown> {
    const { setTimeout, setInterval, setImmediate, clear, promises } = this;
    const { promisified } = this.#host;
    Object.defineProperty(setTimeout, promisified, { value: promises.setTimeout });
    Object.defineProperty(setImmediate, promisified, { value: promises.setImmediate });
    return {
      setTimeout,
      setInterval,
      setImmediate,
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    };
  }

  readonly promises: Readonly<Record<string, unknown>> & ProgramPromises = {
    setTimeout: (delayMs?: number, value?: unknown, options: { signal?: AbortSignal } = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = options;
        if (signal?.aborted) return reject(signal.reason);
        const timer = this.setTimeout(() => resolve(value), delayMs);
        signal?.addEventListener("abort", () => {
          this.clear(timer);
          reject(signal.reason);
        }, { once: true });
      }),
    setImmediate: (value?: unknown) =>
      new Promise((resolve) => this.setImmediate(() => resolve(value))),
    setInterval: (delayMs?: number, value?: unknown, options: { signal?: AbortSignal } = {}) =>
      this.#ticks(delayMs, value, options),
    scheduler: {
      wait: (delayMs?: number, options?: { signal?: AbortSignal }) =>
        this.promises.setTimeout(delayMs, undefined, options),
      yield: () => this.promises.setImmediate(),
    },
  };

  async *#ticks(
    delayMs: number | undefined,
    value: unknown,
    { signal }: { signal?: AbortSignal },
  ): AsyncGenerator<unknown> {
    let due = 0;
    let wake = () => {};
    const timer = this.setInterval(() => {
      due++;
      wake();
    }, delayMs);
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (due > 0) {
          due--;
          yield value;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
            signal?.addEventListener("abort", () => resolve(), { once: true });
          });
        }
      }
    } finally {
      this.clear(timer);
    }
  }

  /** Sets whether a timer keeps the program from ending. */
  setRef(timer: ProgramTimer | number, isRef: boolean): void {
    const known = this.#waiting.get(Number(timer));
    if (known !== undefined) known.isRef = isRef;
  }

  #set(callback: Callback, args: unknown[], delayMs: number, repeats: boolean): ProgramTimer {
    checkCallback(callback, this.#host);
    const id = this.#nextId++;
    const timer = new ProgramTimer(id);
    timer.arm = () => {
      this.#waiting.set(id, timer);
      timer.cancel = this.#out.schedule(delayMs, () => {
        if (repeats) timer.arm();
        else this.#waiting.delete(id);
        callback(...args);
      });
    };
    timer.arm();
    return timer;
  }
}

/** `AbortSignal` whose `timeout` goes by the run's clock. */
function abortSignalOf(timers: Timers): unknown {
  const timeout = (delayMs: number) => {
    const controller = new AbortController();
    const abort = () => controller.abort(new DOMException("Signal timed out.", "TimeoutError"));
    timers.setTimeout(abort, delayMs).unref();
    return controller.signal;
  };
  return new Proxy(AbortSignal, {
    get: (target, key) => key === "timeout" ? timeout : Reflect.get(target, key),
  });
}

function performanceOf(out: Outside): object {
  const timeOrigin = out.epochMs + out.jumpMs();
  return {
    now: () => out.now(),
    timeOrigin,
    mark: () => {},
    measure: () => {},
    toJSON: () => ({ timeOrigin }),
  };
}

/** The part of Web Crypto that draws; what computes in the background is outside. */
function cryptoOf(out: Outside) {
  const getRandomValues = <T extends ArrayBufferView>(array: T): T => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(out.random() * 256);
    return array;
  };
  const randomUUID = (): string => {
    const bytes = getRandomValues(new Uint8Array(16));
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
  };
  const subtle = new Proxy({}, { get: (_, key) => outside(`crypto.subtle.${String(key)}`) });
  return { getRandomValues, randomUUID, subtle };
}

function nodeCrypto(
  out: Outside,
  { Buffer }: RealmHost,
  { getRandomValues, randomUUID }: ReturnType<typeof cryptoOf>,
) {
  const randomBytes = (size: number) => getRandomValues(Buffer.alloc(size));
  const randomInt = (a: number, b?: number) => {
    const [min, max] = b === undefined ? [0, a] : [a, b];
    return min + Math.floor(out.random() * (max - min));
  };
  const webcrypto = { getRandomValues, randomUUID };
  return { getRandomValues, randomUUID, randomBytes, randomInt, webcrypto };
}

/** `console` as it prints to a pipe: without colour. */
function consoleOf(out: Outside, { format, inspect }: RealmHost): Record<string, unknown> {
  let indent = "";
  const counts = new Map<string, number>();
  const startsMs = new Map<string, number>();
  const print = (fd: 1 | 2) => (...values: unknown[]) => {
    const text = format(...values);
    out.write(fd, (indent === "" ? text : text.replace(/^/gm, indent)) + "\n");
  };
  const [log, error] = [print(1), print(2)];
  const elapsed = (label: string) =>
    `${label}: ${out.now() - (startsMs.get(label) ?? out.now())} ms`;
  const group = (...values: unknown[]) => {
    if (values.length > 0) log(...values);
    indent += "  ";
  };
  return {
    log,
    info: log,
    debug: log,
    dir: (value: unknown) => log(inspect(value)),
    dirxml: log,
    table: log,
    error,
    warn: error,
    trace: (...values: unknown[]) => error("Trace:", ...values),
    assert: (condition: unknown, ...values: unknown[]) => {
      if (!condition) error("Assertion failed", ...values);
    },
    count(label = "default") {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      log(`${label}: ${counts.get(label)}`);
    },
    countReset: (label = "default") => void counts.delete(label),
    time: (label = "default") => void startsMs.set(label, out.now()),
    timeLog: (label = "default", ...values: unknown[]) => log(elapsed(label), ...values),
    timeEnd: (label = "default") => log(elapsed(label)),
    group,
    groupCollapsed: group,
    groupEnd: () => {
      indent = indent.slice(2);
    },
    clear: () => {},
  };
}

/** `process` of Node.js, with its streams. */
function processOf(out: Outside, host: RealmHost) {
  const { nextTick } = host;
  const stdin = Object.assign(
    new host.Readable({
      read() {
        out.read().then((bytes) => out.run(() => void this.push(bytes)));
      },
    }),
    { fd: 0, isTTY: false, ref: () => {}, unref: () => {} },
  );
  const writable = (fd: 1 | 2) =>
    Object.assign(
      new host.Writable({
        decodeStrings: false,
        highWaterMark: 1 << 24,
        write(chunk: Uint8Array | string, _encoding: string, done: () => void) {
          out.write(fd, chunk);
          done();
        },
      }),
      { fd, isTTY: false },
    );
  const [stdout, stderr] = [writable(1), writable(2)];
  const hrtime = Object.assign(
    (since: [number, number] = [0, 0]) => {
      const ns = Math.round(out.now() * 1e6) - since[0] * 1e9 - since[1];
      return [Math.floor(ns / 1e9), ns % 1e9];
    },
    { bigint: () => BigInt(Math.round(out.now() * 1e6)) },
  );
  const process = Object.assign(new host.EventEmitter(), {
    stdin,
    stdout,
    stderr,
    hrtime,
    argv: ["deno", out.path, ...out.args],
    argv0: "deno",
    execArgv: [],
    execPath: "deno",
    env: { ...ENVIRONMENT },
    pid: out.pid,
    ppid: 1,
    platform: "linux",
    arch: "x64",
    title: "node",
    version: "v24.0.0",
    versions: { node: "24.0.0" },
    exitCode: undefined,
    exit: (code?: number) => out.exit(code ?? 0),
    abort: () => out.exit(134),
    nextTick: (callback: Callback, ...args: unknown[]) => {
      checkCallback(callback, host);
      nextTick(() => out.run(() => callback(...args)));
    },
    uptime: () => out.now() / 1000,
    cwd: () => "/",
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
    emitWarning: (warning: unknown) => out.write(2, `Warning: ${warning}\n`),
    kill: outside("process.kill"),
    chdir: outside("process.chdir"),
    dlopen: outside("process.dlopen"),
  });
  return { process, stdin, stdout, stderr };
}

/** `node:fs` as far as it is about standard input, output and error. */
function fileDescriptors(
  out: Outside,
  { Buffer, nextTick }: RealmHost,
  { stdin, stdout, stderr }: { stdin: object; stdout: object; stderr: object },
): object {
  const refuse = (what: string) => outside(`fs.${what}`)();
  const isOut = (fd: unknown): fd is 1 | 2 => fd === 1 || fd === 2;
  const numberOf = (file: unknown) =>
    file === "/dev/stdin" ? 0 : file === "/dev/stdout" ? 1 : file === "/dev/stderr" ? 2 : file;
  const sizeOf = (data: Uint8Array | string) =>
    typeof data === "string" ? Buffer.byteLength(data) : data.length;
  const write = (name: string) => (file: unknown, data: Uint8Array | string) => {
    const fd = numberOf(file);
    if (!isOut(fd)) return refuse(name);
    out.write(fd, data);
    return sizeOf(data);
  };
  const later =
    (name: string) => (file: unknown, data: Uint8Array | string, ...rest: unknown[]) => {
      const size = write(name)(file, data);
      const done = rest.at(-1);
      if (typeof done === "function") nextTick(() => out.run(() => done(null, size, data)));
    };
  const stream = (name: string, options: unknown, file: unknown) => {
    const fd = typeof options === "object" && options !== null && "fd" in options
      ? options.fd
      : numberOf(file);
    const found = fd === 0 ? stdin : fd === 1 ? stdout : fd === 2 ? stderr : undefined;
    return found ?? refuse(name);
  };
  return {
    writeSync: write("writeSync"),
    writeFileSync: write("writeFileSync"),
    appendFileSync: write("appendFileSync"),
    write: later("write"),
    fsyncSync: () => {},
    createReadStream: (file: unknown, options: unknown) =>
      stream("createReadStream", options, file),
    createWriteStream: (file: unknown, options: unknown) =>
      stream("createWriteStream", options, file),
    existsSync: () => false,
  };
}

/** The environment: it asks a node of this project's library for observations, and has no more. */
const ENVIRONMENT = { EDDY_OBSERVE: "1" };

function permission({ name }: { readonly name: string }): { readonly state: string } {
  return { state: name === "env" ? "granted" : "denied" };
}

/** `Deno` as far as it is about the process itself. */
function denoOf(out: Outside, host: RealmHost, timers: Timers): Record<string, unknown> {
  let readable: ReadableStream<Uint8Array> | undefined;
  /** What a read with a small buffer has left over. */
  let rest = new Uint8Array();
  const stdin = {
    async read(buffer: Uint8Array): Promise<number | null> {
      if (rest.length === 0) rest = (await out.read()).slice();
      const size = Math.min(buffer.length, rest.length);
      buffer.set(rest.subarray(0, size));
      rest = rest.subarray(size);
      return size;
    },
    readSync: outside("Deno.stdin.readSync"),
    get readable(): ReadableStream<Uint8Array> {
      return readable ??= new ReadableStream({
        type: "bytes",
        async pull(controller) {
          controller.enqueue((await out.read()).slice());
        },
      }, { highWaterMark: 0 });
    },
    isTerminal: () => false,
    close: () => {},
  };
  const output = (fd: 1 | 2) => {
    const writeSync = (bytes: Uint8Array): number => {
      out.write(fd, bytes);
      return bytes.length;
    };
    return {
      writeSync,
      write: (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)),
      writable: new WritableStream<Uint8Array>({ write: (bytes) => void writeSync(bytes) }),
      isTerminal: () => false,
      close: () => {},
    };
  };
  const env = new Map<string, string>(Object.entries(ENVIRONMENT));
  return host.outer("Deno", {
    ...host.deno,
    args: [...out.args],
    pid: out.pid,
    ppid: 1,
    noColor: true,
    mainModule: `file://${out.path}`,
    stdin,
    stdout: output(1),
    stderr: output(2),
    exitCode: 0,
    exit: (code?: number) => out.exit(code ?? 0),
    env: {
      get: (name: string) => env.get(name),
      set: (name: string, value: string) => void env.set(name, value),
      has: (name: string) => env.has(name),
      delete: (name: string) => void env.delete(name),
      toObject: () => Object.fromEntries(env),
    },
    permissions: {
      query: (asked: { name: string }) => Promise.resolve(permission(asked)),
      querySync: permission,
    },
    addSignalListener: () => {},
    removeSignalListener: () => {},
    refTimer: (timer: ProgramTimer) => timers.setRef(timer, true),
    unrefTimer: (timer: ProgramTimer) => timers.setRef(timer, false),
    cwd: () => "/",
    execPath: () => "deno",
    hostname: () => "node",
    isatty: () => false,
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0 }),
  });
}
