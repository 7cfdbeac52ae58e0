import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Op } from "../../history.ts";
import { checkListAppend } from "./list_append.ts";
import type { ElleResult } from "./check.ts";
import { MODEL_NAMES } from "./consistency_model.ts";
import { concurrent, interleaved, sequential } from "../../testing.ts";

function check(history: readonly Op[], ...consistencyModels: string[]): ElleResult {
  return checkListAppend(history, { consistencyModels });
}

/** One anomaly: a history that shows it, models that forbid it, and models that do not. */
interface Example {
  readonly anomaly: string;
  readonly history: Op[];
  readonly forbidden: readonly string[];
  readonly allowed: readonly string[];
}

const all = "strict-serializable";

const examples: Example[] = [
  {
    anomaly: "G0",
    history: concurrent(["ax1 ay1", "ax2 ay2", "rx12 ry21"]),
    forbidden: ["read-uncommitted", "read-committed", "serializable", all],
    allowed: [],
  },
  {
    anomaly: "G1a",
    history: concurrent(["fail: ax1", "rx1", "ay1 rz_", "ry1"]),
    forbidden: ["read-committed", "monotonic-atomic-view", "snapshot-isolation", all],
    allowed: ["read-uncommitted"],
  },
  {
    anomaly: "G1b",
    history: concurrent(["ax1 ax2", "rx1", "rx12"]),
    forbidden: ["read-committed", "serializable"],
    allowed: ["read-uncommitted"],
  },
  {
    anomaly: "G1c",
    history: concurrent(["ax1 ry1", "ax2 ay1", "rx12 ry1"]),
    forbidden: ["read-committed", "cursor-stability", "serializable"],
    allowed: ["read-uncommitted"],
  },
  {
    anomaly: "dirty-update",
    history: concurrent(["fail: ax1", "ax2", "rx12"]),
    forbidden: ["read-committed", "repeatable-read"],
    allowed: ["read-uncommitted"],
  },
  {
    anomaly: "internal",
    history: concurrent(["ax1 rx1", "ax2 rx1", "rx12"]),
    forbidden: ["snapshot-isolation", "serializable", all],
    allowed: ["read-uncommitted", "read-committed", "cursor-stability"],
  },
  {
    anomaly: "future-read",
    history: concurrent(["rx1 ax1", "rx1"]),
    forbidden: ["read-committed", "serializable"],
    allowed: ["read-uncommitted"],
  },
  {
    anomaly: "duplicate-elements",
    history: concurrent(["ax1", "rx11"]),
    forbidden: ["read-uncommitted", "read-committed", "serializable"],
    allowed: [],
  },
  {
    anomaly: "incompatible-order",
    history: concurrent(["ax1", "ax2", "ax3", "rx12", "rx132"]),
    forbidden: ["read-committed", "serializable"],
    allowed: ["read-uncommitted"],
  },
  {
    anomaly: "lost-update",
    history: concurrent(["ax1", "rx1 ax2", "rx1 ax3", "rx123"]),
    forbidden: ["cursor-stability", "repeatable-read", "snapshot-isolation", "serializable"],
    allowed: ["read-uncommitted", "read-committed"],
  },
  {
    anomaly: "G-single-item",
    history: concurrent(["ax1 ay1", "ax2 ry_", "rx12 ry1"]),
    forbidden: ["consistent-view", "repeatable-read", "snapshot-isolation", "serializable"],
    allowed: ["read-committed", "cursor-stability"],
  },
  {
    // The long fork: two writes, seen in different orders.
    anomaly: "G-nonadjacent-item",
    history: concurrent(["ax1", "ay1", "rx1 ry_", "rx_ ry1"]),
    forbidden: ["snapshot-isolation", "repeatable-read", "serializable"],
    allowed: ["read-committed", "cursor-stability"],
  },
  {
    // Write skew.
    anomaly: "G2-item",
    history: concurrent(["rx_ ry_ ax1", "rx_ ry_ ay1", "rx1 ry1"]),
    forbidden: ["repeatable-read", "serializable", all],
    allowed: ["read-committed", "snapshot-isolation"],
  },
  {
    anomaly: "G0-process",
    history: sequential(["1 ax2", "1 ax1", "2 rx12"]),
    forbidden: ["strong-session-read-uncommitted", "strong-session-serializable"],
    allowed: ["serializable"],
  },
  {
    anomaly: "G1c-process",
    history: sequential(["1 rx1", "1 ax1"]),
    forbidden: ["strong-session-read-committed", "strong-session-snapshot-isolation"],
    allowed: ["serializable", "strong-session-read-uncommitted"],
  },
  {
    anomaly: "G-single-item-process",
    history: sequential(["0 ax1", "1 ax2", "1 rx1", "2 rx12"]),
    forbidden: ["strong-session-snapshot-isolation", "strong-session-serializable"],
    allowed: ["serializable", "strong-session-read-committed"],
  },
  {
    anomaly: "G-nonadjacent-item-process",
    history: sequential(["0 rx_ rz1", "1 ax1", "1 rz_", "2 az1"]),
    forbidden: ["strong-session-snapshot-isolation", "strong-session-serializable"],
    allowed: ["serializable", "strong-session-read-committed"],
  },
  {
    anomaly: "G2-item-process",
    history: interleaved(["2 ax1 ry_", "1 ay1", "1 rx_"], "0 1 1 2 2 0"),
    forbidden: ["strong-session-serializable"],
    allowed: ["serializable", "strong-session-snapshot-isolation"],
  },
  {
    anomaly: "G0-realtime",
    history: sequential(["ax2", "ax1", "rx12"]),
    forbidden: ["strong-read-uncommitted", all],
    allowed: ["serializable", "strong-session-serializable"],
  },
  {
    anomaly: "G1c-realtime",
    history: sequential(["rx1", "ax1"]),
    forbidden: ["strong-read-committed", "strong-snapshot-isolation", all],
    allowed: ["serializable", "strong-read-uncommitted", "strong-session-serializable"],
  },
  {
    anomaly: "G-single-item-realtime",
    history: sequential(["ax1", "ax2", "rx1", "rx12"]),
    forbidden: ["strong-snapshot-isolation", all],
    allowed: ["serializable", "strong-read-committed", "strong-session-serializable"],
  },
  {
    anomaly: "G-nonadjacent-item-realtime",
    history: interleaved(["rx_ rz1", "ax1", "rz_", "az1"], "0 3 1 1 2 2 0 3"),
    forbidden: ["strong-snapshot-isolation", all],
    allowed: ["serializable", "strong-read-committed", "strong-session-serializable"],
  },
  {
    anomaly: "G2-item-realtime",
    history: interleaved(["ax1 ry_", "ay1", "rx_"], "0 1 1 2 2 0"),
    forbidden: [all],
    allowed: ["serializable", "strong-snapshot-isolation", "strong-session-serializable"],
  },
];

