import fc from "fast-check";
import { assertEquals } from "@std/assert";
import type { Json } from "@eddy/maelstrom";
import { type AppendTxn, isReadOnly, type RegisterTxn } from "../txn.ts";
import { ListMachine, RegisterMachine } from "./state_machines.ts";

const key = fc.constantFrom<Json>(1, "1", [1], { a: 1 });
const appendTxn: fc.Arbitrary<AppendTxn> = fc.array(fc.oneof(
  fc.tuple(fc.constant("r" as const), key, fc.constant(null)),
  fc.tuple(fc.constant("append" as const), key, fc.nat()),
));
const registerTxn: fc.Arbitrary<RegisterTxn> = fc.array(fc.oneof(
  fc.tuple(fc.constant("r" as const), key, fc.constant(null)),
  fc.tuple(fc.constant("w" as const), key, fc.nat()),
));

Deno.test("a transaction's reads see all that came before, its own appends included", () => {
  fc.assert(
    fc.property(fc.array(appendTxn), (txns) => {
      const machine = new ListMachine();
      const model = new Map<string, Json[]>();
      const outcomes: [outcome: () => object, expected: object][] = [];
      for (const txn of txns) {
        const expected = txn.map(([f, k, value]) => {
          const name = JSON.stringify(k);
          if (f === "append") model.set(name, [...model.get(name) ?? [], value]);
          return [f, k, f === "append" ? value : model.get(name) ?? null];
        });
        outcomes.push([machine.apply(txn), { txn: expected }]);
      }
      for (const [outcome, expected] of outcomes) assertEquals(outcome(), expected);
      const copy = new ListMachine();
      copy.restore(machine.snapshot());
      assertEquals(copy.snapshot(), machine.snapshot());
    }),
    { numRuns: 100 },
  );
});

Deno.test("a list that was read does not change any more", () => {
  const machine = new ListMachine();
  machine.apply([["append", 1, 1]]);
  const before = machine.read([["r", 1, null]]);
  machine.apply([["append", 1, 2]]);
  assertEquals(before, { txn: [["r", 1, [1]]] });
});

Deno.test("a long list travels in pieces", () => {
  const machine = new ListMachine();
  for (let i = 0; i < 5000; i++) machine.apply([["append", "k", i]]);
  const pieces = machine.snapshot();
  assertEquals(pieces.length, 5);
  const copy = new ListMachine();
  copy.restore(pieces);
  assertEquals(copy.read([["r", "k", null]]), machine.read([["r", "k", null]]));
});

Deno.test("registers hold what was written last", () => {
  fc.assert(
    fc.property(fc.array(registerTxn), (txns) => {
      const machine = new RegisterMachine();
      const model = new Map<string, Json>();
      for (const txn of txns) {
        const expected = txn.map(([f, k, value]) => {
          const name = JSON.stringify(k);
          if (f === "w") model.set(name, value);
          return [f, k, model.get(name) ?? null];
        });
        assertEquals(machine.apply(txn)(), { txn: expected });
      }
      const copy = new RegisterMachine();
      copy.restore(machine.snapshot());
      assertEquals(copy.snapshot(), machine.snapshot());
    }),
    { numRuns: 100 },
  );
});

Deno.test("a transaction that only reads is told from one that does not", () => {
  assertEquals(isReadOnly([]), true);
  assertEquals(isReadOnly([["r", 1, null], ["r", 2, null]]), true);
  assertEquals(isReadOnly([["r", 1, null], ["w", 2, 1]]), false);
});
