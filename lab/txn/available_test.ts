import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type RegisterTxn, serveTxnRwRegister } from "@eddy/handlers";
import { RegisterStore } from "@eddy/handlers/gossip/crdts.ts";
import type { Json } from "@eddy/maelstrom";
import { simulate } from "@eddy/workbench";

/** Some stores whose streams have the same numbers everywhere. */
function stores(count: number): RegisterStore[] {
  return Array.from({ length: count }, (_, i) => {
    const store = new RegisterStore();
    store.begin(i, i);
    return store;
  });
}

/** Hands `to` what `from` has of a stream. */
function tell(from: RegisterStore, to: RegisterStore, stream: number): void {
  const batch = from.since(stream, to.have[stream] ?? 0, 1000);
  if (batch !== undefined) to.receive(stream, batch);
}

const keys = [1, "1", { a: 1 }];
const read = (store: RegisterStore) => store.execute(keys.map((key) => ["r", key, null])).done;
const write = fc.tuple(fc.constant("w" as const), fc.constantFrom<Json>(...keys), fc.nat());
const step = fc.record({
  at: fc.nat(2),
  to: fc.nat(2),
  txn: fc.array(write, { minLength: 1, maxLength: 4 }),
});

Deno.test("whatever is told whom and when, all end up with the same registers", () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const all = stores(3);
      for (const { at, to, txn } of steps) {
        const [from, other] = [all[at], all[to]];
        assert(from !== undefined && other !== undefined);
        from.execute(txn);
        tell(from, other, at);
      }
      for (const from of all) for (const to of all) for (const i of [0, 1, 2]) tell(from, to, i);
      for (const from of all) for (const to of all) for (const i of [0, 1, 2]) tell(from, to, i);
      const [first, ...others] = all.map(read);
      for (const other of others) assertEquals(other, first);
    }),
    { numRuns: 200 },
  );
});

Deno.test("a transaction reads its own writes, and writes what it wrote last", () => {
  const [store, other] = stores(2);
  assert(store !== undefined && other !== undefined);
  const txn: RegisterTxn = [["r", 1, null], ["w", 1, 5], ["r", 1, null], ["w", 1, 6], [
    "r",
    1,
    null,
  ]];
  assertEquals(store.execute(txn).done.map(([, , value]) => value), [null, 5, 5, 6, 6]);
  tell(store, other, 0);
  assertEquals(other.execute([["r", 1, null]]).done, [["r", 1, 6]]);
});

Deno.test("who lost everything takes an archive whole or not at all", () => {
  const [store] = stores(1);
  assert(store !== undefined);
  for (let i = 0; i < 10; i++) store.execute([["w", "x", i], ["w", `k${i}`, i]]);
  store.settle([10]);
  assertEquals(store.since(0, 0, 10), undefined);
  const late = new RegisterStore();
  late.begin(1, 1);
  const readX: RegisterTxn = [["r", "x", null]];
  let from = 0;
  while (true) {
    const part = store.archive(from, 6);
    from += part.events.length;
    const isLast = from >= part.total;
    // While the archive is read, its owner goes on.
    if (from === 6) store.execute([["w", "x", 99], ["w", "k0", 99]]);
    late.restore(part, isLast ? [...store.have] : undefined);
    if (isLast) break;
    assertEquals(late.execute(readX).done, [["r", "x", null]]);
  }
  assertEquals(late.execute([["r", "x", null], ["r", "k0", null], ["r", "k7", null]]).done, [
    ["r", "x", 99],
    ["r", "k0", 99],
    ["r", "k7", 7],
  ]);
});

Deno.test("read committed is totally available, and takes hardly a message", async () => {
  for (const consistency of ["read-committed", "read-uncommitted"] as const) {
    const { results } = await simulate({
      workload: "txn-rw-register",
      install: (node) => serveTxnRwRegister(node, { consistency }),
      nodeCount: 2,
      concurrency: "2n",
      rate: 1000,
      timeLimitSeconds: 5,
      availability: "total",
      consistencyModels: [consistency],
      nemesis: ["partition"],
      nemesisIntervalSeconds: 2,
    });
    assertEquals(results.valid, true, JSON.stringify(results.findings));
    const { msgsPerOp: perOperation } = results.net.servers;
    assert((perOperation ?? 0) <= 0.02, `${perOperation}`);
  }
});

Deno.test("whatever happens between nodes, no client reads half a transaction", async () => {
  const { results } = await simulate({
    workload: "txn-rw-register",
    install: (node) =>
      serveTxnRwRegister(node, { consistency: "read-committed", maxLatencyMs: 20 }),
    nodeCount: 5,
    concurrency: "4n",
    rate: 200,
    timeLimitSeconds: 10,
    availability: "total",
    consistencyModels: ["monotonic-atomic-view"],
    nemesis: ["partition", "one-way", "loss", "duplicate", "slow"],
    nemesisIntervalSeconds: 2,
  });
  assertEquals(results.valid, true, JSON.stringify(results.findings));
});