for (const { anomaly, history, forbidden, allowed } of examples) {
  Deno.test(`${anomaly} in lists`, () => {
    for (const model of forbidden) {
      const result = check(history, model);
      assert(result.anomalyTypes.includes(anomaly), `${model}: ${summary(result)}`);
      assertEquals(result.valid, false, model);
      assert(result.anomalies[anomaly]?.length, model);
      assert(result.findings?.some((finding) => finding.anomaly === anomaly), model);
    }
    for (const model of allowed) {
      const result = check(history, model);
      assert(!result.anomalyTypes.includes(anomaly), `${model}: ${summary(result)}`);
      assertEquals(result.valid, true, `${model}: ${summary(result)}`);
    }
  });
}

Deno.test("a sequential history of lists is valid under every model", () => {
  const history = sequential(["rx_ ax1", "rx1 ay1", "info: ax2", "fail: ax3", "rx12 ry1", "ax4"]);
  for (const model of MODEL_NAMES) {
    const result = check(history, model);
    assertEquals(result.valid, true, `${model}: ${summary(result)}`);
    assertEquals(result.findings, undefined);
    assertEquals(result.warnings, undefined);
    assertEquals(result.not, []);
  }
});

Deno.test("the weakest models ruled out are named, and the stronger ones", () => {
  const result = check(concurrent(["ax1 ay1", "ax2 ry_", "rx12 ry1"]), "serializable");
  assertEquals(result.not, ["consistent-view", "repeatable-read"]);
  assert(result.alsoNot?.includes("strict-serializable"));
});

