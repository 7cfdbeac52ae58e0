/**
 * Nodes that are objects in this process: as fast as can be, and under virtual time exact.
 *
 * @module
 */

import { Node } from "@eddy/maelstrom";
import type { Packet } from "../network/packet.ts";
import { Cluster, type ClusterOptions, type Incarnation, type LaunchContext } from "./cluster.ts";
import { ProcessClock } from "./process_clock.ts";

/** Settings of {@linkcode createInProcessCluster}. */
export interface InProcessOptions extends ClusterOptions {
  /** Registers a node's handlers. */
  readonly setup: (node: Node) => void;
}

/**
 * A cluster of this project's own nodes, each with the world's clock and chance of its own.
 *
 * They share nothing but what `setup` closes over. A crash discards the node: its timers never run
 * again, and nothing that it writes gets out.
 *
 * @example
 * ```ts
 * import { ClientIds } from "../clients/client.ts";
 * import { createVirtualWorld } from "../world/world.ts";
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
    this.#clock = new ProcessClock(world.clock, (error) => {
      log(`Nobody caught: ${error instanceof Error ? error.stack : error}`);
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
