import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { PlanFault } from "./nemesis.ts";
import { defaultOptions } from "./options.ts";
import { parsePlan, type Plan, PLAN_VERSION, writePlan } from "./plan.ts";
import type { PlanOp } from "./runner.ts";
import { shrinkPlan, type ShrinkSettings, sizeOf } from "./shrink.ts";

/** A plan of 3 nodes with an operation every 10 ms, each thread in turn. */
function planOf(count: number, faults: readonly PlanFault[] = []): Plan {
  const options = defaultOptions("broadcast", {
    nodeCount: 3,
    concurrency: "2n",
    timeLimitSeconds: count / 100,
    latency: { meanMs: 20, distribution: "exponential" },
    nemesis: [...new Set(faults.map(({ kind }) => kind))],
    seed: 1,
  });
  const ops = Array.from({ length: count }, (_, i): PlanOp => ({
    atMs: 10 * i,
    thread: i % 6,
    f: "broadcast",
    value: i,
  }));
  return { version: PLAN_VERSION, args: [], options, ops, faults, links: [] };
}

const kill: PlanFault = { kind: "kill", drawn: "one", nodes: ["n1", "n2"], fromMs: 100, toMs: 900 };
const cut: PlanFault = {
  kind: "partition",
  drawn: "one",
  drops: { n0: ["n1", "n2"], n1: ["n0"], n2: ["n0"] },
  fromMs: 200,
  toMs: 700,
};

/** Shrinks where a plan fails that has something, and returns what else was seen. */
async function shrink(
  plan: Plan,
  fails: (plan: Plan) => boolean,
  settings: Partial<ShrinkSettings> = {},
) {
  const tried: Plan[] = [];
  const shrunk = await shrinkPlan(plan, {
    maxRuns: 500,
    atOnce: 1,
    fail(plans) {
      tried.push(...plans);
      return Promise.resolve(plans.map(fails));
    },
    lost: () => Promise.resolve([]),
    ...settings,
  });
  return { ...shrunk, tried };
}

const skew: PlanFault = {
  kind: "clock",
  drawn: "all",
  nodes: ["n0", "n1", "n2"],
  clock: { rate: 0.3, jumpMs: 1000 },
  fromMs: 100,
  toMs: 900,
};

function has(plan: Plan, ...values: number[]): boolean {
  return values.every((value) => plan.ops.some((op) => op.value === value));
}

Deno.test("what a finding does not need goes: operations, clients, nodes, faults, time, latencies", async () => {
  const plan = planOf(500, [cut, kill]);
  const { plan: small, runs, isDone } = await shrink(plan, (each) => has(each, 77, 301));
  assertEquals(sizeOf(small), {
    operations: 2,
    clients: 2,
    nodes: 2,
    faults: 0,
    lostMessages: 0,
    seconds: 3.011,
  });
  assertEquals(small.options.latency, { meanMs: 0, distribution: "constant" });
  assertEquals(small.options.nemesis, []);
  assert(isDone);
  assertLess(runs, 150);
});

Deno.test("a fault of clocks goes where it is not needed, and else is narrowed", async () => {
  const plan = planOf(100, [skew, cut]);
  const without = await shrink(plan, (each) => has(each, 77));
  assertEquals(without.plan.faults, []);
  const skewed = ({ faults }: Plan) =>
    faults.some(({ clock, nodes, fromMs, toMs = Infinity }) =>
      clock !== undefined && nodes?.includes("n1") && fromMs <= 500 && toMs >= 550
    );
  const { plan: { faults, options } } = await shrink(plan, (each) => has(each, 77) && skewed(each));
  assertEquals(options.nemesis, ["clock"]);
  assertEquals(faults.map(({ clock }) => clock), [skew.clock]);
  for (const { fromMs, toMs = Infinity } of faults) {
    assert(fromMs > 300 && toMs < 750, `${fromMs} to ${toMs}`);
  }
});

Deno.test("operations stay with their nodes when nodes and clients go", async () => {
  const nodeOf = ({ options, ops }: Plan, value: number) => {
    const thread = ops.find((op) => op.value === value)?.thread;
    return thread === undefined ? undefined : options.nodeIds[thread % options.nodeIds.length];
  };
  const plan = planOf(100);
  const { plan: small } = await shrink(plan, (each) => has(each, 5, 10));
  assertEquals([5, 10].map((value) => nodeOf(small, value)), ["n2", "n1"]);
  assertEquals([small.options.nodeIds, small.options.concurrency], [["n1", "n2"], 2]);
});

