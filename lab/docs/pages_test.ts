/**
 * Every page of the project: its shell blocks are marked, its listings are files, and its commands
 * print what the page shows.
 */

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path/join";
import { projectPath } from "../../scripts/support.ts";
import { languages } from "../programs/languages.ts";
import { fileOf, isShell, parsePage, picturesOf, runOf } from "./blocks.ts";
import { allPages, codeFolder, isTutorial, testPage } from "./follow.ts";

const pages = await allPages();

Deno.test("every shell block of every page says whether it runs", () => {
  const wrong = pages.flatMap(({ path, markdown }) =>
    parsePage(markdown).blocks.filter(isShell).flatMap((block) => {
      try {
        runOf(block);
        return [];
      } catch (error) {
        return [`${path}: ${error}`];
      }
    })
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

/** Lines as an excerpt has them: the formatter begins each block at the margin. */
function withoutIndentation(text: string): string {
  return `\n${text.split("\n").map((line) => line.trim()).join("\n")}`;
}

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
        const whole = withoutIndentation(code.get(file) ?? "");
        const isThere = whole.includes(withoutIndentation(block.text));
        assert(isThere, `${where} is not in docs/tutorial/code/${file}`);
        shown.add(file);
      } else assert(!/^(ts|js|go|python)$/.test(block.language), `${where} names no file`);
    }
  }
  assertEquals([...code.keys()].filter((name) => !shown.has(name) || !run.has(name)), []);
});

Deno.test("every picture is there, and shows the report of a run", async () => {
  for (const { path, markdown } of pages) {
    const parsed = parsePage(markdown);
    const shown = parsed.blocks.filter((block) => isShell(block) && runOf(block).skip === undefined)
      .flatMap((block) => picturesOf(block, parsed));
    for (const picture of parsed.pictures) {
      assert(shown.includes(picture), `${path}:${picture.line} follows no block that runs`);
      const head = await Deno.readFile(projectPath(join(path, "..", picture.path)));
      assertEquals(new TextDecoder().decode(head.subarray(1, 4)), "PNG", picture.path);
    }
  }
});

Deno.test("docs/nodes.md has a section for every language with a node here", () => {
  const page = pages.find(({ path }) => path === "docs/nodes.md")?.markdown ?? "";
  for (const { name } of languages) assert(page.includes(`\n## ${name}\n`), name);
});

for (const page of pages.filter((each) => !isTutorial(each))) testPage(page);
