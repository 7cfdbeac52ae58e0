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

node.on("send", ({ body }) => {
  const offset = logOf(String(body.key)).push(body.msg ?? null) - 1;
  return { offset };
});

node.on("poll", ({ body }) => {
  const msgs: Record<string, [offset: number, msg: Json][]> = {};
  for (const [key, from] of Object.entries(body.offsets as Offsets)) {
    msgs[key] = logOf(key).slice(from).map((msg, i) => [from + i, msg]);
  }
  return { msgs };
});

node.on("commit_offsets", ({ body }) => {
  Object.assign(committed, body.offsets as Offsets);
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
