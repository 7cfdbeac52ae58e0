/**
 * The `lin-kv` workload: read, write and compare-and-set, linearizable, on Raft.
 *
 * @module
 */

import * as v from "valibot";
import type { Json, Node, RpcSchema } from "@eddy/maelstrom";
import { KeyValueMachine } from "./raft/state_machines.ts";
import { NodeReplica } from "./raft/host.ts";
import { json, reply } from "./schema.ts";
import {
  type ConsensusOptions,
  storeFlags,
  storeOptions,
  type Workload,
  workload,
} from "./workload.ts";

/** The messages of the `lin-kv` workload. */
export const linKvSchema: {
  read: RpcSchema<{ key: Json }, { value: Json }>;
  write: RpcSchema<{ key: Json; value: Json }, object>;
  cas: RpcSchema<{ key: Json; from: Json; to: Json }, object>;
} = {
  read: { request: v.object({ key: json }), reply: reply("read_ok", { value: json }) },
  write: { request: v.object({ key: json, value: json }), reply: reply("write_ok", {}) },
  cas: { request: v.object({ key: json, from: json, to: json }), reply: reply("cas_ok", {}) },
};

/**
 * Makes `node` serve the `lin-kv` workload.
 *
 * Any node takes any request. A node that knows no leader answers 11; an operation that may or may
 * not have happened is answered with 0, and with no other code.
 */
export function serveLinKv(node: Node, options: ConsensusOptions = {}): void {
  const machine = new KeyValueMachine();
  const replica = new NodeReplica(node, machine, options);
  node.on("read", ({ body }) => replica.query(() => machine.read(body.key)), {
    schema: linKvSchema.read,
  });
  node.on("write", ({ body }) => replica.execute(["write", body.key, body.value]), {
    schema: linKvSchema.write,
  });
  node.on("cas", ({ body }) => replica.execute(["cas", body.key, body.from, body.to]), {
    schema: linKvSchema.cas,
  });
}

/** The `lin-kv` workload of the node binary. */
export const linKv: Workload = /* @__PURE__ */ workload(
  "keys with linearizable reads, writes and compare-and-set",
  storeFlags,
  (node, flags) => serveLinKv(node, storeOptions(flags)),
);
