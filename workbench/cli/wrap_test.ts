import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { clipText, fitTable, table, textWidth, wrapLine } from "./wrap.ts";

Deno.test("a line is broken at spaces, and continued further in", () => {
  assertEquals(wrapLine("  Seen in: 1.018 s process 0", 16), [
    "  Seen in: 1.018",
    "    s process 0",
  ]);
  assertEquals(wrapLine("short", 16), ["short"]);
  assertEquals(wrapLine("abcdefghij klm", 6), ["abcd", "  efgh", "  ij", "  klm"]);
});

Deno.test("wide characters count twice, and what makes one character stays together", () => {
  assertEquals(["a", "漢字", "e\u0301", "👍", "\u200b", ""].map(textWidth), [1, 4, 1, 2, 0, 0]);
  assertEquals(wrapLine("漢字漢字", 6), ["漢字", "  漢字"]);
});

Deno.test("no line is wider than the terminal, and no word is lost", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "é", "e\u0301", "漢", "👍🏽", " ", "  ", "x"),
  });
  fc.assert(fc.property(text, fc.integer({ min: 8, max: 20 }), (line, columns) => {
    const lines = wrapLine(line, columns);
    for (const each of lines) assert(textWidth(each) <= columns, each);
    const letters = (text: string) => text.replaceAll(" ", "");
    assertEquals(letters(lines.join("")), letters(line));
  }));
});

Deno.test("a text is clipped between characters", () => {
  assertEquals(clipText("main 42 %", 6), "main 4");
  assertEquals(clipText("漢字漢字", 5), "漢字");
  assertEquals(clipText("main", 4), "main");
});

const rows = [["name", "runs", "what"], ["漢", "12", "one"], ["ab", "3", "two"]];

Deno.test("a table is aligned by what is seen", () => {
  assertEquals(
    table(rows),
    [
      "name  runs  what",
      "----  ----  ----",
      "漢      12  one",
      "ab       3  two",
    ].join("\n"),
  );
});

Deno.test("columns without room stand below the first ones", () => {
  assertEquals(
    table(rows, 12),
    [
      "name  runs",
      "    what",
      "----  ----",
      "    ----",
      "漢      12",
      "    one",
      "ab       3",
      "    two",
    ].join("\n"),
  );
});

Deno.test("the last columns may be left out where they have no room", () => {
  const fitted = (columns: number, optional: number) => {
    const { rows: [heads], leftOut } = fitTable(rows, columns, optional);
    return [heads, leftOut];
  };
  assertEquals(fitted(16, 2), [["name", "runs", "what"], []]);
  assertEquals(fitted(15, 2), [["name", "runs"], ["what"]]);
  assertEquals(fitted(5, 2), [["name"], ["runs", "what"]]);
  assertEquals(fitted(5, 1), [["name", "runs"], ["what"]]);
});
