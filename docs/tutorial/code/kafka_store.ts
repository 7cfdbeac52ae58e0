#!/usr/bin/env -S deno run
import { type Json, KV, Node, serve } from "@eddy/maelstrom";

type Offsets = Record<string, number>;
type Entry = [offset: number, msg: Json];

/** How many messages of a key one poll returns at most. */
const BATCH = 10;

const node = new Node();
const messages = new KV<string, { msg: Json } | null>(node, "lin-kv");
const committed = new KV<string, number>(node, "lin-kv");
/** Of each key an offset below which the log is full. */
const ends = new Map<string, number>();

function raiseEnd(key: string, end: number): void {
  ends.set(key, Math.max(ends.get(key) ?? 0, end));
}

node.on("send", async ({ body }) => {
  const key = String(body.key);
  for (;;) {
    const offset = ends.get(key) ?? 0;
    const created = await messages.createIfMissing(`${key}/${offset}`, { msg: body.msg ?? null });
    raiseEnd(key, offset + 1);
    if (created) return { offset };
  }
});

async function readFrom(key: string, from: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let offset = from; offset < from + BATCH; offset++) {
    const stored = await messages.readOr(`${key}/${offset}`, null);
    if (stored === null) break;
    entries.push([offset, stored.msg]);
    raiseEnd(key, offset + 1);
  }
  return entries;
}

node.on("poll", async ({ body }) => {
  const asked = Object.entries(body.offsets as Offsets);
  const msgs = asked.map(async ([key, from]) => [key, await readFrom(key, from)]);
  return { msgs: Object.fromEntries(await Promise.all(msgs)) };
});

node.on("commit_offsets", async ({ body }) => {
  for (const [key, offset] of Object.entries(body.offsets as Offsets)) {
    await committed.update(`committed ${key}`, (old) => Math.max(old, offset), { initial: offset });
  }
  return {};
});

node.on("list_committed_offsets", async ({ body }) => {
  const offsets: Offsets = {};
  for (const key of body.keys as string[]) {
    const offset = await committed.readOr(`committed ${key}`, -1);
    if (offset >= 0) offsets[key] = offset;
  }
  return { offsets };
});

await serve(node);
