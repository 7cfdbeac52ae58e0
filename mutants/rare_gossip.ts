/**
 * Wrong nodes for `broadcast`, `g-set` and the counters whose mistakes show under faults that come
 * together: without faults they are right.
 *
 * @module
 */

import { ErrorCode, isJsonObject, type Json, KV, type Node, RpcError } from "@eddy/maelstrom";
import { serveAlone } from "./authority.ts";
import { broadcast } from "./broadcast.ts";
import { gCounter, pnCounter } from "./counter.ts";
import { gSet } from "./g_set.ts";
import { serveReplica, SetReplica } from "./gossip.ts";
import { ImpatientLink } from "./messages.ts";
import type { RareMutant } from "./mutant.ts";
import { asList, asNumber } from "./stores.ts";

/** How often nodes compare what they have, in milliseconds. */
const INTERVAL_MS = 250;

/** Sends each value to all once, and all values to a node that has another number of them. */
function comparesNumbers(node: Node): void {
  const set = new SetReplica();
  node.on("element", ({ body: { value = null } }) => set.add(value));
  node.on("elements", ({ body: { values = null } }) => set.merge(values));
  node.on("count", ({ src, body: { count } }) => {
    if (count !== set.elements.size) node.send(src, { type: "elements", values: set.copy() });
  });
  node.onInit(() => {
    node.every(INTERVAL_MS, () => node.broadcast({ type: "count", count: set.elements.size }));
  });
  serveReplica(node, broadcast, {
    add(value) {
      set.add(value);
      node.broadcast({ type: "element", value });
    },
    read: () => set.read(),
    copy: () => null,
    merge() {},
  });
}

/**
 * Sends each element to all at once, and from time to time to each node those of its own clients
 * that are not confirmed; takes a confirmation for all that it has by then.
 */
function confirmsTooMuch(node: Node): void {
  const set = new SetReplica();
  const own: Json[] = [];
  const confirmed = new Map<string, number>();
  node.on("elements", ({ body: { values = null } }) => {
    set.merge(values);
    return {};
  });
  const repair = async (dest: string) => {
    const from = confirmed.get(dest) ?? 0;
    if (from === own.length) return;
    await node.rpc(dest, { type: "elements", values: own.slice(from) }, { timeoutMs: INTERVAL_MS });
    // Not as long as it was when it was sent.
    confirmed.set(dest, own.length);
  };
  node.onInit(() => {
    node.every(INTERVAL_MS, () => {
      for (const dest of node.otherNodes) repair(dest).catch(() => {});
    });
  });
  serveReplica(node, gSet, {
    add(value) {
      set.add(value);
      own.push(value);
      node.broadcast({ type: "elements", values: [value] });
    },
    read: () => set.read(),
    copy: () => null,
    merge() {},
  });
}

/** Numbers its additions, and takes what has a lower number than one before for sent again. */
function takesLateForRepeated(node: Node): void {
  let sum = 0;
  let number = 0;
  const last = new Map<string, number>();
  const links: ImpatientLink[] = [];
  node.on("delta", ({ src, body }) => {
    if (Number(body.number) > (last.get(src) ?? 0)) {
      last.set(src, Number(body.number));
      sum += Number(body.delta);
    }
    return {};
  });
  node.onInit(() => {
    for (const dest of node.otherNodes) links.push(new ImpatientLink(node, dest));
  });
  serveReplica(node, pnCounter, {
    add(delta) {
      sum += Number(delta);
      number++;
      for (const link of links) link.send({ type: "delta", number, delta });
    },
    read: () => sum,
    copy: () => null,
    merge() {},
  });
}

/** How long a node waits for the service that holds the sum, in milliseconds. */
const SERVICE_TIMEOUT_MS = 300;

/**
 * Adds by compare-and-set, and begins anew whenever that fails: also when it is not known whether it
 * has happened.
 */
