/**
 * `node`: Eddy's own node, which reads standard input and writes standard output.
 *
 * @module
 */

import { readNodeCommand } from "@eddy/handlers/workloads";
import { Node, serve } from "@eddy/maelstrom";
import { UsageError } from "@eddy/maelstrom/flags";
import { stderrLog, stdoutLine } from "@eddy/maelstrom/stdio";
import config from "../deno.json" with { type: "json" };
import { helpName } from "./command_name.ts";

const hint = `Type messages, one JSON object per line; end with Ctrl-D. Begin with:
{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}`;

/**
 * Runs a node until its input ends or a signal comes, as the node binary does, with its exit codes.
 *
 * @param args the workload and its options
 * @returns 0 for help, 2 for wrong arguments; after a node was served the process ends.
 */
export async function nodeCommand(args: readonly string[]): Promise<number> {
  try {
    const command = `${helpName().name} node`;
    const asked = await readNodeCommand(args, {
      command,
      version: config.version,
      loadDisk: () => import("@eddy/maelstrom/disk"),
    });
    if ("text" in asked) {
      stdoutLine(asked.text);
      return 0;
    }
    if (Deno.stdin.isTerminal()) stderrLog(hint);
    const node = new Node({ storage: asked.storage });
    asked.install(node);
    return await serve(node);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderrLog(error.message);
    return 2;
  }
}
