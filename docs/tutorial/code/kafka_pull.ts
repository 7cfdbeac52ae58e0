#!/usr/bin/env -S deno run
import { type Json, Node, serve } from "@eddy/maelstrom";

type Offsets = Record<string, number>;
type Send = [key: string, msg: Json];

const node = new Node();
const logs = new Map<string, Json[]>();
const committed: Offsets = {};
/** The sends of this node's own keys, in order, for the other nodes to fetch. */
const sends: Send[] = [];
/** How many sends this node has fetched from each other. */
const fetched = new Map<string, number>();

function append([key, msg]: Send): number {
  const log = logs.get(key) ?? [];
  logs.set(key, log);
  return log.push(msg) - 1;
}

function ownerOf(key: string): string {
  let hash = 0;
  for (const char of key) hash = (31 * hash + char.charCodeAt(0)) % 1_000_003;
  return node.nodeIds[hash % node.nodeIds.length] ?? node.id;
}

node.on("send", async ({ body }) => {
  const send: Send = [String(body.key), body.msg ?? null];
  const owner = ownerOf(send[0]);
  if (owner !== node.id) {
    const { offset } = await node.rpc(owner, { type: "send", key: send[0], msg: send[1] });
    return { offset };
  }
  sends.push(send);
  return { offset: append(send) };
});

node.on("fetch", ({ body }) => {
  commit(body.committed as Offsets);
  return { sends: sends.slice(Number(body.from)) };
});

async function fetchFrom(owner: string): Promise<void> {
  const from = fetched.get(owner) ?? 0;
  const reply = await node.rpc(owner, { type: "fetch", from, committed });
  const news = reply.sends as Send[];
  news.forEach(append);
  fetched.set(owner, from + news.length);
}

node.onInit(() => {
  for (const owner of node.otherNodes) node.every(100, () => fetchFrom(owner));
});

node.on("poll", ({ body }) => {
  const msgs: Record<string, [offset: number, msg: Json][]> = {};
  for (const [key, from] of Object.entries(body.offsets as Offsets)) {
    msgs[key] = (logs.get(key) ?? []).slice(from).map((msg, i) => [from + i, msg]);
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
  return {};
});

node.on("list_committed_offsets", ({ body }) => {
  const offsets: Offsets = {};
  for (const key of body.keys as string[]) {
    const offset = committed[key];
    if (offset !== undefined) offsets[key] = offset;
  }
  return { offsets };
});

await serve(node);
