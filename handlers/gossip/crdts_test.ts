import { assert, assertEquals } from "@std/assert";
import { parseJson } from "@eddy/maelstrom";
import { isSafe, Totals, ValueSet } from "./crdts.ts";

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
