#!/usr/bin/env -S deno run
import { linKvSchema } from "@eddy/handlers";
import { type Json, KV, Node, serve } from "@eddy/maelstrom";

const node = new Node();
const kv = new KV<Json, Json>(node, "lin-kv");

node.on("read", async ({ body: { key } }) => ({ value: await kv.read(key) }), {
  schema: linKvSchema.read,
});

node.on("write", async ({ body: { key, value } }) => {
  await kv.write(key, value);
  return {};
}, { schema: linKvSchema.write });

node.on("cas", async ({ body: { key, from, to } }) => {
  await kv.cas(key, from, to);
  return {};
}, { schema: linKvSchema.cas });

await serve(node);
