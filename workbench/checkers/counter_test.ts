import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Json, parseJson } from "@eddy/maelstrom";
import type { OpType } from "../history.ts";
import { checkCounter } from "./counter.ts";
import { handmade, type Row } from "../testing.ts";

const add = (type: OpType, delta: Json): Row[] => [
  [0, "invoke", "add", delta],
  [0, type, "add", delta],
];
const read = (value: Json, final: boolean): Row[] => [
  [1, "invoke", "read", null, { final }],
  [1, "ok", "read", value, { final }],
];
const check = (...rows: Row[]) => checkCounter(handmade(...rows));

Deno.test("checkCounter() accepts the sum of the acknowledged adds", () => {
  const result = check(...add("ok", 3), ...add("ok", -5), ...read(3, false), ...read(-2, true));
  assertEquals(result, {
    valid: true,
    errors: [],
    finalReads: [-2],
    acceptable: [[-2, -2]],
  });
});

Deno.test("checkCounter() tells of a final read that is no such sum", () => {
  const history = handmade(...add("ok", 3), ...add("info", 2), ...read(4, true));
  const result = checkCounter(history);
  assertEquals(result.valid, false);
  assertEquals(result.errors, history.slice(5, 6));
  assertEquals(result.acceptable, [[3, 3], [5, 5]]);
  assertEquals(result.findings, [{
    anomaly: "wrong-final-read",
    what:
      "The final read by process 1 on n1 at 0.005 s returned 4, but the sum of 1 acknowledged " +
      "add is 3; with 1 add of unknown outcome it may be 3 or 5",
    ops: history.slice(2),
  }]);
});

Deno.test("checkCounter() passes over reads that are not final or not acknowledged", () => {
  const result = check(
    ...add("ok", 1),
    ...read(99, false),
    [2, "invoke", "read", null, { final: true }],
    [2, "info", "read", null, { final: true }],
  );
  assertEquals(result.valid, true);
  assertEquals(result.finalReads, []);
});

Deno.test("checkCounter() leaves failed adds out, and takes one still open for unknown", () => {
  const result = check(...add("fail", 10), [0, "invoke", "add", 4], ...read(4, true));
  assertEquals(result.valid, true);
  assertEquals(result.acceptable, [[0, 0], [4, 4]]);
});

Deno.test("checkCounter() joins intervals that touch", () => {
  const result = check(...[1, 1, -1, 2].flatMap((delta) => add("info", delta)), ...read(4, true));
  assertEquals(result.acceptable, [[-1, 4]]);
  assertEquals(result.valid, true);
});

Deno.test("checkCounter() is exact beyond 2^53", () => {
  const big = parseJson("9007199254740993");
  assertEquals(check(...add("ok", big), ...read(big, true)).valid, true);
  const wrong = check(...add("ok", big), ...read(2 ** 53, true));
  assertEquals(wrong.valid, false);
  assertEquals(JSON.stringify(wrong.acceptable), "[[9007199254740993,9007199254740993]]");
});

Deno.test("checkCounter() takes 5.0 and texts for no sum at all", () => {
  for (const value of [parseJson("5.0"), "5", null, [5]]) {
    assertEquals(check(...add("ok", 5), ...read(value, true)).valid, false);
  }
});

Deno.test("checkCounter() has no verdict when nothing was added, but for what is wrong even so", () => {
  assertEquals(check(...read(0, true)).valid, "unknown");
  assertEquals(check(...read(0, true)).findings?.[0]?.anomaly, "nothing-tested");
  assertEquals(check(...read(1, true)).valid, false);
});

Deno.test("checkCounter() has no verdict when an add carries no integer", () => {
  const result = check(...add("ok", "3"), ...read(0, true));
  assertEquals(result.valid, "unknown");
  assertEquals(result.findings?.[0]?.anomaly, "unreadable-add");
  assertEquals(result.warnings?.length, 1);
});

Deno.test("checkCounter() keeps to the hull of the sums when there are too many", () => {
  const powers = Array.from({ length: 20 }, (_, i) => add("info", 4 ** (i + 1))).flat();
  assertEquals(check(...powers, ...read(4, true)).valid, "unknown");
  assertEquals(check(...powers, ...read(-1, true)).valid, false);
  assertEquals(check(...powers).valid, true);
});

Deno.test("checkCounter() accepts exactly the sums of subsets of the unknown adds", () => {
  const deltas = fc.array(fc.integer({ min: -5, max: 30 }), { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(deltas, fc.integer({ min: -40, max: 220 }), (unknown, value) => {
      let sums = new Set([0]);
      for (const delta of unknown) sums = new Set([...sums].flatMap((sum) => [sum, sum + delta]));
      const result = check(...unknown.flatMap((delta) => add("info", delta)), ...read(value, true));
      assertEquals(result.valid, sums.has(value));
      const listed = (result.acceptable as [number, number][])
        .flatMap(([low, high]) => Array.from({ length: high - low + 1 }, (_, i) => low + i));
      assertEquals(listed, [...sums].sort((a, b) => a - b));
    }),
    { numRuns: 500 },
  );
});

Deno.test("checkCounter() warns of reads that no adds by then account for", () => {
  const warningsOf = (value: Json) =>
    check(
      ...add("ok", 3),
      ...add("info", 4),
      ...add("fail", 100),
      ...add("ok", -5),
      ...read(value, false),
      ...add("ok", 20),
      ...read(22, true),
    ).warnings?.length ?? 0;
  for (const possible of [-5, -1, 0, 7]) assertEquals(warningsOf(possible), 0, `${possible}`);
  for (const impossible of [-6, 8, 22, null, "3"]) {
    assertEquals(warningsOf(impossible), 1, `${impossible}`);
  }
  assertEquals(check(...add("ok", 3), ...read(-1, false), ...read(3, true)).warnings, [
    "Read that no sum of adds accounts for, which Maelstrom overlooks before the end: -1, by " +
    "process 1 on n1 at 0.003 s, when the sum of what had been added, or may have been, was from " +
    "0 to 3",
  ]);
});

Deno.test("checkCounter() counts an add that was under way at a read's end", () => {
  const result = check(
    [1, "invoke", "read"],
    [0, "invoke", "add", 3],
    [1, "ok", "read", 3],
    [0, "ok", "add", 3],
    ...read(3, true),
  );
  assertEquals([result.valid, result.warnings], [true, undefined]);
});
