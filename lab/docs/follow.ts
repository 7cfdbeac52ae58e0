/**
 * Follows a page as its reader does: writes its listings, runs its commands in one folder, and
 * compares what they print with what the page shows.
 *
 * @module
 */

import { join } from "@std/path/join";
import { projectPath } from "../../scripts/support.ts";
import { isCi } from "../long.ts";
import { isInstalled, languages, wasmCompiler } from "../programs/languages.ts";
import { type Block, fileOf, isOutput, isShell, missingLine, parsePage, runOf } from "./blocks.ts";

/** Where the tutorial's listings are. */
export const codeFolder = projectPath("docs/tutorial/code");

/** How many characters of what a block printed an error shows. */
const MAX_SHOWN = 2000;

/** How long one block may take. */
const MAX_BLOCK_MS = 240_000;

/** A page, with the path by which the project knows it. */
export interface Page {
  readonly path: string;
  readonly markdown: string;
}

/** Every page of the project, by its path. */
export async function allPages(): Promise<Page[]> {
  const command = new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd: projectPath("."),
  });
  const { stdout } = await command.output();
  const paths = new TextDecoder().decode(stdout).trim().split("\n").toSorted();
  return Promise.all(paths.map(async (path) => ({
    path,
    markdown: await Deno.readTextFile(projectPath(path)),
  })));
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
  const runs = parsePage(page.markdown).blocks.some((block) => isShell(block));
  if (!runs) return;
  Deno.test(`${page.path}: its commands do what it shows`, async () => {
    const { skipped } = await follow(page);
    for (const reason of skipped) console.log(`${page.path}: not run: ${reason}`);
  });
}

/** What one who follows a page wants to do beside it. */
export interface Companion {
  /** Called after each block that ran, with where it is and the shell's folder then. */
  readonly afterBlock?: (block: Block, folder: string) => Promise<void>;
}

/**
 * Runs a page's blocks from top to bottom.
 *
 * @throws {Error} if a block does not end as it is marked, or prints something else, with its line.
 */
export async function follow(page: Page, { afterBlock }: Companion = {}): Promise<Followed> {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "eddy-page-" }));
  try {
    const bin = await commands(home);
    let folder = await readersFolder(page, home);
    let printed: string | undefined;
    const skipped: string[] = [];
    for (const block of parsePage(page.markdown).blocks) {
      const where = `${page.path}:${block.line}`;
      const file = fileOf(block);
      if (isShell(block)) {
        const reason = whySkipped(block, home);
        if (reason !== undefined) skipped.push(`line ${block.line}: ${reason}`);
        const ran = reason === undefined ? await runBlock(block, folder, bin, where) : undefined;
        printed = ran?.printed;
        folder = ran?.folder ?? folder;
        if (ran !== undefined) await afterBlock?.(block, folder);
      } else if (isOutput(block)) {
        const missing = printed === undefined ? undefined : missingLine(block.text, printed);
        if (missing !== undefined) {
          throw new Error(
            `${where} shows a line that was not printed there: ${missing}\n${printed}`,
          );
        }
      } else if (file !== undefined && !isTutorial(page)) {
        await Deno.writeTextFile(join(folder, file), block.text, { mode: 0o755 });
      }
    }
    return { skipped };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** A folder with the command `eddy`, as `deno install` makes it, to be put first in PATH. */
async function commands(home: string): Promise<string> {
  const bin = join(home, "bin");
  await Deno.mkdir(bin);
  const run = `run --quiet --allow-all --config '${projectPath("deno.json")}'`;
  const main = `file://${projectPath("workbench/cli/main.ts")}`;
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
      .map(([name, dir]) => [`@eddy/${name}`, `file://${projectPath(`${dir}/mod.ts`)}`]),
  );
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ imports }));
  for await (const { name } of Deno.readDir(codeFolder)) {
    await Deno.copyFile(join(codeFolder, name), join(folder, name));
  }
  return folder;
}

/** Why a shell block does not run here; undefined if it does. */
function whySkipped(block: Block, folder: string): string | undefined {
  const run = runOf(block);
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

/** A line that finds a node invalid, and says so: `eddy test ...   # invalid: lost`. */
const INVALID = /^(?:.*\S) +# invalid(?:: (.*))?$/gm;

/** Lets the lines that must end with exit code 1 do so, and only those. */
function expectInvalid(script: string): string {
  return script.replaceAll(INVALID, (line) => `{ ${line}\n} && exit 97 || [ $? = 1 ]`);
}

/** Runs a shell block; returns what it printed and the folder that the shell was in at its end. */
async function runBlock(block: Block, folder: string, bin: string, where: string) {
  const run = runOf(block);
  if (run.skip !== undefined) throw new Error(`Cannot run ${where}: it is left out`);
  const end = join(bin, "folder");
  const script = forThisMachine(expectInvalid(block.text), folder);
  const { code, stdout } = await new Deno.Command("bash", {
    args: ["-ec", `exec 2>&1; trap 'pwd >"${end}"' EXIT\n${script}`],
    cwd: run.inCheckout ? projectPath(".") : folder,
    env: { ...readersEnvironment(), PATH: [bin, denoFolder, Deno.env.get("PATH")].join(":") },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(MAX_BLOCK_MS),
  }).output();
  const printed = new TextDecoder().decode(stdout);
  const wanted = run.fails ? 1 : 0;
  if (code !== wanted) {
    throw new Error(`${where} ended with ${code}, not ${wanted}:\n${printed.slice(-MAX_SHOWN)}`);
  }
  for (const [, finding = ""] of block.text.matchAll(INVALID)) {
    if (!printed.includes(finding)) throw new Error(`${where} did not find ${finding}`);
  }
  const at = (await Deno.readTextFile(end)).trimEnd();
  return { printed, folder: run.inCheckout ? folder : at };
}

/** Where this Deno's command is. */
const denoFolder = join(Deno.execPath(), "..");

/** The environment without what tests, tasks and continuous integration have put there. */
function readersEnvironment(): Record<string, string> {
  const { INIT_CWD: _, EDDY_FOLDER: _1, GITHUB_ACTIONS: _2, GITHUB_STEP_SUMMARY: _3, ...rest } =
    Deno
      .env.toObject();
  return { ...rest, NO_COLOR: "1" };
}
