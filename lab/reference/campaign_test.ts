import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { mutants } from "@eddy/mutants";
import { WORKLOADS } from "@eddy/workbench";
import { MAX_SEEDS, runMutants, runRightNodes, tryOut } from "./campaign.ts";
import { rightNodes } from "./right_nodes.ts";
import { isAmong } from "./signs.ts";

for (const workload of WORKLOADS) {
  Deno.test(`Wrong nodes are blamed for what is wrong with them: ${workload}`, async () => {
    const wrong = mutants.filter((mutant) => mutant.workload === workload);
    const rows = await runMutants(MAX_SEEDS, undefined, wrong);
    assertEquals(rows.filter(({ caughtAfter }) => caughtAfter === undefined), []);
  });

  Deno.test(`Right nodes are blamed for nothing: ${workload}`, async () => {
    const right = rightNodes.filter((node) => node.workload === workload);
    const rows = await runRightNodes(3, undefined, right);
    assertEquals(rows.flatMap(({ name, falseAlarms }) => falseAlarms.map((at) => [name, at])), []);
  });
}

Deno.test("Every workload has a handful of wrong nodes and two kinds of right ones", () => {
  assertGreaterOrEqual(mutants.length, 40);
  for (const workload of WORKLOADS) {
    const wrong = mutants.filter((mutant) => mutant.workload === workload);
    const right = rightNodes.filter((node) => node.workload === workload);
    assertGreaterOrEqual(wrong.length, 4, workload);
    assertGreaterOrEqual(right.length, 2, workload);
  }
});

Deno.test("Candidates of a workload have names of their own", () => {
  const names = [...mutants, ...rightNodes].map(({ workload, name }) => `${workload}: ${name}`);
  assertEquals(names.length, new Set(names).size);
});

Deno.test("A right node is blamed when it is held to a level that it does not reach", async () => {
  const database = rightNodes.find(({ name }) => name.startsWith("snapshot-isolation"));
  assert(database !== undefined);
  const [row] = await runRightNodes(4, undefined, [{
    ...database,
    needs: { consistencyModels: ["serializable"], rate: 100 },
  }]);
  assertGreaterOrEqual(row?.falseAlarms.length ?? 0, 1);
});

Deno.test("A wrong node that nothing is wrong with is not blamed", async () => {
  const [echo] = rightNodes.filter(({ workload }) => workload === "echo");
  assert(echo !== undefined);
  const [row] = await runMutants(2, undefined, [{ ...echo, deserves: "wrong-echo" }]);
  assertEquals(row?.caughtAfter, undefined);
  assertEquals(row?.trial?.signs, []);
});

Deno.test("A name must be the same, and a sentence have a part in common, to be what was deserved", () => {
  const signs = ["G-single-item-realtime", "Node n1 sent a reply"];
  assert(isAmong(signs, "G-single-item-realtime"));
  assert(!isAmong(signs, "G-single-item"));
  assert(isAmong(signs, "sent a reply"));
  assert(!isAmong(signs, "sent a message"));
});

Deno.test("The same seed gives the same trial", async () => {
  const [mutant] = mutants.filter(({ workload }) => workload === "kafka");
  assert(mutant !== undefined);
  assertEquals(await tryOut(mutant, 7), await tryOut(mutant, 7));
});
