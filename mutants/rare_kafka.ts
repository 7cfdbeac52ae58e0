/**
 * Wrong nodes for `kafka` whose mistakes show in a rare interleaving, or under rare faults.
 *
 * @module
 */

import { serveKafka } from "@eddy/handlers";
import type { Json, JsonObject, Message, Node } from "@eddy/maelstrom";
import { serveAlone, serveByAuthority } from "./authority.ts";
import { kafka } from "./kafka.ts";
import { type Handler, ImpatientLink, withHandlers, withSent } from "./messages.ts";
import type { RareMutant } from "./mutant.ts";
import type { AsyncServer, Change } from "./reference.ts";
import { asList, asNumber, kvStore } from "./stores.ts";

/** How many messages of a key one poll returns. */
const POLL_BATCH = 10;

/** A message with its offset. */
type NumberedMessage = [offset: number, message: Json];

function offsetsOf(body: JsonObject): [key: string, offset: number][] {
  return Object.entries(body.offsets as Record<string, number>);
}

/** Answers a poll with what `find` finds of each key. */
async function polled(
  body: JsonObject,
  find: (key: string, from: number) => Json[] | Promise<Json[]>,
): Promise<JsonObject> {
  const msgs: JsonObject = {};
  for (const [key, from] of offsetsOf(body)) msgs[key] = await find(key, from);
  return { msgs };
}

/** After this long a place in a log without a message is passed over, in milliseconds. */
const GAP_MS = 300;

/** Takes an offset from the service first, and stores the message in its place afterwards. */
function passesOverGaps(node: Node): void {
  const store = kvStore(node, "lin-kv");
  const commits = kafka.onStore(store);
  const gapSinceMs = new Map<string, number>();
  const find = async (key: string, from: number) => {
    const found: NumberedMessage[] = [];
    const end = asNumber(await store.read(`next ${key}`, 0));
    for (let offset = from; offset < end && found.length < POLL_BATCH; offset++) {
      const name = `${key} ${offset}`;
      const message = await store.read(`message ${name}`, null);
      if (message !== null) {
        found.push([offset, message]);
        continue;
      }
      const nowMs = node.clock.now();
      const sinceMs = gapSinceMs.get(name) ?? nowMs;
      gapSinceMs.set(name, sinceMs);
      if (nowMs - sinceMs < GAP_MS) break;
    }
    return found;
  };
  serveAlone(node, kafka, async (body, asked) => {
    if (body.type === "poll") return await polled(body, find);
    if (body.type !== "send") return await commits(body, asked);
    const next = asNumber(
      await store.update(`next ${body.key}`, 0, (count) => asNumber(count) + 1),
    );
    const offset = next - 1;
    await store.update(`message ${body.key} ${offset}`, null, () => body.msg ?? null);
    return { offset };
  });
}

/** The first node numbers messages and sends them to all; each answers polls from its copy. */
function pollsCopiesWithHoles(node: Node): void {
  const logs = new Map<string, Json[]>();
  const links: ImpatientLink[] = [];
  const logOf = (key: string) => {
    const log = logs.get(key) ?? [];
    logs.set(key, log);
    return log;
  };
  node.on("entry", ({ body: { key, offset, msg = null } }) => {
    logOf(String(key))[Number(offset)] = msg;
    return {};
  });
  node.onInit(() => {
    for (const dest of node.otherNodes) links.push(new ImpatientLink(node, dest));
  });
  const commits = kafka.inMemory();
  const makeServer = (): AsyncServer => (body, asked) => {
    if (body.type !== "send") return commits(body, asked);
    const { key = null, msg = null } = body;
    const offset = logOf(String(key)).push(msg) - 1;
    for (const link of links) link.send({ type: "entry", key, offset, msg });
    return { offset };
  };
  const around: Change = (ask) => (body, asked) => {
    if (body.type !== "poll") return ask(body, asked);
    return polled(body, (key, from) => {
      const entries = [...logOf(key).entries()].slice(from);
      return entries.filter(([, message]) => message !== undefined).slice(0, POLL_BATCH);
    });
  };
  serveByAuthority(node, kafka, { makeServer, around });
}

/** How long a node waits for the first one before it asks again, in milliseconds. */
const IMPATIENT_MS = 150;

/** Sends a message to the first node again, as another request, when no answer has come. */
function sendsAgain(node: Node): void {
  const around: Change = (ask) => (body, asked) => {
    if (body.type !== "send") return ask(body, asked);
    return node.retry(async () => await ask(body, asked), { maxTries: 4 });
  };
  serveByAuthority(node, kafka, { around, timeoutMs: IMPATIENT_MS });
}

/** How many messages of a key the first node keeps at hand. */
const AT_HAND = 32;

