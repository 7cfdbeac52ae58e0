import fc from "fast-check";
import { assertEquals, assertThrows } from "@std/assert";
import { parseJson } from "@eddy/maelstrom";
import type { Op } from "./history.ts";
import { OpColumns } from "./op_columns.ts";
import { readerOf } from "./op_reader.ts";

function columnsOf(ops: readonly Op[]): OpColumns {
  const columns = new OpColumns();
  for (const op of ops) columns.push(op);
  return columns;
}

const anyOp = fc.record({
  index: fc.oneof(fc.nat(), fc.maxSafeInteger()),
  time: fc.oneof(fc.nat(), fc.double({ noNaN: true })),
  type: fc.constantFrom("invoke" as const, "ok" as const, "fail" as const, "info" as const),
  process: fc.oneof(
    fc.nat(9),
    fc.constant("nemesis" as const),
    fc.integer(),
    fc.constantFrom(2 ** 40, 0.5),
  ),
  f: fc.oneof(fc.constantFrom("read", "write"), fc.string()),
  value: fc.json({ maxDepth: 3 }).map(parseJson),
  error: fc.record({ code: fc.nat(), text: fc.string() }, { requiredKeys: ["text"] }),
  final: fc.boolean(),
  node: fc.oneof(fc.constantFrom("n0", "n1", ""), fc.string()),
}, { requiredKeys: ["index", "time", "type", "process", "f", "value"] }) as fc.Arbitrary<Op>;

Deno.test("columns give back each operation exactly, whole and by its properties", () => {
  fc.assert(
    fc.property(fc.array(anyOp), fc.boolean(), (drawn, isInOrder) => {
      const ops = isInOrder ? drawn.map((op, index) => ({ ...op, index })) : drawn;
      const columns = columnsOf(ops);
      assertEquals([...columns], ops);
      assertEquals(columns.length, ops.length);
      assertEquals([columns.at(-1), columns.at(0)], [ops.at(-1), ops.at(0)]);
      assertEquals([columns.at(ops.length), columns.at(-ops.length - 1)], [undefined, undefined]);
      const [some, others] = [readerOf(columns), readerOf(ops)];
      for (let i = 0; i < ops.length; i++) {
        assertEquals(some.opAt(i), others.opAt(i));
        assertEquals(some.typeAt(i), others.typeAt(i));
        assertEquals(some.processAt(i), others.processAt(i));
        assertEquals(some.nodeAt(i), others.nodeAt(i));
        assertEquals(some.fAt(i), others.fAt(i));
        assertEquals(some.timeAt(i), others.timeAt(i));
        assertEquals(some.finalAt(i), others.finalAt(i));
        assertEquals(some.valueAt(i), others.valueAt(i));
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("more operations than share their arrays, and more names than have a number, come back", () => {
  const op = (i: number): Op => ({
    index: i < 100_000 ? i : i + 1,
    time: i * 1000,
    type: i % 2 === 0 ? "invoke" : "ok",
    process: i % 7,
    f: i % 2 === 0 ? "read" : `f${i}`,
    value: [i, "x", null],
    node: `n${i % 3}`,
  });
  const columns = columnsOf(Array.from({ length: 140_000 }, (_, i) => op(i)));
  for (let i = 0; i < columns.length; i += i % 1000 === 0 ? 1 : 333) {
    const found = columns.at(i);
    if (JSON.stringify(found) !== JSON.stringify(op(i))) assertEquals(found, op(i));
  }
});

Deno.test("what is not there is refused", () => {
  for (const history of [columnsOf([]), []]) {
    assertThrows(
      () => readerOf(history).opAt(0),
      RangeError,
      "Cannot read operation 0: there is none",
    );
  }
});
