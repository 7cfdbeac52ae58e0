import { assert, assertEquals } from "@std/assert";
import { isSafe, Totals } from "./totals.ts";

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

Deno.test("safe integers are those that a double holds without doubt", () => {
  const max = BigInt(Number.MAX_SAFE_INTEGER);
  assertEquals([max, max + 1n, -max, -max - 1n].map(isSafe), [true, false, true, false]);
});
