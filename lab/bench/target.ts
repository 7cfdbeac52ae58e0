/**
 * A node under measurement: a process behind two pipes.
 *
 * @module
 */

import { ScriptError } from "../../scripts/support.ts";
import { type Chunk, countLines, initLine } from "./load.ts";

/** A program to measure. */
export interface Target {
  readonly name: string;
  /** What a shell would run. */
  readonly command: string;
  /** Whether it sends back its input as it is; the driver's own ceiling is measured so. */
  readonly mirror?: boolean;
  /** Whether its standard error is shown; it is thrown away otherwise. */
  readonly showStderr?: boolean;
  /** The only measurements it takes part in. */
  readonly only?: readonly string[];
}

/** Processor time of a process, in milliseconds. */
export interface CpuTime {
  readonly userMs: number;
  readonly systemMs: number;
}

/** How long a node may take for all of one measurement. */
const DEADLINE_MS = 120_000;
const READ_BYTES = 1 << 16;
/** The unit of processor times in /proc, which Linux fixes for all it shows to programs. */
const TICK_MS = 10;

/** A started {@linkcode Target}. */
export class RunningTarget {
  readonly target: Target;
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #deadline: ReturnType<typeof setTimeout>;
  #buffer = new Uint8Array(READ_BYTES);
  #late = false;

  private constructor(target: Target) {
    this.target = target;
    this.#child = new Deno.Command("sh", {
      // With `exec` the process measured is the node itself and not a shell around it.
      args: ["-c", `exec ${target.command}`],
      stdin: "piped",
      stdout: "piped",
      stderr: target.showStderr ? "inherit" : "null",
    }).spawn();
    this.#reader = this.#child.stdout.getReader({ mode: "byob" });
    this.#writer = this.#child.stdin.getWriter();
    this.#deadline = setTimeout(() => {
      this.#late = true;
      this.#kill();
    }, DEADLINE_MS);
  }

  /** Starts a process and waits for its answer to `init`. */
  static async start(target: Target): Promise<RunningTarget> {
    const running = new RunningTarget(target);
    try {
      await Promise.all([running.write(initLine), running.readLines(1)]);
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  }

  /** Writes bytes to its input; resolves when the pipe has taken them. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#writer.write(bytes);
  }

  /**
   * Reads what has come. The bytes are overwritten by the next read.
   *
   * @throws {Error} if the process has ended or the deadline has passed.
   */
  async read(): Promise<Uint8Array<ArrayBuffer>> {
    const { value, done } = await this.#reader.read(this.#buffer);
    if (done || value === undefined) {
      const why = this.#late ? `did not finish in ${DEADLINE_MS / 1000} s` : "ended its output";
      throw new ScriptError(`Cannot measure ${this.target.name}: it ${why} (see --stderr)`);
    }
    this.#buffer = new Uint8Array(value.buffer);
    return value;
  }

  /** Reads until `count` lines have come, and returns copies of the bytes, with the time. */
  async readLines(count: number): Promise<Chunk[]> {
    const chunks: Chunk[] = [];
    for (let lines = 0; lines < count;) {
      const bytes = await this.read();
      lines += countLines(bytes);
      chunks.push({ bytes: bytes.slice(), atMs: performance.now() });
    }
    return chunks;
  }

  /** The processor time that all threads of the process have used, ended ones included. */
  cpuTime(): CpuTime {
    const stat = Deno.readTextFileSync(`/proc/${this.#child.pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { userMs: Number(fields[11]) * TICK_MS, systemMs: Number(fields[12]) * TICK_MS };
  }

  /** The memory of the process that is in RAM, in megabytes. */
  residentMb(): number {
    const status = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    clearTimeout(this.#deadline);
    this.#kill();
    await this.#child.status;
    await Promise.allSettled([this.#reader.cancel(), this.#writer.abort()]);
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended by itself.
    }
  }
}
