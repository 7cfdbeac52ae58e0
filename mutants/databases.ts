/**
 * Databases at several isolation levels: each right at its own, and wrong at a stronger one.
 *
 * Levels as in Adya's thesis ("Weak Consistency", 1999). Transactions take a while between their
 * micro-operations, so that they overlap.
 *
 * @module
 */

import type { MicroOp } from "@eddy/handlers";
import {
  canonical,
  ErrorCode,
  type Json,
  type JsonObject,
  type Node,
  pause,
  RpcError,
} from "@eddy/maelstrom";
import type { AsyncServer } from "./reference.ts";

/** A micro-operation as it travels. */
export type AnyMicroOp = MicroOp<string>;

/** Writes of one transaction, in order. */
export type Writes = readonly AnyMicroOp[];

/** How long a micro-operation takes at most. */
const MAX_MOP_MS = 12;

/** Every version of every key. */
export class Versions {
  readonly #versions = new Map<string, { readonly at: number; readonly value: Json }[]>();
  #commits = 0;

  /** How many transactions have committed. */
  get commits(): number {
    return this.#commits;
  }

  /** A key's value after the first `at` commits, with further writes on top. */
  read(key: Json, at: number = this.#commits, writes: Writes = []): Json {
    const versions = this.#versions.get(canonical(key)) ?? [];
    const committed = versions.findLast((version) => version.at <= at)?.value ?? null;
    return writes.filter((mop) => canonical(mop[1]) === canonical(key)).reduce(written, committed);
  }

