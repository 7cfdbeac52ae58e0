/**
 * Wrong databases whose mistakes show in a rare interleaving, or under rare faults.
 *
 * @module
 */

import {
  canonical,
  ErrorCode,
  type Json,
  type JsonObject,
  KV,
  type Node,
  pause,
  RpcError,
} from "@eddy/maelstrom";
import { serveAlone, serveByAuthority } from "./authority.ts";
import { answerOf, type AnyMicroOp, mopsOf, rest, Versions, writesOf } from "./databases.ts";
import type { RareMutant, Settings } from "./mutant.ts";
import type { AsyncServer, Reference } from "./reference.ts";
import { asList } from "./stores.ts";
import { txnListAppend, txnRwRegister } from "./txn.ts";

function conflict(): RpcError {
  return new RpcError(ErrorCode.txnConflict, "Another transaction was first");
}

/**
 * Checks at the end that nothing has changed that a transaction has read or will write (Kung and
 * Robinson, "On optimistic methods for concurrency control", 1981); but not that keys without a
 * value still have none.
 */
function validatedDatabase(node: Node): AsyncServer {
  const versions = new Versions();
  return async (body) => {
    const mops = mopsOf(body);
    const at = versions.commits;
    for (const _mop of mops) await rest(node);
    const hasChanged = mops.some(([f, key]) => {
      const isMissing = f === "r" && versions.read(key, at) === null;
      return !isMissing && versions.changedSince(key, at);
    });
    if (hasChanged) throw conflict();
    const writes = writesOf(mops);
    if (writes.length > 0) versions.commit(writes, at);
    return answerOf(mops, (key, before) => versions.read(key, at, before));
  };
}

/** A micro-operation, and its place in its transaction. */
type PlacedMop = [place: number, mop: AnyMicroOp];

/** What a node has promised to do if a transaction is committed. */
interface Prepared {
  readonly names: ReadonlySet<string>;
  readonly writes: readonly AnyMicroOp[];
}

/** The keys of one node, in a two-phase commit (Gray, "Notes on data base operating systems", 1978). */
class Shard {
  readonly #values = new Map<string, Json>();
  readonly #prepared = new Map<string, Prepared>();
  /** Transactions that were decided, of which a message may still be on its way. */
  readonly #decided = new Set<string>();

