import { assertEquals } from "@std/assert";
import type { Op } from "./history.ts";
import { operationLatencies, quantiles } from "./report.ts";

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
