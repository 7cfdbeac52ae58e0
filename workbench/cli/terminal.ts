/**
 * Text for a terminal: colours, tables, a status line; and signals.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { type Flags, oneOf } from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";
import { indented, printable, printableLine, verdict } from "../explain.ts";
import type { Validity } from "../history.ts";
import { BROKEN } from "./exit_codes.ts";
import { clipText, fitTable, table, wrapLine } from "./wrap.ts";

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

/** Prints a command to GitHub Actions, in one line, to standard error; no other text is taken for one. */
export function printCommand(line: string): void {
  writeStderrRaw(`${printableLine(line)}\n`);
}

/** Whether this is a job of GitHub Actions, which obeys what is printed. */
export function isInActions(): boolean {
  return Deno.env.get("GITHUB_ACTIONS") === "true";
}

/**
 * Escapes what GitHub Actions takes for a command, as in JSON: `::` at the beginning of a line, also
 * after spaces, and `##[` anywhere in it. JSON remains the same value.
 */
export function withoutCommands(text: string): string {
  return text.replace(/^(\s*):(?=:)/gm, "$1\\u003a").replaceAll("##[", "#\\u0023[");
}

/** A text as it is printed where this runs. */
function safeHere(text: string): string {
  return isInActions() ? withoutCommands(text) : text;
}

function printRaw(text: string): void {
  try {
    writeAll(Deno.stdout, `${safeHere(text)}\n`);
  } catch (cause) {
    const why = errorText(cause).replace(/ \(os error \d+\)$/, "");
    throw new Error(`Cannot write to standard output: ${why}`, { cause });
  }
}

/** How a line, or a word in it, is to look. */
export type Style = "bold" | "valid" | "invalid" | "unknown";

/** What turns a style on; all end with {@linkcode PLAIN}. */
const STYLES: Readonly<Record<Style, string>> = {
  bold: "\x1b[1m",
  valid: "\x1b[32m",
  invalid: "\x1b[31m",
  unknown: "\x1b[33m",
};

const PLAIN = "\x1b[0m";

/** A line for a {@linkcode Terminal}. */
export type Line = string | {
  readonly text: string;
  readonly style?: Style;
  /** What of it has the style: the beginning, or else the last such word; by default all of it. */
  readonly word?: string;
  /** Whether it is to be pasted, and so is not broken. */
  readonly isWhole?: true;
};

/** The values of `--color`. */
const COLORS = ["auto", "always", "never"] as const;

/** The flag that says whether there are colours. */
export const colorFlag = {
  color: {
    help: "Colours: auto has them on a terminal, unless NO_COLOR is set",
    value: "WHEN",
    ...oneOf(COLORS),
    default: "auto" as const,
  },
} satisfies Flags;

/** Standard output, with colours and with lines as long as a terminal has room for. */
export class Terminal {
  readonly #hasColors: boolean;

  /** @param color what `--color` says */
  constructor(color: typeof COLORS[number]) {
    const fits = Deno.stdout.isTerminal() && !Deno.noColor && Deno.env.get("TERM") !== "dumb";
    this.#hasColors = color === "always" || (color === "auto" && fits);
  }

