import { assertEquals } from "@std/assert";
import type { Json } from "@eddy/maelstrom";
import { typeOfBody } from "../../report_messages.ts";
import { messageLabel, operationLabel } from "./labels.ts";

Deno.test("messages are named by their type and what is small and telling", () => {
  const label = (body: Json) => messageLabel(JSON.stringify(body));
  assertEquals(label({ type: "gossip", value: 8, msg_id: 3 }), "gossip 8");
  assertEquals(label({ type: "cas", key: 3, from: 1, to: 2, msg_id: 3 }), "cas 3: 1→2");
  assertEquals(label({ type: "read", key: "x", msg_id: 3 }), "read x");
  assertEquals(label({ type: "read_ok", messages: [1, 2] }), "read_ok [1 2]");
  assertEquals(label({ type: "read_ok", messages: [1, 2, 3, 4, 5] }), "read_ok [5 items]");
  assertEquals(
    label({ type: "append_entries", prev: 9, term: 4, entries: [] }),
    "append_entries term 4",
  );
  assertEquals(
    label({ type: "txn", txn: [["r", 1, null], ["append", 2, 3]] }),
    "txn r 1, append 2 3",
  );
  const vote = { type: "vote", term: 4, msg_id: 2 };
  assertEquals(label({ type: "routed", src: "n1", body: vote }), "routed vote term 4");
  assertEquals(label({ type: "routed", body: { type: "x".repeat(80) } }).length, 26);
  assertEquals(label({ type: "routed", body: 4 }), "routed 4");
  assertEquals(label({ type: "x", value: "a\u202e\nb" }), "x a\\u202e\\nb");
  assertEquals(label({ type: "x".repeat(80) }).length, 26);
});

Deno.test("a body that is no object, or long, has a label as well", () => {
  assertEquals([messageLabel("[1"), messageLabel("null")], ["", ""]);
  const long = JSON.stringify({ type: "blob", value: "a".repeat(1e6) });
  assertEquals([messageLabel(long), typeOfBody('{"a":1,"type":"b"}')], ["blob", "b"]);
});

Deno.test("operations are named by what was done, to what, with what result", () => {
  assertEquals(operationLabel("lin-kv", "cas", [3, [1, 2]]), "cas 3: 1→2");
  assertEquals(operationLabel("lin-kv", "read", [3, null]), "read 3: nil");
  assertEquals(operationLabel("g-counter", "read", 5), "read 5");
  assertEquals(operationLabel("txn-rw-register", "txn", [["w", 1, 2]]), "w 1 2");
  assertEquals(operationLabel("kafka", "poll", [["poll", { "9": [[0, 1]] }]]), "poll 9");
  assertEquals(operationLabel("echo", "echo", null), "echo");
});
