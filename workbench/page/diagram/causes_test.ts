import { assertEquals } from "@std/assert";
import { HappenedBefore, RELATION } from "./causes.ts";
import { makeScene } from "./scene.ts";
import { type MessageRow, messagesOf, reportOf } from "../testing.ts";

function relationsOf(place: number, rows: readonly MessageRow[]) {
  const { messages, events } = makeScene(reportOf(messagesOf(...rows)));
  const relations = new HappenedBefore(messages, events).relations(place);
  const names = new Map(Object.entries(RELATION).map(([name, number]) => [number as number, name]));
  return { ...relations, of: [...relations.of].map((each) => names.get(each)) };
}

const rows: readonly MessageRow[] = [
  ["c0>n0", 0, 1, { type: "read", msg_id: 4 }],
  ["n1>n0", 0, 2, { type: "gossip" }],
  ["n0>n1", 3, 4, { type: "ask", msg_id: 1 }],
  ["n1>c1", 3, 9, { type: "aside" }],
  ["n1>n0", 5, 6, { type: "answer", in_reply_to: 1 }],
  ["n0>c0", 7, 8, { type: "read_ok", in_reply_to: 4 }],
  ["n2>n3", 7, 8, { type: "elsewhere" }],
];

Deno.test("before and after a message is what Lamport's order has there", () => {
  const { of, before, after, concurrent } = relationsOf(2, rows);
  assertEquals(of, ["before", "cause", "self", "concurrent", "effect", "effect", "concurrent"]);
  assertEquals([before, after, concurrent], [2, 2, 2]);
});

Deno.test("requests and replies are found by their ids, and what was received last", () => {
  const { request, received, reply, effects } = relationsOf(4, rows);
  assertEquals([request, received, reply, effects], [2, 2, undefined, [5]]);
  assertEquals(relationsOf(5, rows).request, 0);
  assertEquals(relationsOf(0, rows).reply, 5);
  assertEquals(relationsOf(5, rows).received, 4);
});

Deno.test("a message that arrives in the same instant as one is sent is before it or not by its order", () => {
  const tied = messagesOf(
    ["n0>n1", 1, 1, { type: "a" }],
    ["n1>n0", 1, 1, { type: "b" }],
  );
  const relation = (nextId: number) => {
    const messages = tied.map((each, i) =>
      i === 0 ? { ...each, deliveries: [{ atMs: 1, nextId }] } : each
    );
    const scene = makeScene(reportOf(messages));
    return new HappenedBefore(messages, scene.events).relations(1).of[0];
  };
  assertEquals([relation(1), relation(2)], [RELATION.cause, RELATION.concurrent]);
});

Deno.test("a lost message has no effects, and a long chain is cut", () => {
  const lost = relationsOf(0, [["n0>n1", 0, "loss", { type: "a" }], ["n1>n0", 1, 2, {}]]);
  assertEquals([lost.after, lost.effects], [0, []]);
  const pings = Array.from({ length: 1500 }, (_, i): MessageRow => [
    i % 2 === 0 ? "n0>n1" : "n1>n0",
    i,
    i + 1,
    { type: "ping" },
  ]);
  const { isCut, before, after } = relationsOf(700, pings);
  assertEquals([isCut, before, after], [false, 700, 799]);
  assertEquals(relationsOf(1400, pings).isCut, true);
});