Deno.test("a cycle is described by its transactions and the reasons of their order", () => {
  const skew = sequential(["0 ax1"]).concat(
    interleaved(["1 rx1 ry_ ax2", "2 ry_ rx1 ay3"], "0 1 0 1").map((op) => ({
      ...op,
      index: op.index + 2,
      node: `n${op.process}`,
    })),
  );
  const [finding] = check(skew, "serializable").findings ?? [];
  assertEquals(finding?.anomaly, "G2-item");
  assertEquals(
    finding?.what,
    `2 transactions each come before the next and the last before the first, so no order explains them: T1 -> T2 -> T1
  T1 = process 1 on n1, 0.000 s to 0.002 s: r "x" [1], r "y" null, append "x" 2
  T2 = process 2 on n2, 0.001 s to 0.003 s: r "y" null, r "x" [1], append "y" 3
  T1 before T2 (rw): T1 read key "y" as null, without 3, which T2 appended
  T2 before T1 (rw): T2 read key "x" as [1], without 2, which T1 appended`,
  );
  assertEquals(finding?.ops.map((op) => op.index), [4, 5]);
});

Deno.test("an empty transaction graph is unknown", () => {
  for (const model of ["read-uncommitted", "serializable", all]) {
    const result = check([], model);
    assertEquals(result.valid, "unknown");
    assertEquals(result.anomalyTypes, ["empty-transaction-graph"]);
  }
  // An order of time is an edge too.
  assertEquals(check(sequential(["rx_", "rx_"]), all).valid, true);
  assertEquals(check(sequential(["rx_", "rx_"]), "serializable").valid, "unknown");
});

Deno.test("a search cut short is unknown, unless what exists settles it", () => {
  const effort = { perSearch: 0, total: 0 };
  const run = (history: Op[], model: string) =>
    checkListAppend(history, { consistencyModels: [model] }, effort);
  // A cycle is found all the same, if only one.
  const skew = run(concurrent(["rx_ ry_ ax1", "rx_ ry_ ay1"]), "serializable");
  assertEquals(skew.anomalyTypes, ["G2-item", "cycle-search-timeout"]);
  assertEquals(skew.valid, false);
  const allowed = run(concurrent(["rx_ ry_ ax1", "rx_ ry_ ay1"]), "read-committed");
  assertEquals(allowed.anomalyTypes, ["cycle-search-timeout"]);
  assertEquals(allowed.valid, "unknown");
  // The write skew found hides the G-single-item beside it, which snapshot isolation forbids.
  const both = concurrent(["rx_ ry_ rz1 ax1", "rx_ ry_ ay1", "rx1 rz_", "az1"]);
  const si = run(both, "snapshot-isolation");
  assertEquals(si.anomalyTypes, ["PL-SI-cycle-exists", "cycle-search-timeout"]);
  assertEquals(si.valid, false);
  assertEquals(check(both, "snapshot-isolation").anomalyTypes, ["G-single-item"]);
});

Deno.test("an element that was never appended makes a history of lists unknown", () => {
  const read = check(sequential(["ax1", "rx12"]), "serializable");
  assertEquals(read.valid, "unknown");
  assertStringIncludes(read.error ?? "", `No transaction wrote "x" 2`);
  assertStringIncludes(read.warnings?.[0] ?? "", "no transaction wrote 2");
  // A key's only append, and a reply that does not mention it.
  const [invoke, ok] = sequential(["ax1"]) as [Op, Op];
  const dropped = check([invoke, { ...ok, value: [] }], all);
  assertEquals(dropped.valid, "unknown");
  assertStringIncludes(dropped.error ?? "", `No transaction wrote "x" 1`);
  assertStringIncludes(dropped.warnings?.[0] ?? "", "the reply is empty");
});

