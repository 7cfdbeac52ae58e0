import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { NEMESES, type NemesisName } from "./nemesis.ts";
import { defaultOptions } from "./options.ts";
import { parsePlan, PLAN_VERSION, writePlan } from "./plan.ts";
import { seededRandom } from "./random.ts";
import { drawSchedule, drawWorld, type ScheduleName, SCHEDULES } from "./schedules.ts";
import { simulate } from "./simulate.ts";
import { WORKLOADS } from "./workloads/mod.ts";

const FIVE = ["n0", "n1", "n2", "n3", "n4"];

function schedule(
  name: ScheduleName,
  seed: number,
  { nodeIds = FIVE, kinds = NEMESES }: { nodeIds?: string[]; kinds?: readonly NemesisName[] } = {},
) {
  return drawSchedule(name, { timeLimitSeconds: 20 }, {
    nodeIds,
    random: seededRandom(seed, "schedule"),
    clocks: seededRandom(seed, "clocks"),
    kinds,
  });
}

const seeds = Array.from({ length: 50 }, (_, seed) => seed);

for (const name of SCHEDULES) {
  Deno.test(`${name}: a plan can have every schedule, which ends in time to serve`, () => {
    for (const nodeIds of [["n0"], ["n0", "n1"], FIVE]) {
      for (const seed of seeds) {
        const faults = schedule(name, seed, { nodeIds });
        assertEquals(faults, schedule(name, seed, { nodeIds }), "a seed decides");
        const kinds = [...new Set(faults.map(({ kind }) => kind))];
        const options = defaultOptions("broadcast", { nodeIds, nemesis: kinds, seed });
        parsePlan(
          writePlan({ version: PLAN_VERSION, args: [], options, ops: [], faults, links: [] }),
        );
        for (const { fromMs, toMs = Infinity } of faults) {
          assert(fromMs >= 100 && fromMs < toMs && toMs <= 14_000, `${fromMs} to ${toMs}`);
        }
      }
    }
  });
}

Deno.test("only the kinds that may be are drawn, whatever the schedule", () => {
  const kinds: NemesisName[] = ["partition", "pause"];
  for (const name of SCHEDULES) {
    const drawn = seeds.flatMap((seed) => schedule(name, seed, { kinds })).map(({ kind }) => kind);
    assertEquals(new Set(drawn).difference(new Set(kinds)), new Set());
    assertEquals(schedule(name, 1, { kinds: [] }), []);
  }
});

Deno.test("the seeds of a swarm differ: some have no faults, some many kinds, all kinds come", () => {
  const kindsOf = (seed: number) => new Set(schedule("swarm", seed).map(({ kind }) => kind));
  const all = seeds.map(kindsOf);
  assert(all.some(({ size }) => size === 0));
  assert(all.some(({ size }) => size > 5));
  assertEquals(all.reduce((a, b) => a.union(b)), new Set(NEMESES));
  assertGreater(new Set(all.map((kinds) => [...kinds].sort().join())).size, 25);
});

Deno.test("a fifth of a swarm's worlds have faults of clocks, and nothing else differs", () => {
  let skewed = 0;
  for (let seed = 0; seed < 200; seed++) {
    for (const name of SCHEDULES) {
      const faults = schedule(name, seed);
      const clocks = faults.filter(({ kind }) => kind === "clock");
      const kinds = NEMESES.filter((kind) => kind !== "clock");
      assertEquals(faults.filter(({ kind }) => kind !== "clock"), schedule(name, seed, { kinds }));
      if (name === "skew") assertGreater(clocks.length, 0);
      else if (name !== "swarm") assertEquals(clocks, []);
      else if (clocks.length > 0) skewed++;
      for (const { clock } of clocks) {
        assert(clock !== undefined && clock.rate >= 0.25 && clock.rate <= 4);
        assert(Math.abs(clock.jumpMs) <= 60_000);
      }
    }
  }
  assert(skewed > 25 && skewed < 55, `${skewed}`);
});

Deno.test("syncs fail on a minority only", () => {
  for (const seed of seeds) {
    for (const { kind, nodes = [] } of schedule("swarm", seed)) {
      if (kind === "disk-eio" || kind === "disk-full") assertLess(nodes.length, 3);
    }
  }
});

Deno.test("every world that is drawn can be run, and has enough operations", () => {
  for (const workload of WORKLOADS) {
    for (const seed of seeds) {
      const { nodeOptions: _, ...world } = drawWorld(workload, seededRandom(seed, "swarm"));
      const { rate, timeLimitSeconds } = defaultOptions(workload, { ...world, seed });
      assertGreater(rate * (timeLimitSeconds + 10), 350);
    }
  }
});

Deno.test("a run has the faults of a schedule, and draws its operations", async () => {
  const faults = schedule("seesaw", 3, { nodeIds: ["n0", "n1", "n2"] });
  const { results, plan } = await simulate({
    workload: "echo",
    nodeCount: 3,
    rate: 20,
    timeLimitSeconds: 20,
    nemesis: ["partition"],
    seed: 3,
    plan: { faults },
  });
  assertEquals(plan().faults.length, faults.length);
  assertEquals(plan().faults[0]?.drops, faults[0]?.drops);
  assertGreater(plan().ops.length, 300);
  assertEquals(results.valid, true);
});
