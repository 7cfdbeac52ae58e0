import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { randomBelow, seededRandom, shuffled } from "./random.ts";

const draws = (seed: number, part: string, count = 5) => {
  const random = seededRandom(seed, part);
  return Array.from({ length: count }, () => random.next());
};

const LATENCY_42 = [0.8833199401286684, 0.739178483042506, 0.9745822073476773];

Deno.test("seed and part decide all draws, here and on any machine", () => {
  assertEquals(draws(1, "nemesis"), draws(1, "nemesis"));
  assertNotEquals(draws(1, "nemesis"), draws(2, "nemesis"));
  assertNotEquals(draws(1, "nemesis"), draws(1, "latency"));
  assertEquals(draws(42, "latency", 3), LATENCY_42);
});

Deno.test("draws are uniform on [0, 1), also the first of neighbouring seeds", () => {
  for (
    const sample of [
      draws(3, "x", 10_000),
      Array.from({ length: 10_000 }, (_, seed) => draws(seed, "x", 1)[0] ?? 0),
    ]
  ) {
    const deciles = new Array(10).fill(0);
    for (const draw of sample) deciles[Math.floor(draw * 10)]++;
    // 1000 expected in each; 30 is one standard deviation.
    for (const count of deciles) assert(count > 850 && count < 1150, `${deciles}`);
  }
});

Deno.test("a shuffle keeps the items, and every order comes up", () => {
  const random = seededRandom(5, "shuffle");
  const counts = new Map<string, number>();
  const items = ["a", "b", "c"];
  for (let count = 0; count < 6000; count++) {
    const order = shuffled(random, items).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals([...counts.keys()].sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
  for (const count of counts.values()) assert(count > 850 && count < 1150, `${count}`);
  assertEquals(items, ["a", "b", "c"]);
  assertEquals(shuffled(random, []), []);
});

Deno.test("an integer below a bound stays below it", () => {
  const random = seededRandom(6, "below");
  const seen = new Set(Array.from({ length: 200 }, () => randomBelow(random, 4)));
  assertEquals([...seen].sort(), [0, 1, 2, 3]);
});
