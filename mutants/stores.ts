/**
 * Nodes without state: all of it is in one of Maelstrom's services.
 *
 * @module
 */

import type { WorkloadName } from "@eddy/handlers";
import {
  canonical,
  type Json,
  jsonEqual,
  type JsonObject,
  KV,
  type KvService,
  type Node,
} from "@eddy/maelstrom";
import { type AsyncServer, serveAlone } from "./authority.ts";

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

/** Serves a workload from a store. */
export function serveFromStore(node: Node, workload: WorkloadName, store: Store): void {
  serveAlone(node, workload, storeServer(workload, store));
}

/** Answers a workload's requests from a store; `lin-kv` goes without one. */
function storeServer(workload: WorkloadName, store: Store): AsyncServer {
  switch (workload) {
    case "echo":
      return ({ echo = null }) => ({ echo });
    case "unique-ids":
      return async () => ({ id: await store.update("ids", 0, (count) => number(count) + 1) });
    case "broadcast":
      return setServer(store, "message", "messages");
    case "g-set":
      return setServer(store, "element", "value");
    case "g-counter":
    case "pn-counter":
      return counterServer(store);
    case "lin-kv":
      return registerServer(store);
    case "kafka":
      return logServer(store);
    case "txn-list-append":
    case "txn-rw-register":
      return txnServer(store);
  }
}

/** Hands every operation of `lin-kv` on to a service as it is. */
export function serveRegistersFrom(node: Node, service: KvService): void {
  const kv = new KV<Json, Json>(node, service, { timeoutMs: 3000 });
  serveAlone(node, "lin-kv", async ({ type, key = null, value = null, from = null, to = null }) => {
    if (type === "read") return { value: await kv.read(key) };
    if (type === "write") await kv.write(key, value);
    else await kv.cas(key, from, to);
    return {};
  });
}

function setServer(store: Store, elementKey: string, listKey: string): AsyncServer {
  return async (body) => {
    if (body.type === "topology") return {};
    if (body.type === "read") return { [listKey]: await store.read("set", []) };
    const element = body[elementKey] ?? null;
    await store.update("set", [], (all) => {
      const elements = list(all);
      return elements.some((each) => jsonEqual(each, element)) ? elements : [...elements, element];
    });
    return {};
  };
}

function counterServer(store: Store): AsyncServer {
  return async ({ type, delta = 0 }) => {
    if (type === "read") return { value: await store.read("sum", 0) };
    await store.update("sum", 0, (sum) => number(sum) + number(delta));
    return {};
  };
}

/** Registers on top of updates; a register's first compare-and-set fails, as it does in `lin-kv`. */
function registerServer(store: Store): AsyncServer {
  return async ({ type, key = null, value = null, from = null, to = null }) => {
    const name = `register ${canonical(key)}`;
    if (type === "read") {
      const read = await store.read(name, null);
      return read === null ? { type: "error", code: 20, text: "No such key" } : { value: read };
    }
    let matched = true;
    await store.update(name, null, (old) => {
      if (type === "write") return value;
      matched = jsonEqual(old, from);
      return matched ? to : old;
    });
    return matched ? {} : { type: "error", code: 22, text: "Another value" };
  };
}

/** How many messages of a key one poll returns. */
const POLL_BATCH = 10;

function logServer(store: Store): AsyncServer {
  const offsetsOf = (body: JsonObject) => Object.entries(body.offsets as Record<string, number>);
  return async (body) => {
    switch (body.type) {
      case "send": {
        const log = await store.update(`log ${body.key}`, [], (old) => [
          ...list(old),
          body.msg ?? null,
        ]);
        return { offset: list(log).length - 1 };
      }
      case "poll": {
        const msgs: JsonObject = {};
        for (const [key, from] of offsetsOf(body)) {
          const log = list(await store.read(`log ${key}`, []));
          msgs[key] = log.slice(from, from + POLL_BATCH).map((msg, i) => [from + i, msg]);
        }
        return { msgs };
      }
      case "commit_offsets":
        for (const [key, offset] of offsetsOf(body)) {
          await store.update(`committed ${key}`, -1, (old) => Math.max(number(old), offset));
        }
        return {};
      default: {
        const offsets: JsonObject = {};
        for (const key of list(body.keys).map(String)) {
          const offset = await store.read(`committed ${key}`, null);
          if (offset !== null) offsets[key] = offset;
        }
        return { offsets };
      }
    }
  };
}

/** The whole database is one value, so a transaction is one compare-and-set. */
function txnServer(store: Store): AsyncServer {
  return async ({ txn = null }) => {
    let done: Json[] = [];
    await store.update("database", {}, (old) => {
      const database = { ...old as JsonObject };
      done = list(txn).map((mop) => applyTo(database, list(mop)));
      return database;
    });
    return { txn: done };
  };
}

function applyTo(database: JsonObject, [f = null, key = null, value = null]: Json[]): Json {
  const name = canonical(key);
  const old = database[name] ?? null;
  if (f === "r") return [f, key, old];
  database[name] = f === "append" ? [...list(old), value] : value;
  return [f, key, value];
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function number(value: Json): number {
  return typeof value === "number" ? value : 0;
}
