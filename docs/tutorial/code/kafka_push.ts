#!/usr/bin/env -S deno run
import { type Json, Node, serve } from "@eddy/maelstrom";

type Offsets = Record<string, number>;

const node = new Node();
const logs = new Map<string, Json[]>();
const committed: Offsets = {};

function logOf(key: string): Json[] {
  const log = logs.get(key) ?? [];
  logs.set(key, log);
  return log;
}

function ownerOf(key: string): string {
  let hash = 0;
  for (const char of key) hash = (31 * hash + char.charCodeAt(0)) % 1_000_003;
  return node.nodeIds[hash % node.nodeIds.length] ?? node.id;
}

node.on("send", async ({ body }) => {
  const { key, msg = null } = body;
  const owner = ownerOf(String(key));
  if (owner !== node.id) {
    const { offset } = await node.rpc(owner, { type: "send", key: String(key), msg });
    return { offset };
  }
  const offset = logOf(String(key)).push(msg) - 1;
  node.broadcast({ type: "copy", key: String(key), msg });
  return { offset };
});

node.on("copy", ({ body: { key, msg = null } }) => {
  logOf(String(key)).push(msg);
});

node.on("poll", ({ body }) => {
  const msgs: Record<string, [offset: number, msg: Json][]> = {};
  for (const [key, from] of Object.entries(body.offsets as Offsets)) {
    msgs[key] = logOf(key).slice(from).map((msg, i) => [from + i, msg]);
  }
  return { msgs };
});

function commit(offsets: Offsets): void {
  for (const [key, offset] of Object.entries(offsets)) {
    committed[key] = Math.max(committed[key] ?? 0, offset);
  }
}

node.on("commit_offsets", ({ body }) => {
  commit(body.offsets as Offsets);
  node.broadcast({ type: "committed", offsets: body.offsets as Offsets });
  return {};
});

node.on("committed", ({ body }) => commit(body.offsets as Offsets));

node.on("list_committed_offsets", ({ body }) => {
  const offsets: Offsets = {};
  for (const key of body.keys as string[]) {
    const offset = committed[key];
    if (offset !== undefined) offsets[key] = offset;
  }
  return { offsets };
});

await serve(node);
