import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { Json, Node } from "@eddy/maelstrom";
import type { Op } from "./history.ts";
import { quantiles } from "./checkers/checker.ts";
import { check, operationLatencies } from "./report.ts";
import { simulate } from "./simulate.ts";
import { handmade, type Row } from "./testing.ts";
import { type WorkloadName, WORKLOADS } from "./workloads/mod.ts";

const consistencyModels = ["strict-serializable"];

/** Workloads whose operations are the same, down to their values. */
const alike: ReadonlySet<WorkloadName> = new Set(["g-counter", "pn-counter"]);

Deno.test("a history of another workload is unknown, and one sentence says why", async () => {
  for (const recorded of WORKLOADS) {
    const settings = { nodeCount: 3, rate: 20, timeLimitSeconds: 5, seed: 1 };
    const { history } = await simulate({ workload: recorded, ...settings });
    for (const workload of WORKLOADS) {
      const { valid, findings } = check(history, { workload, consistencyModels });
      const pair = `a history of ${recorded}, checked as ${workload}`;
      if (recorded === workload || alike.has(recorded) && alike.has(workload)) {
        assertEquals(valid, true, pair);
      } else {
        assertEquals([valid, findings.length], ["unknown", 1], pair);
        assertMatch(findings[0]?.what ?? "", /another workload than|is no transaction of/, pair);
      }
    }
  }
});

Deno.test("a run of no operations is unknown", async () => {
  for (const workload of WORKLOADS) {
    const { results } = await simulate({ workload, rate: 0, timeLimitSeconds: 1 });
    assertEquals(results.valid, "unknown", workload);
    assertMatch(results.findings[0]?.what ?? "", /so nothing was tested|was not tested/, workload);
  }
});

Deno.test("without a completed operation nothing was tested, whatever the workload", () => {
  const nemesis: Row = ["nemesis", "info", "start-partition", null];
  for (const workload of WORKLOADS) {
    const rows: Row[][] = [[], [nemesis], [nemesis, [0, "invoke", "read"], [1, "invoke", "echo"]]];
    for (const each of rows) {
      const { valid, findings } = check(handmade(...each), { workload, consistencyModels });
      assertEquals([valid, findings.length], ["unknown", 1], workload);
    }
  }
});

Deno.test("a wrong operation counts among foreign ones; alone they decide nothing", () => {
  const echo: Row[] = [[0, "invoke", "echo", "a"], [0, "ok", "echo", "b"]];
  const drain: Row[] = [[1, "invoke", "drain"], [1, "fail", "drain"]];
  const verdictOf = (...rows: Row[]) =>
    check(handmade(...rows), { workload: "echo", consistencyModels });
  assertEquals(verdictOf(...echo, ...drain).valid, false);
  assertEquals(verdictOf(...drain).valid, "unknown");
  assertMatch(verdictOf(...drain).findings[0]?.what ?? "", /there is drain$/);
});

Deno.test("what explains a verdict is never of another verdict", () => {
  const report = check(
    handmade(
      [0, "invoke", "read", [1, null]],
      [0, "ok", "read", 5],
      [0, "invoke", "write", [1, 2]],
      [0, "ok", "write", [1, 2]],
      [0, "invoke", "cas", [1, [3, 4]]],
      [0, "fail", "cas", [1, [3, 4]]],
      [0, "invoke", "read", [1, null]],
      [0, "ok", "read", [1, 2]],
    ),
    { workload: "lin-kv", consistencyModels },
  );
  assertEquals([report.workload.valid, report.stats.valid, report.valid], [
    "unknown",
    false,
    false,
  ]);
  assertEquals(report.findings.map(({ anomaly }) => anomaly), ["never-ok"]);
  assertNotEquals(report.workload.findings, undefined);
});

Deno.test("quantiles are picked as Maelstrom picks them", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assertEquals(quantiles(hundred), { count: 100, p50: 51, p95: 96, p99: 100, max: 100 });
  assertEquals(quantiles([7]), { count: 1, p50: 7, p95: 7, p99: 7, max: 7 });
  assertEquals(quantiles([]), { count: 0 });
});