  /**
   * Prints lines, those after a line's end indented; what would move the cursor or change colours in them is escaped.
   *
   * @throws {Error} if standard output cannot be written to.
   */
  print(lines: readonly Line[]): void {
    const columns = columnsOf(Deno.stdout);
    printRaw(lines.flatMap((line) => renderLine(line, columns, this.#hasColors)).join("\n"));
  }

  /**
   * Prints rows as a table, whose head is bold; verdicts in it have their colours.
   *
   * @param optional how many of the last columns are left out where there is no room for them
   */
  printTable(rows: readonly (readonly string[])[], optional: number = 0): void {
    const columns = columnsOf(Deno.stdout);
    const { rows: fitting, leftOut } = fitTable(rows, columns, optional);
    const note = `Too narrow here for: ${leftOut.join(", ")}.`;
    this.print([...tableLines(fitting, columns), ...leftOut.length > 0 ? [note] : []]);
  }
}

/** The lines of a table, which has several for each row where it is too wide. */
export function tableLines(rows: readonly (readonly string[])[], columns: number): Line[] {
  const lines = table(rows, columns).split("\n");
  const eachRow = lines.length / (rows.length + 1);
  return lines.map((text, i): Line => {
    if (i < eachRow) return { text, style: "bold" };
    // The second row of lines is the rule.
    const row = rows[Math.floor(i / eachRow) - 1] ?? [];
    const valid = VERDICTS.find((each) => row.includes(verdict(each)));
    const word = valid === undefined ? "" : verdict(valid);
    if (valid === undefined || !text.includes(word)) return text;
    return { text, style: styleOf(valid), word };
  });
}

const VERDICTS: readonly Validity[] = [true, false, "unknown"];

/** A verdict in the colour that it has. */
export function styleOf(valid: Validity): Style {
  return valid === true ? "valid" : valid === false ? "invalid" : "unknown";
}

/** The lines that a line takes, as they are written. */
export function renderLine(line: Line, columns: number, hasColors: boolean): string[] {
  const { text, style, word, isWhole }: Exclude<Line, string> = typeof line === "string"
    ? { text: line }
    : line;
  const plain = isWhole ? printableLine(text) : indented(text);
  const lines = isWhole ? [plain] : plain.split("\n").flatMap((each) => wrapLine(each, columns));
  if (style === undefined || !hasColors) return lines;
  const styled = (part: string) => STYLES[style] + part + PLAIN;
  if (word === undefined) return lines.map(styled);
  const isFirst = plain.startsWith(word);
  const at = isFirst ? 0 : lines.findLastIndex((each) => each.includes(word));
  return lines.map((each, i) => {
    if (i !== at) return each;
    const start = isFirst ? 0 : each.lastIndexOf(word);
    return each.slice(0, start) + styled(word) + each.slice(start + word.length);
  });
}

/** How wide help is at most: longer lines are hard to read. */
const MAX_HELP_COLUMNS = 100;

/** How wide help is on standard output. */
export function helpColumns(): number {
  return Math.min(MAX_HELP_COLUMNS, columnsOf(Deno.stdout));
}

/** How wide a stream's terminal is; without end where it is none, or does not know. */
function columnsOf(stream: typeof Deno.stdout | typeof Deno.stderr): number {
  if (!stream.isTerminal()) return Infinity;
  try {
    return Deno.consoleSize().columns || Infinity;
  } catch {
    return Infinity;
  }
}

/** Where the results of a run are, and its page, if there is one; what is printed last of it. */
export function resultsLines(path: string, indent: string = ""): Line[] {
  const page = pageOf(path);
  const lines = [`Results in ${path}`, ...page === undefined ? [] : [`Report: ${page}`]];
  return lines.map((text): Line => ({ text: indent + text, isWhole: true }));
}

/** The page of a run, if there is one. */
export function pageOf(path: string): string | undefined {
  const page = join(path, "report.html");
  return exists(page) ? page : undefined;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Empties the screen, where standard output is a terminal. */
export function clearScreen(): void {
  if (Deno.stdout.isTerminal()) writeAll(Deno.stdout, "\x1b[2J\x1b[3J\x1b[H");
}

const CLEAR = "\r\x1b[K";

/** A line at the bottom of a terminal that is written again when it changes. */
export class StatusLine {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  #text = "";

  /**
   * @param write writes to the terminal; standard error by default
   * @param columns how wide it is
   */
  constructor(
    write: (text: string) => void = writeStderr,
    columns: () => number = () => columnsOf(Deno.stderr),
  ) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Replaces the text; an empty one removes the line. */
  show(text: string): void {
    // A line that wraps could not be replaced.
    this.#text = clipText(printableLine(text), this.#columns() - 1);
    this.#write(CLEAR + this.#text);
  }

  /** Prints a line above the status line. */
  print(text: string): void {
    const line = printableLine(text);
    this.#write(this.#text === "" ? `${line}\n` : `${CLEAR}${line}\n${this.#text}`);
  }
}

function writeStderr(text: string): void {
  writeStderrRaw(safeHere(text));
}

function writeStderrRaw(text: string): void {
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
  constructor(what: "run" | "sweep" | "demo" | "watch" | "server" | "shrinking") {
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
