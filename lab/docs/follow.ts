/**
 * Follows a page as its reader does: writes its listings, runs its commands in one folder, and
 * compares what they print with what the page shows.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { join } from "@std/path/join";
import { plural } from "@eddy/workbench/checkers/checker.ts";
import { projectPath } from "../../scripts/support.ts";
import { isCi } from "../long.ts";
import { isInstalled, languages, wasmCompiler } from "../programs/languages.ts";
import {
  type Block,
  fileOf,
  isOutput,
  isShell,
  missingLine,
  parsePage,
  type Run,
  runOf,
  wrongsOf,
} from "./blocks.ts";
import { runShell } from "./shell.ts";

/** Where the tutorial's listings are. */
export const codeFolder = projectPath("docs/tutorial/code");

/** How many characters of a line that was not printed an error shows. */
const MAX_SHOWN = 2000;

/** A page, with the path by which the project knows it. */
export interface Page {
  readonly path: string;
  readonly markdown: string;
}

/** Every page of the project, or of a folder under Git, by its path. */
export async function allPages(folder = projectPath(".")): Promise<Page[]> {
  const command = new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd: folder,
  });
  const { stdout } = await command.output();
  const paths = new TextDecoder().decode(stdout).split("\0").filter((path) => path !== "");
  const pages = await Promise.all(paths.toSorted().map((path) => readPage(folder, path)));
  return pages.filter((page) => page !== undefined);
}

