import { assertEquals, assertStringIncludes } from "@std/assert";
import { drawMessages } from "./diagram.ts";

const count = (text: string, part: string) => text.split(part).length - 1;

Deno.test("every message is a line, a lost one is marked, endpoints are in order", () => {
  const svg = drawMessages({
    messages: [
      { src: "n1", dest: "lin-kv", type: "read", sentMs: 1, receivedMs: 2 },
      { src: "c10", dest: "n0", type: "add", sentMs: 3, receivedMs: 3 },
      { src: "c2", dest: "n0", type: "a<b", sentMs: 3 },
    ],
    faults: [{ name: "partition", fromMs: 0, toMs: Infinity }],
  });
  const names = ["c2", "c10", "n0", "n1", "lin-kv"].map((name) => svg.indexOf(`>${name}<`));
  assertEquals(names.toSorted((a, b) => a - b), names);
  assertEquals(count(svg, "<circle"), 2);
  assertEquals(count(svg, ">x</text>"), 1);
  assertStringIncludes(svg, "a&lt;b");
  assertStringIncludes(svg, ">partition<");
});

Deno.test("a request and its reply within one instant do not hide each other", () => {
  const svg = drawMessages({
    messages: [
      { src: "c1", dest: "n0", type: "add", sentMs: 3, receivedMs: 3 },
      { src: "n0", dest: "c1", type: "add_ok", sentMs: 3, receivedMs: 3 },
    ],
  });
  const starts = [...svg.matchAll(/<line x1="\d+" y1="(\d+)" x2="\d+" y2="\d+" stroke="#1f6feb"/g)];
  assertEquals(new Set(starts.map(([, y]) => y)).size, 2);
});

Deno.test("no messages make an empty picture, and many are cut", () => {
  assertStringIncludes(drawMessages({ messages: [] }), "</svg>");
  const message = { src: "c1", dest: "n0", type: "add", sentMs: 3, receivedMs: 3 };
  const svg = drawMessages({
    messages: Array.from({ length: 9 }, () => ({ ...message })),
    maxMessages: 4,
  });
  assertEquals(count(svg, "<circle"), 4);
});

Deno.test("what XML forbids is replaced, and the rest stays", () => {
  const type = "\x1b[2J\0\ud800\ufffe\u202e<é\u{1f600}>";
  const svg = drawMessages({ messages: [{ src: "c1", dest: "n0", type, sentMs: 0 }] });
  const bad = "\ufffd";
  assertStringIncludes(svg, `>${bad}[2J${bad}${bad}${bad}${bad}&lt;é\u{1f600}&gt;<`);
});
