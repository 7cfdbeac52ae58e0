import { assertEquals } from "@std/assert";
import { explain, faultWindows } from "./explain.ts";
import type { Op } from "./history.ts";

const op = (index: number, seconds: number, rest: Partial<Op>): Op => ({
  index,
  time: seconds * 1e9,
  type: "ok",
  process: 1,
  f: "read",
  value: null,
  ...rest,
});

Deno.test("faultWindows pairs what the nemesis began and ended", () => {
  const nemesis = (index: number, seconds: number, f: string, value: Op["value"] = null) =>
    op(index, seconds, { process: "nemesis", type: "info", f, value });
  const history = [
    nemesis(0, 0, "start-partition", "majority"),
    nemesis(1, 0, "start-partition", "n0 | n1 n2"),
    op(2, 1, {}),
    nemesis(3, 2, "start-kill", "n1"),
    nemesis(4, 3, "stop-partition"),
    nemesis(5, 3, "stop-partition", "healed"),
  ];
  assertEquals(faultWindows(history), [
    { fault: "partition", description: "n0 | n1 n2", fromNs: 0, toNs: 3e9 },
    { fault: "kill", description: "n1", fromNs: 2e9, toNs: undefined },
  ]);
});

Deno.test("faultWindows describes what our own nemesis and Jepsen's noted", () => {
  const described = (f: string, value: Op["value"]) => {
    const nemesis = { process: "nemesis", type: "info", f } as const;
    const history = [op(0, 0, { ...nemesis, value: null }), op(1, 0, { ...nemesis, value })];
    return faultWindows(history).map(({ fault, description }) => `${fault}: ${description}`);
  };
  const majority = { n1: ["n0", "n2"], n0: ["n1"], n2: ["n1"] };
  const partition = "start-partition";
  assertEquals(described(partition, { isolated: majority }), ["partition: n0 n2 | n1"]);
  assertEquals(described(partition, ["isolated", majority]), ["partition: n0 n2 | n1"]);
  assertEquals(described(partition, { isolated: { n0: ["n1"] } }), ["partition: n1 -/-> n0"]);
  assertEquals(described(partition, { isolated: {} }), []);
  assertEquals(described(partition, ["isolated", { n0: [] }]), []);
  assertEquals(described(partition, { isolated: "n0" }), ["partition: isolated n0"]);
  assertEquals(described(partition, { isolated: 5 }), ['partition: {"isolated":5}']);
  assertEquals(described("start-kill", { n0: "killed" }), ["kill: n0 is down"]);
  assertEquals(described("kill", ["n0", "n1"]), ["kill: n0 is down, n1 is down"]);
  assertEquals(described("pause", { n0: "paused" }), ["pause: n0 stands still"]);
  assertEquals(described("start-slow", { n0: "slow" }), ["slow: n0 slow"]);
  assertEquals(described("start-loss", { probability: 0.1 }), [
    "loss: 10 % of the messages between nodes",
  ]);
});

Deno.test("faultWindows ends what Jepsen's nemesis killed and paused", () => {
  const fs = ["kill", "pause", "start", "resume", "start", "stop"];
  const history = fs.map((f, i) => op(i, i, { process: "nemesis", type: "info", f }));
  const windows = faultWindows(history).map(({ fault, fromNs, toNs }) => [fault, fromNs, toNs]);
  assertEquals(windows, [["kill", 0, 2e9], ["pause", 1e9, 3e9], ["", 4e9, 5e9]]);
});

Deno.test("explain names the operations, the faults of their time, and what those ate", () => {
  const ops = [
    op(1, 1, { f: "add", value: 5, node: "n0" }),
    op(2, 3, { value: [1], node: "n2", type: "fail", error: { code: 11, text: "not now" } }),
  ];
  const faults = [
    { fault: "partition", description: "n0 | n1", fromNs: 0, toNs: 2e9 },
    { fault: "pause", description: "n9", fromNs: 9e9, toNs: undefined },
  ];
  const eaten = (timeMs: number, src: string) => ({
    timeMs,
    id: 0,
    src,
    dest: "n1",
    type: "gossip",
    why: "partition",
  });
  const dropped = [eaten(1500, "n0"), eaten(2500, "n0"), eaten(3500, "n2"), eaten(99, "n0")];
  const lines = explain({ anomaly: "lost", what: "Element 5 is gone", ops }, {
    faults,
    dropped,
    startMs: 500,
  });
  assertEquals(lines, [
    "lost: Element 5 is gone",
    "  Seen in: 1.000 s process 1 on n0 add ok 5; " +
    "3.000 s process 1 on n2 read fail [1] (not now)",
    "  Faults then: partition: n0 | n1, from 0.000 s to 2.000 s",
    "  Messages lost in between: 3; n0 -> n1 (2), n2 -> n1 (1)",
  ]);
});

Deno.test("explain says no more than it knows", () => {
  const finding = { anomaly: "unavailable", what: "Too few succeeded", ops: [] };
  assertEquals(explain(finding, { faults: [] }), ["unavailable: Too few succeeded"]);
});

Deno.test("explain tells together what happened to several nodes at the same time", () => {
  const down = (node: string, toNs: number | undefined) => ({
    fault: "kill",
    description: `${node} is down`,
    fromNs: 0,
    toNs,
  });
  const faults = [down("n0", 2e9), down("n1", 2e9), down("n2", undefined)];
  const [, , line] = explain({ anomaly: "lost", what: "", ops: [op(0, 1, {})] }, { faults });
  assertEquals(
    line,
    "  Faults then: kill: n0 is down, n1 is down, from 0.000 s to 2.000 s; " +
      "kill: n2 is down, from 0.000 s to the end",
  );
});

Deno.test("explain tells of a fault without a name by what it did, or as a fault", () => {
  const nemesis = (index: number, f: string, value: Op["value"]) =>
    op(index, index, { process: "nemesis", type: "info", f, value });
  const finding = { anomaly: "lost", what: "Element 5 is gone", ops: [op(1, 1, {})] };
  const faultsOf = (value: Op["value"]) => {
    const faults = faultWindows([nemesis(0, "start", value), nemesis(2, "stop", null)]);
    return explain(finding, { faults })[2];
  };
  assertEquals(faultsOf("n1 is cut off"), "  Faults then: n1 is cut off, from 0.000 s to 2.000 s");
  assertEquals(faultsOf(null), "  Faults then: a fault, from 0.000 s to 2.000 s");
});
