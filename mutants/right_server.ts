/**
 * The simplest right answers to every workload: one state in memory, one request at a time.
 *
 * @module
 */

import type { WorkloadName } from "@eddy/handlers";
import { canonical, type Json, jsonEqual, type JsonObject } from "@eddy/maelstrom";

/** Answers a request: the reply's keys without `in_reply_to`, or undefined for no reply. */
export type Server = (body: JsonObject, node: string) => JsonObject | undefined;

/** A right server of a workload, with state of its own. */
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
