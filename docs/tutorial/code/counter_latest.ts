#!/usr/bin/env -S deno run
import { KV, Node, serve } from "@eddy/maelstrom";

const node = new Node();
const kv = new KV<string, number>(node, "seq-kv");

node.onInit(async () => {
  await kv.createIfMissing("total", 0);
});

node.on("add", async ({ body }) => {
  await kv.update("total", (total) => total + Number(body.delta));
  return {};
});

node.on("read", async () => ({ value: await kv.readLatest("total") }));

await serve(node);
