/**
 * The `kafka` workload: append-only logs by key.
 *
 * Every request is answered at once, from what this node holds.
 *
 * @module
 */

import * as v from "valibot";
import type { Json, Node, RpcSchema } from "@eddy/maelstrom";
import { NodeGossip } from "./gossip/host.ts";
import { LogStore } from "./kafka_log.ts";
import {
  dictionary,
  type Integer,
  integer,
  json,
  type List,
  list,
  reply,
  safeInteger,
} from "./schema.ts";
import { type LatencyOptions, maxLatencyFlag, type Workload, workload } from "./workload.ts";

const offsets = dictionary(v.pipe(safeInteger, v.minValue(0, "Expected an offset of 0 or more")));

/** The messages of the `kafka` workload. */
export const kafkaSchema: {
  send: RpcSchema<{ key: string; msg: Json }, { offset: Integer }>;
  poll: RpcSchema<
    { offsets: Record<string, number> },
    { msgs: Record<string, List<[offset: Integer, msg: Json]>> }
  >;
  commit_offsets: RpcSchema<{ offsets: Record<string, number> }, object>;
  list_committed_offsets: RpcSchema<{ keys: string[] }, { offsets: Record<string, Integer> }>;
} = {
  send: {
    request: v.object({ key: v.string(), msg: json }),
    reply: reply("send_ok", { offset: integer }),
  },
  poll: {
    request: v.object({ offsets }),
    reply: reply("poll_ok", { msgs: dictionary(list(v.tuple([integer, json]))) }),
  },
  commit_offsets: { request: v.object({ offsets }), reply: reply("commit_offsets_ok", {}) },
  list_committed_offsets: {
    request: v.object({ keys: v.array(v.string()) }),
    reply: reply("list_committed_offsets_ok", { offsets: dictionary(integer) }),
  },
};

const DEFAULT_MAX_LATENCY_MS = 250;

/** How many entries a poll returns at most, of one key and of all. */
export const MAX_POLL_ENTRIES_PER_KEY = 1000;
export const MAX_POLL_ENTRIES = 10_000;

/** Makes `node` serve the `kafka` workload. */
export function serveKafka(node: Node, options: LatencyOptions = {}): void {
  const { maxLatencyMs = DEFAULT_MAX_LATENCY_MS } = options;
  const store = node.state.attach("kafka", new LogStore());
  const gossip = new NodeGossip(node, store, { maxLatencyMs, eager: true });
  node.onInit(() => {
    store.begin(gossip.core.stream, node.nodeIds.indexOf(node.id), node.nodeIds.length);
  });
  node.on("send", ({ body: { key, msg } }) => {
    const offset = store.send(key, msg);
    gossip.appended();
    return { offset };
  }, { schema: kafkaSchema.send });
  node.on("poll", ({ body: { offsets } }) => ({ msgs: poll(store, offsets) }), {
    schema: kafkaSchema.poll,
  });
  node.on("commit_offsets", ({ body: { offsets } }) => {
    let changed = false;
    for (const key in offsets) if (store.commit(key, offsets[key] ?? 0)) changed = true;
    if (changed) gossip.appended();
    return {};
  }, { schema: kafkaSchema.commit_offsets });
  node.on("list_committed_offsets", ({ body: { keys } }) => {
    const offsets: Record<string, number> = Object.create(null);
    for (const key of keys) {
      const offset = store.committed(key);
      if (offset !== undefined) offsets[key] = offset;
    }
    return { offsets };
  }, { schema: kafkaSchema.list_committed_offsets });
}

function poll(
  store: LogStore,
  offsets: Readonly<Record<string, number>>,
): Record<string, [offset: number, msg: Json][]> {
  const msgs: Record<string, [offset: number, msg: Json][]> = Object.create(null);
  let left = MAX_POLL_ENTRIES;
  for (const key in offsets) {
    if (left <= 0) break;
    const limit = Math.min(left, MAX_POLL_ENTRIES_PER_KEY);
    const found = store.poll(key, offsets[key] ?? 0, limit);
    if (found.length > 0) msgs[key] = found;
    left -= found.length;
  }
  return msgs;
}

const kafkaFlags = { "max-latency": { ...maxLatencyFlag, default: DEFAULT_MAX_LATENCY_MS } };

/** The `kafka` workload of the node binary. */
export const kafka: Workload = /* @__PURE__ */ workload(
  "append-only logs with offsets",
  kafkaFlags,
  (node, flags) => serveKafka(node, { maxLatencyMs: flags["max-latency"] }),
);
