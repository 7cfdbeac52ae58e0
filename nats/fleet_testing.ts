/**
 * Commands over NATS as processes, for tests.
 *
 * @module
 */

import { main, plainEnv } from "@eddy/workbench/cli/testing.ts";
import { join } from "@std/path/join";
import type { NatsServer } from "./testing.ts";

const pathOf = (name: string) => decodeURIComponent(new URL(name, import.meta.url).pathname);

/** The words that run a command, over NATS if there is a server. */
function words(server: NatsServer | undefined, args: readonly string[]): string[] {
  const [command = "", ...others] = args;
  if (server === undefined) return ["run", "--quiet", "--allow-all", main, ...args];
  const program = ["--config", pathOf("deno.json"), pathOf("main.ts")];
  return ["run", "--quiet", "--allow-all", ...program, command, "--nats", server.url, ...others];
}

/** No command lives longer: a test fails instead of waiting for ever. */
const MAX_MS = 10 * 60_000;

/** A command that runs. */
export class EddyCommand implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Promise<string>;
  readonly #reading: Promise<void>;
  #stderr = "";
  readonly #tooLong = new AbortController();
  readonly #timer = setTimeout(() => this.#tooLong.abort(), MAX_MS);
  #changed = Promise.withResolvers<void>();

  /**
   * @param server where it finds others; undefined for a command of this machine alone
   * @param folder where it runs
   */
  constructor(
    server: NatsServer | undefined,
    args: readonly string[],
    folder: string = Deno.cwd(),
  ) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: words(server, args),
      env: { ...plainEnv, EDDY_WORDS: "eddy" },
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: this.#tooLong.signal,
    }).spawn();
    this.#stdout = new Response(this.#child.stdout).text();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
      this.#tell();
    }
    await this.#child.status;
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** What it has written to standard error. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until it has written something to standard error. */
  async says(pattern: RegExp): Promise<void> {
    let isOver = false;
    this.#reading.then(() => isOver = true);
    while (!pattern.test(this.#stderr)) {
      if (isOver) throw new Error(`It ended without ${pattern}: ${this.#stderr}`);
      await this.#changed.promise;
    }
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** What it came to. */
  async ended(): Promise<{ code: number; stdout: string; stderr: string }> {
    const [stdout, { code }] = await Promise.all([
      this.#stdout,
      this.#child.status,
      this.#reading,
    ]);
    clearTimeout(this.#timer);
    return { code, stdout, stderr: this.#stderr };
  }

  /** Ends it as kill -9 does. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended();
  }
}

/** The lines of a sweep in the order of values and seeds, without where results are. */
export function sweepLines(text: string): string[] {
  const rows = text.trim().split("\n").map((line) => JSON.parse(line));
  return rows.filter(({ small }) => small === undefined)
    .sort((a, b) => a.seed - b.seed || (a.label < b.label ? -1 : 1))
    .map(({ path: _, ...row }) => JSON.stringify(row));
}

/** Whether there is a stored run of each of these lines. */
export function storedRuns(folder: string, text: string): boolean[] {
  return text.trim().split("\n").map((line) => JSON.parse(line)).filter(({ path }) => path)
    .map(({ path }) => Deno.statSync(join(folder, path, "report.html")).isFile);
}
