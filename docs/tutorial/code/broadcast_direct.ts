#!/usr/bin/env -S deno run
import { errorText, isClient, type Json, Node, serve } from "@eddy/maelstrom";

const node = new Node();
const messages = new Set<Json>();

node.on("broadcast", ({ src, body: { message = null } }) => {
  messages.add(message);
  if (isClient(src)) {
    for (const other of node.otherNodes) deliver(other, message);
  }
  return {};
});
node.on("read", () => ({ messages: [...messages] }));
node.on("topology", () => ({}));

/** Sends a message until it is acknowledged. Its handler does not wait for that. */
function deliver(dest: string, message: Json): void {
  node.retry(() => node.rpc(dest, { type: "broadcast", message }), { timeoutMs: Infinity })
    .catch((error) => node.log(errorText(error)));
}

await serve(node);
