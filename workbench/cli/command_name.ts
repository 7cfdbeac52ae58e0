/**
 * What the workbench is called by: the words before `test` or `sweep` in the lines that it prints,
 * which run as they are when they are pasted where they were printed.
 *
 * @module
 */

import { join } from "@std/path/join";

/** What `deno task` or the npm package says of where and how the workbench was called. */
interface Caller {
  /** The folder that `deno task` was called in; it runs its command in the project's. */
  readonly folder: string | undefined;
  /** The npm package's command, a file. */
  readonly bin: string | undefined;
  /** The words themselves, where a workbench has started this process. */
  readonly words: string | undefined;
}

/** Undefined in a program that only imports the command line. */
let caller: Caller | undefined;
let name: string | undefined;

/**
 * Takes from the environment what says how the workbench was called, and goes to the folder that it
 * was called in.
 */
export function enterCallersFolder(): void {
  const { env } = Deno;
  caller = { folder: env.get("EDDY_FOLDER"), bin: env.get("EDDY_BIN"), words: env.get(WORDS) };
  for (const variable of ["EDDY_FOLDER", "EDDY_BIN", WORDS]) env.delete(variable);
  if (caller.folder !== undefined) Deno.chdir(caller.folder);
}

/** The variable of the environment that has the words. */
const WORDS = "EDDY_WORDS";

/** The environment of a process that is to call itself as this one, and to end with it. */
export function environmentOfChild(): Record<string, string> {
  return { [WORDS]: commandName(), EDDY_LAUNCHER: String(Deno.pid) };
}

/** How often is looked whether the launcher still runs. */
const LAUNCHER_MS = 500;

/**
 * Ends this process as SIGTERM does when the npm package's launcher, which passes signals on, has
 * been killed and cannot pass on that.
 */
export function endWithLauncher(): void {
  const launcher = Deno.env.get("EDDY_LAUNCHER");
  Deno.env.delete("EDDY_LAUNCHER");
  if (launcher === undefined) return;
  const timer = setInterval(() => {
    if (String(Deno.ppid) === launcher) return;
    clearInterval(timer);
    Deno.kill(Deno.pid, "SIGTERM");
  }, LAUNCHER_MS);
  Deno.unrefTimer(timer);
}

/** The words that call the workbench here; several, for some of the ways. */
export function commandName(): string {
  return name ??= nameOf(caller);
}

/**
 * The words that call the workbench in help, where each line has them: `eddy` for words that have a
 * path of this machine.
 *
 * @returns also the line that makes `eddy` a command, where it has to be made one.
 */
export function helpName(): { readonly name: string; readonly alias?: string } {
  const words = commandName();
  if (!words.includes("/")) return { name: words };
  return { name: "eddy", alias: `alias eddy="${words.replace(/["\\$`]/g, "\\$&")}"` };
}

function nameOf(caller: Caller | undefined): string {
  if (caller === undefined) return "deno task workbench";
  if (caller.words !== undefined) return caller.words;
  if (caller.bin !== undefined) return packageName(caller.bin);
  return caller.folder === undefined ? installedName() : taskName(caller.folder);
}

/** A word as a shell takes it back whole. */
export function shellWord(text: string): string {
  return /^[\w./,:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The project, if the workbench runs from its sources. */
const project = new URL("../../", import.meta.url);

function taskName(folder: string): string {
  const root = decodeURIComponent(project.pathname);
  const isHere = isOurs(folder, root);
  const config = isHere ? "" : ` --config ${shellWord(join(root, "deno.json"))}`;
  return `${denoName()} task${config} workbench`;
}

/** Whether the configuration that Deno finds from a folder is ours, which has the task. */
function isOurs(folder: string, root: string): boolean {
  for (let at = join(folder, "/"); at !== "/"; at = join(at, "../")) {
    if (at === root) return true;
    const isMember = join(at, "../") === root && !OUTSIDE.test(at);
    if (isMember) return true;
    if (["deno.json", "deno.jsonc", "package.json"].some((file) => exists(join(at, file)))) {
      return false;
    }
  }
  return false;
}

/** The folders of the project that are projects of their own. */
const OUTSIDE = /\/(lab|nats)\/$/;

/** The npm package's command, by the shortest words that find it from here. */
function packageName(bin: string): string {
  const isIt = (file: string) => realPath(file) === realPath(bin);
  if (foldersOfPath().some((folder) => isIt(join(folder, "eddy")))) return "eddy";
  for (let at = Deno.cwd();; at = join(at, "..")) {
    if (isIt(join(at, "node_modules/.bin/eddy"))) return "npx eddy";
    if (at === "/") return shellWord(bin);
  }
}

/** The command that `deno install` made, or Deno with the path or address of this program. */
function installedName(): string {
  const main = Deno.mainModule;
  const shim = foldersOfPath().map((folder) => join(folder, "eddy")).find((file) => {
    const text = read(file);
    return text !== undefined && text.includes("deno") && text.includes(main);
  });
  if (shim !== undefined) return "eddy";
  const program = main.startsWith("file:") ? decodeURIComponent(new URL(main).pathname) : main;
  return `${denoName()} run --allow-all ${shellWord(program)}`;
}

/** `deno`, where that is a command; else the way to have it with Node.js alone. */
export function denoName(): string {
  const isCommand = foldersOfPath().some((folder) => exists(join(folder, "deno")));
  return isCommand ? "deno" : `npx -y deno@${Deno.version.deno}`;
}

/** The folders that commands are found in, but for those that `npx` adds while it runs. */
function foldersOfPath(): string[] {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.filter((folder) => folder !== "" && !folder.endsWith("/node_modules/.bin"));
}

/** Where a path leads; undefined if nowhere. */
function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The text of a short file; undefined for one that cannot be read, or is longer. */
function read(path: string): string | undefined {
  try {
    return Deno.statSync(path).size > 10_000 ? undefined : Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
