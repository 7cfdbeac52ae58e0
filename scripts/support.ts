/**
 * What the scripts share: where the project lies, how they end, and processes.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import {
  describeFlags,
  type Flags,
  type FlagValues,
  parseFlags,
  UsageError,
} from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";

/** A script that cannot go on for a reason that its user can mend; the exit code is 1. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
}

/** Prints one line, or several, on standard output. */
export function say(text: string): void {
  console.log(text);
}

/** Prints one line, or several, on standard error. */
export function warn(text: string): void {
  console.error(text);
}

/** The absolute path of a file of the project, given from the project's root. */
export function projectPath(path: string): string {
  return join(decodeURIComponent(new URL("..", import.meta.url).pathname), path);
}

/**
 * Does what the machine may refuse, which then becomes one sentence.
 *
 * @param action what is done, and with what, such as `write docs/cli.md`
 * @throws {ScriptError} if it fails.
 */
export async function attempt<T>(action: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof ScriptError) throw cause;
    const [why] = errorText(cause).split("\n");
    throw new ScriptError(`Cannot ${action}: ${why}`, { cause });
  }
}

/** Aborted when the process is interrupted: no command that it began goes on. */
const interrupted = new AbortController();

/** The temporary folders that are in use. */
const folders = new Set<string>();

function end(code: number): never {
  interrupted.abort();
  for (const folder of folders) {
    try {
      Deno.removeSync(folder, { recursive: true });
    } catch {
      // It is being removed already.
    }
  }
  Deno.exit(code);
}

const onInterrupt = () => end(130);
const onTerminate = () => end(143);

/**
 * Calls `use` with a temporary folder, which is removed at the end, and by SIGINT and SIGTERM.
 *
 * @throws {ScriptError} if it cannot be made.
 */
export async function withTempDir<T>(
  options: Deno.MakeTempOptions,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await attempt("make a temporary folder", () => Deno.makeTempDir(options));
  folders.add(folder);
  Deno.addSignalListener("SIGINT", onInterrupt);
  Deno.addSignalListener("SIGTERM", onTerminate);
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
    folders.delete(folder);
    if (folders.size === 0) {
      Deno.removeSignalListener("SIGINT", onInterrupt);
      Deno.removeSignalListener("SIGTERM", onTerminate);
    }
  }
}

/** A word as a shell takes it back whole. */
export function quoteForShell(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Runs a script's main function and ends the process with the code that it returns; what the user
 * did wrong is one sentence on standard error, with exit code 2, and what is amiss on the machine
 * one with exit code 1.
 */
export async function runScript(
  main: (args: readonly string[]) => Promise<number>,
): Promise<never> {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ScriptError)) throw error;
    warn(error.message);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/**
 * {@linkcode runScript} for a script with flags: `--help` is seen to, and words are refused unless
 * they are wanted.
 *
 * @param usage what `--help` says before it lists the flags
 * @param main gets the values of the flags
 */
export function runCommand<F extends Flags>(
  usage: string,
  flags: F,
  main: (given: FlagValues<F>, words: readonly string[]) => Promise<number>,
  { takesWords = false }: { /** @default false */ takesWords?: boolean } = {},
): Promise<never> {
  const all = { ...flags, help: { help: "Say this", short: "h" } };
  return runScript((args) => {
    const { flags: given, words } = parseFlags(all, args);
    if (words.length > 0 && !takesWords) {
      throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
    }
    if (!given.help) return main(given as FlagValues<F>, words);
    say(`${usage}\n\nOptions:\n${describeFlags(all)}`);
    return Promise.resolve(0);
  });
}

/** What became of a command. */
export interface Finished {
  readonly code: number;
  /** What it said on standard error. */
  readonly said: string;
}

/**
 * Runs this Deno with some arguments.
 *
 * @param folder where, from the project's root
 */
export async function runDeno(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  folder = ".",
): Promise<Finished> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: projectPath(folder),
    env: { ...env, NO_COLOR: "1" },
    stdout: "null",
    signal: interrupted.signal,
  }).output();
  return { code, said: new TextDecoder().decode(stderr).trim() };
}
