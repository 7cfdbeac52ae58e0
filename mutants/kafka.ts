/**
 * Wrong nodes for `kafka`.
 *
 * @module
 */

import { ErrorCode, type Json, type JsonObject, type Node, RpcError } from "@eddy/maelstrom";
import {
  type Answer,
  type AsyncServer,
  type Change,
  nowAndThen,
  serveAlone,
  serveByAuthority,
} from "./authority.ts";
import { KILLED, type Mutant, type Settings } from "./mutant.ts";
import { rightServer } from "./right_server.ts";
import { carelessStore, serveFromStore } from "./stores.ts";

/** A cluster around an authority whose server does something wrong. */
function faulty(name: string, anomaly: string, change: Change, needs: Settings = {}): Mutant {
  const makeServer = (node: Node) => change(rightServer("kafka"), node);
  const install = (node: Node) => serveByAuthority(node, "kafka", { makeServer });
  return { name, workload: "kafka", anomaly, needs, install };
}

/** A message with its offset. */
type Entry = [offset: number, message: Json];

/** Changes what polls return of each key. */
function polls(change: (entries: Entry[], key: string, node: Node) => Entry[]): Change {
  return (server, node) => async (body, asked) => {
    const answer = await server(body, asked);
    if (body.type !== "poll") return answer;
    const msgs = Object.entries(answer?.msgs as Record<string, Entry[]>);
    const changed = msgs.map(([key, entries]): [string, Entry[]] => [
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
    const offsets = Object.entries(body.offsets as Record<string, number>);
    const earlier = offsets.map(([key, offset]): [string, Json] => [key, Math.max(0, offset - 2)]);
    return server({ ...body, offsets: Object.fromEntries(earlier) }, asked);
  };
}

/** Gives out two offsets at a time, the higher one first. */
function descends(): AsyncServer {
  const logs = new Map<string, Map<number, Json>>();
  const right = rightServer("kafka");
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
    for (const [key, from] of Object.entries(body.offsets as Record<string, number>)) {
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
  const offsets = Object.entries(body.offsets as Record<string, number>);
  const ahead = offsets.map(([key, offset]): [string, Json] => [key, offset + 4]);
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
    install: (node) => serveAlone(node, "kafka", rightServer("kafka")),
  },
  {
    name: "reads the log and then writes it",
    workload: "kafka",
    anomaly: "inconsistent-offsets",
    needs: { rate: 200 },
    install: (node) => serveFromStore(node, "kafka", carelessStore(node)),
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
