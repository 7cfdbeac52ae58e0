import { assertEquals } from "@std/assert";
import { renderLine, StatusLine, tableLines, withoutCommands } from "./terminal.ts";

Deno.test("lines are printed above the status, which is written again below them", () => {
  let text = "";
  const status = new StatusLine((part) => {
    text += part;
  });
  status.print("before");
  status.show("1 s");
  status.print("n0: hello");
  status.show("");
  status.print("after");
  assertEquals(text, "before\n\r\x1b[K1 s\r\x1b[Kn0: hello\n1 s\r\x1b[Kafter\n");
});

Deno.test("a status line is never wider than the terminal, so that it can be replaced", () => {
  let text = "";
  new StatusLine((part) => text += part, () => 10).show("main 42 %, 35 s left");
  assertEquals(text, "\r\x1b[Kmain 42 %");
});

const RED = "\x1b[31m";
const PLAIN = "\x1b[0m";

Deno.test("colours are for whole lines or one word, and only where they are wanted", () => {
  const line = {
    text: "echo, 3 nodes, seed 4: INVALID",
    style: "invalid",
    word: "INVALID",
  } as const;
  assertEquals(renderLine(line, Infinity, false), [line.text]);
  assertEquals(renderLine(line, 20, true), ["echo, 3 nodes, seed", `  4: ${RED}INVALID${PLAIN}`]);
  const first = { text: "INVALID: INVALID", style: "invalid", word: "INVALID" } as const;
  assertEquals(renderLine(first, Infinity, true), [`${RED}INVALID${PLAIN}: INVALID`]);
  const whole = { text: "a b", style: "invalid" } as const;
  assertEquals(renderLine(whole, 1, true), [`${RED}a${PLAIN}`, `${RED}b${PLAIN}`]);
});

Deno.test("what a line has from elsewhere has no colours of its own, and no line like ours", () => {
  assertEquals(renderLine(`${RED}x\ny`, Infinity, true), ["\\u001b[31mx", "  y"]);
  assertEquals(renderLine("  x y\n  z", 9, true), ["  x y", "      z"]);
  const pasted = { text: "x\ny", isWhole: true } as const;
  assertEquals(renderLine(pasted, Infinity, true), ["x\\ny"]);
});

Deno.test("what is to be pasted is not broken", () => {
  assertEquals(renderLine({ text: "Results in a b c", isWhole: true }, 5, true), [
    "Results in a b c",
  ]);
});

Deno.test("a table's head is bold, and verdicts have their colours, in each line of a row", () => {
  const rows = [["workload", "verdict", "ops"], ["invalid-kv", "INVALID", "1"]];
  assertEquals(tableLines(rows, 20), [
    { text: "workload    verdict", style: "bold" },
    { text: "    ops", style: "bold" },
    "----------  -------",
    "    ---",
    { text: "invalid-kv  INVALID", style: "invalid", word: "INVALID" },
    "      1",
  ]);
});

Deno.test("nothing that GitHub Actions obeys is left in a text, and JSON remains the same value", () => {
  const rude = "::error::a\n \t\u00a0::stop-commands::b\nn0: ###[error]c ##[d\ne ::f g::h";
  assertEquals(
    withoutCommands(rude),
    "\\u003a:error::a\n \t\u00a0\\u003a:stop-commands::b\nn0: ##\\u0023[error]c #\\u0023[d\n" +
      "e ::f g::h",
  );
  const value = { "##[error]": [rude, "\\##[x"] };
  const json = withoutCommands(JSON.stringify(value, null, 2));
  assertEquals([JSON.parse(json), json.includes("##[")], [value, false]);
});
