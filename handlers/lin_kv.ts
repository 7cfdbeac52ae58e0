/**
 * The `lin-kv` workload: read, write and compare-and-set, linearizable, on consensus of our own.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import { linKv } from "./schema.ts";
import { KeyValueMachine } from "./raft/state_machines.ts";
import { serveStore, type StoreOptions } from "./raft/host.ts";

/**
 * Makes `node` serve the `lin-kv` workload.
 *
 * Any node takes any request. A node that knows no leader answers 11; an operation of which nobody
 * knows whether it happened is answered with nothing but 0.
 */
export function serveLinKv(node: Node, options: StoreOptions = {}): void {
  const store = serveStore(node, new KeyValueMachine(), options);
  node.on(
    "read",
    ({ body }) => store.query(["read", body.key]) as Promise<{ value: typeof body.key }>,
    { schema: linKv.read },
  );
  node.on("write", ({ body }) => store.execute(["write", body.key, body.value]), {
    schema: linKv.write,
  });
  node.on("cas", ({ body }) => store.execute(["cas", body.key, body.from, body.to]), {
    schema: linKv.cas,
  });
}
