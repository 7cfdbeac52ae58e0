import { assertEquals } from "@std/assert";
import { simulate, type SimulateOptions } from "@eddy/workbench";

const storm: SimulateOptions = {
  workload: "lin-kv",
  nodeCount: 5,
  rate: 30,
  timeLimitSeconds: 60,
  nemesis: ["partition", "one-way", "loss", "duplicate", "slow", "pause"],
};

// Seed 9: a deadline that a rounding error put after the moment it was set for kept a node awake.
for (const seed of [0, 9]) {
  Deno.test(`lin-kv stays linearizable in a storm, seed ${seed}`, async () => {
    const { results } = await simulate({ ...storm, seed });
    assertEquals(results.explanations, []);
    assertEquals(results.valid, true);
  });
}