/** A page; undefined if it was removed, but not yet from the index. */
async function readPage(folder: string, path: string): Promise<Page | undefined> {
  try {
    return { path, markdown: await Deno.readTextFile(join(folder, path)) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether a page is of the tutorial, whose listings are files of the project. */
export function isTutorial({ path }: Page): boolean {
  return path.startsWith("docs/tutorial/");
}

/** What following a page came to. */
export interface Followed {
  /** Blocks that did not run, each with the reason. */
  readonly skipped: string[];
}

/** Makes a test of following a page; it says what did not run, and why. */
export function testPage(page: Page): void {
  const shells = parsePage(page.markdown).blocks.filter(isShell);
  if (shells.length === 0) return;
  const left = isCi ? 0 : shells.filter(({ marks }) => marks[0] === "ci").length;
  const but = left === 0 ? "" : ` (without ${plural(left, "block")} that run with CI=true)`;
  Deno.test(`${page.path}: its commands do what it shows${but}`, async () => {
    const { skipped } = await follow(page);
    for (const reason of skipped) console.log(`${page.path}: not run: ${reason}`);
  });
}

/** Settings of {@linkcode follow}. */
export interface FollowOptions {
  /** Called after each block that ran, with where it is and the shell's folder then. */
  readonly afterBlock?: (block: Block, folder: string) => Promise<void>;
  /**
   * How long one block may take.
   *
   * @default 240 s
   */
  readonly limitMs?: number;
  /** Ends the block that runs, with an error. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a page's blocks from top to bottom.
 *
 * @throws {Error} if a block is not marked as it must be, does not end as it is marked, or prints
 * something else, with its line.
 */
export async function follow(page: Page, options: FollowOptions = {}): Promise<Followed> {
  const parsed = parsePage(page.markdown);
  const [wrong] = wrongsOf(parsed);
  if (wrong !== undefined) throw new Error(`${page.path}: ${wrong}`);
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "eddy-page-" }));
  try {
    const reader = new Reader(page, options, await commands(home), await readersFolder(page, home));
    for (const block of parsed.blocks) {
      try {
        await reader.read(block);
      } catch (error) {
        throw new Error(`${page.path}:${block.line}: ${errorText(error)}`, { cause: error });
      }
      if (isShell(block) && reader.hasRun) await options.afterBlock?.(block, reader.folder);
    }
    return reader;
  } finally {
    // What cannot be removed, or was by the page, must not hide what went wrong.
    await Deno.remove(home, { recursive: true }).catch(() => {});
  }
}

/** One who follows a page. */
class Reader implements Followed {
  readonly skipped: string[] = [];
  readonly #page: Page;
  readonly #options: FollowOptions;
  readonly #bin: string;
  readonly #home: string;
  #folder: string;
  /** By the last shell block; undefined if it was left out. */
  #printed: string | undefined;

  constructor(page: Page, options: FollowOptions, bin: string, home: string) {
    this.#page = page;
    this.#options = options;
    this.#bin = bin;
    this.#home = home;
    this.#folder = home;
  }

  /** Where the shell is. */
  get folder(): string {
    return this.#folder;
  }

  /** Whether the last shell block was run. */
  get hasRun(): boolean {
    return this.#printed !== undefined;
  }

  async read(block: Block): Promise<void> {
    const file = fileOf(block);
    if (isShell(block)) await this.#run(block);
    else if (isOutput(block)) this.#compare(block);
    else if (file !== undefined && !isTutorial(this.#page)) {
      await Deno.writeTextFile(join(this.#folder, file), block.text, { mode: 0o755 });
    }
  }

  async #run(block: Block): Promise<void> {
    this.#printed = undefined;
    const run = runOf(block);
    const reason = whySkipped(run, this.#bin);
    if (run.skip !== undefined || reason !== undefined) {
      this.skipped.push(`line ${block.line}: ${reason}`);
      return;
    }
    const { printed, folder } = await runShell(forThisMachine(block.text, this.#bin), {
      folder: run.inCheckout ? projectPath(".") : this.#folder,
      bin: this.#bin,
      env: { ...readersEnvironment(), PATH: pathWith(this.#bin) },
      fails: run.fails,
      ...this.#options,
    });
    this.#printed = printed;
    if (!run.inCheckout) this.#folder = await this.#within(folder);
  }

  /** @throws {Error} if a folder is gone, or outside the page's own, where listings would be written */
  async #within(folder: string): Promise<string> {
    const path = await Deno.realPath(folder).catch(() => undefined);
    if (path === undefined) throw new Error(`The block has removed its folder ${folder}`);
    if (path === this.#home || path.startsWith(`${this.#home}/`)) return path;
    throw new Error(`The block ends in ${path}, outside the page's folder`);
  }

  #compare({ text }: Block): void {
    if (this.#printed === undefined) return;
    const missing = missingLine(text, this.#printed);
    if (missing === undefined) return;
    const printed = this.#printed.slice(0, MAX_SHOWN);
    throw new Error(`The page shows a line that was not printed there: ${missing}\n${printed}`);
  }
}

/** A folder with the command `eddy`, as `deno install` makes it, to be put first in PATH. */
async function commands(home: string): Promise<string> {
  const bin = join(home, "bin");
  await Deno.mkdir(bin);
  const run = `run --quiet --allow-all --config '${projectPath("deno.json")}'`;
  const main = new URL("../../workbench/cli/main.ts", import.meta.url).href;
  const script = `#!/bin/sh\nexec '${Deno.execPath()}' ${run} '${main}' "$@"\n`;
  await Deno.writeTextFile(join(bin, "eddy"), script, { mode: 0o755 });
  return bin;
}

/** The folder that the reader is in: empty, or in a chapter of the tutorial with all listings. */
async function readersFolder(page: Page, home: string): Promise<string> {
  const folder = join(home, "my-nodes");
  const isChapter = isTutorial(page) && !page.path.endsWith("README.md");
  if (!isChapter) {
    await Deno.mkdir(join(home, "reader"));
    return join(home, "reader");
  }
  await Deno.mkdir(folder);
  const imports = Object.fromEntries(
    [["maelstrom", "node"], ["handlers", "handlers"], ["workbench", "workbench"]]
      .map((
        [name, dir],
      ) => [`@eddy/${name}`, new URL(`../../${dir}/mod.ts`, import.meta.url).href]),
  );
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ imports }));
  for await (const { name } of Deno.readDir(codeFolder)) {
    await Deno.copyFile(join(codeFolder, name), join(folder, name));
  }
  return folder;
}

/** Why a shell block does not run here; undefined if it does. */
function whySkipped(run: Run, folder: string): string | undefined {
  if (run.skip !== undefined) return run.skip;
  if (run.onlyCi && !isCi) return "only in continuous integration";
  const lacking = run.needs.filter((name) => !isThere(name, folder));
  return lacking.length === 0 ? undefined : `${lacking.join(", ")} would be needed`;
}

/** Languages whose compilers must have WebAssembly's library, by the name of their command. */
const COMPILED: Readonly<Record<string, string>> = { clang: "C", go: "Go", rustc: "Rust" };

/** Whether a command is there, or a compiler that makes WebAssembly. */
function isThere(command: string, folder: string): boolean {
  const language = languages.find(({ name }) => name === COMPILED[command]);
  if (language === undefined) return isInstalled(command);
  return wasmCompiler(language, folder) !== undefined;
}

/** Rust's command as this machine has it: Debian's compiler has another name for the target. */
function forThisMachine(text: string, folder: string): string {
  const asWritten = "rustc --target wasm32-wasip1 -O";
  if (!text.includes(asWritten)) return text;
  const language = languages.find(({ name }) => name === "Rust");
  const { command = "", args = [] } = (language && wasmCompiler(language, folder)) ?? {};
  return text.replaceAll(asWritten, [command, ...args].join(" "));
}

/** Where commands are found: those of the page, and this Deno, come first. */
function pathWith(bin: string): string {
  return [bin, join(Deno.execPath(), ".."), Deno.env.get("PATH")].join(":");
}

/** The environment without what tests, tasks and continuous integration have put there. */
function readersEnvironment(): Record<string, string> {
  const { INIT_CWD: _, EDDY_FOLDER: _1, GITHUB_ACTIONS: _2, GITHUB_STEP_SUMMARY: _3, ...rest } =
    Deno
      .env.toObject();
  return { ...rest, NO_COLOR: "1" };
}