Deno.test("latencies are of operations that succeeded", () => {
  const event = (index: number, ms: number, process: number, type: Op["type"]): Op => ({
    index,
    time: ms * 1e6,
    type,
    process,
    f: "read",
    value: null,
  });
  const history = [
    event(0, 0, 0, "invoke"),
    event(1, 1, 1, "invoke"),
    event(2, 5, 0, "ok"),
    event(3, 9, 1, "fail"),
  ];
  assertEquals(operationLatencies(history), { count: 1, p50: 5, p95: 5, p99: 5, max: 5 });
});

Deno.test("a checker that throws leaves its own part unknown, and says why", () => {
  const parts = ["workload", "stats", "availability", "exceptions"] as const;
  const op = { index: 0, time: 0, process: 0, f: "generate", value: 1 } as const;
  const failed = (field: keyof Op) => {
    const ends = (["invoke", "info"] as const).map((type): Op =>
      Object.defineProperty({ ...op, type }, field, {
        get: () => {
          throw new Error(`Cannot read ${field}`);
        },
      })
    );
    const report = check(ends, { workload: "unique-ids", consistencyModels: [] });
    const unknown = parts.filter((part) =>
      report[part].valid === "unknown" &&
      report[part].warnings?.[0] === `The ${part} could not be checked: Cannot read ${field}` &&
      report.warnings.includes(report[part].warnings[0])
    );
    assertEquals(report.valid, unknown.includes("stats") ? "unknown" : false);
    return unknown;
  };
  assertEquals(failed("error"), ["exceptions"]);
  assertEquals(failed("f"), ["workload", "stats"]);
  assertEquals(failed("type"), [...parts]);
});

Deno.test("a warning makes a run invalid where that is wanted, and is its finding", async () => {
  const history = handmade(
    [0, "invoke", "add", 3],
    [0, "ok", "add", 3],
    [0, "invoke", "read"],
    [0, "ok", "read", 4],
    [0, "invoke", "read", null, { final: true }],
    [0, "ok", "read", 3, { final: true }],
  );
  const options = { workload: "g-counter", consistencyModels } as const;
  const lenient = check(history, options);
  assertEquals([lenient.valid, lenient.warnings.length], [true, 1]);
  const strict = check(history, { ...options, failOnWarning: true });
  assertEquals([strict.valid, strict.findings], [false, [
    { anomaly: "warning", what: lenient.warnings[0] ?? "", ops: [] },
  ]]);
  assertEquals(check([], { ...options, failOnWarning: true }).valid, "unknown");
  const settings = { workload: "unique-ids", nodeCount: 1, timeLimitSeconds: 2 } as const;
  let count = 0;
  const leak = (node: Node) => {
    node.on("generate", () => {
      void Promise.reject(new Error("Lost"));
      return { id: ++count };
    });
  };
  const run = async (failOnWarning: boolean) => {
    const { results } = await simulate({ ...settings, install: leak, failOnWarning });
    return [results.valid, results.findings.map(({ anomaly }) => anomaly)];
  };
  assertEquals(await run(false), [true, []]);
  assertEquals(await run(true), [false, ["warning"]]);
});

Deno.test("--only leaves out whether each kind of operation succeeded, and how many did", () => {
  const history = handmade(
    [0, "invoke", "write", [1, 2]],
    [0, "ok", "write", [1, 2]],
    [0, "invoke", "cas", [1, [3, 4]]],
    [0, "fail", "cas", [1, [3, 4]]],
  );
  const options = { workload: "lin-kv", consistencyModels, availability: 0.9 } as const;
  assertEquals(check(history, options).findings.map(({ anomaly }) => anomaly), [
    "never-ok",
    "unavailable",
  ]);
  assertEquals(check(history, options).valid, false);
  const only = check(history, { ...options, only: true });
  assertEquals([only.valid, only.findings], [true, []]);
  assertEquals(check([], { ...options, only: true }).valid, "unknown");
});

Deno.test("transactions are checked where only their completions are known", () => {
  const txn = (value: Json): Row => [0, "ok", "txn", value];
  const options = { workload: "txn-list-append", consistencyModels } as const;
  const skew = handmade(
    txn([["append", "x", 1]]),
    txn([["r", "x", [1]]]),
    txn([["append", "x", 2], ["r", "x", [2]]]),
  );
  assertEquals(check(skew, options).valid, false);
});
