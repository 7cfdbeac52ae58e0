/**
 * Stand-ins for a cluster, for tests: nodes that share one state and so are right by nature.
 *
 * @module
 */

import type { JsonObject } from "@eddy/maelstrom";
import type { Server } from "@eddy/mutants/right_server.ts";
import type { RunOptions } from "@eddy/workbench";
import { Client, type ClientIds, INIT_TIMEOUT_MS } from "@eddy/workbench/client.ts";
import type { World } from "@eddy/workbench/options.ts";
import type { RunCluster } from "@eddy/workbench/runner.ts";

/** A cluster of nodes that all answer by the same function, each after a delay drawn by chance. */
export class SharedCluster implements RunCluster {
  /** What was asked for, in order. */
  readonly requests: { src: string; node: string; body: JsonObject }[] = [];
  running = false;
  readonly #world: World;
  readonly #nodeIds: readonly string[];
  readonly #server: Server;
  readonly #maxDelayMs: number;

  constructor(world: World, options: RunOptions, server: Server, maxDelayMs = 4) {
    this.#world = world;
    this.#nodeIds = options.nodeIds;
    this.#server = server;
    this.#maxDelayMs = maxDelayMs;
  }

  async start(ids: ClientIds): Promise<void> {
    const { network, clock } = this.#world;
    this.running = true;
    for (const node of this.#nodeIds) this.#open(node);
    await Promise.all(this.#nodeIds.map(async (node) => {
      const client = new Client({ network, clock, ids });
      await client.send(node, { type: "init", node_id: node }, INIT_TIMEOUT_MS);
      client.close();
    }));
  }

  stop(): void {
    this.running = false;
    for (const node of this.#nodeIds) this.#world.network.close(node);
  }

  #open(node: string): void {
    const { network, clock, random } = this.#world;
    const delays = random(`delays of ${node}`);
    network.open(node, ({ src, body }) => {
      this.requests.push({ src, node, body });
      const reply = body.type === "init" ? { type: "init_ok" } : this.#server(body, node);
      if (reply === undefined) return;
      clock.schedule(delays.next() * this.#maxDelayMs, () => {
        if (!network.has(src) || !network.has(node)) return;
        network.send({
          src: node,
          dest: src,
          body: { ...reply, in_reply_to: body.msg_id ?? null },
        });
      });
    });
  }
}
