import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Op } from "../../history.ts";
import type { ElleResult } from "./check.ts";
import { MODEL_NAMES } from "./consistency_model.ts";
import { checkRwRegister } from "./rw_register.ts";
import * as notation from "../../testing.ts";

const concurrent = (...texts: string[]) => notation.concurrent(texts, true);
const sequential = (...texts: string[]) => notation.sequential(texts, true);
const interleaved = (order: string, ...texts: string[]) => notation.interleaved(texts, order, true);

function check(history: readonly Op[], ...consistencyModels: string[]): ElleResult {
  return checkRwRegister(history, { consistencyModels });
}

const all = "strict-serializable";

/** One anomaly: a history that shows it, models that forbid it, and models that do not. */
interface Example {
  readonly anomaly: string;
  readonly history: Op[];
  readonly forbidden: readonly string[];
  readonly allowed: readonly string[];
}

const examples: Example[] = [
  {
    anomaly: "G1a",
    history: concurrent("fail: wx1", "rx1", "wy1", "ry1"),
    forbidden: ["read-committed", "serializable", all],
    allowed: ["read-uncommitted"],
  },
  {
    anomaly: "G1b",
    history: concurrent("wx1 wx2", "rx1", "rx2"),
    forbidden: ["read-committed", "serializable"],
    allowed: ["read-uncommitted"],
  },
  {
    anomaly: "G1c",
    history: concurrent("wx1 ry1", "wy1 rx1"),
    forbidden: ["read-committed", "serializable"],
    allowed: ["read-uncommitted"],
  },
  {
    anomaly: "internal",
    history: concurrent("wx1 rx2", "wx2 ry_", "ry1", "wy1"),
    forbidden: ["snapshot-isolation", "serializable"],
    allowed: ["read-committed"],
  },
  {
    anomaly: "lost-update",
    history: concurrent("wx1", "rx1 wx2", "rx1 wx3"),
    forbidden: ["cursor-stability", "snapshot-isolation", "serializable"],
    allowed: ["read-committed"],
  },
  {
    anomaly: "cyclic-versions",
    history: concurrent("rx1 wx2", "rx2 wx1"),
    forbidden: ["read-uncommitted", "serializable"],
    allowed: [],
  },
  {
    anomaly: "G-single-item",
    history: concurrent("wx1 wy1", "rx1 ry_"),
    forbidden: ["consistent-view", "snapshot-isolation", "serializable"],
    allowed: ["read-committed", "cursor-stability"],
  },
  {
    anomaly: "G-nonadjacent-item",
    history: concurrent("wx1", "wy1", "rx1 ry_", "rx_ ry1"),
    forbidden: ["snapshot-isolation", "repeatable-read", "serializable"],
    allowed: ["read-committed"],
  },
  {
    anomaly: "G2-item",
    history: concurrent("rx_ ry_ wx1", "rx_ ry_ wy1"),
    forbidden: ["repeatable-read", "serializable"],
    allowed: ["read-committed", "snapshot-isolation"],
  },
  {
    anomaly: "G1c-process",
    history: sequential("1 rx1", "1 wx1"),
    forbidden: ["strong-session-read-committed"],
    allowed: ["serializable", "strong-session-read-uncommitted"],
  },
  {
    anomaly: "G-single-item-process",
    history: sequential("1 wx1", "1 rx_"),
    forbidden: ["strong-session-snapshot-isolation"],
    allowed: ["serializable", "strong-session-read-committed"],
  },
  {
    anomaly: "G-nonadjacent-item-process",
    history: sequential("0 rx_ rz1", "1 wx1", "1 rz_", "2 wz1"),
    forbidden: ["strong-session-snapshot-isolation"],
    allowed: ["serializable", "strong-session-read-committed"],
  },
  {
    anomaly: "G2-item-process",
    history: interleaved("0 1 1 2 2 0", "2 wx1 ry_", "1 wy1", "1 rx_"),
    forbidden: ["strong-session-serializable"],
    allowed: ["serializable", "strong-session-snapshot-isolation"],
  },
  {
    anomaly: "G1c-realtime",
    history: sequential("rx1", "wx1"),
    forbidden: ["strong-read-committed", all],
    allowed: ["serializable", "strong-session-serializable"],
  },
  {
    anomaly: "G-single-item-realtime",
    history: sequential("wx1", "rx_"),
    forbidden: ["strong-snapshot-isolation", all],
    allowed: ["serializable", "strong-read-committed"],
  },
  {
    anomaly: "G-nonadjacent-item-realtime",
    history: interleaved("0 3 1 1 2 2 0 3", "rx_ rz1", "wx1", "rz_", "wz1"),
    forbidden: ["strong-snapshot-isolation", all],
    allowed: ["serializable", "strong-session-serializable"],
  },
  {
    anomaly: "G2-item-realtime",
    history: interleaved("0 1 1 2 2 0", "wx1 ry_", "wy1", "rx_"),
    forbidden: [all],
    allowed: ["serializable", "strong-snapshot-isolation"],
  },
];

