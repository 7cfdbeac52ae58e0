import { assertEquals } from "@std/assert";
import { eccentricity } from "./broadcast.ts";

Deno.test("the farthest node of a line is as far as its nearer end leaves", () => {
  const line = { a: ["b"], b: ["a", "c"], c: ["b", "d"], d: ["c"] };
  assertEquals(["a", "b", "c", "d"].map((node) => eccentricity(line, node)), [3, 2, 2, 3]);
});

Deno.test("a node that cannot be reached, or is not named, does not count", () => {
  assertEquals(eccentricity({ a: ["b"], b: ["a"], c: [] }, "a"), 1);
  assertEquals(eccentricity({}, "a"), 0);
});

Deno.test("a node may be called as what every object has", () => {
  assertEquals(eccentricity({ a: ["constructor", "__proto__"] }, "a"), 1);
  assertEquals(eccentricity({}, "toString"), 0);
});
