/**
 * `check`: the checkers alone, on a stored history.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { oneOf, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { parseConsistencyModels } from "../checkers/elle/consistency_model.ts";
import { explain, faultWindows, furtherWarnings, verdict } from "../explain.ts";
import { type History, HISTORY_FORMATS, HistoryReader, type Op } from "../history.ts";
import { OpColumns } from "../op_columns.ts";
import { check, type HistoryReport } from "../report.ts";
import { makeReport, type ReportInput } from "../report_maker.ts";
import { reportPage } from "../report_page.ts";
import { resultsJson } from "../results_dir.ts";
import { BROKEN, exitCodeOf, runFlags } from "./flags.ts";
import { colorFlag, type Line, printError, printJson, styleOf, Terminal } from "./terminal.ts";
import { writeWhole } from "../whole_file.ts";
import { WORKLOADS } from "../workloads/mod.ts";

/** The flags of `check`. */
export const checkFlags = {
  workload: { help: "The workload; required", value: "NAME", short: "w", ...oneOf(WORKLOADS) },
  availability: runFlags.availability,
  "fail-on-warning": runFlags["fail-on-warning"],
  "consistency-models": runFlags["consistency-models"],
  only: {
    help: "Check the workload's own rules only, not whether each kind of operation succeeded",
  },
  json: { help: "Print the results as JSON" },
  html: { help: "Write a page that shows the history and what is wrong with it", value: "FILE" },
  ...colorFlag,
};

/** Runs the command and returns the exit code. */
export async function checkCommand(args: readonly string[]): Promise<number> {
  const { flags, words: [file, extra] } = parseFlags(checkFlags, args);
  const { workload, availability } = flags;
  if (workload === undefined) {
    throw new UsageError("Cannot check without a workload: use --workload NAME");
  }
  if (file === undefined || file === "") {
    throw new UsageError(`Cannot check without a history: name a file of ${HISTORY_FORMATS}`);
  }
  if (extra !== undefined) throw new UsageError(`Unexpected argument ${JSON.stringify(extra)}`);
  if (flags.html !== undefined) checkOutput(flags.html, file);
  const history = await read(file);
  const results = check(history, {
    workload,
    availability,
    failOnWarning: flags["fail-on-warning"],
    only: flags.only,
    consistencyModels: models(flags["consistency-models"]),
  });
  if (flags.json) printJson(resultsJson(results), 2);
  else new Terminal(flags.color).print(describe(workload, history, results));
  const code = exitCodeOf(results.valid);
  if (flags.html === undefined) return code;
  const report = { ...results, faults: faultWindows(history) };
  const isWritten = await writePage(flags.html, history, (history) => {
    return { workload, report, history, observations: [] };
  });
  if (isWritten && !flags.json) new Terminal(flags.color).print([`Page: ${flags.html}`]);
  return isWritten ? code : BROKEN;
}

/** Refuses a page that cannot be written, or would replace the history, before all is checked. */
function checkOutput(html: string, history: string): void {
  const why = realPath(html) !== undefined && realPath(html) === realPath(history)
    ? "it is the history"
    : isFolder(html)
    ? "it is a folder"
    : undefined;
  if (why !== undefined) throw new UsageError(`Cannot write --html ${html}: ${why}`);
}

/** A path without links; nothing where there is no file. */
function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    // What is wrong with it is said when it is opened.
    return undefined;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** The longest history that a page has room for. */
const MAX_SHOWN = 1_000_000;

/** Writes the page, and says so if it cannot be; the verdict stands without. */
async function writePage(
  file: string,
  history: History,
  runOf: (history: readonly Op[]) => ReportInput,
): Promise<boolean> {
  try {
    if (history.length > MAX_SHOWN) {
      throw new Error(
        `the history has ${history.length} events, and a page shows up to ${MAX_SHOWN}`,
      );
    }
    writeWhole(file, await reportPage(makeReport(runOf([...history]))));
    return true;
  } catch (error) {
    printError(`Cannot write --html ${file}: ${errorText(error)}`);
    return false;
  }
}

function describe(
  workload: string,
  history: History,
  results: HistoryReport,
): Line[] {
  const { valid, findings } = results;
  const faults = faultWindows(history);
  const text = `${workload}, ${history.length} events: ${verdict(valid)}`;
  return [
    { text, style: styleOf(valid), word: verdict(valid) },
    ...findings.flatMap((finding) => {
      const [head = "", ...others] = explain(finding, { faults });
      return [{ text: head, style: "bold" } as const, ...others];
    }),
    ...furtherWarnings(results, findings).map((warning): Line => {
      return { text: `Warning: ${warning}`, style: "unknown", word: "Warning:" };
    }),
  ];
}

async function read(file: string): Promise<OpColumns> {
  try {
    const { readable } = await Deno.open(file);
    return await readStoredHistory(readable);
  } catch (cause) {
    throw new UsageError(`Cannot read ${file}: ${whyUnread(cause)}`, { cause });
  }
}

function whyUnread(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return errorText(error);
}

/** The two bytes that a gzip file begins with. */
const GZIP = [0x1f, 0x8b];

/**
 * Reads a history, which may be packed with gzip, piece by piece.
 *
 * @param maxChars how long the text of an operation may be
 * @throws {SyntaxError} if it is no history, naming the line.
 * @throws {Error} if it is damaged.
 */
export async function readStoredHistory(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxChars?: number,
): Promise<OpColumns> {
  const chunks = stream.values();
  let head = new Uint8Array();
  while (head.length < GZIP.length) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = Uint8Array.from([...head, ...value]);
  }
  const whole = ReadableStream.from(prepend(head, chunks));
  if (!GZIP.every((byte, i) => head[i] === byte)) return await readColumns(whole, maxChars);
  try {
    return await readColumns(whole.pipeThrough(new DecompressionStream("gzip")), maxChars);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new Error("it is packed with gzip, but damaged, not complete or in several parts", {
      cause,
    });
  }
}

async function* prepend<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

async function readColumns(
  stream: ReadableStream<Uint8Array>,
  maxChars: number | undefined,
): Promise<OpColumns> {
  const decoder = new TextDecoder();
  const columns = new OpColumns();
  const reader = new HistoryReader(columns, { maxChars });
  for await (const chunk of stream) reader.add(decoder.decode(chunk, { stream: true }));
  reader.add(decoder.decode());
  reader.end();
  return columns;
}

function models(text = "strict-serializable"): string[] {
  try {
    return parseConsistencyModels(text);
  } catch (cause) {
    throw new UsageError(errorText(cause), { cause });
  }
}