Deno.test("faults keep what is needed of them: nodes, and a part of their time", async () => {
  const plan = planOf(100, [cut, kill]);
  const { plan: small } = await shrink(
    plan,
    ({ faults, ops }) =>
      ops.some(({ value }) => value === 99) &&
      faults.some(({ kind, nodes, fromMs, toMs = Infinity }) =>
        kind === "kill" && nodes?.includes("n2") && fromMs <= 300 && toMs >= 400
      ),
  );
  const [fault, ...others] = small.faults;
  assertEquals([fault?.nodes, others, small.ops.length], [["n2"], [], 1]);
  assertLess((fault?.toMs ?? Infinity) - (fault?.fromMs ?? 0), 400);
});

Deno.test("nodes that had disks keep them when the fault that implied them goes", async () => {
  const { plan } = await shrink(planOf(10, [kill]), (each) => has(each, 3));
  assertEquals([plan.faults, plan.options.disk], [[], true]);
});

Deno.test("few lost messages stand for a cut; for many of them the cut stays", async () => {
  const lost = Array.from({ length: 30 }, (_, number) => ({ src: "n1", dest: "n0", number }));
  const needs = (count: number) => ({ faults, links }: Plan) =>
    faults.length > 0 || (links[0]?.lost ?? []).filter((number) => number < 8).length >= count;
  const settings = { lost: () => Promise.resolve(lost) };
  const { plan: few } = await shrink(planOf(10, [cut]), needs(2), settings);
  assertEquals([few.faults, few.links.length], [[], 1]);
  assertEquals([sizeOf(few).faults, sizeOf(few).lostMessages], [0, 2]);
  const { plan: many } = await shrink(planOf(10, [cut]), needs(8), settings);
  assertEquals([many.faults.map(({ kind }) => kind), many.links], [["partition"], []]);
});

Deno.test("another seed is tried where nothing goes with the plan's own", async () => {
  const fails = (each: Plan) => each.ops.length === 40 || each.options.seed === 3 && has(each, 7);
  const { plan } = await shrink(planOf(40), fails);
  assertEquals([plan.options.seed, plan.ops.length], [3, 1]);
});

Deno.test("what is found, and the runs that count, do not depend on how many run at once", async () => {
  const plan = planOf(300, [cut, kill]);
  const fails = (each: Plan) => has(each, 11, 90, 211) && each.faults.length > 0;
  const [one, two, eight] = [1, 2, 8].map((atOnce) => shrink(plan, fails, { atOnce }));
  const { tried: _, ...expected } = await one as Awaited<ReturnType<typeof shrink>>;
  for (const other of [two, eight]) {
    const { tried, ...rest } = await other as Awaited<ReturnType<typeof shrink>>;
    assertEquals(rest, expected);
    assert(tried.length >= expected.runs);
  }
});

Deno.test("it ends after so many runs, or when it is told, with the least so far", async () => {
  const fails = (each: Plan) => has(each, 77, 301);
  const { plan, runs, isDone } = await shrink(planOf(500), fails, { maxRuns: 20 });
  assertEquals([runs, isDone], [20, false]);
  assert(plan.ops.length < 500 && fails(plan));
  let asked = 0;
  const stopped = await shrink(planOf(500), fails, { isOver: () => ++asked > 30 });
  assert(!stopped.isDone && stopped.runs <= 30 && fails(stopped.plan));
});

Deno.test("a run that does not fail again is refused", async () => {
  await assertRejects(() => shrink(planOf(5), () => false), Error, "does not show its finding");
});

Deno.test("every plan that is tried can be stored and run", async () => {
  const arbitrary = fc.record({
    count: fc.integer({ min: 1, max: 60 }),
    faults: fc.subarray([cut, kill]),
    needed: fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { maxLength: 4 }),
    node: fc.constantFrom("n0", "n1", "n2"),
  });
  await fc.assert(
    fc.asyncProperty(arbitrary, async ({ count, faults, needed, node }) => {
      const those = needed.filter((value) => value < count);
      const fails = (each: Plan) => has(each, ...those) && each.options.nodeIds.includes(node);
      const { plan, tried } = await shrink(planOf(count, faults), fails);
      assert(fails(plan));
      assertEquals(plan.ops.length, those.length);
      for (const each of tried) parsePlan(writePlan(each));
    }),
    { numRuns: 30 },
  );
});
