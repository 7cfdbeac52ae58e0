import { assertEquals } from "@std/assert";
import { check } from "../report.ts";
import { handmade } from "../testing.ts";
import { cyclesView } from "./cycles.ts";

Deno.test("a cycle's transactions have their micro-operations, and each edge those it is about", () => {
  // Write skew: each reads both keys as empty and appends to one of them.
  const reads = [["r", "x", []], ["r", "y", []]];
  const asked = [["r", "x", null], ["r", "y", null]];
  const history = handmade(
    [0, "invoke", "txn", [...asked, ["append", "x", 1]]],
    [1, "invoke", "txn", [...asked, ["append", "y", 2]]],
    [0, "ok", "txn", [...reads, ["append", "x", 1]]],
    [1, "ok", "txn", [...reads, ["append", "y", 2]]],
  );
  const workload = "txn-list-append";
  const consistencyModels = ["serializable"];
  const report = check(history, { workload, consistencyModels });
  const view = cyclesView({ workload, report, history });
  assertEquals(report.findings.map(({ anomaly }) => anomaly), ["G2-item"]);
  assertEquals(view?.cycles.map(({ type, more }) => [type, more]), [["G2-item", 0]]);
  const [cycle] = view?.cycles ?? [];
  assertEquals(cycle?.txns, [
    {
      op: 2,
      atMs: 2,
      when: "process 0 on n0, 0.000 s to 0.002 s",
      mops: ['r "x" []', 'r "y" []', 'append "x" 1'],
    },
    {
      op: 3,
      atMs: 3,
      when: "process 1 on n1, 0.001 s to 0.003 s",
      mops: ['r "x" []', 'r "y" []', 'append "y" 2'],
    },
  ]);
  assertEquals(cycle?.steps, [
    {
      type: "rw",
      why: 'T1 read key "y" as [], without 2, which T2 appended',
      fromMop: 1,
      toMop: 2,
    },
    {
      type: "rw",
      why: 'T2 read key "x" as [], without 1, which T1 appended',
      fromMop: 0,
      toMop: 2,
    },
  ]);
});

Deno.test("edges of registers are about the values written and read", () => {
  const history = handmade(
    [0, "invoke", "txn", [["w", 1, 1]]],
    [0, "ok", "txn", [["w", 1, 1]]],
    [0, "invoke", "txn", [["r", 1, null]]],
    [0, "ok", "txn", [["r", 1, null]]],
  );
  const workload = "txn-rw-register";
  const consistencyModels = ["strict-serializable"];
  const report = check(history, { workload, consistencyModels });
  const [cycle] = cyclesView({ workload, report, history })?.cycles ?? [];
  const edges = cycle?.steps.map(({ type, fromMop, toMop }) => [type, fromMop, toMop]);
  assertEquals(edges?.toSorted(), [["realtime", undefined, undefined], ["rw", 0, 0]]);
});

Deno.test("a run without cycles has none to show", () => {
  const history = handmade(
    [0, "invoke", "txn", [["append", 1, 1]]],
    [0, "ok", "txn", [["append", 1, 1]]],
    [0, "invoke", "txn", [["r", 1, null]]],
    [0, "ok", "txn", [["r", 1, [1]]]],
  );
  const workload = "txn-list-append";
  const report = check(history, { workload, consistencyModels: ["serializable"] });
  assertEquals(cyclesView({ workload, report, history }), undefined);
});
