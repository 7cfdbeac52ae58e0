/**
 * Stand-ins for a cluster, for tests: nodes that share one state and so are right by nature.
 *
 * @module
 */

import { canonical, type Json, jsonEqual, type JsonObject } from "../../node/json.ts";
import { Client, type ClientIds, INIT_TIMEOUT_MS } from "../clients/client.ts";
import type { RunOptions, WorkloadName, World } from "../types.ts";
import type { RunCluster } from "./run.ts";

/** Answers a request: the reply's keys without `in_reply_to`, or undefined for silence. */
export type Server = (body: JsonObject, node: string) => JsonObject | undefined;

/** A cluster of nodes that all answer by the same function, each after a delay drawn by chance. */
export class SharedCluster implements RunCluster {
  /** What was asked for, in order. */
  readonly requests: { src: string; node: string; body: JsonObject }[] = [];
  running = false;
  readonly #world: World;
  readonly #nodeIds: readonly string[];
  readonly #server: Server;
  readonly #maxDelayMs: number;

  constructor(world: World, options: RunOptions, server: Server, maxDelayMs = 4) {
    this.#world = world;
    this.#nodeIds = options.nodeIds;
    this.#server = server;
    this.#maxDelayMs = maxDelayMs;
  }

  async start(ids: ClientIds): Promise<void> {
    const { network, clock } = this.#world;
    this.running = true;
    for (const node of this.#nodeIds) this.#open(node);
    await Promise.all(this.#nodeIds.map(async (node) => {
      const client = new Client({ network, clock, ids });
      await client.send(node, { type: "init", node_id: node }, INIT_TIMEOUT_MS);
      client.close();
    }));
  }

  stop(): void {
    this.running = false;
    for (const node of this.#nodeIds) this.#world.network.close(node);
  }

  #open(node: string): void {
    const { network, clock, random } = this.#world;
    const delays = random(`delays of ${node}`);
    network.open(node, ({ src, body }) => {
      this.requests.push({ src, node, body });
      const reply = body.type === "init" ? { type: "init_ok" } : this.#server(body, node);
      if (reply === undefined) return;
      clock.schedule(delays.next() * this.#maxDelayMs, () => {
        if (!network.has(src) || !network.has(node)) return;
        network.send({
          src: node,
          dest: src,
          body: { ...reply, in_reply_to: body.msg_id ?? null },
        });
      });
    });
  }
}

/** A new server for a workload, right in all it does. */
export function rightServer(workload: WorkloadName): Server {
  return servers[workload]();
}

const ok = (body: JsonObject, keys: JsonObject = {}) => ({ type: `${body.type}_ok`, ...keys });

const servers: Record<WorkloadName, () => Server> = {
  echo: () => (body) => ok(body, { echo: body.echo ?? null }),
  "unique-ids": () => {
    let id = 0;
    return (body) => ok(body, { id: id++ });
  },
  broadcast: () => setServer("message", "messages"),
  "g-set": () => setServer("element", "value"),
  "g-counter": counterServer,
  "pn-counter": counterServer,
  "lin-kv": linKvServer,
  kafka: kafkaServer,
  "txn-list-append": txnServer,
  "txn-rw-register": txnServer,
};

function setServer(elementKey: string, listKey: string): Server {
  const elements: Json[] = [];
  return (body) => {
    const element = body[elementKey];
    if (element !== undefined) elements.push(element);
    return ok(body, body.type === "read" ? { [listKey]: [...elements] } : {});
  };
}

function counterServer(): Server {
  let sum = 0;
  return (body) => {
    if (typeof body.delta === "number") sum += body.delta;
    return ok(body, body.type === "read" ? { value: sum } : {});
  };
}

function linKvServer(): Server {
  const values = new Map<string, Json>();
  return (body) => {
    const key = canonical(body.key ?? null);
    const value = values.get(key);
    if (body.type === "write") values.set(key, body.value ?? null);
    else if (value === undefined) return { type: "error", code: 20, text: "No such key" };
    else if (body.type === "read") return ok(body, { value });
    else if (!jsonEqual(value, body.from ?? null)) return { type: "error", code: 22 };
    else values.set(key, body.to ?? null);
    return ok(body);
  };
}

/** How many messages of a key one poll returns. */
const POLL_BATCH = 10;

function kafkaServer(): Server {
  const logs = new Map<string, Json[]>();
  const committed: Record<string, number> = {};
  const offsetsOf = (body: JsonObject) => Object.entries(body.offsets as Record<string, number>);
  return (body) => {
    switch (body.type) {
      case "send": {
        const log = logs.get(String(body.key)) ?? [];
        logs.set(String(body.key), log);
        return ok(body, { offset: log.push(body.msg ?? null) - 1 });
      }
      case "poll": {
        const msgs = offsetsOf(body).map(([key, from]): [string, Json] => [
          key,
          (logs.get(key) ?? []).slice(from, from + POLL_BATCH).map((msg, i) => [from + i, msg]),
        ]);
        return ok(body, { msgs: Object.fromEntries(msgs) });
      }
      case "commit_offsets":
        for (const [key, offset] of offsetsOf(body)) {
          committed[key] = Math.max(committed[key] ?? 0, offset);
        }
        return ok(body);
      default: {
        const keys = (body.keys as string[]).filter((key) => committed[key] !== undefined);
        const offsets = Object.fromEntries(keys.map((key) => [key, committed[key] ?? 0]));
        return ok(body, { offsets });
      }
    }
  };
}

function txnServer(): Server {
  const values = new Map<string, Json>();
  return (body) => {
    const txn = (body.txn as Json[][]).map(([f = null, key = null, value = null]) => {
      const name = canonical(key);
      const old = values.get(name) ?? null;
      if (f === "append") values.set(name, [...(old as Json[] | null ?? []), value]);
      if (f === "w") values.set(name, value);
      return [f, key, f === "r" ? old : value];
    });
    return ok(body, { txn });
  };
}
