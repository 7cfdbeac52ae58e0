/**
 * Nodes without state: all of it is in one of Maelstrom's services.
 *
 * @module
 */

import { type Json, KV, type KvService, type Node } from "@eddy/maelstrom";

/** Shared state, by key. */
export interface Store {
  /** A key's value, or `fallback` for one that does not exist. */
  read(key: string, fallback: Json): Promise<Json>;
  /** Changes a key by a function of its value; returns the new one. */
  update(key: string, initial: Json, change: (value: Json) => Json): Promise<Json>;
}

/** A store in a service, which changes a key only if no other node has meanwhile. */
export function kvStore(node: Node, service: KvService): Store {
  const kv = new KV<string, Json>(node, service, { timeoutMs: 3000 });
  return {
    read: (key, fallback) => kv.readOr(key, fallback),
    update: (key, initial, change) => kv.update(key, change, { initial }),
  };
}

/** A store in lin-kv that reads and then writes, and so loses what others write in between. */
export function carelessStore(node: Node): Store {
  const kv = new KV<string, Json>(node, "lin-kv");
  return {
    read: (key, fallback) => kv.readOr(key, fallback),
    async update(key, initial, change) {
      const after = change(await kv.readOr(key, initial));
      await kv.write(key, after);
      return after;
    },
  };
}

/** A value as a list; an empty one if it is none. */
export function asList(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

/** A value as a number; 0 if it is none. */
export function asNumber(value: Json): number {
  return typeof value === "number" ? value : 0;
}