/** Answers polls from the newest messages of each log, which it keeps at hand. */
function pollsTheNewest(node: Node): void {
  const makeServer = (): AsyncServer => {
    const logs = new Map<string, NumberedMessage[]>();
    const server = kafka.inMemory();
    return async (body, asked) => {
      if (body.type === "poll") {
        return await polled(
          body,
          (key, from) =>
            (logs.get(key) ?? []).filter(([offset]) => offset >= from).slice(0, POLL_BATCH),
        );
      }
      const answer = server(body, asked);
      if (body.type === "send") {
        const log = logs.get(String(body.key)) ?? [];
        const entry: NumberedMessage = [asNumber(answer?.offset ?? 0), body.msg ?? null];
        logs.set(String(body.key), [...log, entry].slice(-AT_HAND));
      }
      return answer;
    };
  };
  serveByAuthority(node, kafka, { makeServer });
}

/** A message that says only what is stable, and not what its sender has. */
function onlyStable({ tag = "", t = 0, streams = "", stable = [], up = false }: JsonObject) {
  return { type: "gossip", tag, t, streams, have: [], stable, up };
}

/** Eddy's own node, which takes what is stable from a node of which it lacks events. */
const takesStableFromAnyone = (handle: Handler): Handler => (message: Message<JsonObject>) => {
  handle(message);
  if (message.body.stable !== undefined) handle({ ...message, body: onlyStable(message.body) });
};

/** After this long without a message another node is not waited for, in milliseconds. */
const AWAY_MS = 1500;

/** What a node of Eddy's gossip was told last. */
interface Told {
  readonly atMs: number;
  readonly have: ReadonlyMap<string, number>;
}

function haveOf(body: JsonObject): ReadonlyMap<string, number> {
  const have = asList(body.have);
  const names = String(body.streams ?? "").split(" ").filter((name) => name !== "");
  return new Map(names.map((name, i) => [name, asNumber(have[i] ?? 0)]));
}

/** Eddy's own node, which takes for stable what it and all nodes have of which it hears. */
function leavesOutWhoIsAway(node: Node): void {
  const told = new Map<string, Told>();
  let own: JsonObject | undefined;
  const hears = (handle: Handler): Handler => (message) => {
    const nowMs = node.clock.now();
    told.set(message.src, { atMs: nowMs, have: haveOf(message.body) });
    handle(message);
    if (own === undefined || told.size < node.otherNodes.length) return;
    const near = [...told.values()].filter(({ atMs }) => nowMs - atMs < AWAY_MS);
    const stable = [...haveOf(own)].map(([name, seq]) =>
      Math.min(seq, ...near.map(({ have }) => have.get(name) ?? 0))
    );
    const { tag, t, up } = message.body;
    const { streams } = own;
    handle({ ...message, body: onlyStable({ tag, t, up, streams, stable } as JsonObject) });
  };
  const sends = withSent("gossip", (body) => {
    own = body as JsonObject;
    return body;
  }, serveKafka);
  withHandlers(["gossip"], hears, sends)(node);
}

/** The mutants. */
export const rareKafkaMutants: readonly RareMutant[] = [
  {
    name: "passes over a gap after a while",
    rule: "a message is shown when all before it are, however long that takes",
    anomaly: "poll-skip",
    needs: { nemesis: ["pause"], rate: 100, timeLimitSeconds: 10, keyCount: 2 },
    seeds: 55,
    install: passesOverGaps,
  },
  {
    name: "polls a copy past messages on their way",
    rule: "a copy shows a message when it has all before it",
    anomaly: "poll-skip",
    needs: { nemesis: ["loss"], rate: 50, timeLimitSeconds: 10 },
    seeds: 5,
    install: pollsCopiesWithHoles,
  },
  {
    name: "sends again under another number",
    rule: "a message that is sent again has the number that it had, so that it is stored once",
    anomaly: "duplicate",
    needs: { nemesis: ["loss"], rate: 50, timeLimitSeconds: 10 },
    seeds: 1,
    install: sendsAgain,
  },
  {
    name: "polls the newest of a long log",
    rule: "a poll begins where it was asked to, however long ago that was",
    anomaly: "lost-write",
    needs: { rate: 300, timeLimitSeconds: 10, keyCount: 2, maxWritesPerKey: 256 },
    seeds: 1,
    install: pollsTheNewest,
  },
  {
    name: "takes what is stable from anyone",
    rule: "a node knows what is stable when it has all that had the one who says so",
    anomaly: "int-poll-skip",
    needs: { nemesis: ["loss", "slow"], latency: { meanMs: 150 }, rate: 100, timeLimitSeconds: 15 },
    seeds: 1,
    install: withHandlers(["gossip"], takesStableFromAnyone, serveKafka),
  },
  {
    name: "does not wait for a node that is away",
    rule:
      "a message is shown when every node has it, since who lacks it may hand out a lower offset",
    anomaly: "poll-skip",
    needs: { nemesis: ["partition"], nemesisIntervalSeconds: 3, rate: 50, timeLimitSeconds: 15 },
    seeds: 2,
    install: leavesOutWhoIsAway,
  },
].map((mutant) => ({ ...mutant, workload: "kafka" }));