  /** Locks the keys of a transaction; returns what it finds, or undefined if one is locked. */
  prepare(id: string, mops: readonly PlacedMop[]): PlacedMop[] | undefined {
    const names = new Set(mops.map(([, [, key]]) => canonical(key)));
    if (this.#decided.has(id)) return undefined;
    for (const [other, { names: locked }] of this.#prepared) {
      if (other !== id && !names.isDisjointFrom(locked)) return undefined;
    }
    const writes: AnyMicroOp[] = [];
    const done = mops.map(([place, mop]): PlacedMop => {
      const [f, key, value] = mop;
      if (f === "r") return [place, [f, key, this.#read(key, writes)]];
      writes.push([f, key, value]);
      return [place, mop];
    });
    this.#prepared.set(id, { names, writes });
    return done;
  }

  /** Does what was prepared, or not; its keys are free then. */
  decide(id: string, isCommitted: boolean): void {
    const writes = this.#prepared.get(id)?.writes ?? [];
    this.#prepared.delete(id);
    this.#decided.add(id);
    if (!isCommitted) return;
    for (const write of writes) {
      const [, key] = write;
      this.#values.set(canonical(key), this.#read(key, [write]));
    }
  }

  /** Frees the keys of a transaction that is not decided. */
  giveUp(id: string): void {
    this.#prepared.delete(id);
  }

  #read(key: Json, writes: readonly AnyMicroOp[]): Json {
    const name = canonical(key);
    let value = this.#values.get(name) ?? null;
    for (const [f, written, element] of writes) {
      if (canonical(written) !== name) continue;
      value = f === "append" ? [...asList(value), element] : element;
    }
    return value;
  }
}

/** How long a coordinator waits for an answer, in milliseconds. */
const ANSWER_MS = 400;
/** How long a participant holds its locks for a coordinator that is silent, in milliseconds. */
const SILENCE_MS = 1000;

/** What is wrong with a two-phase commit. */
type TwoPhaseFault = "participants give up" | "unconfirmed is aborted";

/** Transactions on keys of which each belongs to one node. */
function serveShards(node: Node, reference: Reference, fault: TwoPhaseFault): void {
  const shard = new Shard();
  let count = 0;
  const prepare = (id: string, mops: readonly PlacedMop[]) => {
    const read = shard.prepare(id, mops);
    if (read !== undefined && fault === "participants give up") {
      node.clock.schedule(SILENCE_MS, () => shard.giveUp(id));
    }
    return read === undefined ? {} : { read };
  };
  node.on("prepare", ({ body: { id, mops } }) => prepare(String(id), mops as PlacedMop[]));
  node.on("decide", ({ body: { id, commit } }) => {
    shard.decide(String(id), commit === true);
    return {};
  });
  const ask = async (dest: string, id: string, mops: PlacedMop[]) => {
    if (dest === node.id) return prepare(id, mops).read;
    const { read } = await node.rpc(dest, { type: "prepare", id, mops }, { timeoutMs: ANSWER_MS });
    return read as PlacedMop[] | undefined;
  };
  /** Tells a participant until it confirms; resolves with whether it did in time. */
  const tell = async (dest: string, id: string, commit: boolean): Promise<boolean> => {
    if (dest === node.id) {
      shard.decide(id, commit);
      return true;
    }
    const send = () => node.rpc(dest, { type: "decide", id, commit }, { timeoutMs: ANSWER_MS });
    const confirmed = node.retry(send, { timeoutMs: 60_000 }).then(() => true, () => false);
    return await Promise.race([confirmed, pause(node.clock, 2 * ANSWER_MS).then(() => false)]);
  };
  serveAlone(node, reference, async (body) => {
    const id = `${node.id} ${count++}`;
    const mops = mopsOf(body).map((mop, place): PlacedMop => [place, mop]);
    const parts = Map.groupBy(mops, ([, [, key]]) => ownerOf(node, key));
    const answers = await Promise.all(
      [...parts].map(([dest, part]) => ask(dest, id, part).catch(() => undefined)),
    );
    const isCommitted = answers.every((read) => read !== undefined);
    const isOnlyRead = writesOf(mopsOf(body)).length === 0;
    const confirmed = Promise.all([...parts.keys()].map((dest) => tell(dest, id, isCommitted)));
    if (!isCommitted) throw conflict();
    if (fault === "unconfirmed is aborted" && !isOnlyRead && (await confirmed).includes(false)) {
      throw conflict();
    }
    const done = answers.flatMap((read) => read ?? []).toSorted(([a], [b]) => a - b);
    return { txn: done.map(([, mop]) => mop) };
  });
}

/** The node that a key belongs to. */
function ownerOf(node: Node, key: Json): string {
  let hash = 0;
  for (const char of canonical(key)) hash = (31 * hash + (char.codePointAt(0) ?? 0)) % 65521;
  return node.nodeIds[hash % node.nodeIds.length] ?? node.id;
}

/** How long a node holds a lock before others may take it, in milliseconds. */
const LEASE_MS = 400;
/** How long a transaction waits for the lock, in milliseconds. */
const LOCK_PATIENCE_MS = 3500;

/**
 * Reads and writes the database, one value in lin-kv, under a lock there. Who sees a lock unchanged
 * for as long as a lease takes it; who had it before does not look, and writes on.
 */
function locksWithoutFence(node: Node): void {
  const kv = new KV<string, Json>(node, "lin-kv", { timeoutMs: 3000 });
  let count = 0;
  let seen: { readonly holder: Json; readonly sinceMs: number } = { holder: null, sinceMs: 0 };
  const take = async (own: string): Promise<boolean> => {
    const holder = await kv.readOr("lock", null);
    const nowMs = node.clock.now();
    if (holder === null) return await kv.createIfMissing("lock", own);
    if (holder !== seen.holder) seen = { holder, sinceMs: nowMs };
    if (holder !== "" && nowMs - seen.sinceMs < LEASE_MS) return false;
    return await kv.cas("lock", holder, own).then(() => true, () => false);
  };
  serveAlone(node, txnRwRegister, async (body) => {
    const own = `${node.id} ${count++}`;
    const untilMs = node.clock.now() + LOCK_PATIENCE_MS;
    while (!await take(own)) {
      if (node.clock.now() > untilMs) {
        throw new RpcError(ErrorCode.temporarilyUnavailable, "The lock is taken");
      }
      await pause(node.clock, 10 + 20 * node.random.next());
    }
    const database = { ...await kv.readOr("database", {}) as JsonObject };
    const done = mopsOf(body).map(([f, key, value]): AnyMicroOp => {
      if (f === "r") return [f, key, database[canonical(key)] ?? null];
      database[canonical(key)] = value;
      return [f, key, value];
    });
    if (writesOf(done).length > 0) await kv.write("database", database);
    await kv.cas("lock", own, "").catch(() => {});
    return { txn: done };
  });
}

/** How often a list is looked for that is not there yet. */
const LOOKS = 3;

/**
 * Keeps each state of a list in seq-kv, where it never changes, and in lin-kv which of them is the
 * newest of each key. A list that is not to be seen for long is taken for an empty one.
 */
function takesUnseenForEmpty(node: Node): void {
  const root = new KV<string, JsonObject>(node, "lin-kv");
  const lists = new KV<string, Json>(node, "seq-kv");
  let count = 0;
  const load = async (id: Json): Promise<Json[]> => {
    for (let look = 0; look < LOOKS; look++) {
      const list = await lists.readOr(String(id), null);
      if (list !== null) return asList(list);
      await pause(node.clock, 10);
    }
    return [];
  };
  serveAlone(node, txnListAppend, async (body) => {
    const mops = mopsOf(body);
    const before = await root.readOr("root", {});
    const after = { ...before };
    const values = new Map<string, Json[]>();
    for (const [, key] of mops) {
      const name = canonical(key);
      if (after[name] !== undefined) values.set(name, await load(after[name]));
    }
    const changed = new Set<string>();
    const done = mops.map(([f, key, value]): AnyMicroOp => {
      const name = canonical(key);
      if (f === "r") return [f, key, values.get(name) ?? null];
      values.set(name, [...values.get(name) ?? [], value]);
      changed.add(name);
      return [f, key, value];
    });
    if (changed.size === 0) return { txn: done };
    for (const name of changed) {
      const id = `${node.id} ${count++}`;
      await lists.write(id, values.get(name) ?? []);
      after[name] = id;
    }
    const isFirst = Object.keys(before).length === 0;
    if (!isFirst) {
      await root.cas("root", before, after).catch((error) => {
        const isLate = error instanceof RpcError && error.code === ErrorCode.preconditionFailed;
        throw isLate ? conflict() : error;
      });
    } else if (!await root.createIfMissing("root", after)) throw conflict();
    return { txn: done };
  });
}

/** Many transactions on few keys, which are new now and then. */
const crowded: Settings = {
  keyCount: 3,
  maxWritesPerKey: 4,
  rate: 100,
  concurrency: "4n",
  timeLimitSeconds: 10,
};

/** Keys that are still read when a cut is over. */
const lasting: Settings = {
  keyCount: 8,
  maxWritesPerKey: 128,
  rate: 100,
  concurrency: "4n",
  timeLimitSeconds: 12,
  nemesis: ["partition"],
  nemesisIntervalSeconds: 1.5,
};

/** The mutants. */
export const rareTxnMutants: readonly RareMutant[] = [
  {
    name: "does not check that a key is still missing",
    workload: "txn-rw-register",
    rule: "what a transaction did not find must still be missing when it commits",
    anomaly: "G2-item",
    needs: crowded,
    seeds: 1,
    install: (node) =>
      serveByAuthority(node, txnRwRegister, { makeServer: () => validatedDatabase(node) }),
  },
  {
    name: "gives up what it has promised to commit",
    workload: "txn-list-append",
    rule: "a participant that has voted for a commit waits for the decision",
    anomaly: "G-single-item-realtime",
    needs: lasting,
    seeds: 18,
    install: (node) => serveShards(node, txnListAppend, "participants give up"),
  },
  {
    name: "calls a commit that is not confirmed aborted",
    workload: "txn-list-append",
    rule: "a transaction is committed when all have voted for it, whoever hears of that",
    anomaly: "G1a",
    needs: lasting,
    seeds: 3,
    install: (node) => serveShards(node, txnListAppend, "unconfirmed is aborted"),
  },
  {
    name: "writes on when its lock has run out",
    workload: "txn-rw-register",
    rule: "who writes under a lock shows that it still has it, by a number that only grows",
    anomaly: "G-single-item-realtime",
    needs: { ...crowded, rate: 20, nemesis: ["pause"], timeLimitSeconds: 20 },
    seeds: 13,
    install: locksWithoutFence,
  },
  {
    name: "takes a list that it cannot see yet for empty",
    workload: "txn-list-append",
    rule: "what must be there is waited for, however long that takes",
    anomaly: "G-single-item-realtime",
    needs: crowded,
    seeds: 1,
    install: takesUnseenForEmpty,
  },
];
