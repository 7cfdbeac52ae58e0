/**
 * Nodes that are objects in this process; under virtual time, runs with them are reproducible.
 *
 * @module
 */

import { type Clock, describeError, Node, type Random, type StorageError } from "@eddy/maelstrom";
import { Cluster, type ClusterOptions, type Incarnation, type LaunchContext } from "./cluster.ts";
import type { MachineClock } from "./machine_clock.ts";
import type { Packet } from "./network.ts";
import { activity } from "./watchdog.ts";

/** Settings of {@linkcode createInProcessCluster}. */
export interface InProcessOptions extends ClusterOptions {
  /** Registers a node's handlers. */
  readonly setup: (node: Node) => void;
}

/**
 * A cluster of this project's own nodes, each with the world's clock and a random source of its own.
 *
 * They share nothing but what `setup` closes over. A crash discards the node: its timers never run
 * again, and nothing that it writes gets out.
 *
 * @example
 * ```ts
 * import { ClientIds } from "./client.ts";
 * import { createVirtualWorld } from "./world.ts";
 * import { createInProcessCluster } from "./in_process.ts";
 *
 * const world = createVirtualWorld(1);
 * const cluster = createInProcessCluster({
 *   world,
 *   nodeIds: ["n0", "n1"],
 *   setup: (node) => node.on("echo", ({ body }) => ({ echo: body.echo ?? null })),
 * });
 * await world.run(async () => {
 *   await cluster.start(new ClientIds());
 *   await cluster.stop();
 * });
 * ```
 */
export function createInProcessCluster(options: InProcessOptions): Cluster {
  const { setup, compute } = options;
  return new Cluster(options, (context) => new NodeIncarnation(context, setup, compute));
}

class NodeIncarnation implements Incarnation {
  readonly #node: Node;
  readonly #clock: ProcessClock;
  readonly #context: LaunchContext;
  #release: (() => void) | undefined;
  #dead = false;