  /** Whether a key was written after the first `at` commits. */
  changedSince(key: Json, at: number): boolean {
    return (this.#versions.get(canonical(key))?.at(-1)?.at ?? 0) > at;
  }

  /**
   * Makes writes lasting, all at once.
   *
   * @param from on top of which state lists are appended to; the newest by default
   */
  commit(writes: Writes, from: number = this.#commits): void {
    const values = new Map(
      writes.map(([, key]) => [canonical(key), this.read(key, from, writes)] as const),
    );
    this.#commits++;
    for (const [name, value] of values) {
      const versions = this.#versions.get(name) ?? [];
      this.#versions.set(name, versions);
      versions.push({ at: this.#commits, value });
    }
  }
}

function written(old: Json, [f, _key, value]: AnyMicroOp): Json {
  return f === "append" ? [...Array.isArray(old) ? old : [], value] : value;
}

/** A request's micro-operations. */
export function mopsOf({ txn }: JsonObject): AnyMicroOp[] {
  return (Array.isArray(txn) ? txn : []) as AnyMicroOp[];
}

/** Those that write. */
export function writesOf(mops: readonly AnyMicroOp[]): Writes {
  return mops.filter(([f]) => f !== "r");
}

/** The reply to a transaction of which `read` tells what its reads found. */
export function answerOf(
  mops: readonly AnyMicroOp[],
  read: (key: Json, before: Writes) => Json,
): { txn: Json } {
  return {
    txn: mops.map(([f, key, value], i): AnyMicroOp =>
      f === "r" ? [f, key, read(key, writesOf(mops.slice(0, i)))] : [f, key, value]
    ),
  };
}

/** Waits for as long as a micro-operation takes. */
export function rest(node: Node): Promise<void> {
  return pause(node.clock, node.random.next() * MAX_MOP_MS);
}

/** Everything at once: strict-serializable. */
export function strictDatabase(): AsyncServer {
  const versions = new Versions();
  return (body) => runAtOnce(versions, mopsOf(body));
}

/** Runs a transaction on the newest state, at one moment. */
export function runAtOnce(versions: Versions, mops: readonly AnyMicroOp[]): { txn: Json } {
  const at = versions.commits;
  const writes = writesOf(mops);
  if (writes.length > 0) versions.commit(writes);
  return answerOf(mops, (key, before) => versions.read(key, at, before));
}

/** Each micro-operation by itself: no isolation at all, not even read-uncommitted. */
export function unisolatedDatabase(node: Node): AsyncServer {
  const versions = new Versions();
  return async (body) => {
    const done: AnyMicroOp[] = [];
    for (const [f, key, value] of mopsOf(body)) {
      await rest(node);
      if (f !== "r") versions.commit([[f, key, value]]);
      done.push([f, key, f === "r" ? versions.read(key) : value]);
    }
    return { txn: done };
  };
}

/**
 * All writes at once before the reads, which therefore see those of others under way. Transactions
 * that read and write the same key go at once, so as not to read what they write only later.
 */
export function readUncommittedDatabase(node: Node): AsyncServer {
  const versions = new Versions();
  return async (body) => {
    const mops = mopsOf(body);
    if (readsOwnWrites(mops)) return runAtOnce(versions, mops);
    versions.commit(writesOf(mops));
    await rest(node);
    return answerOf(mops, (key) => versions.read(key));
  };
}

/** Whether some key is both read and written. */
export function readsOwnWrites(mops: readonly AnyMicroOp[]): boolean {
  const written = new Set(writesOf(mops).map(([, key]) => canonical(key)));
  return mops.some(([f, key]) => f === "r" && written.has(canonical(key)));
}

/**
 * Each read sees what is committed by then, and nothing of its own transaction; writes come at the
 * end, all at once.
 */
export function readCommittedDatabase(node: Node): AsyncServer {
  const versions = new Versions();
  return async (body) => {
    const done: AnyMicroOp[] = [];
    for (const [f, key, value] of mopsOf(body)) {
      await rest(node);
      done.push([f, key, f === "r" ? versions.read(key) : value]);
    }
    versions.commit(writesOf(done));
    return { txn: done };
  };
}

/**
 * All reads from one snapshot, all writes at once at the end, unless another transaction has written
 * one of the keys meanwhile: snapshot isolation.
 *
 * @param firstWins whether the first to commit wins; without that, updates are lost
 */
export function snapshotDatabase(node: Node, { firstWins = true } = {}): AsyncServer {
  const versions = new Versions();
  return async (body) => {
    const mops = mopsOf(body);
    const at = versions.commits;
    for (const _mop of mops) await rest(node);
    const writes = writesOf(mops);
    if (firstWins && writes.some(([, key]) => versions.changedSince(key, at))) {
      throw new RpcError(ErrorCode.txnConflict, "Another transaction was first");
    }
    versions.commit(writes, at);
    return answerOf(mops, (key, before) => versions.read(key, at, before));
  };
}

/** How far back a stale read goes, in transactions. */
const MAX_STALE = 20;

/** Transactions that only read see some past state; serializable, but nothing stronger. */
export function staleDatabase(node: Node): AsyncServer {
  const versions = new Versions();
  return (body) => {
    const mops = mopsOf(body);
    if (writesOf(mops).length > 0) return runAtOnce(versions, mops);
    const at = Math.max(0, versions.commits - Math.floor(node.random.next() * MAX_STALE));
    return answerOf(mops, (key) => versions.read(key, at));
  };
}

/** How long a transaction of the other half stays out of sight. */
const HIDDEN_MS = 150;

/**
 * Halves of the cluster see each other's transactions late, and so in another order: parallel
 * snapshot isolation, with long forks.
 *
 * What depends on a transaction out of sight is out of sight, too.
 */
export function forkedDatabase(node: Node): AsyncServer {
  const versions = new Versions();
  let recent: {
    readonly atMs: number;
    readonly half: number;
    readonly mops: readonly AnyMicroOp[];
  }[] = [];
  return (body, asked) => {
    const mops = mopsOf(body);
    const half = node.nodeIds.indexOf(asked) % 2;
    const nowMs = node.clock.now();
    recent = recent.filter(({ atMs }) => nowMs - atMs <= HIDDEN_MS);
    if (writesOf(mops).length > 0) {
      recent.push({ atMs: nowMs, half, mops });
      return runAtOnce(versions, mops);
    }
    const base = versions.commits - recent.length;
    const hidden = new Set<string>();
    const visible: AnyMicroOp[] = [];
    for (const other of recent) {
      const writes = writesOf(other.mops);
      const late = other.half !== half ||
        other.mops.some(([, key]) => hidden.has(canonical(key)));
      if (late) writes.forEach(([, key]) => hidden.add(canonical(key)));
      else visible.push(...writes);
    }
    return answerOf(mops, (key) => versions.read(key, base, visible));
  };
}
