import { assert, assertEquals } from "@std/assert";
import { layOutCycle } from "./cycle_view.ts";

Deno.test("the way around a cycle changes its side twice and goes through no box", () => {
  for (const count of [2, 3, 4, 5, 12]) {
    const boxes = layOutCycle(new Array(count).fill(3), 20);
    const changes = boxes.filter(({ isLeft }, i) => boxes[(i + 1) % count]?.isLeft !== isLeft);
    assertEquals(changes.length, 2);
    for (const [i, box] of boxes.entries()) {
      for (const other of boxes.slice(i + 1)) {
        const isBelow = other.y >= box.y + box.height || box.y >= other.y + other.height;
        assert(isBelow || other.isLeft !== box.isLeft);
      }
    }
  }
});

Deno.test("a box is as high as its micro-operations need, up to a bound", () => {
  const [few, many, most] = layOutCycle([1, 3, 1000], 20).map(({ height }) => height);
  assertEquals((many ?? 0) - (few ?? 0), 40);
  assert((most ?? 0) < 400);
});
