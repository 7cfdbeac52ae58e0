#!/usr/bin/env -S deno run
import { KV, Node, serve } from "@eddy/maelstrom";

const node = new Node();
const kv = new KV<string, number>(node, "seq-kv");

node.on("add", async ({ body }) => {
  const total = await kv.readOr("total", 0);
  await kv.write("total", total + Number(body.delta));
  return {};
});

node.on("read", async () => ({ value: await kv.readOr("total", 0) }));

await serve(node);
