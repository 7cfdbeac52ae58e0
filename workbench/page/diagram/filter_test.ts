import { assertEquals } from "@std/assert";
import { handmade } from "../../testing.ts";
import { applyFilter, choicesOf, type DiagramFilter, NO_FILTER } from "./filter.ts";
import { makeScene } from "./scene.ts";
import { messagesOf, reportOf } from "../testing.ts";

const scene = makeScene(reportOf(
  messagesOf(
    ["c0>n0", 0, 1, { type: "broadcast", message: 8, msg_id: 1 }],
    ["n0>c0", 1, 2, { type: "broadcast_ok", msg_id: 8, in_reply_to: 1 }],
    ["n0>n1", 1, 3, { type: "element", value: 8 }],
    ["n0>n1", 2, 3, { type: "element", value: 18 }],
    ["n0>n1", 2, 3, { type: "write", key: "k.8", value: "a 8 b" }],
  ),
  handmade([0, "invoke", "broadcast", 8, { ms: 0 }], [0, "ok", "broadcast", 8, { ms: 2 }]),
));

function shown(filter: Partial<DiagramFilter>) {
  const { messages, bars } = applyFilter(scene, { ...NO_FILTER, ...filter });
  const places = (list: Uint8Array | undefined) =>
    list === undefined ? "all" : [...list].flatMap((each, i) => each === 1 ? [i] : []);
  return [places(messages), places(bars)];
}

Deno.test("each filter leaves what it names", () => {
  assertEquals(shown({}), ["all", "all"]);
  assertEquals(shown({ type: "element" }), [[2, 3], "all"]);
  assertEquals(shown({ f: "broadcast" }), [[0, 1], [0]]);
  assertEquals(shown({ f: "read" }), [[], []]);
  const lane = scene.lanes.findIndex(({ name }) => name === "n1");
  assertEquals(shown({ hidden: new Set([lane]) }), [[0, 1], [0]]);
});

Deno.test("a value is a whole word, and no message id", () => {
  assertEquals(shown({ text: "8" }), [[0, 2, 4], [0]]);
  assertEquals(shown({ text: "k.8" }), [[4], []]);
  assertEquals(shown({ text: "(" }), [[], []]);
  assertEquals(shown({ text: "8", type: "element" }), [[2], [0]]);
});

Deno.test("what can be chosen is what there is", () => {
  const { types, operations } = choicesOf(scene);
  assertEquals([...types], [["broadcast", 1], ["broadcast_ok", 1], ["element", 2], ["write", 1]]);
  assertEquals([...operations], [["broadcast", 1]]);
});
