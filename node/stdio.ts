/**
 * The only place that touches standard input, output and error.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import { describeError, errorText, refuseUnknown, refuseUnlessNumber } from "./errors.ts";
import type { Node } from "./node.ts";
import { lineObserver, type Observer } from "./observe.ts";
import { StorageError } from "./storage.ts";

/**
 * Where a node's lines go: the outgoing half of a transport, of which standard output is one. The
 * incoming half is whatever calls {@linkcode Node.receive}, and pauses while {@linkcode Node.busy}.
 */
export interface Output {
  /**
   * Takes one line, without its newline. Does not wait.
   *
   * @param dest whom the line is for, as it says itself: a transport that sends each receiver's
   * messages another way need not parse what it sends
   */
  write(line: string, dest: string): void;
  /** Whether so much is buffered that input should pause. */
  readonly full?: boolean | undefined;
  /** Resolves when it is no longer {@linkcode Output.full}. */
  drained?(): Promise<void>;
  /** Resolves when all that was written has left the process. */
  flush?(): Promise<void>;
}

/** Where bytes go; writes some of them and returns how many. */
export interface ByteSink {
  /** Writes the first of these bytes, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** How much may be buffered before input pauses, in characters. */
const MAX_BUFFERED_CHARS = 1 << 19;

/**
 * An output that writes once a turn of the event loop: all lines given to it by then.
 *
 * Writes do not block. One is under way at a time; it ends in a later turn, and what was written
 * meanwhile is the next.
 *
 * @param onClosed called once, with what went wrong, when nothing more can be written
 */
export class BufferedOutput implements Output {
  readonly #sink: ByteSink;
  readonly #onClosed: (error: unknown) => void;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #chars = 0;
  #flushing: Promise<void> | undefined;
  /** The write under way; what is given meanwhile is one write when this has ended. */
  #writing: Promise<void> | undefined;
  #closed = false;

  /** Makes an output that writes to `sink`. */
  constructor(sink: ByteSink, onClosed: (error: unknown) => void = () => {}) {
    this.#sink = sink;
    this.#onClosed = onClosed;
  }

  write(line: string): void {
    if (this.#closed) return;
    this.#lines.push(line);
    this.#chars += line.length + 1;
    this.#flushing ??= this.#run();
  }

  get full(): boolean {
    return this.#chars > MAX_BUFFERED_CHARS;
  }

  async drained(): Promise<void> {
    while (this.full) await this.#writing;
  }

  async flush(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
  }

  async #run(): Promise<void> {
    // What a handler sends before it awaits is one write. No timer is used to wait for that: the
    // first timer of a process takes the runtime as long to load as all the rest of its start.
    await Promise.resolve();
    while (this.#lines.length > 0) {
      this.#writing = this.#writeAll(this.#take());
      await this.#writing;
    }
    this.#flushing = undefined;
  }

  #take(): Uint8Array {
    const text = this.#lines.join("\n") + "\n";
    this.#lines = [];
    this.#chars = 0;
    return this.#encoder.encode(text);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let done = 0;
    try {
      while (done < bytes.length) done += await this.#sink.write(bytes.subarray(done));
    } catch (error) {
      this.#closed = true;
      this.#lines = [];
      this.#chars = 0;
      this.#onClosed(error);
    }
  }
}

let shared: Output | undefined;

/** The process's standard output; when its reader goes away the process ends, with exit code 0. */
export function stdoutOutput(): Output {
  // As it is now: {@linkcode guardProcess} replaces it for everyone else.
  const write = Deno.stdout.write.bind(Deno.stdout);
  return shared ??= new BufferedOutput({ write }, endWithoutReader);
}

/** Writes one line of help to standard output; never while a node runs. */
export function stdoutLine(text: string): void {
  try {
    Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
  } catch (error) {
    endWithoutReader(error);
  }
}

/** Writes one line to standard error; the line is lost where that fails, as on a full disk. */
export function stderrLog(text: string): void {
  try {
    console.error(text);
  } catch {
    // There is no other place to report to, and a node goes on without its log.
  }
}

