#!/usr/bin/env -S deno run
import { errorText, type Json, Node, serve } from "@eddy/maelstrom";

const node = new Node();
const messages = new Set<Json>();
let neighbours: string[] = [];

node.on("topology", ({ body }) => {
  const topology = body.topology as Record<string, string[]>;
  neighbours = topology[node.id] ?? [];
  return {};
});
node.on("broadcast", ({ src, body: { message = null } }) => {
  if (messages.has(message)) return {};
  messages.add(message);
  for (const neighbour of neighbours) {
    if (neighbour !== src) deliver(neighbour, message);
  }
  return {};
});
node.on("read", () => ({ messages: [...messages] }));

/** Sends a message until it is acknowledged. Its handler does not wait for that. */
function deliver(dest: string, message: Json): void {
  node.retry(() => node.rpc(dest, { type: "broadcast", message }), { timeoutMs: Infinity })
    .catch((error) => node.log(errorText(error)));
}

await serve(node);
