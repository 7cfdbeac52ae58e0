/**
 * Right and wrong nodes for `txn-list-append` and `txn-rw-register`.
 *
 * @module
 */

import { txnListAppendSchema, txnRwRegisterSchema } from "@eddy/handlers";
import {
  canonical,
  ErrorCode,
  type Json,
  type JsonObject,
  Mailbox,
  type Node,
  pause,
  RpcError,
} from "@eddy/maelstrom";
import { nowAndThen, serveAlone, serveByAuthority } from "./authority.ts";
import type { Mutant, Settings } from "./mutant.ts";
import {
  answerOf,
  type AnyMicroOp,
  forkedDatabase,
  mopsOf,
  readCommittedDatabase,
  readsOwnWrites,
  readUncommittedDatabase,
  runAtOnce,
  snapshotDatabase,
  staleDatabase,
  strictDatabase,
  unisolatedDatabase,
  Versions,
  writesOf,
} from "./databases.ts";
import { type AsyncServer, ok, type Reference } from "./reference.ts";
import { asList } from "./stores.ts";

/** Right nodes for `txn-list-append`. */
export const txnListAppend: Reference = {
  workload: "txn-list-append",
  schema: txnListAppendSchema,
  inMemory() {
    const values = new Map<string, Json>();
    return (body) => {
      const txn = mopsOf(body).map(([f, key, value = null]) => {
        const name = canonical(key);
        const old = values.get(name) ?? null;
        if (f === "append") values.set(name, [...asList(old), value]);
        if (f === "w") values.set(name, value);
        return [f, key, f === "r" ? old : value];
      });
      return ok(body, { txn });
    };
  },
  /** The whole database is one value, so a transaction is one compare-and-set. */
  onStore: (store) => async (body) => {
    let done: AnyMicroOp[] = [];
    await store.update("database", {}, (old) => {
      const database = { ...old as JsonObject };
      done = mopsOf(body).map((mop) => applyTo(database, mop));
      return database;
    });
    return { txn: done };
  },
};

/** Right nodes for `txn-rw-register`. */
export const txnRwRegister: Reference = {
  ...txnListAppend,
  workload: "txn-rw-register",
  schema: txnRwRegisterSchema,
};

function applyTo(database: JsonObject, [f, key, value = null]: AnyMicroOp): AnyMicroOp {
  const name = canonical(key);
  const old = database[name] ?? null;
  if (f === "r") return [f, key, old];
  database[name] = f === "append" ? [...asList(old), value] : value;
  return [f, key, value];
}

function wrong(
  reference: Reference,
  name: string,
  anomaly: string,
  makeServer: (node: Node) => AsyncServer,
  needs: Settings = {},
): Mutant {
  const install = (node: Node) => serveByAuthority(node, reference, { makeServer });
  return { name, workload: reference.workload, anomaly, needs, install };
}

function level(...consistencyModels: string[]): Settings {
  return { consistencyModels };
}

/** Many transactions on few keys. */
const CROWDED: Settings = { keyCount: 3, maxWritesPerKey: 8, rate: 200, timeLimitSeconds: 6 };

/** Denies what it has done now and then. */
function denies(node: Node): AsyncServer {
  const server = strictDatabase();
  return async (body, asked) => {
    const answer = await server(body, asked);
    if (!nowAndThen(node, 0.1)) return answer;
    throw new RpcError(ErrorCode.txnConflict, "It did not happen");
  };
}

/** Takes back a transaction now and then, but not its first write. */
function takesBackInPart(node: Node): AsyncServer {
  const versions = new Versions();
  return (body) => {
    const mops = mopsOf(body);
    if (!nowAndThen(node, 0.1)) return runAtOnce(versions, mops);
    versions.commit(writesOf(mops).slice(0, 1));
    throw new RpcError(ErrorCode.txnConflict, "It was taken back");
  };
}

