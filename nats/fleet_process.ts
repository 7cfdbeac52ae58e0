/**
 * A worker's hold on a process that does runs, of which it has one for each run at once.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import type { SweepPart } from "./fleet.ts";
import type { DoneRun, RunnerAnswer, RunnerOrder } from "./fleet_runner.ts";

/** How long a process may be silent: no run takes as long, unless it never ends. */
const MAX_SILENCE_MS = 60 * 60_000;

/** How much is kept of what a process writes to standard error, in characters. */
const MAX_ERROR_CHARS = 2000;

/** Why runs were not done, by the process itself: another one would say the same. */
export class RunsRefused extends Error {}

/** The process died, or had to be ended. */
export class RunnerDied extends Error {}

/** A process that does runs of one sweep. */
export class RunnerProcess {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;
  #isEnded = false;

  constructor() {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--allow-all"],
        ...["--config", pathOf("deno.json"), pathOf("fleet_runner.ts")],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    this.#errors = endOf(this.#child.stderr);
  }

  /** Makes it ready for runs of a sweep. */
  async begin(order: Extract<RunnerOrder, { args: unknown }>): Promise<void> {
    await this.#ask(order);
  }

  /**
   * Does runs.
   *
   * @throws {RunsRefused} if they cannot be done.
   * @throws {RunnerDied} if the process ends, or does not.
   */
  async run(runs: SweepPart["runs"]): Promise<DoneRun[]> {
    return await this.#ask({ runs });
  }

  async #ask(order: RunnerOrder): Promise<DoneRun[]> {
    const runs: DoneRun[] = [];
    // Pipes of a process that has died break; its end says more.
    await this.#writer.write(encoder.encode(`${JSON.stringify(order)}\n`)).catch(() => {});
    for (;;) {
      const answer = await this.#next();
      if ("run" in answer) runs.push(answer.run);
      else if ("done" in answer) return runs;
      else throw new RunsRefused(answer.error);
    }
  }

  async #next(): Promise<RunnerAnswer> {
    let isSilent = false;
    const timer = setTimeout(() => {
      isSilent = true;
      this.#kill();
    }, MAX_SILENCE_MS);
    try {
      const { value } = await this.#answers.read();
      if (value !== undefined) return JSON.parse(value) as RunnerAnswer;
    } catch {
      // What is no answer is as good as none.
    } finally {
      clearTimeout(timer);
    }
    if (isSilent) {
      throw new RunnerDied(
        `A run took more than ${MAX_SILENCE_MS / 60_000} min; see --run-timeout`,
      );
    }
    this.#kill();
    const { code, signal } = await this.#child.status;
    const said = (await this.#errors).trim();
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    throw new RunnerDied(`The process that did the runs ended ${how}${said && `: ${said}`}`);
  }

  /** Ends it, and waits for that. */
  async end(): Promise<void> {
    this.#kill();
    await this.#child.status;
    await Promise.allSettled([
      this.#writer.abort(),
      this.#answers.cancel(),
      this.#errors,
    ]);
  }

  #kill(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

const encoder = new TextEncoder();

/** The path of a file beside this one. */
function pathOf(name: string): string {
  return decodeURIComponent(new URL(name, import.meta.url).pathname);
}

/** The end of what a stream has. */
async function endOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  try {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text = (text + chunk).slice(-MAX_ERROR_CHARS);
    }
  } catch {
    // What there was is enough.
  }
  return text;
}
