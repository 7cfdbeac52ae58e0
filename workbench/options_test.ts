import { assertEquals, assertThrows } from "@std/assert";
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
  const refused = (settings: RunSettings, text: string) =>
    assertThrows(() => defaultOptions("lin-kv", settings), Error, text);
  refused({ concurrency: "1n" }, "Cannot run with concurrency 5: it must be a multiple of 10 (2n)");
  refused({ concurrency: 0 }, "concurrency 0");
  refused({ concurrency: "1.5n" }, "concurrency 1.5n");
  refused({ nodeCount: 0 }, "node count 0");
  refused({ nodeIds: ["a", "a"] }, "a name occurs twice");
  refused({ rate: -1 }, "rate -1");
  refused({ rate: NaN }, "rate NaN");
  refused({ timeLimitSeconds: 0 }, "time limit 0");
  refused({ latency: { meanMs: -1 } }, "latency -1");
  refused({ nemesisIntervalSeconds: 0 }, "nemesis interval 0");
  refused({ keyCount: 0 }, "key count 0");
  refused({ maxTxnLength: 1.5 }, "max txn length 1.5");
  refused({ maxWritesPerKey: 0 }, "max writes per key 0");
  refused({ availability: 1.1 }, "availability 1.1");
  refused({ consistencyModels: ["serialisable"] }, "serialisable");
});
