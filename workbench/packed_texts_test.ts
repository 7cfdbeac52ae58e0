import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { packTexts, unpackTexts } from "./packed_texts.ts";

Deno.test("packed texts come out as they were", () => {
  const json = fc.json().map((text) => text.replaceAll("\u0001", ""));
  const texts = fc.array(
    fc.oneof(json, fc.constantFrom("", "0", "00", "-1", "1.50", "12a3", "9".repeat(20))),
  );
  fc.assert(fc.property(texts, fc.integer({ min: 1, max: 3 }), (given, groups) => {
    const groupOf = (i: number) => i % groups;
    assertEquals(unpackTexts(packTexts(given, groupOf), groupOf), given);
  }));
});

Deno.test("texts that differ in their numbers share what is between them", () => {
  const texts = ['{"a":5,"b":1}', '{"a":6,"b":1}', "x", '{"a":8,"b":0}', "y7"];
  const { forms, order, numbers } = packTexts(texts);
  assertEquals(forms, ['{"a":\u0001,"b":\u0001}', "x", "y7"]);
  assertEquals(order, [0, 0, 1, -1, 2]);
  // The a's, then the b's; a text of its own has none.
  assertEquals(numbers, [[5, 1, 2, 1, 0, -1], [], []]);
});
