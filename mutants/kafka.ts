/**
 * Right and wrong nodes for `kafka`.
 *
 * @module
 */

import { kafkaSchema } from "@eddy/handlers";
import { ErrorCode, type Json, type JsonObject, type Node, RpcError } from "@eddy/maelstrom";
import { nowAndThen, serveAlone, serveByAuthority } from "./authority.ts";
import { KILLED, type Mutant, type Settings } from "./mutant.ts";
import { type Answer, type AsyncServer, type Change, ok, type Reference } from "./reference.ts";
import { asList, asNumber, carelessStore } from "./stores.ts";

/** How many messages of a key one poll returns. */
const POLL_BATCH = 10;

function offsetsOf(body: JsonObject): [key: string, offset: number][] {
  return Object.entries(body.offsets as Record<string, number>);
}

/** Right nodes for `kafka`. */
export const kafka: Reference = {
  workload: "kafka",
  schema: kafkaSchema,
  inMemory() {
    const logs = new Map<string, Json[]>();
    const committed: Record<string, number> = {};
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
  },
  onStore: (store) => async (body) => {
    switch (body.type) {
      case "send": {
        const log = await store.update(`log ${body.key}`, [], (old) => [
          ...asList(old),
          body.msg ?? null,
        ]);
        return { offset: asList(log).length - 1 };
      }
      case "poll": {
        const msgs: JsonObject = {};
        for (const [key, from] of offsetsOf(body)) {
          const log = asList(await store.read(`log ${key}`, []));
          msgs[key] = log.slice(from, from + POLL_BATCH).map((msg, i) => [from + i, msg]);
        }
        return { msgs };
      }
      case "commit_offsets":
        for (const [key, offset] of offsetsOf(body)) {
          await store.update(`committed ${key}`, -1, (old) => Math.max(asNumber(old), offset));
        }
        return {};
      default: {
        const offsets: JsonObject = {};
        for (const key of asList(body.keys).map(String)) {
          const offset = await store.read(`committed ${key}`, null);
          if (offset !== null) offsets[key] = offset;
        }
        return { offsets };
      }
    }
  },
};

/** A cluster around an authority whose server does something wrong. */
function faulty(name: string, anomaly: string, change: Change, needs: Settings = {}): Mutant {
  const makeServer = (node: Node) => change(kafka.inMemory(), node);
  const install = (node: Node) => serveByAuthority(node, kafka, { makeServer });
  return { name, workload: "kafka", anomaly, needs, install };
}

/** A message with its offset. */
type PolledEntry = [offset: number, message: Json];

/** Changes what polls return of each key. */
function polls(change: (entries: PolledEntry[], key: string, node: Node) => PolledEntry[]): Change {
  return (server, node) => async (body, asked) => {
    const answer = await server(body, asked);
    if (body.type !== "poll") return answer;
    const msgs = Object.entries(answer?.msgs as Record<string, PolledEntry[]>);
    const changed = msgs.map(([key, entries]): [string, PolledEntry[]] => [
      key,
      change(entries, key, node),
    ]);
    return { msgs: Object.fromEntries(changed) };
  };
}

/** Changes what is done about a `send`. */
function sends(change: (server: AsyncServer, node: Node) => AsyncServer): Change {
  return (server, node) => {
    const changed = change(server, node);
    return (body, asked) => (body.type === "send" ? changed : server)(body, asked);
  };
}

/** Starts a little before where it was asked to. */
function startsEarlier(server: AsyncServer, node: Node): AsyncServer {
  return (body, asked) => {
    if (body.type !== "poll" || !nowAndThen(node, 0.1)) return server(body, asked);
    const earlier = offsetsOf(body).map((
      [key, offset],
    ): [string, Json] => [key, Math.max(0, offset - 2)]);
    return server({ ...body, offsets: Object.fromEntries(earlier) }, asked);
  };
}

