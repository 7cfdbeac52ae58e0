/**
 * Runs one shell block of a page: within a limit of time and of output, and with no process of it
 * left at its end.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { join } from "@std/path/join";
import { ProcessGroup } from "@eddy/workbench/process.ts";
import { INVALID } from "./blocks.ts";

/** How many characters of what a block printed an error shows. */
const MAX_SHOWN = 2000;

/** How much a block may print. */
const MAX_PRINTED_BYTES = 4_000_000;

/** How long one block may take, unless a caller says less. */
const MAX_BLOCK_MS = 240_000;

/** How long the last output of killed processes may take to arrive. */
const LAST_OUTPUT_MS = 5000;

/** What a block's commands are run with. */
export interface ShellOptions {
  /** Where they start. */
  readonly folder: string;
  /** A folder for files of this module; its path is in PATH, and in no other page's. */
  readonly bin: string;
  /** All of the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether the last command must end with exit code 1; otherwise all must end with 0. */
  readonly fails: boolean;
  /** @default 240 s */
  readonly limitMs?: number | undefined;
  /** Ends the block. */
  readonly signal?: AbortSignal | undefined;
}

/** What a block came to. */
export interface Ran {
  readonly printed: string;
  /** Where the shell was at its end. */
  readonly folder: string;
}

/**
 * Runs the commands of a shell block.
 *
 * @throws {Error} if a command does not end as it is marked, does not find what its line says, or is
 * left in the background; if the shell ends before the last one; and if a limit is reached.
 */
export async function runShell(text: string, options: ShellOptions): Promise<Ran> {
  const { bin, fails } = options;
  const lines = text.split("\n");
  const end = join(bin, "end");
  await Deno.remove(end).catch(() => {});
  const { code, printed, stopped } = await runBash(scriptOf(lines, fails, bin), options);
  const shown = `:\n${printed.slice(-MAX_SHOWN)}`;
  if (stopped !== undefined) throw new Error(`The block ${stopped}${shown}`);
  const folder = await Deno.readTextFile(end).catch(() => undefined);
  if (folder === undefined) {
    const last = fails ? "its last command" : "its end";
    throw new Error(`The block ended with ${code} before ${last}${shown}`);
  }
  const wanted = fails ? 1 : 0;
  if (code !== wanted) throw new Error(`The block ended with ${code}, not ${wanted}${shown}`);
  for (const [i, line] of lines.entries()) {
    const [, , finding] = INVALID.exec(line) ?? [];
    if (finding !== undefined) await expectFinding(finding, join(bin, `line-${i}`));
  }
  return { printed, folder: folder.trimEnd() };
}

/** @param path what the line printed */
async function expectFinding(finding: string, path: string): Promise<void> {
  const printed = await Deno.readTextFile(path);
  if (printed.split("\n").some((line) => line.startsWith(`${finding}: `))) return;
  throw new Error(`The block did not find ${finding}:\n${printed.slice(-MAX_SHOWN)}`);
}

/** The script of a block, at whose end the shell's folder is written to the file `end`. */
function scriptOf(lines: readonly string[], fails: boolean, bin: string): string {
  const commands = lines.map((line, i) => expectInvalid(line, join(bin, `line-${i}`)));
  const at = fails ? lastCommand(lines) : lines.length;
  return [
    "exec 2>&1",
    "set -o pipefail",
    ...commands.slice(0, at),
    "set +e",
    ...commands.slice(at),
    "eddy_code=$?",
    'if [ -n "$!" ]; then echo "A command was left in the background"; exit 1; fi',
    `pwd >'${join(bin, "end")}'`,
    "exit $eddy_code",
  ].join("\n");
}

/** Lets a line that must end with exit code 1 do so, and only that; keeps what it prints. */
function expectInvalid(line: string, path: string): string {
  if (!INVALID.test(line)) return line;
  const complain = 'echo "The line marked invalid ended with $eddy_code, not 1"';
  return `{ ${line}\n} | tee '${path}' && eddy_code=0 || eddy_code=$?\n` +
    `[ $eddy_code = 1 ] || { ${complain}; exit 1; }`;
}

/** Where the last command begins, which may be longer than a line. */
function lastCommand(lines: readonly string[]): number {
  for (let at = lines.length - 1; at > 0; at--) {
    const last = lines.slice(at);
    const isComment = last.every((line) => /^\s*(#|$)/.test(line));
    if (!isComment && isWhole(lines.slice(0, at)) && isWhole(last)) return at;
  }
  return 0;
}

/** Whether a shell would not wait for more after some lines. */
function isWhole(lines: readonly string[]): boolean {
  if (lines.at(-1)?.endsWith("\\")) return false;
  const args = ["-n", "-c", lines.join("\n")];
  const { success, stderr } = new Deno.Command("bash", { args }).outputSync();
  return success && stderr.length === 0;
}

/** What became of a script. */
interface Finished {
  readonly code: number;
  readonly printed: string;
  /** Why it was ended; undefined if it ended. */
  readonly stopped: string | undefined;
}

async function runBash(script: string, options: ShellOptions): Promise<Finished> {
  const { folder, bin, env, limitMs = MAX_BLOCK_MS, signal } = options;
  const child = new Deno.Command("bash", {
    args: ["-ec", script],
    cwd: folder,
    env: { ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  const group = new ProcessGroup(child);
  let stopped: string | undefined;
  const stop = (why: string) => {
    stopped ??= why;
    return group.end();
  };
  const interrupt = () => stop("was interrupted");
  if (signal?.aborted) interrupt();
  signal?.addEventListener("abort", interrupt);
  const timer = setTimeout(() => stop(`took longer than ${limitMs / 1000} s`), limitMs);
  const reader = child.stdout.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reading = (async () => {
    let size = 0;
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      if (value !== undefined) chunks.push(value);
      size += value?.length ?? 0;
      if (size > MAX_PRINTED_BYTES) return stop(`printed more than ${MAX_PRINTED_BYTES} bytes`);
    }
  })();
  const { code } = await child.status;
  clearTimeout(timer);
  signal?.removeEventListener("abort", interrupt);
  await group.end();
  await endOthers(bin);
  const late = new AbortController();
  await Promise.race([reading, delay(LAST_OUTPUT_MS, late).catch(() => {})]);
  late.abort();
  await reader.cancel();
  return { code, printed: await new Blob(chunks).text(), stopped };
}

/** How often processes are looked for that were started while others were killed. */
const MAX_ROUNDS = 20;

/** Kills what has left its group, as far as the system tells the environment of a process. */
async function endOthers(bin: string): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const pids = await processesWith(bin);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
    await delay(round);
  }
}

/** The processes whose environment has a text; none where there is no `/proc`. */
async function processesWith(text: string): Promise<number[]> {
  const pids: number[] = [];
  try {
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      // That of another user's process, and of one that has ended, cannot be read.
      const environment = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
      if (environment.includes(text)) pids.push(Number(name));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return pids;
}
