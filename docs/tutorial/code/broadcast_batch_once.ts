#!/usr/bin/env -S deno run
import { type Json, Node, serve } from "@eddy/maelstrom";

const PERIOD_MS = 300;
const node = new Node();
const messages = new Set<Json>();
let hub = "";
let batch: Json[] = [];

node.onInit(() => {
  hub = node.nodeIds[0] ?? node.id;
  node.every(PERIOD_MS, send);
});
node.on("broadcast", ({ body: { message = null } }) => {
  learn([message]);
  return {};
});
node.on("batch", ({ body }) => {
  learn(body.messages as Json[]);
});
node.on("read", () => ({ messages: [...messages] }));
node.on("topology", () => ({}));

/** Takes what is new, and puts it into the next batch. */
function learn(received: readonly Json[]): void {
  for (const message of received) {
    if (messages.has(message)) continue;
    messages.add(message);
    batch.push(message);
  }
}

/** Sends the batch to the hub, or from the hub to all. */
function send(): void {
  if (batch.length === 0) return;
  for (const dest of node.id === hub ? node.otherNodes : [hub]) {
    node.send(dest, { type: "batch", messages: batch });
  }
  batch = [];
}

await serve(node);
