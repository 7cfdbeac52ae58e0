/**
 * A program in this process, under virtual time: what it has whatever runs it. Its standard input,
 * output and error, its time, its chance, and its end.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";
import type { ClusterOptions, Incarnation, LaunchContext } from "./cluster.ts";
import { type Compute, ProcessClock } from "./in_process.ts";
import { LineSplitter } from "./line_splitter.ts";
import type { Packet } from "./network.ts";
import { RecentLines } from "./protocol.ts";
import { activity } from "./watchdog.ts";

/** Settings of a cluster of programs in this process. */
export interface ProgramOptions extends ClusterOptions {
  /** What every node is started with. */
  readonly args: readonly string[];
}

/** When virtual time begins, in milliseconds since 1970. */
export const EPOCH_MS = Date.UTC(2026, 0, 1);

/** How long a program takes over a message or a timer, unless something else is asked for. */
const COMPUTE: Compute = { meanMs: 0.02, jitter: 0 };

/** What runs a program. */
export interface ProgramHooks {
  /** Called when there is input to read. */
  readonly onInput: () => void;
  /** Called with what a timer throws. */
  readonly onError: (error: unknown) => void;
  /** Called when it has ended, in whatever way. */
  readonly onEnd?: () => void;
  /** Makes a line of the log readable; as it is by default. */
  readonly trace?: (line: string) => string;
}

/** A program from its start to its death, as its cluster sees it and as what runs it does. */
export class ProgramProcess implements Incarnation {
  /** What it schedules waits while the node is paused, and takes the node time. */
  readonly clock: ProcessClock;
  /** Its random numbers. */
  readonly random: Random;
  /** When it was started, by its machine's clock. */
  readonly startMs: number;
  /** How often this node was started, this time included. */
  readonly generation: number;
  readonly #context: LaunchContext;
  readonly #hooks: ProgramHooks;
  readonly #encoder = new TextEncoder();
  readonly #recentLog = new RecentLines();
  readonly #output = {
    1: new LineSplitter((line) => this.#context.stdout.accept(line)),
    2: new LineSplitter((line) => this.#log(line)),
  };
  /** Lines that the program has not read yet. */
  #input: string[] = [];
  #releases: (() => void)[] = [];
  #dead = false;

  /** @param compute how long it takes over each message and timer */
  constructor(context: LaunchContext, hooks: ProgramHooks, compute: Compute = COMPUTE) {
    const { node, generation, world } = context;
    this.#context = context;
    this.#hooks = hooks;
    this.generation = generation;
    this.clock = new ProcessClock(context, hooks.onError, compute);
    this.random = world.random(generation === 1 ? `node ${node}` : `node ${node} #${generation}`);
    this.startMs = this.clock.now();
  }

  /** Whether it has ended. */
  get isDead(): boolean {
    return this.#dead;
  }

  /** Whether there is input that it has not read. */
  get hasInput(): boolean {
    return this.#input.length > 0;
  }

  /** Milliseconds since it was started. */
  now(): number {
    return this.clock.now() - this.startMs;
  }

  /** All input that it has not read yet. */
  takeInput(): Uint8Array {
    const text = this.#input.join("\n") + "\n";
    this.#input = [];
    return this.#encoder.encode(text);
  }

  /** Takes what it writes to standard output (1) or error (2). */
  write(fd: 1 | 2, data: Uint8Array | string): void {
    if (!this.#dead) this.#output[fd].add(data);
  }

  /** It has ended by itself. */
  end(code: number): void {
    if (this.#dead) return;
    this.#die();
    this.#context.onExit({ code }, this.#recentLog.lines);
  }

  deliver(packet: Packet): void {
    this.clock.schedule(0, () => {
      activity.mark(this.#context.node, packet.text);
      this.#input.push(packet.toLine());
      this.#hooks.onInput();
    });
  }

  kill(): Promise<void> {
    this.#die();
    return Promise.resolve();
  }

  pause(): void {
    const { world: { network }, node } = this.#context;
    this.clock.pause();
    this.#releases.push(network.hold(node));
  }

  resume(): void {
    this.clock.resume();
    for (const release of this.#releases) release();
    this.#releases = [];
  }

  #log(line: string): void {
    const text = this.#hooks.trace?.(line) ?? line;
    this.#recentLog.add(text);
    this.#context.log(text);
  }

  #die(): void {
    this.#dead = true;
    this.clock.kill();
    for (const release of this.#releases) release();
    this.#hooks.onEnd?.();
  }
}
