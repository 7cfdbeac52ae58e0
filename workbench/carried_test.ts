import { assertEquals } from "@std/assert";
import { messagesThatCarry } from "./carried.ts";

const NODES = new Set(["n0", "n1"]);

function message(id: number, sentMs: number, body: object, dest = "n1") {
  return {
    id,
    src: "n0",
    dest,
    sentMs,
    type: "",
    body: JSON.stringify(body),
    deliveries: [],
    drops: [],
  };
}

Deno.test("a value is found where all that stands was written before, and nowhere else", () => {
  const messages = [
    message(1, 0, { type: "a", values: [0], count: 0, msg_id: 0 }),
    message(2, 5, { type: "a", values: [0, { deep: "x" }], count: 7 }),
    message(3, 6, { type: "a", values: [0] }, "c1"),
    message(4, 7, { type: "b", text: "x" }),
  ];
  const written = [{ value: 0, atMs: 0 }, { value: "x", atMs: 5 }, { value: 7, atMs: 9 }];
  const found = messagesThatCarry(messages, NODES, written, [0, "x", 7]);
  assertEquals(found.get(0)?.map(({ id }) => id), [1, 2]);
  assertEquals(found.get('"x"')?.map(({ id }) => id), [2, 4]);
  assertEquals(found.get(7), undefined);
});

Deno.test("a value in a message that goes through a third node is found, and the way's numbers are none", () => {
  const routed = (number: number, value: number) => {
    return { type: "routed", number, path: [], body: { type: "a", value, msg_id: 1 } };
  };
  const messages = [message(1, 0, { type: "a", value: 1 }), message(2, 5, routed(2, 2))];
  const written = [{ value: 1, atMs: 0 }, { value: 2, atMs: 0 }];
  const found = messagesThatCarry(messages, NODES, written, [1, 2]);
  assertEquals([1, 2].map((value) => found.get(value)?.map(({ id }) => id)), [[1], [2]]);
});
