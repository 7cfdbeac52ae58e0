/**
 * Nodes that are objects in this process; under virtual time, runs with them are reproducible.
 *
 * @module
 */

import { type Clock, describeError, Node } from "@eddy/maelstrom";
import { Cluster, type ClusterOptions, type Incarnation, type LaunchContext } from "./cluster.ts";
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
  return new Cluster(options, (context) => new NodeIncarnation(context, options.setup));
}

class NodeIncarnation implements Incarnation {
  readonly #node: Node;
  readonly #clock: ProcessClock;
  readonly #context: LaunchContext;
  #release: (() => void) | undefined;
  #dead = false;

  constructor(context: LaunchContext, setup: (node: Node) => void) {
    const { node: name, generation, world, stdout } = context;
    const log = (text: string) => {
      if (!this.#dead) context.log(text);
    };
    this.#context = context;
    this.#clock = new ProcessClock(name, world.clock, (error) => {
      log(`Uncaught error: ${describeError(error)}`);
    });
    this.#node = new Node({
      clock: this.#clock,
      random: world.random(generation === 1 ? `node ${name}` : `node ${name} #${generation}`),
      output: { write: (line) => stdout.acceptOwn(line) },
      log,
    });
    setup(this.#node);
  }

  deliver(packet: Packet): void {
    const node = this.#node;
    activity.mark(this.#context.node, packet.text);
    node.receive(packet.toLine());
    if (!node.busy) return;
    const release = this.#hold();
    node.ready().then(release);
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

/** A clock whose timers wait while it is paused, and never run once it is dead. */
export class ProcessClock implements Clock {
  readonly #node: string;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #state: "running" | "paused" | "dead" = "running";
  /** Timers that came due during a pause. */
  #due: Timer[] = [];

  /**
   * @param node whose clock it is
   * @param onError called with what a timer throws
   */
  constructor(node: string, clock: Clock, onError: (error: unknown) => void) {
    this.#node = node;
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Continues during a pause, as the machine's own clock does. */
  now(): number {
    return this.#clock.now();
  }

  schedule(delayMs: number, callback: () => void): () => void {
    if (this.#state === "dead") return () => {};
    const timer: Timer = { callback };
    const cancel = this.#clock.schedule(delayMs, () => this.#fire(timer));
    return () => {
      timer.callback = undefined;
      cancel();
    };
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
