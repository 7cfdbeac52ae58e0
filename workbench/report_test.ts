import { assertEquals } from "@std/assert";
import type { Op } from "./history.ts";
import { check, operationLatencies, quantiles } from "./report.ts";

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
