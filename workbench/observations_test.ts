import { assert, assertEquals } from "@std/assert";
import type { Node, Observation } from "@eddy/maelstrom";
import { summarize } from "./explain.ts";
import { Observations, parseObservation, reachedIn, writeObservation } from "./observations.ts";
import { simulate } from "./simulate.ts";

Deno.test("lines of the documented shape are observations", () => {
  const lines: [string, Observation][] = [
    [
      'eddy: {"observe":{"role":"leader","term":3,"ok":true}}',
      { observe: { role: "leader", term: 3, ok: true } },
    ],
    ['eddy: {"sometimes":"x"}', { sometimes: "x", reached: true }],
    ['eddy: {"reached":false,"sometimes":"x"}', { sometimes: "x", reached: false }],
    ['eddy:  {"always":false,"name":"y"} ', { always: false, name: "y" }],
  ];
  for (const [line, observation] of lines) assertEquals(parseObservation(line), observation);
});

Deno.test("lines that almost match are ordinary lines", () => {
  const long = "x".repeat(201);
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, i]));
  const lines = [
    'eddy {"sometimes":"x"}',
    ' eddy: {"sometimes":"x"}',
    'Eddy: {"sometimes":"x"}',
    "eddy: ",
    "eddy: null",
    "eddy: []",
    "eddy: {}",
    'eddy: {"sometimes":"x"',
    'eddy: {"sometimes":""}',
    'eddy: {"sometimes":1}',
    `eddy: {"sometimes":"${long}"}`,
    'eddy: {"sometimes":"x","reached":1}',
    'eddy: {"sometimes":"x","more":1}',
    'eddy: {"always":true,"name":"y"}',
    'eddy: {"always":false}',
    'eddy: {"observe":{}}',
    'eddy: {"observe":[1]}',
    'eddy: {"observe":{"a":{"b":1}}}',
    'eddy: {"observe":{"a":null}}',
    'eddy: {"observe":{"a":1e999}}',
    `eddy: {"observe":{"a":"${long}"}}`,
    `eddy: {"observe":{"${long}":1}}`,
    `eddy: ${JSON.stringify({ observe: many })}`,
    `eddy: {"sometimes":"x"${" ".repeat(2000)}}`,
  ];
  for (const line of lines) assertEquals(parseObservation(line), undefined, line);
});

Deno.test("what is nothing new is counted, not kept, and what is kept is bounded", () => {
  let nowMs = 5;
  const all = new Observations(() => nowMs++);
  assertEquals(all.summary(0), undefined);
  for (const term of [1, 1, 2]) all.add("n1", { observe: { term } });
  assertEquals(all.summary(0), undefined, "states are no names");
  all.add("n1", { sometimes: "x", reached: false });
  all.add("n2", { sometimes: "x" });
  all.add("n1", { sometimes: "x" });
  all.add("n1", { sometimes: "z", reached: false });
  all.add("n1", { always: false, name: "y" });
  all.add("n1", { always: false, name: "y" });
  all.add("n1", { always: false, name: "" });
  assertEquals(all.records(10).map(writeObservation), [
    '{"time":-5000000,"node":"n1","observe":{"term":1}}',
    '{"time":-3000000,"node":"n1","observe":{"term":2}}',
    '{"time":-1000000,"node":"n2","sometimes":"x","reached":true}',
    '{"time":2000000,"node":"n1","always":false,"name":"y"}',
  ]);
  assertEquals(all.summary(10), {
    sometimes: [
      { name: "x", count: 2, node: "n2", time: -1000000 },
      { name: "z", count: 0, node: undefined, time: undefined },
    ],
    violations: [{ name: "y", count: 2, node: "n1", time: 2000000 }],
    leftOut: 0,
  });
  for (let i = 0; i < 1500; i++) all.add("n1", { sometimes: `name ${i}` });
  assertEquals(all.summary(0)?.sometimes.length, 1000);
  for (let i = 0; i < 100_000; i++) all.add("n1", { observe: { i } });
  assertEquals(all.records(0).length, 100_000);
  assert((all.summary(0)?.leftOut ?? 0) > 1000);
});

Deno.test("a sweep's runs are counted by name", () => {
  const run = (...names: [name: string, count: number][]) => ({
    sometimes: names.map(([name, count]) => ({ name, count, node: undefined, time: undefined })),
    violations: [],
    leftOut: 0,
  });
  const counts = reachedIn([run(["x", 2], ["z", 0]), undefined, run(["x", 1], ["y", 1])]);
  assertEquals([...counts], [["x", 2], ["z", 0], ["y", 1]]);
});

/** An echo node that tells of itself. */
function observed(node: Node): void {
  let count = 0;
  node.on("echo", ({ body }) => {
    node.observe({ count: ++count });
    node.sometimes("echoes twice", count >= 2);
    node.sometimes("echoes a million times", count >= 1e6);
    node.always(count < 3 || node.id !== "n1", "n1 echoes less than three times");
    return { echo: body.echo };
  });
}

Deno.test("a run records what nodes tell, at virtual times, and is invalid where something did not hold", async () => {
  const run = (seed: number) =>
    simulate({
      workload: "echo",
      nodeCount: 2,
      rate: 10,
      timeLimitSeconds: 5,
      seed,
      install: observed,
    });
  const { results, observations, options } = await run(1);
  assertEquals(results.valid, false);
  assertEquals(results.findings.map(({ anomaly }) => anomaly), ["always"]);
  const [violation] = results.observed?.violations ?? [];
  assertEquals([violation?.node, violation?.name], ["n1", "n1 echoes less than three times"]);
  const [first] = observations;
  assertEquals(first?.observation, { observe: { count: 1 } });
  assert(first !== undefined && first.time >= 0 && Number.isInteger(first.time));
  const text = summarize(results, options);
  assert(text.includes("sometimes  echoes twice\n"), text);
  assert(text.includes("not yet    echoes a million times\n"), text);
  assert(text.includes("always: n1 said at "), text);
  assert(
    text.includes('that "n1 echoes less than three times" does not hold, the first of '),
    text,
  );
  assertEquals((await run(1)).observations, observations);
});

Deno.test("Eddy's own Raft tells who leads", async () => {
  const { observations } = await simulate({
    workload: "lin-kv",
    nodeCount: 3,
    timeLimitSeconds: 5,
    seed: 1,
  });
  const roles = observations.map(({ observation }) =>
    "observe" in observation ? observation.observe.role : undefined
  );
  assert(roles.includes("leader") && roles.includes("follower"));
});
