/**
 * Tests in a browser: one Chromium for a test file, and pages opened from files, with what they
 * complain of and what they ask for.
 *
 * @module
 */

import { type Browser, chromium, type Page } from "playwright-core";
import { join } from "@std/path/join";
import { isCi, longTest } from "./long.ts";

/** The names that distributions give Chromium, and Google's own. */
const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The first Chromium on the path; undefined where there is none. */
function findChromium(): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "");
  for (const name of NAMES) {
    for (const folder of folders) {
      try {
        if (Deno.statSync(join(folder, name)).isFile) return join(folder, name);
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}

const executable = findChromium();
let opened: Promise<Browser> | undefined;

/** The browser of this test file, started at its first use. */
function openBrowser(): Promise<Browser> {
  if (executable === undefined) throw new Error(`Cannot find Chromium: ${NOT_FOUND}`);
  // Chromium's own sandbox does not start as root, as in a container.
  const args = Deno.uid() === 0 ? ["--no-sandbox"] : [];
  return opened ??= chromium.launch({ executablePath: executable, args });
}

const NOT_FOUND = `none of ${NAMES.join(", ")} is on the path`;

/** How long a test waits for something to be on a page. */
const TIMEOUT_MS = 10_000;

/** What a page is opened with. */
export interface PageSettings {
  /** @default 1400 */
  readonly width?: number;
  /** @default 900 */
  readonly height?: number;
  /** @default "light" */
  readonly colorScheme?: "light" | "dark";
  /** @default the machine's */
  readonly timezoneId?: string;
  /** @default the machine's */
  readonly locale?: string;
  /** What follows the file's name in the address, with its `#`. */
  readonly fragment?: string;
}

/** A page, and what has become of it. */
export interface OpenedPage {
  readonly page: Page;
  /** Errors and warnings on its console, refusals by its policy, and what it throws. */
  readonly problems: readonly string[];
  /**
   * The addresses that it has asked for, those that its policy refuses too; its own and those
   * within it (`blob:`, `data:`) aside.
   */
  readonly requests: readonly string[];
}

/**
 * Opens a file in a page of its own; the test closes nothing.
 *
 * @param path the file, absolute
 */
export async function openPage(path: string, settings: PageSettings = {}): Promise<OpenedPage> {
  return await openAddress(`file://${path}${settings.fragment ?? ""}`, settings);
}

/** Opens an address in a page of its own; the test closes nothing. */
export async function openAddress(
  address: string,
  settings: Omit<PageSettings, "fragment"> = {},
): Promise<OpenedPage> {
  const { width = 1400, height = 900, colorScheme = "light", timezoneId, locale } = settings;
  const browser = await openBrowser();
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme,
    ...(timezoneId !== undefined && { timezoneId }),
    ...(locale !== undefined && { locale }),
  });
  page.setDefaultTimeout(TIMEOUT_MS);
  const problems: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!/^(blob|data):/.test(url) && url !== address) requests.push(url);
  });
  pages.push(page);
  await page.goto(address);
  return { page, problems, requests };
}

let pages: Page[] = [];

/** A test that needs a browser: it is skipped, with a message, where there is none. */
export function testInBrowser(name: string, test: () => Promise<void>): void {
  if (executable === undefined) {
    Deno.test.ignore(`${name} (skipped: ${NOT_FOUND})`, () => {});
    return;
  }
  // The browser outlives a test, for the next one of its file.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false }, async () => {
    try {
      await test();
    } finally {
      const open = pages;
      pages = [];
      await Promise.all(open.map((page) => page.close()));
    }
  });
}

/** The same in continuous integration only: with a browser most tests take long. */
export const longTestInBrowser: typeof testInBrowser = isCi ? testInBrowser : longTest;

/** Closes the browser; a test need not. */
export async function closeBrowser(): Promise<void> {
  await (await opened)?.close();
}

Deno.test.afterAll(closeBrowser);