/** Shows those who only read the first write of a transaction a while before the others. */
function showsPassingStates(node: Node): AsyncServer {
  const versions = new Versions();
  const writers = new Mailbox();
  return (body) => {
    const mops = mopsOf(body);
    const writes = writesOf(mops);
    if (writes.length === 0) return runAtOnce(versions, mops);
    return writers.run(async () => {
      const at = versions.commits;
      versions.commit(writes.slice(0, 1));
      if (writes.length > 1) await pause(node.clock, 20);
      versions.commit(writes.slice(1));
      return answerOf(mops, (key, before) => versions.read(key, at, before));
    });
  };
}

/** Reads see nothing of their own transaction's writes, or all of them. */
function readsAt(when: "before" | "after"): AsyncServer {
  const versions = new Versions();
  return (body) => {
    const mops = mopsOf(body);
    const at = versions.commits;
    versions.commit(writesOf(mops));
    return answerOf(mops, (key) => versions.read(key, when === "before" ? at : versions.commits));
  };
}

/** Changes the reads of a strict database. */
function rereads(
  change: (found: Json, node: Node, key: Json) => Json,
): (node: Node) => AsyncServer {
  return (node) => {
    const versions = new Versions();
    return (body) => {
      const { txn } = runAtOnce(versions, mopsOf(body));
      return {
        txn: (txn as AnyMicroOp[]).map(([f, key, value]): AnyMicroOp => [
          f,
          key,
          f === "r" ? change(value, node, key) : value,
        ]),
      };
    };
  };
}

/** Forgets a transaction now and then that it acknowledges. */
function forgets(node: Node): AsyncServer {
  const versions = new Versions();
  return (body) => {
    const mops = mopsOf(body);
    const forgotten = !readsOwnWrites(mops) && nowAndThen(node, 0.05);
    if (!forgotten) return runAtOnce(versions, mops);
    return answerOf(mops, (key) => versions.read(key));
  };
}

/** Writes at once, and reads a while later now and then. */
function readsLate(node: Node): AsyncServer {
  const versions = new Versions();
  return async (body) => {
    const mops = mopsOf(body);
    if (!nowAndThen(node, 0.3)) return runAtOnce(versions, mops);
    versions.commit(writesOf(mops));
    await pause(node.clock, 40);
    return answerOf(mops, (key) => versions.read(key));
  };
}

/** Undoes a key's last write now and then, though later ones have built on it. */
function goesBack(node: Node): AsyncServer {
  const versions = new Versions();
  const before = new Map<string, Json>();
  return (body) => {
    const mops = mopsOf(body);
    for (const [, key] of writesOf(mops)) {
      const name = canonical(key);
      const old = before.get(name);
      before.set(name, versions.read(key));
      if (old !== undefined && nowAndThen(node, 0.1)) versions.commit([["w", key, old]]);
    }
    return runAtOnce(versions, mops);
  };
}

/** Writes at the first node, reads from a copy that follows it. */
function readsCopies(node: Node, reference: Reference): void {
  const copy = new Versions();
  node.on("commit", ({ body: { writes } }) => copy.commit(writes as AnyMicroOp[]));
  serveByAuthority(node, reference, {
    makeServer: () => (body) => {
      const mops = mopsOf(body);
      const writes = writesOf(mops);
      const answer = runAtOnce(copy, mops);
      if (writes.length > 0) node.broadcast({ type: "commit", writes: [...writes] });
      return answer;
    },
    around: (ask) => (body, asked) => {
      const mops = mopsOf(body);
      if (writesOf(mops).length > 0) return ask(body, asked);
      return answerOf(mops, (key) => copy.read(key));
    },
  });
}

