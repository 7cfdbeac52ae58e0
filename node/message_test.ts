import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MAX_DEPTH, parseMessage, Received } from "./message.ts";

/** A message whose body holds a list so deep that the line has `depth` levels. */
function deep(depth: number, { src = "c1", msgId = "7", inner = "" } = {}): string {
  const levels = depth - 2;
  const value = `${"[".repeat(levels)}${inner}${"]".repeat(levels)}`;
  return `{"src":"${src}","dest":"n1","body":{"type":"echo","echo":${value},"msg_id":${msgId}}}`;
}

/** What becomes of a line: a message, or the problem and the request to answer. */
function outcome(line: string) {
  const parsed = parseMessage(line);
  if (parsed instanceof Received) return "message";
  const { request } = parsed;
  return [parsed.problem, request?.src, request?.body.type, request?.body.msg_id];
}

Deno.test("a line nested too deeply is refused before it is parsed, and its request answered", () => {
  const problem = "nested too deeply";
  assertEquals(outcome(deep(MAX_DEPTH)), "message");
  for (const depth of [MAX_DEPTH + 1, 10_000, 1_000_000]) {
    for (const inner of ["", "1.0", '"]"', '{"a":[]}']) {
      assertEquals(
        outcome(deep(depth, { inner })),
        [problem, "c1", "echo", 7],
        `${depth} ${inner}`,
      );
    }
    const unanswerable = outcome(deep(depth, { msgId: '1,"in_reply_to":2' }));
    assertEquals(unanswerable, [problem, undefined, undefined, undefined]);
    const objects = '{"a":'.repeat(depth) + "1" + "}".repeat(depth);
    assertEquals(outcome(objects), ["src must be a string", undefined, undefined, undefined]);
    assert(outcome("[".repeat(depth)) !== "message");
    assert(outcome(`{"src":"c1","dest":"n1","body":${"[".repeat(depth)}`) !== "message");
  }
});

Deno.test("a node may wrap a value deeper than a client may send it", () => {
  for (const src of ["n2", "lin-kv"]) {
    assertEquals(outcome(deep(MAX_DEPTH + 100, { src })), "message");
    assertEquals(outcome(deep(1_000_000, { src })), ["nested too deeply", src, "echo", 7]);
  }
});

Deno.test("long lines of many brackets, in texts and side by side, are not deep", () => {
  const many = 4 * MAX_DEPTH;
  for (const inner of ["[]", '"["', '"\\\\\\"[{"', '{"[\\"{":[1]}']) {
    const list = `[${Array(many).fill(inner).join(",")}]`;
    const line = `{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":1,"echo":${list}}}`;
    const parsed = parseMessage(line);
    assert(parsed instanceof Received);
    assertEquals(
      JSON.stringify(parsed),
      JSON.stringify(new Received("c1", "n1", JSON.parse(line).body)),
    );
  }
});

Deno.test("property: a line too deep is refused whatever else is in it, and no other", () => {
  const noise = fc.json({ maxDepth: 5 });
  fc.assert(
    fc.property(noise, fc.string(), fc.boolean(), (other, text, isDeep) => {
      const levels = isDeep ? MAX_DEPTH : MAX_DEPTH - 20;
      const echo = `${"[".repeat(levels)}${other}${"]".repeat(levels)}`;
      const body = `{"type":"echo","a":${other},"echo":${echo},"text":${
        JSON.stringify(text)
      },"msg_id":1}`;
      const line = `{"id":${other},"src":"c1","dest":"n1","body":${body}}`;
      const expected = isDeep ? ["nested too deeply", "c1", "echo", 1] : "message";
      assertEquals(outcome(line), expected);
    }),
    { numRuns: 200 },
  );
});

Deno.test("a long line with a number that is kept by its text may have only so many values", () => {
  const line = (values: string) =>
    `{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":3,"echo":[${values}]}}`;
  const problem = "more than 500000 values, and a number such as 1.0 or -0 beside them";
  const refused = [problem, "c1", "echo", 3];
  for (const value of ["-0", "1.0", "1", '""', "[]", "{}"]) {
    assertEquals(outcome(line(`${value},`.repeat(600_000) + "1.0")), refused, value);
  }
  assertEquals(outcome(line(`1.0${",[]".repeat(499_000)}`)), "message");
  for (const other of ["0,".repeat(2_000_000) + "0", `"${"-0,".repeat(600_000)}"`]) {
    assertEquals(outcome(line(other)), "message");
  }
  const flat = Array.from({ length: 600_000 }, (_, i) => `"${i}":1.0`).join(",");
  const unanswered = `{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":3,${flat}}}`;
  assertEquals(outcome(unanswered), [problem, undefined, undefined, undefined]);
});
