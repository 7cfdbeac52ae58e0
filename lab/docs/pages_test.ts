/**
 * Every page of the project: its shell blocks are marked, its listings are files, and its commands
 * print what the page shows.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { projectPath } from "../../scripts/support.ts";
import { languages } from "../programs/languages.ts";
import { fileOf, isExcerpt, isShell, parsePage, picturesOf, runOf, wrongsOf } from "./blocks.ts";
import { allPages, codeFolder, isTutorial, testPage } from "./follow.ts";

const pages = await allPages();

Deno.test("every block of every page has a language, and says what is done with it", () => {
  const wrong = pages.flatMap(({ path, markdown }) =>
    wrongsOf(parsePage(markdown)).map((sentence) => `${path}: ${sentence}`)
  );
  assertEquals(wrong, []);
});

Deno.test("every page of docs/ says first for whom it is", () => {
  const wrong = pages.filter(({ path, markdown }) => {
    const [, first = ""] = markdown.split(/\n\n+/);
    return path.startsWith("docs/") && !/^This (page|chapter) is for /.test(first);
  });
  assertEquals(wrong.map(({ path }) => path), []);
});

Deno.test("every listing of the tutorial is in its file, and every file is shown and run", async () => {
  const shown = new Set<string>();
  const run = new Set<string>();
  const code = new Map<string, string>();
  for await (const { name } of Deno.readDir(codeFolder)) {
    code.set(name, await Deno.readTextFile(`${codeFolder}/${name}`));
  }
  for (const { path, markdown } of pages.filter(isTutorial)) {
    for (const block of parsePage(markdown).blocks) {
      const file = fileOf(block);
      const where = `${path}:${block.line}`;
      if (isShell(block)) {
        for (const name of code.keys()) if (block.text.includes(name)) run.add(name);
      } else if (file !== undefined) {
        const isThere = isExcerpt(block.text, code.get(file) ?? "");
        assert(isThere, `${where} is not in docs/tutorial/code/${file}`);
        shown.add(file);
      } else assert(!/^(ts|js|go|python)$/.test(block.language), `${where} names no file`);
    }
  }
  assertEquals([...code.keys()].filter((name) => !shown.has(name) || !run.has(name)), []);
});

Deno.test("every picture is there, and a .png shows the report of a run", async () => {
  for (const { path, markdown } of pages) {
    const parsed = parsePage(markdown);
    const shown = parsed.blocks.filter((block) => isShell(block) && runOf(block).skip === undefined)
      .flatMap((block) => picturesOf(block, parsed));
    for (const picture of parsed.pictures) {
      const where = `${path}:${picture.line}`;
      const isDrawn = !picture.isReport || shown.includes(picture);
      assert(isDrawn, `${where} shows a picture, and no block that runs is before it`);
      const bytes = await Deno.readFile(projectPath(join(path, "..", picture.path)));
      const head = new TextDecoder().decode(bytes.subarray(0, 5));
      assertStringIncludes(head, picture.isReport ? "PNG" : "<svg", `${where}: ${picture.path}`);
    }
  }
});

Deno.test("docs/nodes.md has a section for every language with a node here", () => {
  const page = pages.find(({ path }) => path === "docs/nodes.md")?.markdown ?? "";
  for (const { name } of languages) assert(page.includes(`\n## ${name}\n`), name);
});

for (const page of pages.filter((each) => !isTutorial(each))) testPage(page);
