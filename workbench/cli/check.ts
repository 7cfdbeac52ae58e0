/**
 * `check`: the checkers alone, on a stored history.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { oneOf, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { parseConsistencyModels } from "../checkers/elle/consistency_model.ts";
import { explain, faultWindows, furtherWarnings, verdict } from "../explain.ts";
import { HISTORY_FORMATS, type Op, parseHistory } from "../history.ts";
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
  const history = parse(await read(file), file);
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
  const isWritten = await writePage(flags.html, { workload, report, history, observations: [] });
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

/** Writes the page, and says so if it cannot be; the verdict stands without. */
async function writePage(file: string, run: ReportInput): Promise<boolean> {
  try {
    writeWhole(file, await reportPage(makeReport(run)));
    return true;
  } catch (error) {
    printError(`Cannot write --html ${file}: ${errorText(error)}`);
    return false;
  }
}

function describe(
  workload: string,
  history: readonly Op[],
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

function parse(text: string, file: string): Op[] {
  try {
    return parseHistory(text);
  } catch (cause) {
    throw new UsageError(`Cannot read ${file}: ${errorText(cause)}`, { cause });
  }
}

async function read(file: string): Promise<string> {
  try {
    const { readable } = await Deno.open(file);
    return await readText(readable);
  } catch (cause) {
    throw new UsageError(`Cannot read ${file}: ${whyUnread(cause)}`, { cause });
  }
}

function whyUnread(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return errorText(error);
}

/** How long a text can be in this runtime, in characters; there are no more of them than bytes. */
const MAX_TEXT_BYTES = 2 ** 29 - 24;

/** The two bytes that a gzip file begins with. */
const GZIP = [0x1f, 0x8b];

/**
 * Reads a text, which may be packed with gzip.
 *
 * @param maxBytes how long it may be, unpacked
 * @throws {Error} if it is longer, or damaged, before all of it is in memory.
 */
export async function readText(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxBytes: number = MAX_TEXT_BYTES,
): Promise<string> {
  const chunks = stream.values();
  let head = new Uint8Array();
  while (head.length < GZIP.length) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = Uint8Array.from([...head, ...value]);
  }
  const whole = ReadableStream.from(prepend(head, chunks));
  if (!GZIP.every((byte, i) => head[i] === byte)) return await decode(whole, maxBytes);
  try {
    return await decode(whole.pipeThrough(new DecompressionStream("gzip")), maxBytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new Error("it is packed with gzip, but damaged or not complete", { cause });
  }
}

async function* prepend<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

async function decode(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`it is longer than ${maxBytes} bytes`);
    parts.push(decoder.decode(chunk, { stream: true }));
  }
  parts.push(decoder.decode());
  return parts.join("");
}

function models(text = "strict-serializable"): string[] {
  try {
    return parseConsistencyModels(text);
  } catch (cause) {
    throw new UsageError(errorText(cause), { cause });
  }
}
