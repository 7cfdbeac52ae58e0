/**
 * The command line as a process, for tests.
 *
 * @module
 */

import { delay } from "@std/async/delay";

/** The module of the command line. */
export const main = new URL("./main.ts", import.meta.url).pathname;

/** No child process lives longer: a test fails instead of waiting for ever. */
export const MAX_CHILD_MS = 60_000;

/** What a command came to. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line, to be started in a folder. */
export function command(
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", main, ...args],
    env: { NO_COLOR: "1", ...env },
    cwd,
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(MAX_CHILD_MS),
  });
}

/** Runs a command line to its end. */
export async function workbench(
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Ran> {
  const { code, stdout, stderr } = await command(args, cwd, env).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Lends a folder, and removes it. */
export async function inTempDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Flags of a short run. */
export const short = ["--node-count", "3", "--time-limit", "2", "--rate", "20", "--seed", "4"];

/** Waits for a line in a file that a child process writes. */
export async function lineOf(path: string, child: Deno.ChildProcess): Promise<string> {
  let ended = false;
  void child.status.then(() => ended = true);
  while (!ended) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text.endsWith("\n")) return text.trim();
    await delay(10);
  }
  const { code, stderr } = await child.output();
  throw new Error(`It ended with exit code ${code}: ${new TextDecoder().decode(stderr)}`);
}
