/**
 * Nodes that are programs, in any language, started as Maelstrom starts them.
 *
 * @module
 */

import type { Clock } from "@eddy/maelstrom";
import type { Packet } from "../network/packet.ts";
import { Cluster, type ClusterOptions, type Incarnation, type LaunchContext } from "./cluster.ts";
import { LineReader } from "./line_reader.ts";
import { LineWriter } from "./line_writer.ts";
import { RecentLines } from "./recent_lines.ts";

/** Settings of {@linkcode createProcessCluster}. */
export interface ProcessOptions extends ClusterOptions {
  /** The program: a path, which is not looked up anywhere. */
  readonly bin: string;
  /**
   * What every node is started with.
   *
   * @default none
   */
  readonly args?: readonly string[];
}

/** How long a killed process may take to go. */
const KILL_TIMEOUT_MS = 5000;

/** How long what a dead process wrote last may take to arrive. */
const LAST_WORDS_MS = 200;

/**
 * A cluster of child processes, under real time.
 *
 * As under Maelstrom, symbolic links to the program are resolved, the working directory is the
 * system's for temporary files, the environment is inherited, and SIGKILL ends a node.
 *
 * @throws {Error} if there is no such program.
 */
export function createProcessCluster(options: ProcessOptions): Cluster {
  const { bin, args = [] } = options;
  const path = findProgram(bin);
  return new Cluster(options, (context) => new ChildIncarnation(context, path, args));
}

/**
 * Where a program is, links resolved.
 *
 * @throws {Error} if there is no such file.
 */
export function findProgram(bin: string): string {
  try {
    if (Deno.statSync(bin).isFile) return Deno.realPathSync(bin);
  } catch {
    // Whatever the reason, there is nothing to be started.
  }
  throw new Error(`Cannot start ${bin}: there is no such file (commands are not looked up)`);
}

class ChildIncarnation implements Incarnation {
  readonly #child: Deno.ChildProcess;
  readonly #clock: Clock;
  readonly #stdin: LineWriter;
  readonly #stdout: LineReader;
  readonly #stderr: LineReader;
  readonly #recentLog = new RecentLines();
  #ended = false;

  constructor(context: LaunchContext, path: string, args: readonly string[]) {
    const { node, world: { clock, network }, stdout, log } = context;
    this.#clock = clock;
    this.#child = spawn(path, args);
    this.#stdin = new LineWriter(
      this.#child.stdin,
      () => network.hold(node),
      (error) => log(`Cannot write to its standard input: ${error}`),
    );
    // Maelstrom never again reads the output of a node that broke the protocol.
    const isEnough = () => stdout.muted;
    this.#stdout = new LineReader(this.#child.stdout, (line) => stdout.accept(line), isEnough);
    this.#stderr = new LineReader(this.#child.stderr, (line) => {
      this.#recentLog.add(line);
      log(line);
    });
    this.#watch(context);
  }

  deliver(packet: Packet): void {
    this.#stdin.write(packet.toLine());
  }

  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    this.#ended = true;
    await this.#within(KILL_TIMEOUT_MS, this.#child.status);
    // A child of its own may hold on to its streams, so their end is not waited for.
    await this.#within(LAST_WORDS_MS, this.#stderr.done);
    await Promise.all([this.#stdin.abort(), this.#stdout.cancel(), this.#stderr.cancel()]);
  }

  pause(): void {
    this.#signal("SIGSTOP");
  }

  resume(): void {
    this.#signal("SIGCONT");
  }

  #signal(signal: Deno.Signal): void {
    if (this.#ended) return;
    try {
      this.#child.kill(signal);
    } catch {
      // It has gone by itself, which is seen to elsewhere.
    }
  }

  /** Tells of an end that nobody asked for, after what it wrote last. */
  async #watch({ onExit }: LaunchContext): Promise<void> {
    const { code } = await this.#child.status;
    const lastWords = Promise.all([this.#stdout.done, this.#stderr.done]);
    await this.#within(LAST_WORDS_MS, lastWords);
    if (this.#ended) return;
    this.#ended = true;
    onExit(code, this.#recentLog.lines);
    await Promise.all([this.#stdin.abort(), this.#stdout.cancel(), this.#stderr.cancel()]);
  }

  /** Waits for something, but not for ever. */
  async #within(limitMs: number, awaited: Promise<unknown>): Promise<void> {
    let cancel = () => {};
    const limit = new Promise<void>((resolve) => {
      cancel = this.#clock.schedule(limitMs, resolve);
    });
    await Promise.race([awaited, limit]);
    cancel();
  }
}

function spawn(path: string, args: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(path, {
      args: [...args],
      cwd: temporaryDirectory(),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot start ${path}: ${why}`, { cause });
  }
}

function temporaryDirectory(): string {
  if (Deno.build.os === "windows") return Deno.env.get("TEMP") ?? "C:\\Windows\\Temp";
  return Deno.env.get("TMPDIR") ?? "/tmp";
}
