/**
 * The `unique-ids` workload: ids that nobody has to be asked for.
 *
 * An id is the node's name, a tag drawn when the process started, and a count: unique across nodes
 * by the name, across restarts by the tag, within a process by the count. Nothing is stored.
 *
 * @module
 */

import type { Node, Random } from "@eddy/maelstrom";
import { uniqueIds } from "./schema.ts";

/**
 * A process's tag: 52 bits in base 36. Two of a thousand starts of one node share theirs with a
 * chance of about 1e-10 (n^2 / 2^53).
 */
export function drawTag(random: Random): string {
  return Math.floor(random.next() * 2 ** 52).toString(36);
}

/** Makes `node` serve the `unique-ids` workload. */
export function serveUniqueIds(node: Node): void {
  const state = node.state.attach("unique-ids", { tag: drawTag(node.random), count: 0 });
  node.on("generate", () => ({ id: `${node.id}-${state.tag}-${(state.count++).toString(36)}` }), {
    schema: uniqueIds.generate,
  });
}
