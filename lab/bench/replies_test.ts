import { assert, assertEquals, assertThrows } from "@std/assert";
import { ScriptError } from "../../scripts/support.ts";
import { type Chunk, echo, initLine, requestBytes } from "./load.ts";
import { checkInit, checkReplies } from "./replies.ts";

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
  assertThrows(() => checkReplies([first], expected), Error, "reply to no request");
});

Deno.test("a missing, second, foreign, wrong or unfinished reply is found", () => {
  const cases: [text: string, message: string][] = [
    [reply(5) + reply(6), "missing replies: 1 of 3"],
    [reply(5) + reply(6) + reply(5), "second reply"],
    [reply(5) + reply(8), "reply to no request"],
    [reply(5, { in_reply_to: "5" }), "reply to no request"],
    [reply(5, { echo: "Please echo 6" }), "wrong reply"],
    [reply(5, { type: "error" }), "wrong reply"],
    [reply(5).trimEnd(), "reply without a newline"],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => checkReplies(chunks(text), expected), Error, message);
  }
});

Deno.test("what is no message is found, and shown in one short line that moves no cursor", () => {
  for (const text of ["garbage", "7", "null", "[]", "{}", '{"body":7}', '{"body":{"type":7}}']) {
    assertThrows(() => checkReplies(chunks(`${text}\n`), expected), ScriptError, "no message");
  }
  const error = assertThrows(
    () => checkReplies(chunks(`\x1b[2J${"x".repeat(9999)}\n`), expected),
    ScriptError,
    "no message: \\u001b[2Jxxx",
  );
  assert(error.message.length < 300);
});

Deno.test("a right node's reply to init is awaited, or what a mirror makes of it", () => {
  const init = new TextDecoder().decode(initLine("n0"));
  checkInit(chunks(init.replace('"init"', '"init_ok"')), false);
  checkInit(chunks(init), true);
  checkInit(chunks(init.replace('"init"', '"init_ok"') + init.replace("init", "vote")), false);
  assertThrows(() => checkInit(chunks(init), false), ScriptError, "wrong reply to init");
  assertThrows(() => checkInit(chunks("{}"), false), ScriptError, "reply without a newline: {}");
});
