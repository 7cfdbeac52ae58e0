import { assert, assertEquals, assertMatch } from "@std/assert";
import { longTest } from "../long.ts";
import { conditions, wrongRafts } from "./mutations_runs.ts";
import { runMutations } from "./mutations.ts";

/** Some that the first few seeds catch, under three conditions. */
const soon = [
  "is elected by half of the nodes",
  "reads what it knows to be committed, not what may be",
  "leaves out of a snapshot what was executed",
  "commits as if two were a majority",
];

longTest("broken rules are caught, and Raft as it is is blamed for nothing", async () => {
  const { rows, failures } = await runMutations(3, soon);
  assertEquals(failures, []);
  // The heads, a row for each, and one for each condition that they are tried under.
  assertEquals(rows.length, 1 + soon.length + 3);
});

longTest("what is not caught is told", async () => {
  const { failures } = await runMutations(1, ["drops what follows a snapshot"]);
  assertEquals(failures.length, 1);
  assertMatch(failures[0] ?? "", /^Not caught: drops what follows a snapshot/);
});

Deno.test("every condition is one under which some rule matters", () => {
  const used = new Set<string>(wrongRafts.map(({ condition }) => condition));
  assertEquals([...used].toSorted(), Object.keys(conditions).toSorted());
  assert(wrongRafts.length >= 12);
});
