import { assertEquals, assertRejects } from "@std/assert";
import { type JsonObject, parseJson } from "@eddy/maelstrom";
import { ErrorReply } from "../clients/reply.ts";
import { kafkaSession } from "./kafka_session.ts";
import { CRASHED } from "./spec.ts";
import { ScriptedNode } from "./testing.ts";

const poll = { f: "poll", value: [["poll"]] };

/** A node that has `logs` and knows `committed`, and a client that talks to it. */
function fixture(logs: JsonObject = {}, committed: JsonObject = {}) {
  const node = new ScriptedNode((body) => {
    switch (body.type) {
      case "poll":
        return { type: "poll_ok", msgs: logs };
      case "list_committed_offsets":
        return { type: "list_committed_offsets_ok", offsets: committed };
      case "send":
        return { type: "send_ok", offset: 7 };
      default:
        return { type: "commit_offsets_ok" };
    }
  });
  return { node, invoke: kafkaSession(node.call) };
}

Deno.test("a send tells its offset", async () => {
  const { node, invoke } = fixture();
  const value = await invoke({ f: "send", value: [["send", "3", 1]] });
  assertEquals(value, [["send", "3", [7, 1]]]);
  assertEquals(node.requests, [{ type: "send", key: "3", msg: 1 }]);
});

Deno.test("a fresh client polls nothing, and commits nothing when it gets nothing", async () => {
  const { node, invoke } = fixture({ "1": [], "2": null });
  assertEquals(await invoke(poll), [["poll", { "1": [], "2": null }]]);
  assertEquals(node.requests, [{ type: "poll", offsets: {} }]);
  // What a node returns unasked is read on from all the same.
  await invoke(poll);
  assertEquals(node.requests[1], { type: "poll", offsets: { "1": 0, "2": 0 } });
});

Deno.test("a poll goes on behind the highest offset that it got, and commits that", async () => {
  const { node, invoke } = fixture({ "1": [[4, 1], [9, 2], [6, 3]] });
  await invoke({ f: "assign", value: ["1", "2"], seekToBeginning: true });
  await invoke(poll);
  await invoke(poll);
  assertEquals(node.requests, [
    { type: "poll", offsets: { "1": 0, "2": 0 } },
    { type: "commit_offsets", offsets: { "1": 9 } },
    { type: "poll", offsets: { "1": 10, "2": 0 } },
    { type: "commit_offsets", offsets: { "1": 9 } },
  ]);
});

Deno.test("offsets never go back", async () => {
  const logs: JsonObject = { "1": [[9, 1]] };
  const { node, invoke } = fixture(logs);
  await invoke({ f: "assign", value: ["1"], seekToBeginning: true });
  await invoke(poll);
  logs["1"] = [[3, 2]];
  await invoke(poll);
  await invoke(poll);
  assertEquals(node.requests.at(-2), { type: "poll", offsets: { "1": 10 } });
});

Deno.test("offsets beyond doubles stay exact", async () => {
  const { node, invoke } = fixture({ "1": parseJson("[[9007199254740993, 1]]") });
  await invoke({ f: "assign", value: ["1"], seekToBeginning: true });
  await invoke(poll);
  await invoke(poll);
  assertEquals(
    node.requests.slice(1, 3).map((request) => JSON.stringify(request)),
    [
      '{"type":"commit_offsets","offsets":{"1":9007199254740993}}',
      '{"type":"poll","offsets":{"1":9007199254740994}}',
    ],
  );
});

Deno.test("an assign goes on where it was, or at the committed offset, or at 0", async () => {
  const { node, invoke } = fixture({ a: [[4, 1]] }, { a: 1, b: 2, z: 3 });
  await invoke({ f: "assign", value: ["a"], seekToBeginning: true });
  await invoke(poll);
  assertEquals(await invoke({ f: "assign", value: ["a", "b", "c"] }), ["a", "b", "c"]);
  await invoke(poll);
  await invoke({ f: "assign", value: ["b", "constructor"] });
  await invoke(poll);
  await invoke({ f: "assign", value: ["a"], seekToBeginning: true });
  await invoke(poll);
  const asked = node.requests.filter(({ type }) => type !== "commit_offsets");
  assertEquals(asked.slice(1), [
    { type: "list_committed_offsets", keys: ["a", "b", "c"] },
    { type: "poll", offsets: { a: 5, b: 2, c: 0 } },
    { type: "list_committed_offsets", keys: ["b", "constructor"] },
    { type: "poll", offsets: { b: 2, constructor: 0 } },
    { type: "poll", offsets: { a: 0 } },
  ]);
});

Deno.test("a failed commit fails the poll, but what was read is not read again", async () => {
  const { node, invoke } = fixture({ "1": [[4, 1]] });
  await invoke({ f: "assign", value: ["1"], seekToBeginning: true });
  const { answer } = node;
  node.answer = (body) =>
    body.type === "commit_offsets" ? { type: "error", code: 11, text: "no" } : answer(body);
  await assertRejects(async () => void await invoke(poll), ErrorReply, "no");
  node.answer = answer;
  await invoke(poll);
  assertEquals(node.requests[2], { type: "poll", offsets: { "1": 5 } });
});

Deno.test("a failed assign leaves the offsets as they were", async () => {
  const { node, invoke } = fixture();
  await invoke({ f: "assign", value: ["a"], seekToBeginning: true });
  const { answer } = node;
  node.answer = () => ({ type: "error", code: 13 });
  await assertRejects(async () => void await invoke({ f: "assign", value: ["b"] }), ErrorReply);
  node.answer = answer;
  await invoke(poll);
  assertEquals(node.requests.at(-1), { type: "poll", offsets: { a: 0 } });
});

Deno.test("a crash asks nobody", async () => {
  const { node, invoke } = fixture();
  assertEquals(await invoke({ f: "crash", value: null }), CRASHED);
  assertEquals(node.requests, []);
});
