/**
 * Wrong nodes for `lin-kv`.
 *
 * @module
 */

import {
  canonical,
  ErrorCode,
  isJsonObject,
  jsonEqual,
  KV,
  type Node,
  parseJson,
  pause,
  RpcError,
} from "@eddy/maelstrom";
import {
  type Answer,
  type AsyncServer,
  type AuthorityOptions,
  type Change,
  nowAndThen,
  serveAlone,
  serveByAuthority,
} from "./authority.ts";
import type { Mutant, Settings } from "./mutant.ts";
import { rightServer } from "./right_server.ts";
import { carelessStore, serveFromStore, serveRegistersFrom } from "./stores.ts";

function wrong(name: string, install: (node: Node) => void, needs: Settings = {}): Mutant {
  return { name, workload: "lin-kv", anomaly: "nonlinearizable", needs, install };
}

/** A cluster around an authority whose server does something wrong. */
function faulty(name: string, change: Change): Mutant {
  const makeServer = (node: Node) => change(rightServer("lin-kv"), node);
  return wrong(name, (node) => serveByAuthority(node, "lin-kv", { makeServer }));
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
  const copy = rightServer("lin-kv");
  node.on("applied", async ({ body: { request } }) => {
    if (isJsonObject(request)) await copy(request, node.id);
  });
  const makeServer = () => {
    const server = rightServer("lin-kv");
    return async (...[body, asked]: Parameters<AsyncServer>) => {
      const answer = await server(body, asked);
      if (body.type !== "read" && !isError(answer)) {
        await copy(body, asked);
        node.broadcast({ type: "applied", request: body });
      }
      return answer;
    };
  };
  serveByAuthority(node, "lin-kv", { ...options, makeServer, around: aroundWith(copy) });
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
  wrong("keeps registers of its own", (node) => serveAlone(node, "lin-kv", rightServer("lin-kv"))),
  wrong("takes seq-kv for linearizable", (node) => serveRegistersFrom(node, "seq-kv")),
  wrong("takes lww-kv for linearizable", (node) => serveRegistersFrom(node, "lww-kv")),
  wrong(
    "reads the register and then writes it",
    (node) => serveFromStore(node, "lin-kv", carelessStore(node)),
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
    serveByAuthority(node, "lin-kv", { around: caches });
  }),
  wrong("acknowledges a write before it is written", (node) => {
    const kv = new KV<number, number>(node, "lin-kv");
    serveAlone(node, "lin-kv", async ({ type, key, value, from, to }) => {
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
