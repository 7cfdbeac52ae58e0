import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import fc from "fast-check";
import { type BarInput, layOutRegister } from "./register_layout.ts";

const bar = (process: number, invokedAt: number, endedAt: number, place?: number): BarInput => {
  return { process, invokedAt, endedAt, textWidth: 40, place };
};

Deno.test("an operation takes effect within its bar, and after those before it in the order", () => {
  // The first to end takes effect last.
  const { bars } = layOutRegister([bar(0, 0, 3, 1), bar(1, 1, 2, 0), bar(2, 4, 5, 2)]);
  const [a, b, c] = bars;
  assert(a !== undefined && b !== undefined && c !== undefined);
  for (const { left, right, pointAt = -1 } of bars) {
    assertLess(left, pointAt);
    assertLess(pointAt, right);
  }
  assertLess(b.pointAt ?? 0, a.pointAt ?? 0);
  assertLess(a.pointAt ?? 0, c.pointAt ?? 0);
});

Deno.test("operations at the same time are in different rows, and texts fit into bars", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 9 }))), (given) => {
      // Each begins two places after the one before.
      const inputs = given.map(([process, length], i) => {
        return { process, invokedAt: 2 * i, endedAt: 2 * i + 2 * length + 1, textWidth: 50 };
      });
      const { bars, width, laneCount } = layOutRegister(inputs);
      for (const [i, { left, right, lane }] of bars.entries()) {
        assertGreaterOrEqual(right - left, 47);
        assertGreaterOrEqual(width, right);
        assertLess(lane, laneCount);
        for (const other of bars.slice(i + 1)) {
          assert(other.lane !== lane || other.left >= right || other.right <= left);
        }
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("what ended with an unknown outcome may take effect long after", () => {
  const { bars: [open, later] } = layOutRegister([bar(0, 0, 1, 1), bar(1, 4, 5, 0)]);
  assertLess(open?.right ?? 0, later?.right ?? 0);
  assertLess(later?.pointAt ?? 0, open?.pointAt ?? 0);
  assertEquals([open?.lane, later?.lane], [0, 1]);
});
