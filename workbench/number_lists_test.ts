import fc from "fast-check";
import { assertEquals } from "@std/assert";
import { Integers, NumberLists } from "./number_lists.ts";

Deno.test("integers come back as they were added or set, past the end of an array, too", () => {
  const integers = new Integers();
  const expected: number[] = [];
  for (let i = 0; i < 140_000; i++) {
    assertEquals(integers.push(3 - i), i);
    expected.push(3 - i);
    if (i % 1000 !== 0) continue;
    integers.set(i >> 1, i);
    expected[i >> 1] = i;
  }
  assertEquals([...integers], expected);
  assertEquals([integers.at(0), integers.at(-1), integers.at(140_000)], [expected[0], 0, 0]);
});

const added = fc.array(fc.tuple(fc.nat(5), fc.nat(4)), { maxLength: 60 });

Deno.test("lists have what was added to them in order, not twice in a row, or not twice at all", () => {
  fc.assert(
    fc.property(added, fc.boolean(), (pairs, isSet) => {
      const lists = new NumberLists(6, isSet);
      const expected = new Map<number, number[]>();
      for (const [list, integer] of pairs) {
        lists.add(list, integer);
        const known = expected.get(list) ?? [];
        if (isSet ? known.includes(integer) : known.at(-1) === integer) continue;
        expected.set(list, [...known, integer]);
      }
      assertEquals([...lists.keys()], [...expected.keys()]);
      for (let list = 0; list < 6; list++) {
        assertEquals([...lists.of(list)], expected.get(list) ?? []);
      }
    }),
    { numRuns: 300 },
  );
});
