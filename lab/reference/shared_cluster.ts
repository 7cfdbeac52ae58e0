/**
 * A cluster for tests whose nodes share one state, and so are right.
 *
 * @module
 */

import type { JsonObject } from "@eddy/maelstrom";
import type { Server } from "@eddy/mutants";
import type { RunOptions } from "@eddy/workbench";
import { Cluster } from "@eddy/workbench/cluster.ts";
import type { World } from "@eddy/workbench/world.ts";

/** A cluster, and all requests to its nodes in order. */
interface SharedCluster {
  readonly cluster: Cluster;
  readonly requests: { src: string; node: string; body: JsonObject }[];
}

/** Makes nodes that all answer by the same function, each reply after a delay drawn at random. */
export function createSharedCluster(
  world: World,
  { nodeIds }: RunOptions,
  server: Server,
  maxDelayMs = 4,
): SharedCluster {
  const requests: SharedCluster["requests"] = [];
  const cluster = new Cluster({ world, nodeIds }, ({ node, stdout }) => {
    const delays = world.random(`delays of ${node}`);
    return {
      deliver({ src, body }) {
        requests.push({ src, node, body });
        const reply = body.type === "init" ? { type: "init_ok" } : server(body, node);
        if (reply === undefined) return;
        const answer = { ...reply, in_reply_to: body.msg_id ?? null };
        world.clock.schedule(delays.next() * maxDelayMs, () => {
          stdout.acceptOwn(JSON.stringify({ src: node, dest: src, body: answer }));
        });
      },
      kill: () => Promise.resolve(),
      pause() {},
      resume() {},
    };
  });
  return { cluster, requests };
}
