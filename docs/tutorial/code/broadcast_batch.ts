#!/usr/bin/env -S deno run
import { errorText, type Json, Node, serve } from "@eddy/maelstrom";

const PERIOD_MS = 300;
const node = new Node();
const messages = new Set<Json>();
/** For each neighbour, what it has not acknowledged. */
const pending = new Map<string, Set<Json>>();

node.onInit(() => {
  const hub = node.nodeIds[0] ?? node.id;
  const neighbours = node.id === hub ? node.otherNodes : [hub];
  for (const neighbour of neighbours) pending.set(neighbour, new Set());
  node.every(PERIOD_MS, () => {
    for (const [dest, values] of pending) {
      if (values.size > 0) send(dest, values).catch((error) => node.log(errorText(error)));
    }
  });
});
node.on("broadcast", ({ src, body: { message = null } }) => {
  learn(src, [message]);
  return {};
});
node.on("batch", ({ src, body }) => {
  learn(src, body.messages as Json[]);
  return {};
});
node.on("read", () => ({ messages: [...messages] }));
node.on("topology", () => ({}));

/** Takes what is new, and puts it into the batches of all neighbours but the sender. */
function learn(src: string, received: readonly Json[]): void {
  for (const message of received) {
    if (messages.has(message)) continue;
    messages.add(message);
    for (const [neighbour, values] of pending) if (neighbour !== src) values.add(message);
  }
}

/** Sends a batch. If it fails, the next period sends its values again, with what is new. */
async function send(dest: string, values: Set<Json>): Promise<void> {
  const batch = [...values];
  await node.rpc(dest, { type: "batch", messages: batch });
  // Meanwhile more may have come: only what was acknowledged is removed.
  for (const message of batch) values.delete(message);
}

await serve(node);
