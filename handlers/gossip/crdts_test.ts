import { assert, assertEquals } from "@std/assert";
import { MemoryStorage, parseJson } from "@eddy/maelstrom";
import { isSafe, RegisterStore, Totals, ValueSet } from "./crdts.ts";

Deno.test("values that Maelstrom takes for equal are kept once, and others are not equal", () => {
  const set = new ValueSet();
  const texts = ["1", '"1"', "1.0", '{"a":1,"b":[2]}', '{"b":[2],"a":1}', "null", "[1]", "1"];
  for (const text of texts) set.add(0, parseJson(text));
  assertEquals(JSON.stringify(set.values), '[1,"1",1.0,{"a":1,"b":[2]},null,[1]]');
  assertEquals(set.have, [6]);
});

Deno.test("a number written in two ways is kept once", () => {
  const set = new ValueSet();
  for (const text of ["0", "-0", "1.50", "1.5", "9007199254740993", "9007199254740992"]) {
    set.add(0, parseJson(text));
  }
  assertEquals(JSON.stringify(set.values), "[0,1.50,9007199254740993,9007199254740992]");
});

Deno.test("a value that was sent to two nodes is kept once", () => {
  const set = new ValueSet();
  set.add(0, "x");
  assertEquals(set.receive(1, { from: 0, to: 2, events: ["x", "y"] }), true);
  assertEquals(set.values, ["x", "y"]);
  assertEquals(set.have, [1, 2]);
});

Deno.test("an archive read in parts gives all values, and all prefixes", () => {
  const set = new ValueSet();
  for (let i = 0; i < 10; i++) set.add(0, i);
  set.settle([10]);
  assertEquals(set.kept, 0);
  const copy = new ValueSet();
  for (let from = 0; from < 10; from += 4) {
    const part = set.archive(from, 4);
    copy.restore(part, from + part.events.length === part.total ? set.have : undefined);
  }
  assertEquals(copy.values, set.values);
  assertEquals(copy.have, [10]);
  assertEquals(copy.since(0, 3, 1), undefined);
});

Deno.test("the newest total of a stream wins, whatever the order", () => {
  const totals = new Totals();
  assert(totals.receive(1, { from: 0, to: 3, events: [-7] }));
  assert(!totals.receive(1, { from: 0, to: 2, events: [100] }));
  assert(!totals.receive(1, { from: 0, to: 3, events: [-7] }));
  totals.add(0, 10);
  assertEquals(totals.sum, 3n);
  assertEquals(totals.since(1, 0), { from: 0, to: 3, events: [-7] });
});

Deno.test("what is no total is ignored", () => {
  const totals = new Totals();
  for (const event of ["1", 1.5, null, 2 ** 53]) {
    assert(!totals.receive(1, { from: 0, to: 1, events: [event] }));
  }
  assert(!totals.receive(1, { from: 0, to: 1, events: [] }));
  assertEquals(totals.sum, 0n);
});

Deno.test("an addition beyond what is exact is refused, and changes nothing", () => {
  const totals = new Totals();
  assert(totals.add(0, Number.MAX_SAFE_INTEGER));
  assert(!totals.add(0, 1));
  assert(totals.receive(1, { from: 0, to: 1, events: [-5] }));
  assert(!totals.add(0, 1), "the node's own total would not be exact, though the sum would");
  assert(totals.add(0, -1));
  assertEquals(totals.sum, BigInt(Number.MAX_SAFE_INTEGER) - 6n);
  assertEquals(totals.have, [2, 1]);
});

Deno.test("a stream's total that would take the sum beyond what is exact is refused until it fits", () => {
  const logs: string[] = [];
  const totals = new Totals((text) => void logs.push(text));
  const most = { from: 0, to: 1, events: [Number.MAX_SAFE_INTEGER] };
  assert(totals.receive(1, most));
  assert(!totals.receive(2, most));
  assertEquals([totals.sum, totals.have], [BigInt(Number.MAX_SAFE_INTEGER), [0, 1]]);
  assertEquals(logs, [
    "Dropped a total of 9007199254740991: with it the sum of 9007199254740991 would not be exact",
  ]);
  assert(!totals.receive(2, most));
  assertEquals(logs.length, 1, "the same total is sent again and again");
  assert(totals.receive(1, { from: 1, to: 2, events: [-1] }));
  assert(totals.receive(2, most));
  assertEquals(totals.sum, BigInt(Number.MAX_SAFE_INTEGER) - 1n);
});

Deno.test("safe integers are those of Number.isSafeInteger", () => {
  const max = BigInt(Number.MAX_SAFE_INTEGER);
  assertEquals([max, max + 1n, -max, -max - 1n].map(isSafe), [true, false, true, false]);
});

Deno.test("a later process has this node's own values and total, under their numbers", () => {
  const storage = new MemoryStorage();
  const [set, totals] = [new ValueSet(), new Totals()];
  set.resume(storage, 0);
  totals.resume(storage, 0);
  for (const value of ["a", "b"]) set.add(0, value);
  set.receive(1, { from: 0, to: 1, events: ["other's"] });
  for (const delta of [5, -2]) totals.add(0, delta);
  totals.receive(1, { from: 0, to: 1, events: [100] });

  const [laterSet, laterTotals] = [new ValueSet(), new Totals()];
  laterSet.resume(storage, 0);
  laterTotals.resume(storage, 0);
  assertEquals([laterSet.values, laterSet.have], [["a", "b"], [2]]);
  assertEquals([laterTotals.sum, laterTotals.have], [3n, [2]]);
  assert(laterSet.receive(1, { from: 0, to: 1, events: ["other's"] }), "it comes again");
});

Deno.test("a later process has this node's own writes, whole, and a clock above all it had seen", () => {
  const storage = new MemoryStorage();
  const start = () => {
    const store = new RegisterStore();
    store.resume(storage, 0);
    store.begin(0, 7);
    return store;
  };
  const read = (store: RegisterStore) => {
    return store.execute([["r", "x", null], ["r", "y", null]]).done.map(([, , value]) => value);
  };
  const first = start();
  first.execute([["w", "x", 1], ["w", "y", 1]]);
  first.receive(1, { from: 0, to: 1, events: [[500, 8, [["x", "other's"]]]] });
  assertEquals(read(first), ["other's", 1]);

  const second = start();
  assertEquals([read(second), second.have], [[1, 1], [1]]);
  second.execute([["w", "x", 2]]);
  second.receive(1, { from: 0, to: 1, events: [[500, 8, [["x", "other's"]]]] });
  assertEquals(read(second), [2, 1], "it was written after the other's had been seen");
});

Deno.test("own writes that a snapshot stands for are those of all that was held", () => {
  const storage = new MemoryStorage();
  const first = new RegisterStore();
  first.resume(storage, 0);
  first.begin(0, 7);
  first.receive(1, { from: 0, to: 1, events: [[1, 8, [["other", "x"]]]] });
  for (let i = 0; i < 10_000; i++) first.execute([["w", i % 100, i]]);
  const log = storage.log("writes");
  assertEquals([log.last, log.snapshot().length], [10_000, 101]);
  assert(log.base > 8000);

  const second = new RegisterStore();
  second.resume(storage, 0);
  assertEquals(second.have, [10_000]);
  assertEquals(second.since(0, 0, 1), undefined, "whoever lacks it reads the archive");
  assertEquals(second.archive(0, 9999).events.filter((event) => event !== null).length, 101);
  assertEquals(second.execute([["r", 99, null], ["r", "other", null]]).done, [
    ["r", 99, 9999],
    ["r", "other", "x"],
  ]);
});
