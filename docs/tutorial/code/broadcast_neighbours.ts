#!/usr/bin/env -S deno run
import { isClient, type Json, Node, serve } from "@eddy/maelstrom";

const node = new Node();
const messages = new Set<Json>();
let neighbours: string[] = [];

node.on("topology", ({ body }) => {
  const topology = body.topology as Record<string, string[]>;
  neighbours = topology[node.id] ?? [];
  return {};
});
node.on("broadcast", ({ src, body: { message = null } }) => {
  messages.add(message);
  if (isClient(src)) {
    for (const neighbour of neighbours) node.send(neighbour, { type: "broadcast", message });
  }
  return {};
});
node.on("read", () => ({ messages: [...messages] }));
await serve(node);
