/**
 * Draws the pictures of the pages: each shows the report of the run in the shell block before it.
 *
 * Run with `deno task pictures`, or with the pages or pictures to draw: `deno task pictures 03c`.
 *
 * @module
 */

import { UsageError } from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";
import { attempt, projectPath, runCommand, say, ScriptError } from "../../scripts/support.ts";
import { closeBrowser, openPage } from "../browser.ts";
import { type Block, parsePage, type Picture, picturesOf } from "./blocks.ts";
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
  const bytes = await page.screenshot();
  await page.close();
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeFile(path, bytes);
  say(`Drew ${path}`);
}

/** The file of a picture. */
function fileOf(page: Page, { path }: Picture): string {
  return projectPath(join(page.path, "..", path));
}

/**
 * Draws those pictures of a page whose files are wanted; returns how many.
 *
 * @throws {ScriptError} if the page is wrong, a picture cannot be written, or it is interrupted
 */
async function drawPage(
  page: Page,
  isWanted: (file: string) => boolean,
  signal: AbortSignal,
): Promise<number> {
  const parsed = parsePage(page.markdown);
  const isReport = (picture: Picture) => picture.isReport && isWanted(fileOf(page, picture));
  if (!parsed.pictures.some(isReport)) return 0;
  let count = 0;
  const afterBlock = async (block: Block, folder: string) => {
    for (const picture of picturesOf(block, parsed).filter(isReport)) {
      await draw(folder, fileOf(page, picture));
      count++;
    }
  };
  await attempt(
    `draw the pictures of ${page.path}`,
    () => follow(page, { afterBlock, signal }),
  );
  return count;
}

/** What ends the block that runs, so that its folder and processes do not outlive this. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => controller.abort());
  }
  return controller.signal;
}

async function main(words: readonly string[]): Promise<number> {
  if (words.includes("")) {
    throw new UsageError('Cannot find a picture by ""; name a part of its path');
  }
  const isWanted = (file: string) =>
    words.length === 0 || words.some((word) => file.includes(word));
  const signal = interrupted();
  let count = 0;
  try {
    for (const page of await allPages()) count += await drawPage(page, isWanted, signal);
  } finally {
    await closeBrowser();
  }
  if (count === 0) throw new ScriptError(`Cannot find a picture with ${words.join(" or ")}`);
  return 0;
}

if (import.meta.main) {
  await runCommand(usage, {}, (_, words) => main(words), { takesWords: true });
}
