/**
 * `test`: one run, as Maelstrom's.
 *
 * @module
 */

import { findWorkload } from "@eddy/handlers";
import { integer, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { summarize } from "../explain.ts";
import type { RunOptions } from "../options.ts";
import { findProgram } from "../process.ts";
import { ResultsDir, resultsJson } from "../results_dir.ts";
import type { Progress } from "../runner.ts";
import { type Program, type RunHooks, runProgram, type RunResult, simulate } from "../simulate.ts";
import { exitCodeOf, type RunFlags, runFlags, toRunOptions } from "./flags.ts";

/** The flags of `test`. */
export const testFlags = {
  ...runFlags,
  store: { help: "Where results are kept", value: "DIR", default: "store" },
  json: { help: "Print the results as JSON" },
  "log-stderr": { help: "Show what nodes write to standard error" },
  "log-net-send": { help: "Show every message sent" },
  "log-net-recv": { help: "Show every message delivered" },
  "test-count": { help: "Repeat, until a run is not valid", value: "N", ...integer(1), default: 1 },
};

/** What a command line asks `test` to do. */
interface TestCommand {
  readonly flags: RunFlags & {
    store: string;
    json: boolean;
    "log-stderr": boolean;
    "log-net-send": boolean;
    "log-net-recv": boolean;
    "test-count": number;
  };
  /** What follows `--`: arguments of the program, or options of Eddy's own handlers. */
  readonly rest: readonly string[];
}

/** Runs a test and returns the exit code. */
export async function testCommand(args: readonly string[]): Promise<number> {
  const { flags, words, rest } = parseFlags(testFlags, args);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  const first = flags.seed ?? drawSeed();
  let code = 0;
  for (let i = 0; i < flags["test-count"] && code === 0; i++) {
    code = await runOnce({ flags, rest }, first + i);
  }
  return code;
}

/** A seed that nobody chose, short enough to be typed. */
export function drawSeed(): number {
  return Math.floor(Math.random() * 1e6);
}

/**
 * Sees to it that there is a program to run, or that Eddy's own handlers know their options.
 *
 * @throws {Error} if there is no such program.
 * @throws {UsageError} if the handlers do not know them.
 */
export function checkNodeArgs({ bin, workload }: RunFlags, rest: readonly string[]): void {
  if (bin === undefined) findWorkload(workload).configure(rest);
  else findProgram(bin);
}

async function runOnce({ flags, rest }: TestCommand, seed: number): Promise<number> {
  const options = toRunOptions(flags, seed);
  checkNodeArgs(flags, rest);
  const name = new Date().toISOString().replaceAll(":", "").replace("Z", "");
  const dir = new ResultsDir(flags.store, options.workload, name);
  const status = new StatusLine();
  const hooks = {
    onMessage: (event: Parameters<ResultsDir["message"]>[0]) => {
      dir.message(event);
      const { type, message } = event;
      if (type === "send" ? flags["log-net-send"] : flags["log-net-recv"]) {
        status.print(`${type} ${message.toLine()}`);
      }
    },
    onLog: (node: string, text: string) => {
      dir.log(node, text);
      if (flags["log-stderr"]) status.print(`${node}: ${text}`);
    },
  };
  const result = flags.bin === undefined
    ? await simulate({ ...options, args: rest, ...hooks })
    : await runInterruptibly({ bin: flags.bin, args: rest }, options, hooks, status);
  const { results, history, startMs } = result;
  dir.finish(results, options, history, startMs);
  if (flags.json) console.log(JSON.stringify({ ...resultsJson(results), options }, null, 2));
  else console.log(describe(result, dir.path, replayLine(flags, rest, options)));
  return exitCodeOf(results.valid, results.broke);
}

/** Runs child processes, which must be gone and judged even if somebody has seen enough. */
async function runInterruptibly(
  program: Program,
  options: RunOptions,
  hooks: RunHooks,
  status: StatusLine,
): Promise<RunResult> {
  const interrupts = new Interrupts();
  const isTerminal = Deno.stderr.isTerminal();
  const onProgress = (progress: Progress) => {
    const { stage } = progress;
    if (isTerminal) status.show(stage === "done" ? "" : describeProgress(progress));
    // What is left is to judge, which no signal could reach.
    if (stage === "done") interrupts.ignore();
  };
  return await runProgram(program, options, { ...hooks, onProgress, signal: interrupts.signal });
}

function describe({ results, options }: RunResult, path: string, replay: string): string {
  const lines = [summarize(results, options), `Results in ${path}`];
  if (results.valid !== true) lines.push(`Replay with: ${replay}`);
  return lines.join("\n");
}

/** The one line that does this run again. */
export function replayLine(
  flags: Readonly<Record<string, unknown>>,
  rest: readonly string[],
  { seed }: Pick<RunOptions, "seed">,
): string {
  const given = Object.entries(testFlags).flatMap(([name, flag]) => {
    const value = flags[name];
    const isOurs = ["seed", "json", "store", "test-count"].includes(name) ||
      name.startsWith("log-");
    if (isOurs || value === undefined || value === false) return [];
    if (value === true) return [`--${name}`];
    if ("default" in flag && flag.default === value && name !== "workload") return [];
    return [`--${name}`, shellWord(Array.isArray(value) ? value.join(",") : String(value))];
  });
  const words = ["deno task workbench test", ...given, "--seed", String(seed)];
  return [...words, ...(rest.length > 0 ? ["--", ...rest.map(shellWord)] : [])].join(" ");
}

function shellWord(text: string): string {
  return /^[\w./,:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function describeProgress({ stage, elapsedMs, counts }: Progress): string {
  const { invocations, ok, fail, info } = counts;
  return `${stage} ${(elapsedMs / 1000).toFixed(0)} s: ${invocations} operations, ` +
    `${ok} ok, ${fail} fail, ${info} info`;
}

const CLEAR = "\r\x1b[K";

/** The status line of a terminal. */
export class StatusLine {
  readonly #write: (text: string) => void;
  #text = "";

  /** @param write where it goes; standard error by default */
  constructor(write: (text: string) => void = writeStderr) {
    this.#write = write;
  }

  /** Shows a text in place of the one before; an empty one takes the line away. */
  show(text: string): void {
    this.#text = text;
    this.#write(CLEAR + text);
  }

  /** Prints a line above. */
  print(line: string): void {
    this.#write(this.#text === "" ? `${line}\n` : `${CLEAR}${line}\n${this.#text}`);
  }
}

const encoder = new TextEncoder();

function writeStderr(text: string): void {
  const bytes = encoder.encode(text);
  for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Turns the first signal into an orderly end; a second one ends the workbench at once. */
export class Interrupts {
  readonly #controller = new AbortController();
  readonly #listeners = SIGNALS.map((signal) => {
    const listener = () => {
      this.ignore();
      this.#controller.abort(new Error(`The run was interrupted by ${signal}`));
    };
    Deno.addSignalListener(signal, listener);
    return [signal, listener] as const;
  });

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Leaves signals to the system again. */
  ignore(): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }
}
