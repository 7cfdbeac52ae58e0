import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { seededRandom } from "../world/random.ts";
import {
  drawPartition,
  drawTargets,
  type Drops,
  majority,
  PARTITIONS,
  splitGroups,
  TARGETS,
} from "./partitions.ts";

const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);
const setups = { count: fc.integer({ min: 1, max: 12 }), seed: fc.nat() };
const RUNS = { numRuns: 200, seed: 1 };

function partition(kind: typeof PARTITIONS[number], count: number, seed: number): Drops {
  return drawPartition(kind, names(count), seededRandom(seed, "partition"));
}

const losses = (drops: Drops, node: string) => drops[node]?.length ?? 0;

function isSymmetric(drops: Drops): boolean {
  return Object.entries(drops).every(([dest, srcs]) =>
    srcs.every((src) => drops[src]?.includes(dest) ?? false)
  );
}

/** The sizes of the groups that a symmetric split leaves, smallest first. */
function groupSizes(drops: Drops, count: number): number[] {
  const groups = new Map<string, number>();
  for (const node of names(count)) {
    const lost = new Set(drops[node]);
    const group = names(count).filter((other) => !lost.has(other)).join();
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  for (const [group, size] of groups) assertEquals(group.split(",").length, size);
  return [...groups.values()].sort((a, b) => a - b);
}

Deno.test("splits cut as many nodes off as Maelstrom does", () => {
  const sizes = {
    one: [1, 1, 1, 1, 1, 1, 1, 1],
    majority: [0, 1, 1, 2, 2, 3, 3, 4],
    "minority-third": [0, 0, 0, 1, 1, 1, 2, 2],
  };
  for (const kind of ["one", "majority", "minority-third"] as const) {
    for (const [index, size] of sizes[kind].entries()) {
      const count = index + 1;
      const drops = partition(kind, count, 3);
      const whole = size === 0 || count === 1;
      const expected = whole ? [count] : [size, count - size].sort((a, b) => a - b);
      assertEquals(groupSizes(drops, count), expected, `${kind} of ${count}`);
      assert(isSymmetric(drops));
    }
  }
});

Deno.test("nobody loses its own messages, and every node can be hit", () => {
  fc.assert(
    fc.property(
      fc.record({ ...setups, kind: fc.constantFrom(...PARTITIONS) }),
      ({ count, seed, kind }) => {
        for (const [dest, srcs] of Object.entries(partition(kind, count, seed))) {
          assert(!srcs.includes(dest));
          assertEquals(new Set(srcs).size, srcs.length);
        }
      },
    ),
    RUNS,
  );
  const alone = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const drops = partition("one", 4, seed);
    for (const node of names(4)) if (losses(drops, node) === 3) alone.add(node);
  }
  assertEquals([...alone].sort(), names(4));
});

Deno.test("in a ring every node hears a majority", () => {
  fc.assert(
    fc.property(fc.record(setups), ({ count, seed }) => {
      const drops = partition("majorities-ring", count, seed);
      for (const node of names(count)) {
        const heard = count - losses(drops, node);
        assert(heard >= majority(count), `${node} hears ${heard} of ${count}`);
        if (count <= 5) assertEquals(heard, majority(count));
      }
      if (count > 3) assert(isSymmetric(drops));
    }),
    RUNS,
  );
});

Deno.test("rings of few nodes are Maelstrom's", () => {
  for (let seed = 0; seed < 20; seed++) {
    assertEquals([partition("majorities-ring", 1, seed), partition("majorities-ring", 2, seed)], [
      {},
      {},
    ]);
    // Three: each loses one, in a circle, one way.
    const three = partition("majorities-ring", 3, seed);
    assertEquals(Object.values(three).flat().sort(), names(3));
    assert(!isSymmetric(three));
    // Four: the two diagonals, both ways. Five: each loses two, and no two hear the same nodes.
    const four = partition("majorities-ring", 4, seed);
    assertEquals(Object.values(four).map((srcs) => srcs.length), [1, 1, 1, 1]);
    const five = partition("majorities-ring", 5, seed);
    assertEquals(Object.values(five).map((srcs) => srcs.length), [2, 2, 2, 2, 2]);
    assertEquals(new Set(Object.values(five).map((srcs) => [...srcs].sort().join())).size, 5);
  }
});

Deno.test("rings of many nodes cut a lot, and differ from draw to draw", () => {
  const drawn = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const drops = partition("majorities-ring", 9, seed);
    const lost = names(9).reduce((sum, node) => sum + losses(drops, node), 0);
    assert(lost >= 9 * 2, `${lost}`);
    drawn.add(JSON.stringify(drops));
  }
  assertEquals(drawn.size, 20);
});

Deno.test("groups are cut off from each other, and one group from nobody", () => {
  assertEquals(splitGroups([["a"], ["b", "c"]]), { a: ["b", "c"], b: ["a"], c: ["a"] });
  assertEquals(splitGroups([["a", "b"]]), {});
  assertEquals(splitGroups([["a", "b"], []]), {});
});

Deno.test("targets are one, a minority, a majority or all, but never none", () => {
  const sizes = {
    one: [1, 1, 1, 1, 1],
    minority: [1, 1, 1, 2, 2],
    majority: [1, 2, 2, 3, 3],
    all: [1, 2, 3, 4, 5],
  };
  const random = seededRandom(1, "targets");
  for (const kind of TARGETS) {
    for (const [index, size] of sizes[kind].entries()) {
      const drawn = drawTargets(kind, names(index + 1), random);
      assertEquals(new Set(drawn).size, size, `${kind} of ${index + 1}`);
    }
  }
});
