/**
 * The only place that touches standard input, output and error.
 *
 * @module
 */

/** Where a node's lines go. */
export interface Output {
  /** Takes one line, without its newline. Never waits. */
  write(line: string): void;
  /** Whether so much is buffered that input should pause. */
  readonly full?: boolean;
  /** Resolves when it is no longer {@linkcode Output.full}. */
  drained?(): Promise<void>;
  /** Resolves when all that was written has left the process. */
  flush?(): Promise<void>;
}

/** Where bytes go; writes some of them and says how many. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
}

/** What may be buffered before input pauses, in characters. */
const MAX_BUFFERED_CHARS = 1 << 20;

/**
 * An output that writes once a turn of the event loop, all that has gathered by then.
 *
 * Writes do not block. One is under way at a time; it ends in a later turn, and what was written
 * meanwhile is the next.
 *
 * @param onClosed called once, when the reader has gone away
 */
export class BufferedOutput implements Output {
  readonly #sink: ByteSink;
  readonly #onClosed: () => void;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #chars = 0;
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor(sink: ByteSink, onClosed: () => void = () => {}) {
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
    while (this.full) await this.#flushing;
  }

  async flush(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
  }

  async #run(): Promise<void> {
    // What a handler sends in one go is one write. No timer is used for the wait: the first one of
    // a process takes the runtime as long to load as all the rest of its start.
    await Promise.resolve();
    while (this.#lines.length > 0) await this.#writeAll(this.#take());
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
      if (!(error instanceof Deno.errors.BrokenPipe)) stderrLog(`Cannot write: ${error}`);
      this.#onClosed();
    }
  }
}

let shared: Output | undefined;

/** The process's standard output; when its reader goes away the process ends, with exit code 0. */
export function stdoutOutput(): Output {
  return shared ??= new BufferedOutput(Deno.stdout, () => Deno.exit(0));
}

/** Writes one line for people to standard error. */
export function stderrLog(text: string): void {
  console.error(text);
}

/** Writes one line of help to standard output; never while a node runs. */
export function stdoutLine(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
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

/** Settings of {@linkcode stdin}. */
export interface StdinOptions {
  /** Ends the stream, as if the input had ended. */
  signal?: AbortSignal;
}

/**
 * Standard input as text, read into one buffer that is used again and again.
 *
 * A character split between two reads is put together; bytes that are no UTF-8 become U+FFFD.
 */
export function stdin({ signal }: StdinOptions = {}): ReadableStream<string> {
  const buffer = new Uint8Array(1 << 16);
  const decoder = new TextDecoder();
  const cap = new LineCap();
  return new ReadableStream<string>({
    start(controller) {
      signal?.addEventListener("abort", () => controller.close(), { once: true });
    },
    async pull(controller) {
      const size = await Deno.stdin.read(buffer);
      if (signal?.aborted) return;
      const end = size === null;
      const text = end
        ? decoder.decode()
        : decoder.decode(buffer.subarray(0, size), { stream: true });
      controller.enqueue(cap.cut(text));
      if (end) controller.close();
    },
  }, { highWaterMark: 0 });
}

/**
 * Makes all of `console` write to standard error. The methods that print by themselves are made
 * anew, for Deno's hold on to standard output.
 */
function redirectConsole(): void {
  const print = console.error;
  const counts = new Map<string, number>();
  const startsMs = new Map<string, number>();
  const printTime = (label = "default", ...values: unknown[]) => {
    const ms = performance.now() - (startsMs.get(label) ?? performance.now());
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

/** What {@linkcode guardProcess} gives. */
export interface ProcessGuard {
  /** Aborts at the first SIGTERM or SIGINT; at the second the process ends at once. */
  readonly stopped: AbortSignal;
}

/**
 * Keeps the process to the protocol: `console` writes to standard error, an error that nobody
 * caught is reported and survived, and signals become an orderly end.
 */
export function guardProcess(): ProcessGuard {
  redirectConsole();
  const report = (event: Event, error: unknown) => {
    event.preventDefault();
    stderrLog(`Nobody caught: ${error instanceof Error ? error.stack : error}`);
  };
  globalThis.addEventListener("unhandledrejection", (event) => report(event, event.reason));
  globalThis.addEventListener("error", (event) => report(event, event.error));
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (stop.signal.aborted) Deno.exit(1);
      stop.abort();
    });
  }
  return { stopped: stop.signal };
}
