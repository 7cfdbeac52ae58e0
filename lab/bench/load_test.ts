import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  checkReplies,
  type Chunk,
  countLines,
  echo,
  initLine,
  loads,
  requestBytes,
  requestLine,
} from "./load.ts";

const expected = { load: echo, from: 5, to: 8, mirror: false };

function reply(index: number, keys: Record<string, unknown> = {}): string {
  const body = { type: "echo_ok", echo: `Please echo ${index}`, in_reply_to: index, ...keys };
  return `${JSON.stringify({ src: "n0", dest: "c2", body })}\n`;
}

/** Lines as chunks of bytes, each read a millisecond after the one before. */
function chunks(text: string, size = Infinity): Chunk[] {
  const bytes = new TextEncoder().encode(text);
  const found: Chunk[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    found.push({ bytes: bytes.slice(at, at + size), atMs: found.length + 1 });
  }
  return found;
}

Deno.test("a request is one line of JSON, numbered", () => {
  const { src, dest, body } = JSON.parse(requestLine(130, echo.request(130)));
  assertEquals([src, dest, body.msg_id, body.echo], ["c2", "n0", 130, "Please echo 2"]);
  assertEquals(countLines(requestBytes(echo, 5, 8)), 3);
  assertEquals(countLines(new Uint8Array()), 0);
});

Deno.test("right replies pass in any order and in pieces, with the time of their last byte", () => {
  const text = reply(7) + reply(5) + reply(6);
  assertEquals([...checkReplies(chunks(text), expected)], [1, 1, 1]);
  const size = reply(7).length;
  assertEquals([...checkReplies(chunks(text, size), expected)], [2, 3, 1]);
  assertEquals(checkReplies(chunks(text, 1), expected)[1], text.length);
});

Deno.test("the programs that mirror are checked by what they mirror", () => {
  const [first] = chunks(new TextDecoder().decode(requestBytes(echo, 5, 8)));
  assert(first !== undefined);
  checkReplies([first], { ...expected, mirror: true });
  assertThrows(() => checkReplies([first], expected), Error, "Reply to no request");
});

Deno.test("a missing, second, foreign, wrong or unfinished reply is found", () => {
  const cases: [text: string, message: string][] = [
    [reply(5) + reply(6), "Missing replies: 1 of 3"],
    [reply(5) + reply(6) + reply(5), "Second reply"],
    [reply(5) + reply(8), "Reply to no request"],
    [reply(5, { in_reply_to: "5" }), "Reply to no request"],
    [reply(5, { echo: "Please echo 6" }), "Wrong reply"],
    [reply(5, { type: "error" }), "Wrong reply"],
    [reply(5).trimEnd(), "Reply without a newline"],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => checkReplies(chunks(text), expected), Error, message);
  }
});

Deno.test("a node is told its name and the names of all, its own alone unless others are given", () => {
  const told = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)).body;
  assertEquals(told(initLine("n1")).node_ids, ["n1"]);
  const { node_id, node_ids } = told(initLine("n1", ["n0", "n1"]));
  assertEquals([node_id, node_ids], ["n1", ["n0", "n1"]]);
});

Deno.test("lists that are too short are no answer to reads and polls", () => {
  const [read, poll] = ["broadcast, read", "kafka, poll"].map((name) =>
    loads.find((load) => load.name === name)
  );
  assert(read !== undefined && poll !== undefined);
  assertEquals([0, 1, 21].map((index) => read.request(index).type), [
    "broadcast",
    "read",
    "broadcast",
  ]);
  const values = (length: number) => ({ type: "read_ok", messages: Array(length).fill(7) });
  assertEquals([1, 22, 1e6].map((index) => read.isAnswer(values(1), index)), [true, false, false]);
  assert(read.isAnswer(values(2), 22) && read.isAnswer(values(1000), 1e6));

  assertEquals([999, 1000].map((index) => poll.request(index).type), ["send", "poll"]);
  const entries = (length: number) => ({ type: "poll_ok", msgs: { a: [1], b: Array(length) } });
  assertEquals([999, 998].map((length) => poll.isAnswer(entries(length), 1000)), [true, false]);
});
