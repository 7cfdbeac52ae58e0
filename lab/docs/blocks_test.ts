import { assertEquals, assertThrows } from "@std/assert";
import { missingLine, parsePage, runOf } from "./blocks.ts";

const page = (text: string) => parsePage(text.replaceAll("'", "`"));

Deno.test("parsePage finds blocks with their lines and marks, and pictures between them", () => {
  const { blocks, pictures } = page(
    "# T\n\n'''sh run fails\na\n'''\n\n![x](pictures/a.png)\n\n''''md\n'''sh\nb\n'''\n''''\n",
  );
  assertEquals(blocks, [
    { line: 3, language: "sh", marks: ["run", "fails"], text: "a\n" },
    { line: 9, language: "md", marks: [], text: "```sh\nb\n```\n" },
  ]);
  assertEquals(pictures, [{ line: 7, path: "pictures/a.png" }]);
});

function run(marks: string) {
  const [block] = page(`'''${marks}\na\n'''\n`).blocks;
  if (block === undefined) throw new Error("no block");
  return runOf(block);
}

Deno.test("runOf reads marks", () => {
  assertEquals(run("sh ci fails needs=go,python3"), {
    onlyCi: true,
    fails: true,
    inCheckout: false,
    needs: ["go", "python3"],
  });
  assertEquals(run("sh skip: it takes an hour"), { skip: "it takes an hour" });
});

Deno.test("runOf refuses blocks without marks, without a reason, and with unknown marks", () => {
  assertThrows(() => run("sh"), Error, 'mark it run, ci or "skip: reason"');
  assertThrows(() => run("bash run"), Error, "write sh instead of bash");
  assertThrows(() => run("sh skip:"), Error, "gives no reason");
  assertThrows(() => run("sh run fail"), Error, '"fail" of the shell block at line 1');
});

Deno.test("missingLine wants lines one after the other, but for what ... stands for", () => {
  const printed = "head\none\ntwo and more\nthree\nfour\n";
  assertEquals(missingLine("one\ntwo and ...\n...\nfour\n", printed), undefined);
  assertEquals(missingLine("one\nthree\n", printed), "three");
  assertEquals(missingLine("four\n...\none\n", printed), "one");
  assertEquals(missingLine("two\n", printed), "two");
});
