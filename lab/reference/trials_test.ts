import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { mutants } from "@eddy/mutants";
import { WORKLOADS } from "@eddy/workbench";
import { isAmong, MAX_SEEDS, runMutants, runRightNodes, tryOut } from "./trials.ts";
import { rightNodes } from "./right_nodes.ts";

for (const workload of WORKLOADS) {
  Deno.test(`The anomalies of mutants are found: ${workload}`, async () => {
    const wrong = mutants.filter((mutant) => mutant.workload === workload);
    const rows = await runMutants(MAX_SEEDS, undefined, wrong);
    assertEquals(rows.filter(({ caughtAfter }) => caughtAfter === undefined), []);
  });

  Deno.test(`Nothing is found wrong with right nodes: ${workload}`, async () => {
    const right = rightNodes.filter((node) => node.workload === workload);
    const rows = await runRightNodes(3, undefined, right);
    assertEquals(rows.flatMap(({ name, falseAlarms }) => falseAlarms.map((at) => [name, at])), []);
  });
}

Deno.test("Of a right node that is not what one would want, its warning tells", async () => {
  const warned = rightNodes.flatMap(({ warnedOf, ...node }) => warnedOf ? { node, warnedOf } : []);
  assertEquals(warned.length, 1);
  const longer = { concurrency: "4n", rate: 20, timeLimitSeconds: 15 } as const;
  for (const { node, warnedOf } of warned) {
    const trials = await Promise.all([1, 2, 3, 4].map((seed) => tryOut(node, seed, longer)));
    assertEquals(trials.map(({ valid }) => valid), [true, true, true, true]);
    assert(trials.some(({ signs }) => isAmong(signs, warnedOf)));
  }
});

Deno.test("Nodes of a workload have different names", () => {
  const names = [...mutants, ...rightNodes].map(({ workload, name }) => `${workload}: ${name}`);
  assertEquals(names.length, new Set(names).size);
});

Deno.test("A right node fails at a stronger consistency model than it gives", async () => {
  const database = rightNodes.find(({ name }) => name.startsWith("snapshot-isolation"));
  assert(database !== undefined);
  const [row] = await runRightNodes(4, undefined, [{
    ...database,
    needs: { consistencyModels: ["serializable"], rate: 100 },
  }]);
  assertGreaterOrEqual(row?.falseAlarms.length ?? 0, 1);
});

Deno.test("Nothing is found wrong with a right node that is run as a mutant", async () => {
  const [echo] = rightNodes.filter(({ workload }) => workload === "echo");
  assert(echo !== undefined);
  const [row] = await runMutants(2, undefined, [{ ...echo, anomaly: "wrong-echo" }]);
  assertEquals(row?.caughtAfter, undefined);
  assertEquals(row?.trial?.signs, []);
});

Deno.test("An anomaly is among the signs by its whole name, or by a part of a sentence", () => {
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