/** Writes what a node tells of itself to standard error, as lines for the workbench. */
export const stderrObserver: Observer = lineObserver(stderrLog);

let isObserved: boolean | undefined;

/**
 * {@linkcode stderrObserver} if the environment variable `EDDY_OBSERVE` is 1; undefined otherwise,
 * and where it may not be read. No permission is asked for.
 */
export function environmentObserver(): Observer | undefined {
  isObserved ??= mayRead("EDDY_OBSERVE") && Deno.env.get("EDDY_OBSERVE") === "1";
  return isObserved ? stderrObserver : undefined;
}

function mayRead(variable: string): boolean {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}

/** Ends the process when standard output fails: with exit code 0 if its reader has gone away. */
function endWithoutReader(error: unknown): never {
  if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
  fail(`Cannot write to standard output: ${errorText(error)}`);
}

/** Writes `text` to standard error and ends the process, with exit code 1 unless told otherwise. */
function fail(text: string, code = 1): never {
  stderrLog(text);
  Deno.exit(code);
}

/** Ends a process whose read loop failed: with the stack, and EX_SOFTWARE of sysexits(3). */
export function failReading(error: unknown): never {
  fail(`Cannot go on reading messages: ${describeError(error)}`, 70);
}

/** How long a line may be, in characters; the rest of a longer one is dropped. */
const MAX_LINE_CHARS = 64 << 20;

/**
 * Cuts what follows in lines that are too long, so that endless input without a newline takes
 * bounded memory. Keeps its place across chunks, which must not be longer than a line may be.
 */
export class LineCap {
  readonly #maxChars: number;
  #lineChars = 0;

  /** Makes a cap of `maxChars` characters a line. */
  constructor(maxChars: number = MAX_LINE_CHARS) {
    this.#maxChars = maxChars;
  }

