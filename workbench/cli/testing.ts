/**
 * The command line as a process, for tests.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { join } from "@std/path/join";

/** The module of the command line. */
export const main = decodeURIComponent(new URL("./main.ts", import.meta.url).pathname);

/** No child process lives longer: a test fails instead of waiting for ever. */
export const MAX_CHILD_MS = 60_000;

/** What a command came to. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment in which nothing but what a test looks at is printed or written. */
export const plainEnv = { NO_COLOR: "1", GITHUB_ACTIONS: "", GITHUB_STEP_SUMMARY: "" };

/** The command line, to be started in a folder. */
export function command(
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", main, ...args],
    env: { ...plainEnv, ...env },
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

/** What runs command lines one after the other in one process, which starts faster than many. */
const inTurn = `
import { main } from ${JSON.stringify(new URL("main.ts", import.meta.url).href)};
for (const args of JSON.parse(Deno.args[0])) {
  const code = await main(args);
  Deno.stdout.writeSync(new TextEncoder().encode(code + "\\0"));
  Deno.stderr.writeSync(new TextEncoder().encode("\\0"));
}`;

/** Runs command lines that need no process of their own. */
export async function workbenchInTurn(lines: readonly string[][], cwd: string): Promise<Ran[]> {
  const file = join(cwd, "in_turn.ts");
  await Deno.writeTextFile(file, inTurn);
  const config = decodeURIComponent(new URL("../deno.json", import.meta.url).pathname);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--config", config, file, JSON.stringify(lines)],
    env: plainEnv,
    cwd,
    signal: AbortSignal.timeout(MAX_CHILD_MS),
  }).output();
  const [outputs, errors] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes).split("\0")
  );
  assertEquals([outputs?.length, errors?.length], Array(2).fill(lines.length + 1), errors?.at(-1));
  return lines.map((_, i) => {
    const [, text = "", code] = /^([^]*?)(\d+)$/.exec(outputs?.[i] ?? "") ?? [];
    return { code: Number(code), stdout: text, stderr: errors?.[i] ?? "" };
  });
}

/** A node in plain TypeScript whose answers have in them what differs between machines. */
export const worldly = `
const reply = (to: string, from: string, body: object) =>
  console.log(JSON.stringify({ src: from, dest: to, body }));
let rest = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + chunk).split("\\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const { src, dest, body: { type, msg_id } } = JSON.parse(line);
    const id = [dest, crypto.randomUUID(), Date.now(), new Date(2020, 5, 1), new Date("2020-01-01"),
      Date.parse("2020-01-01T00:00"), (1e6 + 0.5).toLocaleString(), Deno.cwd(), Deno.pid].join();
    reply(src, dest, { type: type + "_ok", in_reply_to: msg_id, ...(type === "init" ? {} : { id }) });
  }
}`;
