/**
 * The `kafka` workload: append-only logs by key.
 *
 * Everything is answered at once, from what this node has.
 *
 * @module
 */

import type { Json, Node } from "@eddy/maelstrom";
import { NodeGossip } from "./gossip/host.ts";
import { LogStore } from "./kafka_log.ts";
import { kafka } from "./schema.ts";

/** Settings of the `kafka` workload. */
export interface KafkaOptions {
  /**
   * What an entry may take until every node shows it, in milliseconds; 0 sends at once, to
   * everyone.
   *
   * @default 250
   */
  maxLatencyMs?: number;
}

/** What an entry may take until every node shows it unless stated, in milliseconds. */
export const KAFKA_MAX_LATENCY_MS = 250;

/** How many entries a poll returns at most, of one key and of all. */
export const MAX_POLL_ENTRIES_PER_KEY = 1000;
export const MAX_POLL_ENTRIES = 10_000;

/** Makes `node` serve the `kafka` workload. */
export function serveKafka(node: Node, options: KafkaOptions = {}): void {
  const { maxLatencyMs = KAFKA_MAX_LATENCY_MS } = options;
  const store = node.state.attach("kafka", new LogStore());
  const gossip = new NodeGossip(node, store, { maxLatencyMs, eager: true });
  node.onInit(() => {
    store.begin(gossip.core.stream, node.nodeIds.indexOf(node.id), node.nodeIds.length);
  });
  node.on("send", ({ body: { key, msg } }) => {
    const offset = store.send(key, msg);
    gossip.appended();
    return { offset };
  }, { schema: kafka.send });
  node.on("poll", ({ body: { offsets } }) => ({ msgs: poll(store, offsets) }), {
    schema: kafka.poll,
  });
  node.on("commit_offsets", ({ body: { offsets } }) => {
    let news = false;
    for (const key in offsets) if (store.commit(key, offsets[key] ?? 0)) news = true;
    if (news) gossip.appended();
    return {};
  }, { schema: kafka.commit_offsets });
  node.on("list_committed_offsets", ({ body: { keys } }) => {
    const offsets: Record<string, number> = Object.create(null);
    for (const key of keys) {
      const offset = store.committed(key);
      if (offset !== undefined) offsets[key] = offset;
    }
    return { offsets };
  }, { schema: kafka.list_committed_offsets });
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