  /** What of the next chunk is kept. */
  cut(chunk: string): string {
    const firstEnd = chunk.indexOf("\n");
    const headChars = firstEnd === -1 ? chunk.length : firstEnd;
    const room = Math.max(0, this.#maxChars - this.#lineChars);
    const lastStart = chunk.lastIndexOf("\n") + 1;
    this.#lineChars = firstEnd === -1 ? this.#lineChars + chunk.length : chunk.length - lastStart;
    return headChars <= room ? chunk : chunk.slice(0, room) + chunk.slice(headChars);
  }
}

/**
 * Standard input as text, read into one buffer that is used again and again.
 *
 * A character split between two reads is put together; bytes that are no UTF-8 become U+FFFD.
 *
 * @param options with `signal`, which ends the stream as if the input had ended
 */
export function stdin(
  { signal }: { signal?: AbortSignal | undefined } = {},
): ReadableStream<string> {
  const buffer = new Uint8Array(1 << 16);
  const decoder = new TextDecoder();
  const cap = new LineCap();
  let ended = false;
  return new ReadableStream<string>({
    start(controller) {
      signal?.addEventListener("abort", () => ended || controller.close(), { once: true });
    },
    async pull(controller) {
      const size = await Deno.stdin.read(buffer)
        .catch((error) => fail(`Cannot read standard input: ${errorText(error)}`));
      if (signal?.aborted) return;
      ended = size === null;
      const text = size === null
        ? decoder.decode()
        : decoder.decode(buffer.subarray(0, size), { stream: true });
      controller.enqueue(cap.cut(text));
      if (ended) controller.close();
    },
  }, { highWaterMark: 0 });
}

/**
 * Makes all of `console` write to standard error. The methods that Deno prints by itself are
 * replaced, because Deno's own keep writing to standard output.
 */
function redirectConsole(): void {
  const print = console.error;
  const counts = new Map<string, number>();
  const startsMs = new Map<string, number>();
  const printTime = (label = "default", ...values: unknown[]) => {
    const nowMs = performance.now();
    const ms = nowMs - (startsMs.get(label) ?? nowMs);
    print(`${label}: ${ms.toFixed(3)} ms`, ...values);
  };
  Object.assign(console, {
    log: print,
    info: print,
    debug: print,
    dirxml: print,
    dir: (value: unknown, options?: Deno.InspectOptions) => print(Deno.inspect(value, options)),
    table: (rows: unknown) => print(rows),
    clear: () => {},
    count(label = "default") {
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      print(`${label}: ${count}`);
    },
    countReset: (label = "default") => void counts.delete(label),
    time: (label = "default") => void startsMs.set(label, performance.now()),
    timeLog: printTime,
    timeEnd(label = "default") {
      printTime(label);
      startsMs.delete(label);
    },
  });
}

/** Makes whatever else writes to standard output, `process.stdout` too, write to standard error. */
function redirectStdout(): void {
  // Which keeps the write that there is.
  stdoutOutput();
  Object.defineProperties(Deno.stdout, {
    write: { value: (bytes: Uint8Array) => Deno.stderr.write(bytes) },
    writeSync: { value: (bytes: Uint8Array) => Deno.stderr.writeSync(bytes) },
    writable: { get: () => Deno.stderr.writable },
  });
}

/** Settings of {@linkcode guardProcess}. */
export interface GuardOptions {
  /**
   * How long the process may take to end after a signal, in milliseconds; after that it is ended
   * with exit code 1. It takes long when handlers hang or the output is not read.
   *
   * @default 15000
   */
  graceMs?: number | undefined;
}

/** Signals this close count as one: on Ctrl-C, `deno task` sends again what the terminal sent. */
const SAME_SIGNAL_MS = 500;

/**
 * Keeps the process to the protocol: `console`, `process.stdout` and `Deno.stdout` write to standard
 * error, an uncaught error is logged and the process goes on, and signals become an orderly end.
 *
 * Not prevented: a child process that inherits standard output, or a file opened on it, writes into
 * the protocol; a handler that never gives way stops the node; a proxy thrown in a timer, whose
 * traps throw, ends the runtime with exit code 1.
 *
 * @returns `stopped`, which aborts at the first SIGTERM or SIGINT; at a later one the process ends.
 */
export function guardProcess(options: GuardOptions = {}): { readonly stopped: AbortSignal } {
  refuseUnknown(options, { graceMs: true });
  const { graceMs = 15_000 } = options;
  refuseUnlessNumber("graceMs", graceMs, 0);
  redirectConsole();
  redirectStdout();
  const report = (event: Event, error: unknown) => {
    event.preventDefault();
    stderrLog(`Uncaught error: ${describeError(error)}`);
  };
  globalThis.addEventListener("unhandledrejection", (event) => report(event, event.reason));
  globalThis.addEventListener("error", (event) => report(event, event.error));
  const stop = new AbortController();
  let stoppedAtMs: number | undefined;
  const onSignal = () => {
    stoppedAtMs ??= performance.now();
    if (performance.now() - stoppedAtMs > SAME_SIGNAL_MS) Deno.exit(1);
    if (stop.signal.aborted) return;
    stop.abort();
    setTimeout(() => fail(`Gave up: still not done ${graceMs} ms after the signal`), graceMs);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, onSignal);
  return { stopped: stop.signal };
}

/**
 * Serves standard input until it ends or a signal comes, finishes what is in flight, and exits:
 * with code 0, with 70 and a stack on standard error if the reading itself failed, or with that of
 * a {@linkcode StorageError} and its text.
 *
 * @example
 * ```ts ignore
 * import { Node, serve } from "@eddy/maelstrom";
 *
 * const node = new Node();
 * node.on("echo", ({ body }) => ({ echo: body.echo }));
 * await serve(node);
 * ```
 */
export async function serve(node: Node, options: GuardOptions = {}): Promise<never> {
  const { stopped } = guardProcess(options);
  try {
    const signal = AbortSignal.any([stopped, node.failed]);
    for await (const line of stdin({ signal }).pipeThrough<string>(new TextLineStream())) {
      node.receive(line);
      if (node.busy) await node.ready();
    }
    await node.drain();
  } catch (error) {
    if (error instanceof StorageError) fail(error.message, error.exitCode);
    failReading(error);
  }
  Deno.exit(0);
}