for (const { anomaly, history, forbidden, allowed } of examples) {
  Deno.test(`${anomaly} in registers`, () => {
    for (const model of forbidden) {
      const result = check(history, model);
      assert(result.anomalyTypes.includes(anomaly), `${model}: ${summary(result)}`);
      assertEquals(result.valid, false, model);
      assert(result.findings?.some((finding) => finding.anomaly === anomaly), model);
    }
    for (const model of allowed) {
      const result = check(history, model);
      assert(!result.anomalyTypes.includes(anomaly), `${model}: ${summary(result)}`);
      assertEquals(result.valid, true, `${model}: ${summary(result)}`);
    }
  });
}

Deno.test("a sequential history of registers is valid under every model", () => {
  const history = sequential("rx_ wx1", "rx1 wy1", "info: wx2", "fail: wx3", "rx2 ry1", "wx4");
  for (const model of MODEL_NAMES) {
    const result = check(history, model);
    assertEquals(result.valid, true, `${model}: ${summary(result)}`);
    assertEquals(result.findings, undefined);
    assertEquals(result.warnings, undefined);
  }
});

Deno.test("empty replies are valid to Maelstrom, and warned of", () => {
  const history = sequential("wx1", "rx1 wx2", "rx2")
    .map((op) => op.type === "ok" ? { ...op, value: [] } : op);
  const result = check(history, all);
  assertEquals(result.valid, true);
  assertStringIncludes(result.warnings?.[0] ?? "", "3 replies do not fit");
  assertStringIncludes(result.warnings?.[0] ?? "", "the reply is empty");
});

Deno.test("values that were never written are valid to Maelstrom, and warned of", () => {
  const result = check(sequential("wx1", "rx2", "ry_"), "serializable");
  assertEquals(result.warnings, [
    '1 read found what no transaction wrote: process 1 read key "x" as 2, but no transaction wrote 2; ' +
    "Maelstrom may overlook this",
  ]);
});

Deno.test("any anomaly at all fails, but a search cut short does not", () => {
  const empty = check([], "read-committed");
  assertEquals(empty.anomalyTypes, ["empty-transaction-graph"]);
  assertEquals(empty.valid, false);
  const skew = checkRwRegister(concurrent("rx_ ry_ wx1", "rx_ ry_ wy1"), {
    consistencyModels: ["read-committed"],
  }, { perSearch: 0, total: 0 });
  assertEquals(skew.anomalyTypes, []);
  assertEquals(skew.valid, true);
});

Deno.test("a later value that an earlier transaction read makes two anomalies", () => {
  const result = check(sequential("rx1 wx2", "wx1"), all);
  assertEquals(result.anomalyTypes, ["G1c-realtime", "strong-PL-1-cycle-exists"]);
  assertEquals(result.valid, false);
});

Deno.test("values that replace each other are described with the transactions that did it", () => {
  const [finding] = check(concurrent("rx1 wx2", "rx2 wx1"), "read-uncommitted").findings ?? [];
  assertEquals(finding?.anomaly, "cyclic-versions");
  assertEquals(
    finding?.what,
    `Values 2, 1 of key "x" each replaced another of them in a circle, so there is no order in ` +
      `which they came (process 0, 0.000 s to 0.002 s: r "x" 1, w "x" 2; ` +
      `process 1, 0.001 s to 0.003 s: r "x" 2, w "x" 1)`,
  );
});

Deno.test("the reasons of a cycle of registers", () => {
  const [finding] = check(concurrent("wx1 wy1", "rx1 ry_"), "serializable").findings ?? [];
  assertEquals(
    finding?.what.split("\n  ").slice(1),
    [
      'T1 = process 1, 0.001 s to 0.003 s: r "x" 1, r "y" null',
      'T2 = process 0, 0.000 s to 0.002 s: w "x" 1, w "y" 1',
      'T1 before T2 (rw): T1 read null from key "y", and T2 wrote 1; a key is null only ' +
      "before it is first written",
      'T2 before T1 (wr): T2 wrote 1 to key "x", and T1 read it',
    ],
  );
});

Deno.test("a value that two wrote and a third read makes the verdict unknown", () => {
  const result = check(concurrent("wx1", "wx1", "rx1"), "serializable");
  assertEquals(result.valid, "unknown");
  assertEquals(result.findings?.[0]?.anomaly, "duplicate-writes");
  // It does not matter if it was never read.
  assertEquals(check(concurrent("wx1", "wx1", "wy1", "ry1"), "serializable").valid, true);
});

Deno.test("keys of several types make the verdict unknown", () => {
  const history = sequential("wx1").map((op) => ({ ...op, value: [["w", 1, 1], ["w", "1", 1]] }));
  const result = check(history, "serializable");
  assertEquals(result.valid, "unknown");
  assertEquals(result.findings?.[0]?.anomaly, "mixed-key-types");
});

Deno.test("writes of unknown transactions link nothing", () => {
  const result = check(concurrent("info: wx1 wy1", "rx1 ry_", "wz1", "rz1"), "serializable");
  assertEquals(result.valid, true);
});

function summary(result: ElleResult): string {
  return `${result.anomalyTypes} ${result.findings?.map(({ what }) => what).join("\n")}`;
}