/** Gives out two offsets at a time, the higher one first. */
function descends(): AsyncServer {
  const logs = new Map<string, Map<number, Json>>();
  const right = kafka.inMemory();
  return (body, asked): Answer | Promise<Answer> => {
    const logOf = (key: string) => {
      const log = logs.get(key) ?? new Map<number, Json>();
      logs.set(key, log);
      return log;
    };
    if (body.type === "send") {
      const log = logOf(String(body.key));
      const offset = log.size ^ 1;
      log.set(offset, body.msg ?? null);
      return { offset };
    }
    if (body.type !== "poll") return right(body, asked);
    const msgs: JsonObject = {};
    for (const [key, from] of offsetsOf(body)) {
      const entries = [...logOf(key)].filter(([offset]) => offset >= from);
      msgs[key] = entries.toSorted(([a], [b]) => a - b).slice(0, 10);
    }
    return { msgs };
  };
}

/** Returns a message of a key of its own. */
const invents: Change = (server) => async (body, asked) => {
  const answer = await server(body, asked);
  if (body.type !== "poll") return answer;
  const { invented = 0 } = body.offsets as Record<string, number>;
  const entries = invented === 0 ? [[0, 1]] : [];
  return { msgs: { ...answer?.msgs as JsonObject, invented: entries } };
};

/** Commits more than was asked. */
const commitsAhead: Change = (server) => (body, asked) => {
  if (body.type !== "commit_offsets") return server(body, asked);
  const ahead = offsetsOf(body).map(([key, offset]): [string, Json] => [key, offset + 4]);
  return server({ ...body, offsets: Object.fromEntries(ahead) }, asked);
};

/** Keys that many clients come back to, so that commits matter. */
const MANY_ASSIGNS: Settings = { rate: 200, timeLimitSeconds: 6, keyCount: 4, maxWritesPerKey: 64 };

/** Wrong nodes for `kafka`. */
export const kafkaMutants: readonly Mutant[] = [
  {
    name: "keeps logs of its own",
    workload: "kafka",
    anomaly: "inconsistent-offsets",
    install: (node) => serveAlone(node, kafka, kafka.inMemory()),
  },
  {
    name: "reads the log and then writes it",
    workload: "kafka",
    anomaly: "inconsistent-offsets",
    needs: { rate: 200 },
    install: (node) => serveAlone(node, kafka, kafka.onStore(carelessStore(node))),
  },
  faulty("starts its logs anew after a crash", "inconsistent-offsets", (server) => server, KILLED),
  faulty(
    "stores a message twice now and then",
    "duplicate",
    sends((server, node) => (body, asked) => {
      if (nowAndThen(node, 0.05)) server(body, asked);
      return server(body, asked);
    }),
  ),
  faulty(
    "loses a message that it acknowledged",
    "lost-write",
    polls((entries) => entries.filter(([, message]) => Number(message) % 8 !== 3)),
  ),
  faulty(
    "skips a message now and then at the beginning of a poll",
    "poll-skip",
    polls((entries, _key, node) => nowAndThen(node, 0.1) ? entries.slice(2) : entries),
  ),
  faulty("starts a poll too early now and then", "nonmonotonic-poll", startsEarlier),
  faulty(
    "skips a message now and then in the middle of a poll",
    "int-poll-skip",
    polls((entries, _key, node) =>
      nowAndThen(node, 0.1) ? entries.filter((_, i) => i !== 1) : entries
    ),
  ),
  faulty(
    "returns messages in reverse",
    "int-nonmonotonic-poll",
    polls((entries) => entries.toReversed()),
  ),
  faulty("gives the higher of two offsets first", "nonmonotonic-send", descends),
  faulty(
    "does not show the newest message of a log",
    "unseen",
    polls((entries) => entries.slice(0, -1)),
  ),
  faulty(
    "denies a send that it has stored",
    "G1a",
    sends((server, node) => async (body, asked) => {
      const answer = await server(body, asked);
      if (!nowAndThen(node, 0.05)) return answer;
      throw new RpcError(ErrorCode.abort, "It was not stored");
    }),
  ),
  faulty("returns a message that was never sent", "no-writer-of-value", invents),
  faulty(
    "commits offsets beyond what was read",
    "Poll after an assign from beyond what could be committed",
    commitsAhead,
    MANY_ASSIGNS,
  ),
];
