import { assertEquals } from "@std/assert";
import { handmade } from "../../testing.ts";
import { laneTitle } from "./lanes.ts";
import { ARROW, endpointText, makeScene } from "./scene.ts";
import { messagesOf, reportOf } from "../testing.ts";

const history = handmade(
  [0, "invoke", "broadcast", 7, { ms: 0 }],
  [1, "invoke", "read", null, { ms: 0 }],
  [0, "ok", "broadcast", 7, { ms: 2 }],
  [1, "info", "read", null, { ms: 5 }],
  [3, "invoke", "read", null, { ms: 6, node: "n1" }],
  [3, "ok", "read", [7], { ms: 7 }],
);
const messages = messagesOf(
  ["c0>n0", 0, 0, { type: "init", msg_id: 1 }],
  ["c2>n0", 0, 0, { type: "topology", msg_id: 1 }],
  ["c4>n0", 0, 1, { type: "broadcast", message: 7, msg_id: 1 }],
  ["c5>n1", 0, 1, { type: "read", msg_id: 1 }],
  ["n0>n1", 1, "partition", { type: "element", value: 7 }],
  ["n0>c4", 1, 2, { type: "broadcast_ok", in_reply_to: 1 }],
  ["n0>n1", 3, [4, 5], { type: "element", value: 7 }],
  ["c6>n1", 6, 6, { type: "read", msg_id: 1 }],
  ["n1>c6", 6, 7, { type: "read_ok", messages: [7], in_reply_to: 1 }],
  ["n1>seq-kv", 8, undefined, { type: "read" }],
);

Deno.test("threads of clients have a lane each, and those that only set up share one", () => {
  const { lanes } = makeScene(reportOf(messages, history));
  assertEquals(lanes.map(({ kind, name, endpoints }) => [kind, name, endpoints.join(" ")]), [
    ["setup", "set-up", "c0 c2"],
    ["client", "c4", "c4"],
    ["client", "c5 +1", "c5 c6"],
    ["node", "n0", "n0"],
    ["node", "n1", "n1"],
    ["service", "seq-kv", "seq-kv"],
  ]);
});

Deno.test("a client has the name that findings give its process", () => {
  const scene = makeScene(reportOf(messages, history));
  assertEquals(scene.lanes.map(laneTitle), [
    "set-up (2)",
    "process 0 / c4",
    "process 1, 3 / c5, c6",
    "n0",
    "n1",
    "seq-kv",
  ]);
  assertEquals(["c6", "n0"].map((name) => endpointText(scene, name)), ["c6 (process 3)", "n0"]);
});

Deno.test("an operation stands between its request and its reply", () => {
  const { bars, rowsMs, lanes } = makeScene(reportOf(messages, history));
  const shown = bars.map(({ lane, label, outcome, request, reply, fromRow, toRow }) => [
    lanes[lane]?.name,
    label,
    outcome,
    [request, reply],
    [rowsMs[fromRow], rowsMs[toRow]],
  ]);
  assertEquals(shown, [
    ["c4", "broadcast 7", "ok", [2, 5], [0, 2]],
    ["c5 +1", "read nil", "info", [3, undefined], [0, 5]],
    ["c5 +1", "read [7]", "ok", [7, 8], [6, 7]],
  ]);
});

Deno.test("an operation whose result says nothing is named by what it was asked for", () => {
  const { bars } = makeScene(reportOf(
    [],
    handmade(
      [0, "invoke", "echo", "hello", { ms: 0 }],
      [0, "ok", "echo", { type: "echo_ok", echo: "hello" }, { ms: 2 }],
    ),
  ));
  assertEquals(bars.map(({ label }) => label), ["echo hello"]);
});

Deno.test("each delivery and each loss is an arrow, and what is on its way is one", () => {
  const { arrows } = makeScene(reportOf(messages, history));
  const kinds = new Map(Object.entries(ARROW).map(([name, number]) => [number as number, name]));
  const of = (place: number) =>
    Array.from(arrows.kind).filter((_, i) => arrows.message[i] === place)
      .map((kind) => kinds.get(kind));
  assertEquals([4, 5, 6, 9].map(of), [
    ["dropped"],
    ["delivered"],
    ["delivered", "copy"],
    ["open"],
  ]);
});

Deno.test("what takes long while a fault delays is delayed, and not without one", () => {
  const many = messagesOf(
    ...Array.from({ length: 9 }, (_, i) => ["n0>n1", i, i + 1, { type: "a" }] as const),
    ["n1>n0", 9, 29, { type: "b" }],
  );
  const slow = { fault: "slow", description: "n1", fromNs: 20e6, toNs: undefined };
  const last = (faults: readonly (typeof slow)[]) =>
    makeScene(reportOf(many, [], faults)).arrows.kind.at(-1);
  assertEquals([last([]), last([slow])], [ARROW.delivered, ARROW.delayed]);
});

Deno.test("events at one time have rows in their order: sent, arrived, sent", () => {
  const { arrows, rowsMs } = makeScene(reportOf(messagesOf(
    ["n0>n1", 1, 1, { type: "a" }],
    ["n1>n0", 1, 1, { type: "b" }],
    ["n1>n0", 1, 1, { type: "c" }],
  )));
  assertEquals([...arrows.fromRow], [1, 3, 5]);
  assertEquals([...arrows.toRow], [2, 4, 6]);
  assertEquals([...rowsMs], [0, 1, 1, 1, 1, 1, 1, 1]);
  const { arrows: { fromRow, toRow } } = makeScene(reportOf(messagesOf(
    ["n0>n1", 1, 2, { type: "a" }],
    ["n0>n1", 1, 2, { type: "b" }],
    ["n1>n0", 1, 2, { type: "c" }],
  )));
  assertEquals([[...fromRow], [...toRow]], [[1, 2, 2], [3, 3, 3]]);
});

Deno.test("a fault shades the nodes that it names, and a history alone has processes for lanes", () => {
  const cut = { fault: "kill", description: "n1 is down", fromNs: 2e6, toNs: undefined };
  const { shades } = makeScene(reportOf(messages, history, [cut]));
  assertEquals(shades, [{ fromMs: 2, toMs: 8, text: "kill: n1 is down", lanes: [4] }]);
  const alone = { ...reportOf([], history), options: undefined };
  const { lanes, bars, rowsMs } = makeScene(alone);
  assertEquals(lanes.map(laneTitle), ["process 0", "process 1, 3"]);
  assertEquals(bars.map(({ fromRow, toRow }) => [rowsMs[fromRow], rowsMs[toRow]]), [
    [0, 2],
    [0, 5],
    [6, 7],
  ]);
});