/** Faults that both workloads know. */
function common(reference: Reference): Mutant[] {
  return [
    wrong(reference, "denies a transaction that happened", "G1a", denies, level("read-committed")),
    wrong(reference, "shows a state between two writes", "G1b", showsPassingStates, {
      ...level("read-committed"),
      keyCount: 3,
    }),
    wrong(reference, "reads what others have not finished", "G1c", readUncommittedDatabase, {
      ...level("read-committed"),
      rate: 100,
    }),
    wrong(
      reference,
      "does not read its own writes",
      "internal",
      () => readsAt("before"),
      level("snapshot-isolation"),
    ),
    wrong(
      reference,
      "lets the last to commit win",
      "lost-update",
      (node) => snapshotDatabase(node, { firstWins: false }),
      { ...level("snapshot-isolation"), rate: 100 },
    ),
    wrong(reference, "takes snapshot isolation for serializable", "G2-item", snapshotDatabase, {
      ...level("serializable"),
      ...CROWDED,
    }),
    wrong(
      reference,
      "takes read-committed for snapshot isolation",
      "G-single-item",
      readCommittedDatabase,
      { ...level("snapshot-isolation"), ...CROWDED },
    ),
    wrong(reference, "shows two halves a long fork", "G-nonadjacent-item", forkedDatabase, {
      ...level("snapshot-isolation"),
      ...CROWDED,
    }),
    wrong(
      reference,
      "goes back in time for one who read on",
      "G-single-item-process",
      staleDatabase,
      level("strong-session-serializable"),
    ),
    wrong(
      reference,
      "takes serializable for strict",
      "G-single-item-realtime",
      staleDatabase,
    ),
    {
      name: "reads from a copy that may be old",
      workload: reference.workload,
      anomaly: "G-single-item-realtime",
      needs: { latency: { meanMs: 30 }, rate: 100 },
      install: (node) => readsCopies(node, reference),
    },
  ];
}

/** Wrong nodes for `txn-list-append`. */
export const txnListAppendMutants: readonly Mutant[] = [
  ...common(txnListAppend),
  wrong(txnListAppend, "runs transactions into each other", "G0", unisolatedDatabase, {
    ...level("read-uncommitted"),
    rate: 100,
  }),
  wrong(
    txnListAppend,
    "takes a transaction back in part",
    "dirty-update",
    takesBackInPart,
    level("read-committed"),
  ),
  wrong(
    txnListAppend,
    "reads what it will append later",
    "future-read",
    () => readsAt("after"),
    level("read-committed"),
  ),
  wrong(
    txnListAppend,
    "returns an element twice now and then",
    "duplicate-elements",
    rereads((found, node) =>
      Array.isArray(found) && nowAndThen(node, 0.05) ? [...found, ...found.slice(-1)] : found
    ),
    level("read-uncommitted"),
  ),
  wrong(
    txnListAppend,
    "swaps the last two elements now and then",
    "incompatible-order",
    rereads((found, node) =>
      Array.isArray(found) && nowAndThen(node, 0.05)
        ? [...found.slice(0, -2), ...found.slice(-2).toReversed()]
        : found
    ),
    level("read-committed"),
  ),
  wrong(
    txnListAppend,
    "forgets a transaction that it acknowledged",
    "G0-realtime",
    forgets,
  ),
  wrong(txnListAppend, "answers with an empty transaction", "unwritten-element", () => () => ({
    txn: [],
  })),
  {
    name: "keeps a database of its own",
    workload: "txn-list-append",
    anomaly: "incompatible-order",
    install: (node) => serveAlone(node, txnListAppend, strictDatabase()),
  },
];

/** Wrong nodes for `txn-rw-register`. */
export const txnRwRegisterMutants: readonly Mutant[] = [
  ...common(txnRwRegister),
  wrong(
    txnRwRegister,
    "forgets a transaction that it acknowledged",
    "G-single-item-realtime",
    forgets,
    CROWDED,
  ),
  wrong(
    txnRwRegister,
    "goes back to an older value now and then",
    "lost-update",
    goesBack,
  ),
  wrong(txnRwRegister, "reads long after it wrote now and then", "cyclic-versions", readsLate, {
    ...level("read-uncommitted"),
    rate: 100,
  }),
];
