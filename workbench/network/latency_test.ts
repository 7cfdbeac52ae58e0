import { assert, assertEquals, assertThrows } from "@std/assert";
import { seededRandom } from "../world/random.ts";
import type { Latency } from "../types.ts";
import { checkLatency, drawLatencyMs } from "./latency.ts";

function sample(latency: Latency): number[] {
  const random = seededRandom(1, "latency");
  return Array.from({ length: 20_000 }, () => drawLatencyMs(latency, random));
}

const mean = (all: number[]) => all.reduce((sum, one) => sum + one, 0) / all.length;

Deno.test("a constant latency is its mean, cut off", () => {
  assertEquals(new Set(sample({ meanMs: 100.9, distribution: "constant" })), new Set([100]));
});

Deno.test("a uniform latency lies in [0, 2 x mean)", () => {
  const all = sample({ meanMs: 10, distribution: "uniform" });
  assertEquals([...new Set(all)].sort((a, b) => a - b), Array.from({ length: 20 }, (_, ms) => ms));
  assert(Math.abs(mean(all) - 9.5) < 0.2, `${mean(all)}`);
});

Deno.test("an exponential latency is an integer and has its mean, but for the cut", () => {
  const all = sample({ meanMs: 100, distribution: "exponential" });
  assert(all.every((ms) => Number.isInteger(ms) && ms >= 0));
  assert(Math.abs(mean(all) - 99.5) < 3, `${mean(all)}`);
  const below = all.filter((ms) => ms < 100).length / all.length;
  assert(Math.abs(below - (1 - 1 / Math.E)) < 0.02, `${below}`);
});

Deno.test("a mean of 0 is no latency under any distribution", () => {
  for (const distribution of ["constant", "uniform", "exponential"] as const) {
    assertEquals(new Set(sample({ meanMs: 0, distribution })), new Set([0]));
  }
});

Deno.test("a mean that is no number of 0 or more is refused", () => {
  for (const meanMs of [-1, NaN, Infinity]) {
    const check = () => checkLatency({ meanMs, distribution: "constant" });
    assertThrows(check, RangeError, "not a number of 0 or more");
  }
});
