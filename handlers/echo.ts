/**
 * The `echo` workload: what is said is said back.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import { echo } from "./schema.ts";

/** Makes `node` serve the `echo` workload. */
export function serveEcho(node: Node): void {
  node.on("echo", ({ body }) => ({ echo: body.echo }), { schema: echo.echo });
}
