import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { canonical, type Json, parseJson } from "@eddy/maelstrom";
import { compareJson, integerJson, integerOf, keyOf, sortJson } from "./json_order.ts";

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

Deno.test("sortJson() sorts numbers as numbers, and sorts anything", () => {
  assertEquals(sortJson([10, 9, 2]), [2, 9, 10]);
  assertEquals(sortJson(["b", "a"]), ["a", "b"]);
  assertEquals(sortJson([{ b: 1 }, { a: 1 }]), [{ a: 1 }, { b: 1 }]);
  assertEquals(sortJson([null, "a", 3, true]).length, 4);
});
