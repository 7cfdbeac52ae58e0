import { assert, assertEquals } from "@std/assert";
import { countLines, echo, initLine, loads, Output, requestBytes, requestLine } from "./load.ts";

Deno.test("a request is one line of JSON, numbered", () => {
  const { src, dest, body } = JSON.parse(requestLine(130, echo.request(130)));
  assertEquals([src, dest, body.msg_id, body.echo], ["c2", "n0", 130, "Please echo 2"]);
  assertEquals(countLines(requestBytes(echo, 5, 8)), 3);
  assertEquals(countLines(new Uint8Array()), 0);
});

Deno.test("output is read until its lines have come, or a line is too long", () => {
  const take = (lines: number, ...texts: string[]) => {
    const output = new Output(lines);
    for (const text of texts) output.add(new TextEncoder().encode(text), 0);
    return output.isDone;
  };
  assertEquals([take(2, "a\nb"), take(2, "a\nb", "c\n")], [false, true]);
  const half = "x".repeat(1 << 19);
  assertEquals([take(2, half, `x\n${half}`), take(2, half, half, "x")], [false, true]);
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
