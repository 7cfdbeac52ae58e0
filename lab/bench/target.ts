/**
 * A node under measurement: a process behind two pipes.
 *
 * @module
 */

import { ScriptError } from "../../scripts/support.ts";
import { cpuMs } from "./clock.ts";
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

/** What a target is started as. */
export interface Role {
  /** @default "echo" */
  readonly workload?: string;
  /** @default "n0" */
  readonly id?: string;
  /** All nodes; this one alone if it is left out. */
  readonly ids?: readonly string[];
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
const READ_BYTES = 1 << 16;

/** A started {@linkcode Target}. */
export class RunningTarget {
  readonly target: Target;
  readonly id: string;
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #deadline: ReturnType<typeof setTimeout>;
  #buffer = new Uint8Array(READ_BYTES);
  #late = false;

  private constructor(target: Target, { workload = "echo", id = "n0" }: Role) {
    this.target = target;
    this.id = id;
    this.#child = new Deno.Command("sh", {
      // With `exec` the process measured is the node itself and not a shell around it. Peers know
      // only echo, and programs such as `cat` take no name of a workload.
      args: ["-c", `exec ${target.command}${workload === "echo" ? "" : ` ${workload}`}`],
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
  static async start(target: Target, role: Role = {}): Promise<RunningTarget> {
    const running = new RunningTarget(target, role);
    try {
      await Promise.all([running.write(initLine(running.id, role.ids)), running.readLines(1)]);
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
    if (done || value === undefined) throw this.ended();
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

  /** Why its output has an end. */
  ended(): ScriptError {
    const why = this.#late ? `did not finish in ${DEADLINE_MS / 1000} s` : "ended its output";
    return new ScriptError(`Cannot measure ${this.target.name}: it ${why} (see --stderr)`);
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
    return Number(line.exec(Deno.readTextFileSync(`/proc/${this.pid}/${file}`))?.[1]) / 1024;
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
