/**
 * Right and wrong nodes for `lin-kv`.
 *
 * @module
 */

import { linKvSchema } from "@eddy/handlers";
import {
  canonical,
  ErrorCode,
  isJsonObject,
  type Json,
  jsonEqual,
  KV,
  type KvService,
  type Node,
  parseJson,
  pause,
  RpcError,
} from "@eddy/maelstrom";
import { type AuthorityOptions, nowAndThen, serveAlone, serveByAuthority } from "./authority.ts";
import type { Mutant, Settings } from "./mutant.ts";
import { type Answer, type AsyncServer, type Change, ok, type Reference } from "./reference.ts";
import { carelessStore } from "./stores.ts";

/** Right nodes for `lin-kv`. */
export const linKv: Reference = {
  workload: "lin-kv",
  schema: linKvSchema,
  inMemory() {
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
  },
  /** A register's first compare-and-set fails, as it does in the service `lin-kv`. */
  onStore: (store) => async ({ type, key = null, value = null, from = null, to = null }) => {
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
  },
};

/** Hands every operation on to a service as it is. */
export function serveRegistersFrom(node: Node, service: KvService): void {
  const kv = new KV<Json, Json>(node, service, { timeoutMs: 3000 });
  serveAlone(node, linKv, async ({ type, key = null, value = null, from = null, to = null }) => {
    if (type === "read") return { value: await kv.read(key) };
    if (type === "write") await kv.write(key, value);
    else await kv.cas(key, from, to);
    return {};
  });
}

function wrong(name: string, install: (node: Node) => void, needs: Settings = {}): Mutant {
  return { name, workload: "lin-kv", anomaly: "nonlinearizable", needs, install };
}

/** A cluster around an authority whose server does something wrong. */
function faulty(name: string, change: Change): Mutant {
  const makeServer = (node: Node) => change(linKv.inMemory(), node);
  return wrong(name, (node) => serveByAuthority(node, linKv, { makeServer }));
}

function isError(answer: Answer): boolean {
  return answer?.type === "error";
}

/** Lets the first node tell all others what it has done, without waiting for them. */
function serveByPrimary(
  node: Node,
  aroundWith: (copy: AsyncServer) => Change,
  options: AuthorityOptions = {},
): void {
  const copy = linKv.inMemory();
  node.on("applied", async ({ body: { request } }) => {
    if (isJsonObject(request)) await copy(request, node.id);
  });
  const makeServer = () => {
    const server = linKv.inMemory();
    return async (...[body, asked]: Parameters<AsyncServer>) => {
      const answer = await server(body, asked);
      if (body.type !== "read" && !isError(answer)) {
        await copy(body, asked);
        node.broadcast({ type: "applied", request: body });
      }
      return answer;
    };
  };
  serveByAuthority(node, linKv, { ...options, makeServer, around: aroundWith(copy) });
}

/** Reads come from this node's copy, which may be old. */
const readsItsCopy = (copy: AsyncServer): Change => (ask) => (body, asked) =>
  body.type === "read" ? copy(body, asked) : ask(body, asked);

/** A node that cannot reach the first one takes its place. */
const takesOver = (copy: AsyncServer): Change => (ask) => async (body, asked) => {
  try {
    return await ask(body, asked);
  } catch (error) {
    if (error instanceof RpcError && error.code === ErrorCode.timeout) return copy(body, asked);
    throw error;
  }
};

/** Remembers what was read, for a while. */
const caches: Change = (ask, node) => {
  const cache = new Map<string, { answer: Answer; untilMs: number }>();
  return async (body, asked) => {
    const key = canonical(body.key ?? null);
    const known = cache.get(key);
    const isRead = body.type === "read";
    if (isRead && known !== undefined && known.untilMs > node.clock.now()) return known.answer;
    const answer = await ask(body, asked);
    if (isRead) cache.set(key, { answer, untilMs: node.clock.now() + 200 });
    return answer;
  };
};

/** Compares first, and sets a little later. */
function comparesThenSets(server: AsyncServer, node: Node): AsyncServer {
  return async (body, asked) => {
    const { type, key = null, from = null, to = null } = body;
    if (type !== "cas") return await server(body, asked);
    const read = await server({ type: "read", key }, asked);
    if (isError(read)) return read;
    if (!jsonEqual(read?.value ?? null, from)) return { type: "error", code: 22 };
    await pause(node.clock, 20);
    await server({ type: "write", key, value: to }, asked);
    return {};
  };
}

/** Wrong nodes for `lin-kv`. */
export const linKvMutants: readonly Mutant[] = [
  wrong("keeps registers of its own", (node) => serveAlone(node, linKv, linKv.inMemory())),
  wrong("takes seq-kv for linearizable", (node) => serveRegistersFrom(node, "seq-kv")),
  wrong("takes lww-kv for linearizable", (node) => serveRegistersFrom(node, "lww-kv")),
  wrong(
    "reads the register and then writes it",
    (node) => serveAlone(node, linKv, linKv.onStore(carelessStore(node))),
  ),
  wrong("reads from a copy that may be old", (node) => serveByPrimary(node, readsItsCopy), {
    latency: { meanMs: 30 },
  }),
  wrong(
    "takes over from a node it cannot reach",
    (node) => serveByPrimary(node, takesOver, { timeoutMs: 100 }),
    { nemesis: ["partition"] },
  ),
  wrong("remembers for a while what it read", (node) => {
    serveByAuthority(node, linKv, { around: caches });
  }),
  wrong("acknowledges a write before it is written", (node) => {
    const kv = new KV<number, number>(node, "lin-kv");
    serveAlone(node, linKv, async ({ type, key, value, from, to }) => {
      if (type === "read") return { value: await kv.read(Number(key)) };
      if (type === "cas") await kv.cas(Number(key), Number(from), Number(to));
      else {
        const write = () => kv.write(Number(key), Number(value)).catch(() => {});
        pause(node.clock, 20).then(write);
      }
      return {};
    });
  }),
  faulty(
    "forgets a write now and then",
    (server, node) => (body, asked) =>
      body.type === "write" && nowAndThen(node, 0.2) ? {} : server(body, asked),
  ),
  faulty("sets without comparing now and then", (server, node) => async (body, asked) => {
    if (body.type !== "cas" || !nowAndThen(node, 0.2)) return await server(body, asked);
    await server({ type: "write", key: body.key ?? null, value: body.to ?? null }, asked);
    return {};
  }),
  faulty("compares first and sets a little later", comparesThenSets),
  faulty(
    "denies what it has done now and then",
    (server, node) => async (body, asked) => {
      const answer = await server(body, asked);
      if (body.type === "read" || !nowAndThen(node, 0.2)) return answer;
      throw new RpcError(ErrorCode.abort, "It did not happen");
    },
  ),
  faulty("returns values as floats", (server) => async (body, asked) => {
    const answer = await server(body, asked);
    if (answer?.value === undefined) return answer;
    return { ...answer, value: parseJson(`${answer.value}.0`) };
  }),
];
