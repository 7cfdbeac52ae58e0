import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { Hashes, hashOf, repeated } from "./repeated.ts";

Deno.test("equal texts have one hash, and a million others none in common", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    assertEquals(hashOf(text), hashOf(`${text}`));
    assert(Number.isSafeInteger(hashOf(text)));
  }));
  const numbers = new Hashes();
  for (let i = 0; i < 1_000_000; i++) numbers.push(hashOf(`n${i % 7}-${i}`));
  assertEquals(repeated(numbers.all()).size, 0);
});

Deno.test("repeated() tells which numbers stand more than once", () => {
  fc.assert(fc.property(fc.array(fc.nat(20)), (some) => {
    const numbers = new Hashes();
    for (const number of some) numbers.push(number);
    const twice = some.filter((number, i) => some.indexOf(number) !== i);
    assertEquals(repeated(numbers.all()), new Set(twice.toSorted((a, b) => a - b)));
  }));
});
