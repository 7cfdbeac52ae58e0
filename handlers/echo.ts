/**
 * The `echo` workload: a node answers with the value that it was sent.
 *
 * @module
 */

import * as v from "valibot";
import type { Json, Node, RpcSchema } from "@eddy/maelstrom";
import { json, reply } from "./schema.ts";
import { type Workload, workload } from "./workload.ts";

/** The messages of the `echo` workload. */
export const echoSchema: { echo: RpcSchema<{ echo: Json }, { echo: Json }> } = {
  echo: { request: v.object({ echo: json }), reply: reply("echo_ok", { echo: json }) },
};

/** Makes `node` serve the `echo` workload. */
export function serveEcho(node: Node): void {
  node.on("echo", ({ body }) => ({ echo: body.echo }), { schema: echoSchema.echo });
}

/** The `echo` workload of the node binary. */
export const echo: Workload = /* @__PURE__ */ workload(
  "answers with the value that it was sent",
  {},
  serveEcho,
);
