import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { allMutants, binOf } from "@eddy/mutants";
import { searchMutant, searchOwn, searchRight } from "./search_tasks.ts";

Deno.test("a wrong node is found by a swarm of worlds, and its run made small", async () => {
  const index = allMutants.findIndex((mutant) =>
    binOf(mutant) === "mutant:takes-over-from-a-node-it-cannot-reach"
  );
  const task = { index, first: 0, seeds: 40, shrinks: true, how: "swarm" } as const;
  const found = await searchMutant(task);
  assert(found?.small !== undefined);
  assertLess(found.small.after.operations, 10);
  assertLess(found.small.after.faults, 5);
  assertEquals(await searchMutant({ ...task, seeds: found.seeds - 1 }), undefined);
  for (const how of ["blind", "steered"] as const) {
    const other = await searchMutant({ ...task, seeds: 200, shrinks: false, how });
    assertGreater(other?.seeds ?? 0, 0, how);
  }
});

Deno.test("right nodes are not blamed in a swarm of worlds", async () => {
  const nothing = { blamed: [], waiting: 0 };
  assertEquals(await searchOwn({ workload: "lin-kv", seeds: 10 }), nothing);
  assertEquals(await searchOwn({ workload: "kafka", seeds: 10 }), nothing);
  assertEquals(await searchRight({ index: 0, seeds: 10 }), nothing);
});
