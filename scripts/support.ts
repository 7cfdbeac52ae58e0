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

/**
 * Prints one line, or several, on standard output.
 *
 * @throws {ScriptError} if it takes nothing, such as a file on a full disk.
 */
export function say(text: string): void {
  try {
    console.log(text);
  } catch (cause) {
    throw new ScriptError(`Cannot write to standard output: ${errorText(cause)}`, { cause });
  }
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

/** What is done when the process is interrupted. */
const lastActs = new Set<() => void>();

function end(code: number): never {
  for (const act of [...lastActs].reverse()) {
    try {
      act();
    } catch {
      // Such as a folder that is being removed already: the process ends all the same.
    }
  }
  Deno.exit(code);
}

/** What ends the process: a user, the closing of a terminal, and a system that shuts down. */
const listeners: readonly (readonly [signal: Deno.Signal, listener: () => void])[] = [
  ["SIGINT", () => end(130)],
  ["SIGHUP", () => end(129)],
  ["SIGTERM", () => end(143)],
];

/**
 * Does something when SIGINT, SIGHUP or SIGTERM ends the process; of several the one given last is
 * first.
 *
 * @param act what does not wait: nothing that it starts goes on
 * @returns what withdraws it.
 */
export function whenInterrupted(act: () => void): () => void {
  const lastAct = () => act(); // The same function may be given twice.
  if (lastActs.size === 0) {
    for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  }
  lastActs.add(lastAct);
  return () => {
    if (!lastActs.delete(lastAct) || lastActs.size > 0) return;
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  };
}

/**
 * Calls `use` with a temporary folder, which is removed at the end, also at one by a signal.
 *
 * @throws {ScriptError} if it cannot be made.
 */
export async function withTempDir<T>(
  options: Deno.MakeTempOptions,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await attempt("make a temporary folder", () => Deno.makeTempDir(options));
  const withdraw = whenInterrupted(() => Deno.removeSync(folder, { recursive: true }));
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
    withdraw();
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
 * {@linkcode runScript} for a script with flags: `--help` is seen to, and words, and what follows
 * `--`, are refused unless they are wanted.
 *
 * @param usage what `--help` says before it lists the flags
 * @param main gets the values of the flags, the words and what follows `--`
 */
export function runCommand<F extends Flags>(
  usage: string,
  flags: F,
  main: (
    given: FlagValues<F>,
    words: readonly string[],
    rest: readonly string[],
  ) => Promise<number>,
  { takesWords = false, takesRest = false }: {
    /** @default false */
    takesWords?: boolean;
    /** @default false */
    takesRest?: boolean;
  } = {},
): Promise<never> {
  const all = { ...flags, help: { help: "Say this", short: "h" } };
  return runScript((args) => {
    const { flags: given, words, rest } = parseFlags(all, args);
    const unwanted = [...(takesWords ? [] : words), ...(takesRest ? [] : rest)];
    if (unwanted.length > 0) {
      throw new UsageError(`Unexpected argument ${JSON.stringify(unwanted[0])}`);
    }
    if (!given.help) return main(given as FlagValues<F>, words, rest);
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
 * Runs a command to its end; it is killed when this process is interrupted, so that nothing of it
 * goes on to write into folders that are removed then.
 */
export async function outputOf(command: Deno.Command): Promise<Deno.CommandOutput> {
  const child = command.spawn();
  const withdraw = whenInterrupted(() => child.kill("SIGKILL"));
  try {
    return await child.output();
  } finally {
    withdraw();
  }
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
  const { code, stderr } = await outputOf(
    new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: projectPath(folder),
      env: { ...env, NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }),
  );
  return { code, said: new TextDecoder().decode(stderr).trim() };
}
