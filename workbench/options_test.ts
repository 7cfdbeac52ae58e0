import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { defaultOptions, type RunSettings, threadCount } from "./options.ts";

Deno.test("the defaults are Maelstrom's", () => {
  assertEquals(defaultOptions("echo"), {
    workload: "echo",
    nodeIds: ["n1", "n2", "n3", "n4", "n5"],
    concurrency: 5,
    rate: 5,
    timeLimitSeconds: 60,
    latency: { meanMs: 0, distribution: "constant" },
    nemesis: [],
    nemesisIntervalSeconds: 10,
    topology: "grid",
    consistencyModels: ["strict-serializable"],
    keyCount: 10,
    maxTxnLength: 4,
    maxWritesPerKey: 16,
    seed: 1,
    strictMaelstrom: false,
    maelstromBugs: false,
  });
});

Deno.test("nodes that are counted are named from n0", () => {
  assertEquals(defaultOptions("echo", { nodeCount: 2 }).nodeIds, ["n0", "n1"]);
  assertEquals(defaultOptions("echo", { nodeCount: 1, nodeIds: ["a", "b"] }).nodeIds, ["n0"]);
  assertEquals(defaultOptions("echo", { nodeIds: ["a", "b"] }).concurrency, 2);
});

Deno.test("concurrency is a number, or one for each node; lin-kv takes 2n", () => {
  assertEquals(defaultOptions("lin-kv").concurrency, 10);
  assertEquals(defaultOptions("lin-kv", { concurrency: "4n", nodeCount: 3 }).concurrency, 12);
  assertEquals(defaultOptions("echo", { concurrency: 7 }).concurrency, 7);
  assertEquals([threadCount("7", 3), threadCount("7n", 3)], [7, 21]);
});

Deno.test("half a latency is completed", () => {
  const { latency } = defaultOptions("echo", { latency: { meanMs: 5 } });
  assertEquals(latency, { meanMs: 5, distribution: "constant" });
});

Deno.test("what cannot be done is refused by name", () => {
  const refused = (settings: object, text: string) => {
    const error = assertThrows(() => defaultOptions("lin-kv", settings as RunSettings), RangeError);
    assertStringIncludes(error.message, text);
  };
  refused({ concurrency: "1n" }, "Cannot run with concurrency 5: it must be a multiple of 10 (2n)");
  refused({ concurrency: 0 }, "concurrency 0");
  refused({ concurrency: "1.5n" }, "concurrency 1.5n");
  refused({ concurrency: "99999n" }, "concurrency 499995: it must be an integer from 1 to 100000");
  refused({ nodeIds: ["a", "a"] }, 'node names ["a","a"]: they must be');
  refused({ availability: 1.1 }, 'availability 1.1: it must be "total", or a number from 0 to 1');
  refused({ consistencyModels: ["serialisable"] }, "serialisable");
  refused({ nemesis: ["foo"] }, 'nemesis ["foo"]: it must be a list of some of partition, ');
  refused({ topology: "ring" }, 'topology "ring": it must be one of line, grid, ');
  refused({ latency: { mean: 1 } }, 'latency {"mean":1}: accepted are meanMs, distribution');
  refused(
    { nodecount: 3 },
    "Cannot run with an option nodecount: accepted are nodeCount, workload, ",
  );
  assertThrows(
    () => defaultOptions("nope" as "echo"),
    RangeError,
    'workload "nope": it must be one',
  );
  assertThrows(() => defaultOptions("toString" as "echo"), RangeError, 'workload "toString"');
});

Deno.test("every option refuses what is of another kind or out of bounds, in one sentence", () => {
  const nothing: readonly unknown[] = [null, {}, [{}], NaN, "x", true, -1, 1e300, () => {}, 1n];
  const only: Record<string, readonly unknown[]> = {
    failOnWarning: [true],
    strictMaelstrom: [true],
    maelstromBugs: [true],
    everyGroupReads: [true],
    // Any integer is a seed.
    seed: [-1],
    latency: [{}],
  };
  const names = [
    ...Object.keys(defaultOptions("echo")).filter((name) => name !== "workload"),
    ...[
      "nodeCount",
      "availability",
      "compute",
      "failOnWarning",
      "threadOrder",
      "everyGroupReads",
      "meanMs",
      "distribution",
    ],
  ];
  for (const name of names) {
    for (const value of nothing) {
      if (only[name]?.some((fine) => JSON.stringify(fine) === safeJson(value))) continue;
      const inLatency = name === "meanMs" || name === "distribution";
      const settings = inLatency ? { latency: { [name]: value } } : { [name]: value };
      const run = () => defaultOptions("echo", settings as RunSettings);
      const { message } = assertThrows(run, RangeError, undefined, `${name}: ${String(value)}`);
      assertMatch(message, /^Cannot run with [^\n]+$/, `${name}: ${String(value)}`);
    }
  }
});

function safeJson(value: unknown): string | undefined {
  return typeof value === "bigint" ? undefined : JSON.stringify(value);
}

Deno.test("an option that is undefined has its default", () => {
  const settings = { rate: undefined, nemesis: undefined, latency: { meanMs: undefined } };
  assertEquals(defaultOptions("echo", settings as unknown as RunSettings), defaultOptions("echo"));
});
