/**
 * Text for a terminal, tables, a status line, and signals.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { printable, printableLine } from "../explain.ts";
import { BROKEN } from "./flags.ts";

/**
 * Prints a text, which may have several lines, to standard output.
 *
 * @throws {Error} if that cannot be written to.
 */
export function print(text: string): void {
  printRaw(printable(text));
}

/** Prints one line to standard output. */
export function printLine(line: string): void {
  printRaw(printableLine(line));
}

/** Prints a text to standard error; where that cannot be written to, it is lost. */
export function printError(text: string): void {
  writeStderr(`${printable(text)}\n`);
}

/** Prints a value as JSON, which remains the same value. */
export function printJson(value: unknown, indent?: number): void {
  // What JSON itself leaves as it is, and a terminal must not have, is only found in its strings.
  printRaw(printable(JSON.stringify(value, null, indent)));
}

function printRaw(text: string): void {
  try {
    writeAll(Deno.stdout, `${text}\n`);
  } catch (cause) {
    const why = errorText(cause).replace(/ \(os error \d+\)$/, "");
    throw new Error(`Cannot write to standard output: ${why}`, { cause });
  }
}

/** Aligns rows in columns, numbers to the right; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const [heads = []] = rows;
  const widths = heads.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const isNumeric = heads.map((_, i) =>
    rows.slice(1).every((row) => /^[-\d.x%]*$/.test(row[i] ?? ""))
  );
  const lines = rows.map((row) =>
    row.map((cell, i) => {
      const width = widths[i] ?? 0;
      return isNumeric[i] ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd()
  );
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

/** Empties the screen, where standard output is a terminal. */
export function clearScreen(): void {
  if (Deno.stdout.isTerminal()) writeAll(Deno.stdout, "\x1b[2J\x1b[3J\x1b[H");
}

const CLEAR = "\r\x1b[K";

/** A line at the bottom of a terminal that is written again when it changes. */
export class StatusLine {
  readonly #write: (text: string) => void;
  #text = "";

  /** @param write writes to the terminal; standard error by default */
  constructor(write: (text: string) => void = writeStderr) {
    this.#write = write;
  }

  /** Replaces the text; an empty one removes the line. */
  show(text: string): void {
    this.#text = printableLine(text);
    this.#write(CLEAR + this.#text);
  }

  /** Prints a line above the status line. */
  print(text: string): void {
    const line = printableLine(text);
    this.#write(this.#text === "" ? `${line}\n` : `${CLEAR}${line}\n${this.#text}`);
  }
}

function writeStderr(text: string): void {
  try {
    writeAll(Deno.stderr, text);
  } catch {
    // There is no other place to say so, and a run has its verdict without.
  }
}

const encoder = new TextEncoder();

function writeAll(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  const bytes = encoder.encode(text);
  for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
}

/** What a user, a system that shuts down, and a terminal that closes send. */
const SIGNALS = Deno.build.os === "windows"
  ? ["SIGINT"] as const
  : ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Signals this close count as one: on Ctrl-C, `deno task` sends again what the terminal sent. */
const SAME_SIGNAL_MS = 500;

/** Aborts what runs at the first signal; a second one ends the workbench at once. */
export class Interrupts {
  readonly #what: string;
  readonly #controller = new AbortController();
  #firstMs: number | undefined;
  readonly #listeners = SIGNALS.map((signal) => {
    const listener = () => {
      this.#firstMs ??= performance.now();
      if (performance.now() - this.#firstMs > SAME_SIGNAL_MS) Deno.exit(BROKEN);
      this.#controller.abort(new Error(`The ${this.#what} was interrupted by ${signal}`));
    };
    Deno.addSignalListener(signal, listener);
    return [signal, listener] as const;
  });

  /** @param what what runs, for the reason */
  constructor(what: "run" | "sweep" | "demo" | "watch" | "server") {
    this.#what = what;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives signals their usual effect again. */
  stop(): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }
}