Deno.test("appending a value twice, or doing something else, makes it unknown", () => {
  const twice = check(sequential(["ax1", "ax1"]), "serializable");
  assertEquals(twice.valid, "unknown");
  assertEquals(twice.findings?.[0]?.anomaly, "duplicate-appends");
  const other = check(sequential(["wx1"]), "serializable");
  assertEquals(other.valid, "unknown");
  assertEquals(other.findings?.[0]?.anomaly, "malformed-txn");
});

Deno.test("replies that do not fit their requests are warned of", () => {
  const history = sequential(["ax1", "rx1", "ax2 rx12", "ax3"]);
  const replies: Record<number, Op["value"]> = {
    3: [["r", "y", null]],
    5: [["append", "x", 2]],
    7: [["append", "x", 4]],
  };
  const result = check(
    history.map((op) => ({ ...op, value: replies[op.index] ?? op.value })),
    "read-uncommitted",
  );
  const warnings = result.warnings?.join("\n") ?? "";
  for (const each of ["key differs", "number of micro-operations differs", "value differs"]) {
    assertStringIncludes(warnings, each);
  }
  const [invoke, ok] = sequential(["rx1"]) as [Op, Op];
  const mislabelled = check([invoke, { ...ok, value: [["append", "x", 1]] }], "serializable");
  assertStringIncludes(mislabelled.warnings?.[0] ?? "", "function differs");
});

Deno.test("an unknown transaction counts where it was seen, and only there", () => {
  // Its null reads say nothing; its append does, once read.
  const unseen = concurrent(["info: rx_ ay1", "ax1", "rx1 ry_"]);
  assertEquals(check(unseen, "serializable").valid, true);
  const seen = concurrent(["info: ax1 ay1", "ax2 ry_", "rx12 ry1"]);
  assertEquals(check(seen, "serializable").anomalyTypes, ["G-single-item"]);
  // So does one whose end the history does not have.
  const open = seen.filter((op) => op.type !== "info");
  assertEquals(check(open, "serializable").anomalyTypes, ["G-single-item"]);
});

Deno.test("appends that were never read come after the last that was", () => {
  // y is 2 and then 1, and x the other way round; y's 1 was never read.
  const result = check(concurrent(["ax1 ay1", "ax2 ay2", "ax3 ay3", "rx12", "ry2"]), all);
  assertEquals(result.anomalyTypes, ["G-single-item", "G0"]);
});

Deno.test("a model that is unknown is refused, and none allows anything", () => {
  assertThrows(() => check(concurrent(["ax1", "rx11"]), "stricct"), Error, "stricct");
  assertEquals(check(concurrent(["ax1", "rx11"])).valid, true);
});

function summary(result: ElleResult): string {
  return `${result.anomalyTypes} ${result.findings?.map(({ what }) => what).join("\n")}`;
}

Deno.test("reads that leave out what they do not know yet are understood", () => {
  const op = { time: 0, process: 0, f: "txn" } as const;
  const append: Op["value"] = [["append", "x", 1], ["r", "y"]];
  const history = (end: Op["type"], value: Op["value"]): Op[] => [
    { ...op, index: 0, type: "invoke", value: append },
    { ...op, index: 1, type: end, value },
    { ...op, index: 2, type: "invoke", value: [["r", "x"]] },
    { ...op, index: 3, type: "ok", value: [["r", "x", [1]]] },
  ];
  assertEquals(check(history("ok", [["append", "x", 1], ["r", "y", []]]), all).valid, true);
  assertEquals(check(history("info", append), all).valid, true);
  const wrong = check(history("ok", append), all);
  assertEquals([wrong.valid, wrong.findings?.[0]?.anomaly], ["unknown", "malformed-txn"]);
});
