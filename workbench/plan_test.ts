import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { writeHistoryLine } from "./history.ts";
import { NEMESES } from "./nemesis.ts";
import { parsePlan, PLAN_VERSION, writePlan } from "./plan.ts";
import type { PlannedParts } from "./run.ts";
import { simulate, type SimulateOptions } from "./simulate.ts";
import { WORKLOADS } from "./workloads/mod.ts";

/** Runs, and returns all that happened to messages and operations, and the plan. */
async function traced(options: SimulateOptions) {
  const messages: string[] = [];
  const { history, plan, ...rest } = await simulate({
    ...options,
    onMessage: ({ type, timeMs, message }) =>
      messages.push(`${timeMs} ${type} ${message.toLine()}`),
  });
  return { messages, history: history.map(writeHistoryLine), plan: plan(), ...rest };
}

/** What a plan is after it was written and read. */
function stored(
  plan: PlannedParts,
  options: SimulateOptions,
  run: Awaited<ReturnType<typeof traced>>,
) {
  const text = writePlan({
    version: PLAN_VERSION,
    args: options.args ?? [],
    options: run.options,
    ...plan,
  });
  return parsePlan(text);
}

const harsh = {
  nodeCount: 3,
  concurrency: "4n",
  timeLimitSeconds: 8,
  rate: 30,
  latency: { meanMs: 20, distribution: "exponential" },
  nemesis: NEMESES,
  nemesisIntervalSeconds: 1,
} as const;

for (const workload of WORKLOADS) {
  Deno.test(`${workload}: a plan gives the run that it comes from, whatever its seed draws`, async () => {
    const options: SimulateOptions = { workload, seed: 11, ...harsh };
    const first = await traced(options);
    const plan = stored(first.plan, options, first);
    const { nodeIds, concurrency, ...settings } = plan.options;
    const again = await traced({ ...settings, nodeIds, concurrency, plan });
    assertEquals(again.history, first.history);
    assertEquals(again.messages, first.messages);
    assertEquals(again.plan, first.plan);
    assertEquals(again.results.workload, first.results.workload);
    assert(first.plan.faults.length > 7);
    const nodesTalk = workload !== "echo" && workload !== "unique-ids";
    assertEquals(first.plan.links.some(({ lost = [] }) => lost.length > 0), nodesTalk);
  });
}

Deno.test("a plan gives the run of nodes that take time, and of any names", async () => {
  const { nodeCount: _, ...unnamed } = harsh;
  const options: SimulateOptions = {
    workload: "lin-kv",
    ...unnamed,
    concurrency: "2n",
    nodeIds: ["constructor", "prototype", "__proto__"],
    compute: { meanMs: 2, jitter: 0.5 },
    seed: 1,
  };
  const first = await traced(options);
  const plan = stored(first.plan, options, first);
  const { nodeIds, concurrency, ...settings } = plan.options;
  const again = await traced({ ...settings, nodeIds, concurrency, plan });
  assertEquals(again.messages, first.messages);
  assertEquals(again.history, first.history);
  const cut = first.plan.faults.flatMap(({ drops = {} }) => Object.keys(drops));
  assertEquals(new Set(cut), new Set(options.nodeIds));
});

/** Sends that do not depend on what was received: each node says the number of every operation. */
const talking: SimulateOptions = {
  workload: "echo",
  nodeCount: 3,
  timeLimitSeconds: 5,
  rate: 20,
  latency: { meanMs: 20, distribution: "uniform" },
  nemesis: ["loss"],
  nemesisIntervalSeconds: 1,
  seed: 3,
  install: (node) =>
    node.on("echo", ({ body: { echo } }) => {
      for (const other of node.nodeIds) {
        if (other !== node.id) node.send(other, { type: "heard", echo: echo ?? null });
      }
      return { echo: echo ?? null };
    }),
};

/** What differs between two lists in which each entry occurs once. */
function difference(a: readonly string[], b: readonly string[]): string[][] {
  const [inA, inB] = [new Set(a), new Set(b)];
  return [a.filter((line) => !inB.has(line)), b.filter((line) => !inA.has(line))];
}

