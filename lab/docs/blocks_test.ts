import { assert, assertEquals, assertThrows } from "@std/assert";
import { isExcerpt, missingLine, parsePage, picturesOf, runOf, wrongsOf } from "./blocks.ts";

/** A page, in whose text ' stands for a backquote. */
const page = (text: string) => parsePage(text.replaceAll("'", "`"));

Deno.test("parsePage finds blocks with their lines and marks, and pictures between them", () => {
  const { blocks, pictures } = page(
    "# T\n\n'''sh run fails\na\n'''\n\n![x](pictures/a.png)\n\n''''md\n'''sh\nb\n'''\n''''\n",
  );
  assertEquals(blocks, [
    { line: 3, language: "sh", marks: ["run", "fails"], text: "a\n", isClosed: true },
    { line: 9, language: "md", marks: [], text: "```sh\nb\n```\n", isClosed: true },
  ]);
  assertEquals(pictures, [{ line: 7, path: "pictures/a.png", isReport: true }]);
});

Deno.test("parsePage finds blocks in lists and quotations, by ~, with CRLF, of any fence", () => {
  const texts = [
    "- a\n\n  '''sh run\n  x\n  '''\n",
    "> '''sh run\n> x\n> '''\n",
    "~~~sh run\nx\n~~~\n",
    "'''sh run\r\nx\r\n'''\r\n",
    "'''sh run  \nx\n'''''  \n",
  ];
  for (const text of texts) {
    const found = page(text).blocks.map(({ line: _, ...block }) => block);
    assertEquals(found, [{ language: "sh", marks: ["run"], text: "x\n", isClosed: true }], text);
  }
});

Deno.test("parsePage finds pictures however they are written, but none in blocks or elsewhere", () => {
  const { blocks, pictures } = page(
    "'''sh run\n![](no.png)\n'''\n\n![x](<a b.png>)\n[![y](y.PNG \"title\")](z)\n![r][r]\n\n" +
      "| t |\n|---|\n| ![c](c.svg) |\n\n![w](https://example.org/w.png) ![e](%E0%A4.png)\n\n" +
      "[r]: r%20r.png\n",
  );
  assertEquals(pictures, [
    { line: 5, path: "a b.png", isReport: true },
    { line: 6, path: "y.PNG", isReport: true },
    { line: 7, path: "r r.png", isReport: true },
    { line: 11, path: "c.svg", isReport: false },
    { line: 13, path: "%E0%A4.png", isReport: true },
  ]);
  const [block] = blocks;
  assert(block !== undefined);
  assertEquals(picturesOf(block, { blocks, pictures }).length, 4);
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
  assertThrows(() => run("sh skip:"), Error, "gives no reason");
  assertThrows(() => run("sh run fail"), Error, '"fail" of the shell block at line 1');
  assertThrows(
    () => run("sh ci needs=pyhton3"),
    Error,
    '"pyhton3", which the shell block at line 1 needs',
  );
});

Deno.test("wrongsOf accepts what CONTRIBUTING.md has", () => {
  const text = "'''sh run\na   # invalid: lost\n'''\n'''text output\nb\n'''\n'''text\nb\n'''\n" +
    "'''ts ignore file=a.ts\n'''\n'''yaml file=.github/workflows/a.yml\n'''\n";
  assertEquals(wrongsOf(page(text)), []);
});

Deno.test("wrongsOf refuses what no test would check", () => {
  const shell = "'''sh run\na\n'''\n";
  const texts = [
    ["'''SH run\na\n'''\n", "its language is SH"],
    ["'''bash\na\n'''\n", "its language is bash"],
    ["'''\na\n'''\n", "names no language"],
    ["a\n\n    eddy test\n", "names no language"],
    ["- a\n\n  '''sh\n  x\n  '''\n", "mark it run"],
    ["> '''sh\n> x\n> '''\n", "mark it run"],
    ["'''sh run\na\n", "Cannot find the end of the block at line 1"],
    ["> '''sh run\n> a\n\nb\n", "Cannot find the end of the block at line 1"],
    ["'''text output\na\n'''\n", "Cannot find what prints the block at line 1"],
    ["'''sh skip: it is long\na\n'''\n'''text output\na\n'''\n", "at line 1 is not run"],
    [`${shell}'''text output\n...\n'''\n`, "Cannot find a line"],
    [`${shell}'''text ouput\na\n'''\n`, '"ouput" of the block at line 4'],
    [`${shell}'''text output more\na\n'''\n`, '"output" of the block'],
    [`${shell}'''Text output\na\n'''\n`, "its language is Text"],
    [`${shell}'''json output\n1\n'''\n`, '"output" of the block'],
    ...["../a", "/tmp/a", "a/../../b", "a/..", "..", "", "a//b", "~/a"].map((path) => [
      `'''ts file=${path}\na\n'''\n`,
      `"file=${path}" of the block`,
    ]),
    ...["#invalid: x", "# Invalid: x", "# invalid x", "# invalid", "# invalid: x y"].map((end) => [
      `'''sh run\na ${end}\n'''\n`,
      `# invalid: FINDING" in: a ${end}`,
    ]),
  ];
  for (const [text = "", message = ""] of texts) {
    const wrongs = wrongsOf(page(text));
    assert(wrongs.length === 1 && wrongs[0]?.includes(message), `${text} gives ${wrongs}`);
  }
});

Deno.test("missingLine wants lines one after the other, but for what ... stands for", () => {
  const printed = "head\none\ntwo and more\nthree\nfour\n";
  assertEquals(missingLine("one\ntwo and ...\n...\nfour\n", printed), undefined);
  assertEquals(missingLine("...\none\n...\n", printed), undefined);
  assertEquals(missingLine("one\nthree\n", printed), "three");
  assertEquals(missingLine("four\n...\none\n", printed), "one");
  assertEquals(missingLine("one\n...\none\n", printed), "one");
  assertEquals(missingLine("two\n", printed), "two");
});

Deno.test("missingLine tries every place where the first line was printed", () => {
  assertEquals(missingLine("a\nb\n", "a\nc\na\nb\n"), undefined);
  assertEquals(missingLine("a\nc\n...\na\nb\n", "a\na\nc\na\na\nb\n"), undefined);
  assertEquals(missingLine("a\nb\nd\n", "a\nc\na\nb\n"), "d");
});

Deno.test("isExcerpt compares indentation, but for what all lines have", () => {
  const file = "def a():\n    if b:\n        c()\n\n    d()\n";
  assert(isExcerpt("if b:\n    c()\n\nd()\n", file));
  assert(isExcerpt("    if b:\n        c()\n", file));
  assert(!isExcerpt("def a():\nif b:\nc()\n", file));
  assert(!isExcerpt("if b:\nc()\n", file));
  assert(!isExcerpt("d()\ne()\n", file));
});
