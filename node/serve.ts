/**
 * A node of one's own as a process, in one call.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import { type GuardOptions, guardProcess } from "./guard.ts";
import type { Node } from "./node.ts";
import { stdin } from "./stdio.ts";

/**
 * Serves standard input until it ends or a signal comes, finishes what is in flight, and exits.
 *
 * @example
 * ```ts ignore
 * import { Node, serve } from "@eddy/maelstrom";
 *
 * const node = new Node();
 * node.on("echo", ({ body }) => ({ echo: body.echo }));
 * await serve(node);
 * ```
 */
export async function serve(node: Node, options: GuardOptions = {}): Promise<never> {
  const { stopped } = guardProcess(options);
  for await (const line of stdin({ signal: stopped }).pipeThrough(new TextLineStream())) {
    node.receive(line);
    if (node.busy) await node.ready();
  }
  await node.drain();
  Deno.exit(0);
}
