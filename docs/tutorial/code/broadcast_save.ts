#!/usr/bin/env -S deno run
import { type Json, KV, Node, serve } from "@eddy/maelstrom";

const node = new Node();
const storage = new KV<string, Json[]>(node, "lin-kv");
let messages: Json[] = [];

node.on("broadcast", async ({ body: { message = null } }) => {
  const next = [...messages, message];
  await storage.write(node.id, next);
  messages = next;
  return {};
});
node.on("read", () => ({ messages }));
node.on("topology", () => ({}));
await serve(node);
