import { assertEquals, assertStringIncludes } from "@std/assert";
import { readOutputLine } from "./output_line.ts";
import { RecentLines } from "./recent_lines.ts";

Deno.test("a message is read, with or without an id, in any order", () => {
  const message = { src: "n1", dest: "c1", body: { type: "x" } };
  assertEquals(readOutputLine('{"src":"n1","dest":"c1","body":{"type":"x"}}'), message);
  assertEquals(
    readOutputLine(
      ' { "body": {"type":"x"}, "id": 12345678901234567890, "dest": "c1", "src": "n1" } \r',
    ),
    message,
  );
});

Deno.test("what is no message is said in words", () => {
  const cases: readonly (readonly [line: string, why: string])[] = [
    ["", "the line is blank"],
    ["  \t", "the line is blank"],
    ["Hello", "the line is not JSON"],
    ['{"src":"n1"', "the line is not JSON"],
    ["[1]", "no object"],
    ["1.0", "no object"],
    ["null", "no object"],
    ['{"dest":"c1","body":{}}', "src must be a string"],
    ['{"src":1,"dest":"c1","body":{}}', "src must be a string"],
    ['{"src":"n1","dest":null,"body":{}}', "dest must be a string"],
    ['{"src":"n1","dest":"c1"}', "body must be an object"],
    ['{"src":"n1","dest":"c1","body":[]}', "body must be an object"],
    ['{"src":"n1","dest":"c1","body":1.0}', "body must be an object"],
    ['{"src":"n1","dest":"c1","body":{},"id":"7"}', "id must be an integer"],
    ['{"src":"n1","dest":"c1","body":{},"id":1.5}', "id must be an integer"],
    ['{"src":"n1","dest":"c1","body":{},"trace":1}', 'the key "trace" does not belong there'],
  ];
  for (const [line, why] of cases) {
    const problem = readOutputLine(line);
    assertStringIncludes(typeof problem === "string" ? problem : "no problem", why);
  }
});

Deno.test("of a log the last 32 lines are kept, in order", () => {
  const recent = new RecentLines();
  assertEquals(recent.lines, []);
  for (let line = 0; line < 32; line++) recent.add(`${line}`);
  assertEquals(recent.lines.length, 32);
  for (let line = 32; line < 100; line++) recent.add(`${line}`);
  assertEquals(recent.lines, Array.from({ length: 32 }, (_, index) => `${68 + index}`));
});

Deno.test("of a long line the beginning is kept", () => {
  const recent = new RecentLines();
  recent.add("x".repeat(50_000_000));
  assertEquals(recent.lines, [`${"x".repeat(1000)}... (50000000 characters)`]);
});
