import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { covers, merge, raise, streamName, streamOwner, Streams, type Vector } from "./vector.ts";

const vectors = fc.array(fc.nat(5), { maxLength: 5 });

Deno.test("a merge is the least vector that covers both", () => {
  fc.assert(
    fc.property(vectors, vectors, vectors, (a, b, c) => {
      const both: Vector = [...a];
      const changed = merge(both, b);
      assertEquals(changed, !covers(a, b));
      assert(covers(both, a) && covers(both, b));
      if (covers(c, a) && covers(c, b)) assert(covers(c, both));
    }),
    { numRuns: 500 },
  );
});

Deno.test("a missing entry is nothing", () => {
  assert(covers([], [0, 0]));
  assert(!covers([], [0, 1]));
  const vector: Vector = [];
  raise(vector, 2, 7);
  raise(vector, 2, 5);
  assertEquals(vector, [0, 0, 7]);
});

Deno.test("a stream keeps its number, and travels by its name", () => {
  const streams = new Streams();
  const name = streamName("n:1", "x3");
  assertEquals(streamOwner(name), "n:1");
  assertEquals(streams.number(name), 0);
  assertEquals(streams.number(streamName("n2", "y")), 1);
  assertEquals(streams.number(name), 0);
  assertEquals(streams.encode([4, 0]), { "n:1:x3": 4 });
});