Deno.test("one message that takes another time, or is not lost, changes no other", async () => {
  const first = await traced(talking);
  const index = first.plan.links.findIndex(({ lost = [] }) => lost.length > 0);
  const link = first.plan.links[index];
  assert(link !== undefined);

  const slower = link.latencyMs?.map((ms, number) => number === 1 ? 500 : ms);
  const late = await traced({
    ...talking,
    plan: { ...first.plan, links: first.plan.links.with(index, { ...link, latencyMs: slower }) },
  });
  // What waits behind it in its queue is late, too; nothing before is touched, and no other draw.
  const at = first.messages.findIndex((line) =>
    line.includes(" send {") && line.includes(`"src":"${link.src}","dest":"${link.dest}"`)
  );
  const [beganMs = ""] = first.messages[at]?.split(" ") ?? [];
  const changed = difference(first.messages, late.messages).flat();
  for (const line of changed) assert(parseFloat(line) > Number(beganMs), line);
  for (const [i, { latencyMs = [], lost }] of first.plan.links.entries()) {
    const expected = i === index ? slower : latencyMs;
    assertEquals([late.plan.links[i]?.latencyMs, late.plan.links[i]?.lost], [expected, lost]);
  }

  const [, ...stillLost] = link.lost ?? [];
  const kept = await traced({
    ...talking,
    plan: { ...first.plan, links: first.plan.links.with(index, { ...link, lost: stillLost }) },
  });
  const [dropped, delivered] = difference(first.messages, kept.messages);
  assertEquals([dropped?.length, delivered?.length], [1, 1]);
  assert(dropped?.[0]?.includes(" drop ") && delivered?.[0]?.includes(" recv "));
});

Deno.test("an operation less, one more, and a fault at another time change nothing else", async () => {
  const first = await traced(talking);
  const { ops, faults } = first.plan;
  const links = first.plan.links.map(({ src, dest, sent }) => ({ src, dest, sent }));
  const invocations = (history: readonly string[]) =>
    history.filter((line) => line.includes('"invoke"')).map((line) =>
      line.replace(/"index":\d+,/, "")
    );

  const fewer = await traced({ ...talking, plan: { ...first.plan, ops: ops.toSpliced(7, 1) } });
  assertEquals(difference(invocations(first.history), invocations(fewer.history))[1], []);
  const extra = { atMs: 1234.5, thread: 1, f: "echo", value: "one more" };
  const more = await traced({ ...talking, plan: { ...first.plan, ops: [extra, ...ops] } });
  const [gone, added] = difference(invocations(first.history), invocations(more.history));
  assertEquals([gone, added?.length], [[], 1]);

  const moved = faults.map((fault, i) => i === 0 ? { ...fault, toMs: 4500 } : fault);
  const longer = await traced({ ...talking, plan: { ops, faults: moved.slice(0, 1), links } });
  const lost = (run: typeof first) => run.messages.filter((line) => line.includes(" drop "));
  assertNotEquals(lost(longer), lost(first));
  // What was lost during the first fault is lost again: each draw belongs to its message.
  const during = lost(first).filter((line) => Number(line.split(" ")[0]) < (faults[0]?.toMs ?? 0));
  assertEquals(during.filter((line) => !lost(longer).includes(line)), []);
});

Deno.test("an operation waits for its own thread alone", async () => {
  const ops = [0, 1, 2].map((thread) => ({
    atMs: 100,
    thread,
    f: "echo",
    value: `first ${thread}`,
  }));
  const later = [0, 1].map((thread) => ({ atMs: 200, thread, f: "echo", value: `then ${thread}` }));
  const { history } = await simulate({
    workload: "echo",
    nodeCount: 3,
    timeLimitSeconds: 7,
    plan: { ops: [...later, ...ops], faults: [], links: [] },
    install: (node) => {
      let count = 0;
      node.on("echo", ({ body: { echo } }) => {
        if (node.id === "n0" && count++ === 0) return new Promise<never>(() => {});
        return { echo: echo ?? null };
      });
    },
  });
  const began = history.filter(({ type }) => type === "invoke").map(({ time, value }) => [
    Math.round(time / 1e6),
    value,
  ]);
  assertEquals(began, [
    [100, "first 0"],
    [100, "first 1"],
    [100, "first 2"],
    [200, "then 1"],
    [5100, "then 0"],
  ]);
});

Deno.test("a fault of one's own begins and ends when the plan says, beside another of its kind", async () => {
  const cut = (node: string, fromMs: number, toMs?: number) => ({
    kind: "partition" as const,
    drawn: node,
    drops: { [node]: ["n0", "n1", "n2"].filter((other) => other !== node) },
    fromMs,
    toMs,
  });
  const { results } = await simulate({
    ...talking,
    plan: { ops: [], faults: [cut("n1", 1500), cut("n0", 1000, 2000)], links: [] },
  });
  const windows = results.faults.map(({ fromNs, toNs }) => [fromNs / 1e6, (toNs ?? 0) / 1e6]);
  assertEquals(windows, [[1000, 2000], [1500, 0]]);
});

