#!/usr/bin/env -S deno run
import { type Json, KV, Node, serve } from "@eddy/maelstrom";

type Offsets = Record<string, number>;
type Entry = [offset: number, msg: Json];

const node = new Node();
const kv = new KV<string, number>(node, "lin-kv");
const logs = new Map<string, Entry[]>();

function insert(key: string, entry: Entry): void {
  const log = logs.get(key) ?? [];
  log.push(entry);
  log.sort(([a], [b]) => a - b);
  logs.set(key, log);
}

node.on("send", async ({ body }) => {
  const key = String(body.key);
  const next = await kv.update(`next ${key}`, (next) => next + 1, { initial: 0 });
  const entry: Entry = [next - 1, body.msg ?? null];
  insert(key, entry);
  node.broadcast({ type: "entry", key, entry });
  return { offset: next - 1 };
});

node.on("entry", ({ body }) => insert(String(body.key), body.entry as Entry));

node.on("poll", ({ body }) => {
  const msgs: Record<string, Entry[]> = {};
  for (const [key, from] of Object.entries(body.offsets as Offsets)) {
    msgs[key] = (logs.get(key) ?? []).filter(([offset]) => offset >= from);
  }
  return { msgs };
});

node.on("commit_offsets", async ({ body }) => {
  for (const [key, offset] of Object.entries(body.offsets as Offsets)) {
    await kv.update(`committed ${key}`, (old) => Math.max(old, offset), { initial: offset });
  }
  return {};
});

node.on("list_committed_offsets", async ({ body }) => {
  const offsets: Offsets = {};
  for (const key of body.keys as string[]) {
    const offset = await kv.readOr(`committed ${key}`, -1);
    if (offset >= 0) offsets[key] = offset;
  }
  return { offsets };
});

await serve(node);
