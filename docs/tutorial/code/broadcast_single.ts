#!/usr/bin/env -S deno run
import { type Json, KV, Mailbox, Node, serve } from "@eddy/maelstrom";

const node = new Node();
const storage = new KV<string, Json[]>(node, "lin-kv");
const writes = new Mailbox();
let messages: Json[] = [];

node.onInit(async () => {
  messages = await storage.readOr(node.id, []);
});
node.on("broadcast", async ({ body: { message = null } }) => {
  // One at a time: messages stays as it was read until it is changed.
  await writes.run(async () => {
    const next = [...messages, message];
    await storage.write(node.id, next);
    messages = next;
  });
  return {};
});
node.on("read", () => ({ messages }));
node.on("topology", () => ({}));
await serve(node);