Deno.test("a plan that cannot be run is refused with the entry", async () => {
  const run = await traced({ ...talking, timeLimitSeconds: 1 });
  const plan = JSON.parse(writePlan({
    version: PLAN_VERSION,
    args: [],
    options: run.options,
    ...run.plan,
  }));
  const kill = { kind: "kill", fromMs: 0, drawn: "one" };
  const own = { kind: "kill" as const, fromMs: 5, nodes: ["n1"] };
  const skewed = { kind: "clock", fromMs: 0, nodes: ["n1"], clock: { rate: 2, jumpMs: 0 } };
  const { faults } = parsePlan(JSON.stringify({ ...plan, faults: [own] }));
  assertEquals(faults, [{ ...own, drawn: "planned" }]);
  const cases: [changed: unknown, why: string][] = [
    [[], "Expected"],
    [{ ...plan, version: 2 }, "version: "],
    [{ ...plan, ops: [{ ...plan.ops[0], atMs: -1 }] }, "ops.0.atMs: "],
    [{ ...plan, ops: [{ ...plan.ops[0], thread: 3 }] }, "ops.0.thread: there is no thread 3"],
    [{ ...plan, ops: [{ ...plan.ops[0], more: 1 }] }, "ops.0.more: "],
    [{ ...plan, ops: [{ ...plan.ops[0], f: "txn" }] }, 'ops.0.f: echo has no "txn", only echo'],
    [{ ...plan, ops: [{ ...plan.ops[0], f: "constructor" }] }, "ops.0.f: echo has no"],
    [
      { ...plan, faults: [{ ...kill, kind: "partition", drops: { n0: "n1" } }] },
      "faults.0.drops: ",
    ],
    [{ ...plan, faults: [{ ...kill, kind: "flood" }] }, "faults.0.kind: "],
    [{ ...plan, faults: [kill] }, "faults.0: nodes is missing"],
    [{ ...plan, faults: [{ ...kill, nodes: ["n7"] }] }, 'faults.0: there is no node "n7"'],
    [{ ...plan, faults: [{ ...skewed, clock: undefined }] }, "faults.0: clock is missing"],
    [{ ...plan, faults: [{ ...skewed, clock: { rate: 2 } }] }, "faults.0.clock.jumpMs: "],
    ...[0, -1, 0.009, 100.1, "2", null].map((rate): [unknown, string] => [
      { ...plan, faults: [{ ...skewed, clock: { rate, jumpMs: 0 } }] },
      "faults.0.clock.rate: ",
    ]),
    ...[1.1e9, -1.1e9, null].map((jumpMs): [unknown, string] => [
      { ...plan, faults: [{ ...skewed, clock: { rate: 1, jumpMs } }] },
      "faults.0.clock.jumpMs: ",
    ]),
    [
      { ...plan, faults: [{ ...kill, nodes: [], fromMs: 5, toMs: 4 }] },
      "faults.0.toMs: 4 is before",
    ],
    [{ ...plan, links: [plan.links[0], plan.links[0]] }, "links.1: the link"],
    [
      { ...plan, links: [{ ...plan.links[0], dest: "n9" }] },
      "links.0: there is no node or service",
    ],
    [{ ...plan, links: [{ ...plan.links[0], latencyMs: ["1"] }] }, "links.0.latencyMs.0: "],
    [{ ...plan, options: { ...plan.options, rate: -1 } }, "Cannot run with rate -1"],
    [{ ...plan, options: { ...plan.options, latency: 5 } }, "options.latency: "],
    [{ ...plan, options: {} }, "options.latency: "],
    [{ ...plan, options: { ...plan.options, nemesis: "kill" } }, 'nemesis "kill"'],
  ];
  for (const [changed, why] of cases) {
    assertThrows(() => parsePlan(JSON.stringify(changed)), RangeError, why);
  }
  const infinite = JSON.stringify({ ...plan, ops: [{ ...plan.ops[0], value: ["@"] }] });
  assertThrows(() => parsePlan(infinite.replace('"@"', "1e999")), RangeError, "ops.0.value: ");
  assertThrows(() => parsePlan("{"), RangeError, "it is not JSON");
});