function addsUntilItKnows(node: Node): void {
  const kv = new KV<string, number>(node, "lin-kv", { timeoutMs: SERVICE_TIMEOUT_MS });
  const add = async (delta: number) => {
    while (true) {
      const sum = await kv.readOr("sum", 0);
      try {
        if (sum === 0 && await kv.createIfMissing("sum", delta)) return;
        return await kv.cas("sum", sum, sum + delta);
      } catch (error) {
        const isFinal = error instanceof RpcError && error.code === ErrorCode.crash;
        if (isFinal) throw error;
      }
    }
  };
  serveAlone(node, gCounter, async ({ type, delta = 0 }) => {
    if (type === "read") return { value: await kv.readOr("sum", 0) };
    if (asNumber(delta) !== 0) await add(asNumber(delta));
    return {};
  });
}

/** How often a node sends to each other one, in milliseconds. */
const ROUND_MS = 100;

/**
 * Sends each node what it lacks of this node's own values, and how much it has of each node's; but
 * that is as much as it has heard that others have.
 */
function saysItHasWhatOthersHave(node: Node): void {
  const logs = new Map<string, Json[]>();
  const said = new Map<string, number>();
  const confirmed = new Map<string, number>();
  const logOf = (id: string) => {
    const log = logs.get(id) ?? [];
    logs.set(id, log);
    return log;
  };
  const raise = (id: string, count: number) => {
    said.set(id, Math.max(said.get(id) ?? 0, count));
  };
  node.on("values", ({ src, body: { from, values, have } }) => {
    const log = logOf(src);
    const start = asNumber(from ?? 0);
    if (start <= log.length) log.push(...asList(values).slice(log.length - start));
    raise(src, log.length);
    const counts = Object.entries(isJsonObject(have) ? have : {});
    for (const [id, count] of counts) {
      if (id === node.id) confirmed.set(src, Math.max(confirmed.get(src) ?? 0, asNumber(count)));
      else raise(id, asNumber(count));
    }
  });
  node.onInit(() => {
    node.every(ROUND_MS, () => {
      raise(node.id, logOf(node.id).length);
      const have = Object.fromEntries(said);
      for (const dest of node.otherNodes) {
        const from = confirmed.get(dest) ?? 0;
        node.send(dest, { type: "values", from, values: logOf(node.id).slice(from), have });
      }
    });
  });
  serveReplica(node, broadcast, {
    add: (value) => void logOf(node.id).push(value),
    read: () => [...logs.values()].flat(),
    copy: () => null,
    merge() {},
  });
}

/** The mutants. */
export const rareGossipMutants: readonly RareMutant[] = [
  {
    name: "compares how many values there are",
    workload: "broadcast",
    rule: "nodes agree when they have the same values, not when they have as many",
    anomaly: "lost",
    needs: { nemesis: ["partition"], rate: 20, timeLimitSeconds: 10 },
    seeds: 13,
    install: comparesNumbers,
  },
  {
    name: "says that it has what others have",
    workload: "broadcast",
    rule: "a node confirms what it holds, not what it has heard of",
    anomaly: "lost",
    needs: { nemesis: ["loss"], rate: 50, timeLimitSeconds: 10 },
    seeds: 1,
    install: saysItHasWhatOthersHave,
  },
  {
    name: "takes a confirmation for all that it has",
    workload: "g-set",
    rule: "a confirmation stands for what was sent before it",
    anomaly: "lost",
    needs: { nemesis: ["loss"], rate: 50, timeLimitSeconds: 10 },
    seeds: 9,
    install: confirmsTooMuch,
  },
  {
    name: "adds again when it does not know",
    workload: "g-counter",
    rule: "what may have happened is not done again without a way to tell",
    anomaly: "wrong-final-read",
    needs: { nemesis: ["pause"], rate: 50, timeLimitSeconds: 10 },
    seeds: 27,
    install: addsUntilItKnows,
  },
  {
    name: "takes what is late for sent again",
    workload: "pn-counter",
    rule: "what was counted is told from what was not by each number, not by the highest",
    anomaly: "wrong-final-read",
    needs: { nemesis: ["loss"], rate: 20, timeLimitSeconds: 10 },
    seeds: 1,
    install: takesLateForRepeated,
  },
];
