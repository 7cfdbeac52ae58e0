import fc from "fast-check";
import { assertEquals, assertLess } from "@std/assert";
import { type Json, parseJson } from "@eddy/maelstrom";
import { KnownTexts, PackedValues } from "./packed_values.ts";

/** Each value as it comes back, however it is read: at its place, or after the one before. */
function returned(values: readonly Json[]): Json[][] {
  const packed = new PackedValues(new KnownTexts());
  const starts = values.map((value) => {
    const start = packed.size;
    packed.add(value);
    return start;
  });
  packed.trim();
  const inTurn = values.map((_, i) => i === 0 ? packed.read(0) : packed.readNext());
  return [inTurn, starts.toReversed().map((start) => packed.read(start)).reverse()];
}

Deno.test("any JSON comes back as it was", () => {
  fc.assert(
    fc.property(
      fc.array(fc.json({ maxDepth: 4, noUnicodeString: false }), { minLength: 1 }),
      (texts) => {
        const values = texts.map(parseJson);
        for (const all of returned(values)) {
          assertEquals(JSON.stringify(all), JSON.stringify(values));
          assertEquals(all, values);
        }
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("numbers come back at every size", () => {
  const sizes = [0, 1, 127, 128, 241, 242, 243, 2 ** 14, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 53 - 1];
  const values = [
    ...sizes.flatMap((size) => [size, -size || 0, [size, -size || 0, size, 7]]),
    ...[-0, 0.5, 2 ** 53, 1e300, NaN, -Infinity],
    ...["1.0", "-0", "9007199254740993", "1E400"].map(parseJson),
  ];
  for (const all of returned(values)) {
    assertEquals(all, values);
    assertEquals(all.map((each) => Object.is(each, -0)), values.map((each) => Object.is(each, -0)));
  }
});

Deno.test("texts come back, be they known, long, wide or half a character", () => {
  const values = [
    "",
    "a",
    "a",
    "\u00ff\0",
    "\u0100",
    "😀",
    "\ud83d",
    "x".repeat(10_000),
    `a${"\u1234\ud800".repeat(5000)}`,
    "é".repeat(65),
  ];
  for (const all of returned(values)) assertEquals(all, values);
});

Deno.test("beyond the first texts, others are kept one by one", () => {
  const values = Array.from({ length: 70_000 }, (_, i) => `n${i}`);
  for (const all of returned(values)) assertEquals(all, values);
});

Deno.test("a key that every object has comes back as a key", () => {
  const [object] = returned([parseJson('{"__proto__":{"a":1},"b":2}')])[0] ?? [];
  assertEquals(JSON.stringify(object), '{"__proto__":{"a":1},"b":2}');
  assertEquals(Object.getPrototypeOf(object), Object.prototype);
});

Deno.test("long lists of integers that grow take about a byte an element", () => {
  const packed = new PackedValues(new KnownTexts());
  packed.add(Array.from({ length: 100_000 }, (_, i) => 3 * i));
  assertLess(packed.size, 100_010);
});
