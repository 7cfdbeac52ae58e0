/**
 * Draws the pictures of the pages: each shows the report of the run in the shell block before it.
 *
 * Run with `deno task pictures`, or with the pages or pictures to draw: `deno task pictures 03c`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { projectPath, runCommand, say, ScriptError } from "../../scripts/support.ts";
import { closeBrowser, openPage } from "../browser.ts";
import { parsePage, type Picture, picturesOf } from "./blocks.ts";
import { allPages, follow, type Page } from "./follow.ts";

const usage = `Usage: deno task pictures [PART OF A PICTURE'S PATH]...

Draw the pictures of the pages, each from the report of the run before it.

Examples:
  deno task pictures
  deno task pictures 03c`;

/** Draws the report of the last run in a folder. */
async function draw(folder: string, path: string): Promise<void> {
  const settings = { width: 1200, height: 720 };
  const { page } = await openPage(join(folder, "store/latest/report.html"), settings);
  await page.waitForSelector("[data-ready]");
  await page.screenshot({ path });
  await page.close();
  say(`Drew ${path}`);
}

/** The file of a picture. */
function fileOf(page: Page, { path }: Picture): string {
  return projectPath(join(page.path, "..", path));
}

/** Draws those pictures of a page whose files are wanted; returns how many. */
async function drawPage(page: Page, isWanted: (file: string) => boolean): Promise<number> {
  const parsed = parsePage(page.markdown);
  if (!parsed.pictures.some((picture) => isWanted(fileOf(page, picture)))) return 0;
  let count = 0;
  await follow(page, {
    async afterBlock(block, folder) {
      for (const picture of picturesOf(block, parsed)) {
        const file = fileOf(page, picture);
        if (!isWanted(file)) continue;
        await Deno.mkdir(join(file, ".."), { recursive: true });
        await draw(folder, file);
        count++;
      }
    },
  });
  return count;
}

async function main(words: readonly string[]): Promise<number> {
  let count = 0;
  try {
    const isWanted = (file: string) =>
      words.length === 0 || words.some((word) => file.includes(word));
    for (const page of await allPages()) count += await drawPage(page, isWanted);
  } finally {
    await closeBrowser();
  }
  if (count === 0) throw new ScriptError(`Cannot find a picture with ${words.join(" or ")}`);
  return 0;
}

if (import.meta.main) {
  await runCommand(usage, {}, (_, words) => main(words), { takesWords: true });
}
