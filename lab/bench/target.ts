/**
 * A node under measurement: a process behind two pipes.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { ScriptError, whenInterrupted } from "../../scripts/support.ts";
import { cpuMs } from "./clock.ts";
import { type Chunk, initLine, Output } from "./load.ts";
import { checkInit } from "./replies.ts";

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

/** Why a target cannot be measured. */
export class TargetError extends ScriptError {
  readonly target: Target;

  constructor(target: Target, readonly why: string, options?: ErrorOptions) {
    super(`Cannot measure ${target.name}: ${why}`, options);
    this.target = target;
  }
}

/**
 * Does what finds out about a target.
 *
 * @throws {TargetError} in place of a {@linkcode ScriptError}, which names no target.
 */
export async function blaming<T>(target: Target, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof ScriptError) || cause instanceof TargetError) throw cause;
    throw new TargetError(target, cause.message, { cause });
  }
}

/** What a target is started as. */
export interface Role {
  /** @default "echo" */
  readonly workload?: string;
  /** @default "n0" */
  readonly id?: string;
  /** All nodes; this one alone if it is left out. */
  readonly ids?: readonly string[];
  /** How long it may take for all that is asked of it; two minutes if it is left out. */
  readonly deadlineMs?: number;
}

/** Starts a node, calls `use` with it, and ends it whatever happens. */
export async function withNode<T>(
  target: Target,
  use: (node: RunningTarget) => Promise<T>,
  role: Role = {},
): Promise<T> {
  const node = await RunningTarget.start(target, role);
  try {
    return await use(node);
  } finally {
    await node.stop();
  }
}

/** The same for several, which are started one after the other. */
export async function withNodes<T>(
  wanted: readonly (Role & { readonly target: Target })[],
  use: (nodes: readonly RunningTarget[]) => Promise<T>,
): Promise<T> {
  const nodes: RunningTarget[] = [];
  try {
    for (const { target, ...role } of wanted) nodes.push(await RunningTarget.start(target, role));
    return await use(nodes);
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

/** How long a node may take for all of one measurement. */
const DEADLINE_MS = 120_000;
/** How long the end of a process may come after that of its pipes. */
const EXIT_MS = 500;
const READ_BYTES = 1 << 16;

/** A started {@linkcode Target}. */
export class RunningTarget {
  readonly target: Target;
  readonly id: string;
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #deadlineMs: number;
  readonly #deadline: ReturnType<typeof setTimeout>;
  readonly #withdraw: () => void;
  #buffer = new Uint8Array(READ_BYTES);
  #late = false;

  private constructor(target: Target, { workload = "echo", id = "n0", deadlineMs }: Role) {
    this.target = target;
    this.id = id;
    this.#deadlineMs = deadlineMs ?? DEADLINE_MS;
    this.#child = new Deno.Command("sh", {
      // With `exec` the process measured is the node itself and not a shell around it. Peers know
      // only echo, and programs such as `cat` take no name of a workload.
      args: ["-c", `exec ${target.command}${workload === "echo" ? "" : ` ${workload}`}`],
      stdin: "piped",
      stdout: "piped",
      stderr: target.showStderr ? "inherit" : "null",
      detached: true, // A group of its own, which is ended with all that it has started.
    }).spawn();
    this.#reader = this.#child.stdout.getReader({ mode: "byob" });
    this.#writer = this.#child.stdin.getWriter();
    this.#deadline = setTimeout(() => {
      this.#late = true;
      this.#kill();
    }, this.#deadlineMs);
    this.#withdraw = whenInterrupted(() => this.#kill());
  }

  /**
   * Starts a process and waits for its answer to `init`.
   *
   * @throws {TargetError} if it gives none.
   */
  static async start(target: Target, role: Role = {}): Promise<RunningTarget> {
    const running = new RunningTarget(target, role);
    try {
      const init = running.write(initLine(running.id, role.ids));
      const [chunks] = await Promise.all([running.readLines(1), init]);
      await blaming(target, () => checkInit(chunks, target.mirror === true));
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  }

  /**
   * Writes bytes to its input; resolves when the pipe has taken them.
   *
   * @throws {TargetError} if nobody reads them any more.
   */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.#writer.write(bytes);
    } catch {
      throw await this.ended();
    }
  }

  /**
   * Reads what has come. The bytes are overwritten by the next read.
   *
   * @throws {TargetError} if the process has ended or the deadline has passed.
   */
  async read(): Promise<Uint8Array<ArrayBuffer>> {
    const { value, done } = await this.#reader.read(this.#buffer);
    if (done || value === undefined) throw await this.ended();
    this.#buffer = new Uint8Array(value.buffer);
    return value;
  }

  /** Reads until `count` lines have come, or too much, and returns copies of the bytes, with the time. */
  async readLines(count: number): Promise<Chunk[]> {
    const output = new Output(count);
    while (!output.isDone) output.add((await this.read()).slice(), performance.now());
    return output.chunks;
  }

  /**
   * The same where requests are still being written. Once the lines have come, or too much, that is
   * not waited for: a node that writes what nobody reads any more does not read, either.
   *
   * @throws {TargetError} if nobody reads the requests, too.
   */
  async readReplies(count: number, written: Promise<void>): Promise<Chunk[]> {
    const chunks = this.readLines(count);
    return await Promise.race([chunks, written.then(() => chunks)]);
  }

  /** Why a pipe of it has an end. */
  async ended(): Promise<TargetError> {
    const status = await Promise.race([this.#child.status, delay(EXIT_MS)]);
    return new TargetError(this.target, `${this.#why(status)} (see --stderr)`);
  }

  #why(status: Deno.CommandStatus | void): string {
    if (this.#late) return `it did not finish in ${this.#deadlineMs / 1000} s`;
    if (!status) return "it closed its standard input or output";
    const { code, signal } = status;
    return signal === null ? `it ended with exit code ${code}` : `${signal} ended it`;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The processor time that it has used. */
  cpuMs(): number {
    return cpuMs(this.pid);
  }

  /** The memory of the process that is in RAM, in megabytes. */
  residentMb(): number {
    return this.#readMb("status", /^VmRSS:\s+(\d+) kB$/m);
  }

  /** The same, where a page that several processes share counts in equal parts for each. */
  proportionalMb(): number {
    return this.#readMb("smaps_rollup", /^Pss:\s+(\d+) kB$/m);
  }

  #readMb(file: string, line: RegExp): number {
    let kB: string | undefined;
    try {
      kB = line.exec(Deno.readTextFileSync(`/proc/${this.pid}/${file}`))?.[1];
    } catch {
      // A process that has ended has no such file, or none that can be read.
    }
    if (kB === undefined) throw new TargetError(this.target, "it ended (see --stderr)");
    return Number(kB) / 1024;
  }

  /** Ends the process, and those that it has started. */
  async stop(): Promise<void> {
    clearTimeout(this.#deadline);
    this.#kill();
    await this.#child.status;
    this.#withdraw();
    await Promise.allSettled([this.#reader.cancel(), this.#writer.abort()]);
  }

  #kill(): void {
    try {
      Deno.kill(-this.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // It has ended by itself.
    }
  }
}
