import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { seededRandom } from "./random.ts";
import { GENERATION, Steering, varyFaults } from "./steering.ts";
import type { PlanFault } from "./nemesis.ts";

const SEEDS = Array.from({ length: 400 }, (_, seed) => 1000 + seed);

Deno.test("worlds that reached what few did are varied most", () => {
  const steering = new Steering();
  for (let seed = 0; seed < GENERATION; seed++) {
    steering.add([seed], seed === 7 ? ["common", "rare"] : ["common"]);
  }
  steering.learn();
  assertEquals([steering.size, steering.sinceNew], [2, GENERATION - 8]);
  const varied = SEEDS.map((seed) => steering.parents(seed)).filter(({ length }) => length > 0);
  assertGreater(varied.length, SEEDS.length / 3);
  assertLess(varied.length, SEEDS.length);
  const rare = varied.filter(([parent]) => parent === 7);
  assertGreater(rare.length, 0.8 * varied.length);
});

Deno.test("the order in which the runs of a generation end does not matter", () => {
  const results = [[[1], ["a", "b"]], [[2], ["b", "c"]], [[1, 3], ["c", "d"]]] as const;
  const learnt = [results, results.toReversed()].map((all) => {
    const steering = new Steering();
    for (const [world, reached] of all) steering.add(world, reached);
    steering.learn();
    return SEEDS.map((seed) => steering.parents(seed));
  });
  assertEquals(learnt[0], learnt[1]);
});

Deno.test("a world is varied a bounded number of times", () => {
  const steering = new Steering();
  let world: readonly number[] = [];
  for (let seed = 0; seed < 2000; seed++) {
    world = [...steering.parents(seed), seed];
    steering.add(world, [`thing ${seed}`]);
    steering.learn();
    assertLess(world.length, 10);
  }
});

Deno.test("of each kind of fault there is one at a time in a variation", () => {
  const faults = (kinds: readonly PlanFault["kind"][]): PlanFault[] =>
    kinds.map((kind, i) => {
      return { kind, drawn: "", nodes: ["n0"], fromMs: 300 * i, toMs: 300 * i + 500 };
    });
  const some = faults(["kill", "pause", "disk-eio", "pause", "kill"]);
  const others = faults(["disk-eio", "kill", "kill", "disk-eio"]);
  const lengths = new Set<number>();
  for (const seed of SEEDS) {
    const varied = varyFaults(some, others, seededRandom(seed, "test"), 2000);
    lengths.add(varied.length);
    for (const [i, { kind, fromMs }] of varied.entries()) {
      const before = varied.slice(0, i).findLast((other) => other.kind === kind);
      assert((before?.toMs ?? 0) <= fromMs, JSON.stringify(varied));
    }
  }
  assertGreater(lengths.size, 3);
});
