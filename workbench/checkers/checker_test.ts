import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { canonical, type Json, parseJson } from "@eddy/maelstrom";
import { MAX_FINDINGS, type Op } from "../history.ts";
import { checkAvailability, checkExceptions, checkStats } from "./stats.ts";
import { compareJson, integerJson, integerOf, jsonOrder, keyOf } from "./checker.ts";
import { checkCounter } from "./counter.ts";
import { checkEcho } from "./echo.ts";
import { checkLinearizable } from "./linearizable.ts";
import { checkSetFull } from "./set_full.ts";
import { checkUniqueIds } from "./unique_ids.ts";

const texts = ["0", "-0", "1", "1.0", "1e0", "1.5", "9007199254740993", "9007199254740992", '"1"'];
const json = fc.oneof(
  fc.constantFrom(...texts).map(parseJson),
  fc.jsonValue({ maxDepth: 2 }).map((value) => value as Json),
);

Deno.test("keyOf() is shared exactly by values that are equal", () => {
  fc.assert(fc.property(json, json, (a, b) => {
    assertEquals(keyOf(a) === keyOf(b), canonical(a) === canonical(b));
  }));
  assert(keyOf(parseJson("-0")) === keyOf(0));
  assert(keyOf("1") !== keyOf(1));
});

Deno.test("integerOf() takes integers of any size and nothing else", () => {
  assertEquals(integerOf(-3), -3n);
  assertEquals(integerOf(parseJson("9007199254740993")), 9007199254740993n);
  for (const other of [1.5, "1", null, [1], parseJson("1.0")]) {
    assertEquals(integerOf(other), undefined);
  }
});

Deno.test("integerJson() keeps every digit", () => {
  assertEquals(integerJson(5n), 5);
  assertEquals(JSON.stringify(integerJson(2n ** 64n)), "18446744073709551616");
});

Deno.test("compareJson() orders either way around, or not at all", () => {
  fc.assert(fc.property(json, json, (a, b) => {
    const [one, other] = [compareJson(a, b), compareJson(b, a)];
    assertEquals(Math.sign(one ?? NaN), 0 - Math.sign(other ?? NaN));
  }));
});

Deno.test("compareJson() compares numbers by size, however they are written", () => {
  assert((compareJson(parseJson("9007199254740993"), 9007199254740991) ?? 0) > 0);
  assert((compareJson(1.5, parseJson("1.0")) ?? 0) > 0);
  assertEquals(compareJson(1, parseJson("1.0")), 0);
  assertEquals(compareJson("10", 9), undefined);
});

Deno.test("jsonOrder() sorts numbers as numbers, and sorts anything", () => {
  assertEquals([10, 9, 2].sort(jsonOrder), [2, 9, 10]);
  assertEquals(["b", "a"].sort(jsonOrder), ["a", "b"]);
  assertEquals([{ b: 1 }, { a: 1 }].sort(jsonOrder), [{ a: 1 }, { b: 1 }]);
  assertEquals([null, "a", 3, true].sort(jsonOrder).length, 4);
});

const checkers = {
  "set-full, broadcast": (history: Op[]) => checkSetFull(history, "broadcast"),
  "set-full, add": (history: Op[]) => checkSetFull(history, "add"),
  counter: checkCounter,
  "unique-ids": checkUniqueIds,
  echo: checkEcho,
  stats: checkStats,
  availability: (history: Op[]) => checkAvailability(history, "total"),
  exceptions: checkExceptions,
  linearizable: (history: Op[]) => checkLinearizable(history, { maxSteps: 10_000 }),
};

/** Values that fit somewhere, and values that fit nowhere, `undefined` among them. */
const value = fc.oneof(
  fc.constantFrom(undefined, null, 0, 1, 1.5, "x", true, {}, [], [null], [0, 1], [0, null]),
  fc.constantFrom([0, [0, 1]], [0, [1]], [1, {}], { echo: 1 }, { __proto__: null, echo: [] }),
  fc.constantFrom("9007199254740993", "1.0", "-0", "1e400", "[1.0, 1]").map(parseJson),
  fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.string(), fc.constant(null))),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Ops that do not follow one another. */
const oddOp = fc.record({
  index: fc.oneof(fc.integer({ min: -1, max: 20 }), fc.constant(NaN)),
  time: fc.oneof(fc.integer({ min: -5, max: 2e9 }), fc.constant(NaN)),
  type: fc.constantFrom("invoke", "ok", "fail", "info"),
  process: fc.oneof(fc.nat(3), fc.constantFrom("nemesis", -1)),
  f: fc.constantFrom(
    "read",
    "read",
    "write",
    "cas",
    "add",
    "broadcast",
    "generate",
    "echo",
    "__proto__",
    "",
  ),
  value,
  final: fc.boolean(),
  node: fc.constantFrom("n0", "n1"),
  error: fc.record({ code: fc.nat(30), text: fc.string() }, { requiredKeys: ["text"] }),
}, { requiredKeys: ["index", "time", "type", "process", "f"] });

Deno.test("No checker throws on a history out of joint, or says more than it may", () => {
  fc.assert(
    fc.property(fc.array(oddOp, { maxLength: 40 }), (ops) => {
      const history = ops as unknown as Op[];
      for (const [name, check] of Object.entries(checkers)) {
        const result = check(history);
        assert([true, false, "unknown"].includes(result.valid), name);
        assert((result.findings?.length ?? 0) <= MAX_FINDINGS, name);
        for (const { ops } of result.findings ?? []) assert(ops.length <= 40, name);
        JSON.stringify(result);
      }
    }),
    { numRuns: 2000 },
  );
});