  constructor(context: LaunchContext, setup: (node: Node) => void, compute?: Compute) {
    const { node: name, generation, world, stdout, disk } = context;
    const log = (text: string) => {
      if (!this.#dead) context.log(text);
    };
    this.#context = context;
    this.#clock = new ProcessClock(context, (error) => {
      log(`Uncaught error: ${describeError(error)}`);
    }, compute);
    this.#node = new Node({
      clock: this.#clock,
      random: world.random(generation === 1 ? `node ${name}` : `node ${name} #${generation}`),
      output: { write: (line) => stdout.acceptOwn(line) },
      log,
      observer: (observation) => {
        if (!this.#dead) context.observe(observation);
      },
      storage: disk && (() => disk.open(this.#clock.world)),
    });
    // With `serve` the process would end.
    const { failed } = this.#node;
    failed.addEventListener("abort", () => this.#exit(failed.reason), { once: true });
    setup(this.#node);
  }

  deliver(packet: Packet): void {
    if (this.#clock.isInstant) this.#receive(packet);
    else this.#clock.schedule(0, () => this.#receive(packet));
  }

  #receive(packet: Packet): void {
    const node = this.#node;
    activity.mark(this.#context.node, packet.text);
    node.receive(packet.toLine());
    if (!node.busy) return;
    const release = this.#hold();
    node.ready().then(release);
  }

  #exit(error: StorageError): void {
    if (this.#dead) return;
    this.#context.log(error.message);
    this.kill();
    this.#context.onExit({ code: error.exitCode }, [error.message]);
  }

  kill(): Promise<void> {
    this.#dead = true;
    this.#clock.kill();
    return Promise.resolve();
  }

  pause(): void {
    this.#clock.pause();
    this.#release ??= this.#hold();
  }

  resume(): void {
    this.#clock.resume();
    this.#release?.();
    this.#release = undefined;
  }

  #hold(): () => void {
    return this.#context.world.network.hold(this.#context.node);
  }
}

interface Timer {
  /** Undefined once cancelled or run. */
  callback: (() => void) | undefined;
}

/** How long a node takes over each message and timer. */
export interface Compute {
  /** The mean, in milliseconds of virtual time. */
  readonly meanMs: number;
  /** The standard deviation, as a multiple of the mean; 0 for always the same. */
  readonly jitter: number;
}

/** One in how many takes {@linkcode STALL} times as long, where there is jitter. */
const STALLS = 1000;
const STALL = 50;

/** Draws how long something takes: lognormal, with rare stalls as on a busy machine. */
function drawComputeMs({ meanMs, jitter }: Compute, random: Random): number {
  if (jitter === 0) return meanMs;
  const variance = Math.log(1 + jitter * jitter);
  // Normal, by Box and Muller.
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  const normal = radius * Math.cos(2 * Math.PI * random.next());
  const drawnMs = meanMs * Math.exp(Math.sqrt(variance) * normal - variance / 2);
  return random.next() * STALLS < 1 ? drawnMs * STALL : drawnMs;
}

/**
 * The clock of a node, which goes by its machine's: what it schedules waits while the node is paused,
 * and never runs once it is dead. Where computing takes time, the node does one thing after the other.
 */
export class ProcessClock implements Clock {
  /** Timers of what lasts as long whatever the machine's clock shows, as the sync of a disk. */
  readonly world: Pick<Clock, "schedule"> = {
    schedule: (delayMs, callback) => this.#schedule(this.#clock, delayMs, callback),
  };
  readonly #node: string;
  /** The world's. */
  readonly #clock: Clock;
  readonly #machine: MachineClock;
  readonly #onError: (error: unknown) => void;
  readonly #compute: Compute | undefined;
  readonly #random: Random;
  #state: "running" | "paused" | "dead" = "running";
  /** Timers that came due during a pause. */
  #due: Timer[] = [];
  /** When all that was begun is done. */
  #freeAtMs = 0;

  /**
   * @param onError called with what a timer throws
   * @param compute how long the node takes over each timer; no time by default
   */
  constructor(
    { node, generation, world, clock }: Pick<
      LaunchContext,
      "node" | "generation" | "world" | "clock"
    >,
    onError: (error: unknown) => void,
    compute?: Compute,
  ) {
    this.#node = node;
    this.#clock = world.clock;
    this.#machine = clock;
    this.#onError = onError;
    this.#compute = compute !== undefined && compute.meanMs > 0 ? compute : undefined;
    this.#random = world.random(`compute ${node} #${generation}`);
  }

  /** Whether computing takes no time. */
  get isInstant(): boolean {
    return this.#compute === undefined;
  }

  /** Continues during a pause, as the machine's own clock does. */
  now(): number {
    return this.#machine.now();
  }

  /** How far the time of day is ahead by a jump, in ms. */
  get jumpMs(): number {
    return this.#machine.jumpMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    return this.#schedule(this.#machine, delayMs, callback);
  }

  #schedule(clock: Clock, delayMs: number, callback: () => void): () => void {
    if (this.#state === "dead") return () => {};
    const timer: Timer = { callback };
    const cancel = delayMs === 0 && this.#compute !== undefined
      ? this.#begin(timer, this.#compute)
      : clock.schedule(delayMs, () => this.#fire(timer));
    return () => {
      timer.callback = undefined;
      cancel();
    };
  }

  /** Adds to what the node does at present; has no effect where computing takes no time. */
  spend(ms: number): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, this.#clock.now()) + ms;
  }

  /** Holds back what comes due. */
  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  /** Runs what came due during the pause, in order. */
  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    const due = this.#due;
    this.#due = [];
    for (const timer of due) this.#clock.schedule(0, () => this.#fire(timer));
  }

  /** Cancels all timers, and schedules no more. */
  kill(): void {
    this.#state = "dead";
    this.#due = [];
  }

  #fire(timer: Timer): void {
    if (this.#compute === undefined) this.#run(timer);
    else if (timer.callback !== undefined) this.#begin(timer, this.#compute);
  }

  /** Runs a timer when the node has done all else, and this. */
  #begin(timer: Timer, compute: Compute): () => void {
    const nowMs = this.#clock.now();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + drawComputeMs(compute, this.#random);
    return this.#clock.schedule(this.#freeAtMs - nowMs, () => this.#run(timer));
  }

  #run(timer: Timer): void {
    const { callback } = timer;
    if (callback === undefined || this.#state === "dead") return;
    if (this.#state === "paused") {
      this.#due.push(timer);
      return;
    }
    timer.callback = undefined;
    activity.mark(this.#node, "");
    try {
      callback();
    } catch (error) {
      this.#onError(error);
    }
  }
}
