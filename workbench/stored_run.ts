/**
 * Runs as they are stored: read again from their folders, for their pages.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { join } from "@std/path/join";
import * as v from "valibot";
import { parseHistory } from "./history.ts";
import { type ObservationRecord, readObservation } from "./observations.ts";
import type { RunOptions } from "./options.ts";
import { parsePlan, type Plan } from "./plan.ts";
import { isOfRun, type ReportData } from "./report_data.ts";
import { makeReport, type ReportInput } from "./report_maker.ts";
import {
  checkShape,
  MAX_MESSAGES,
  MessageCollector,
  type MessageEvent,
  parseMessageEvent,
  type ShownMessages,
} from "./report_messages.ts";
import { reportPage, type Rerun } from "./report_page.ts";
import { NAMES_FILE, type RunNames, STORE_VERSION } from "./results_dir.ts";
import type { RunResult } from "./run.ts";
import { writeWhole } from "./whole_file.ts";
import { WORKLOADS } from "./workloads/mod.ts";

/** What a run is known by beside its folder. */
type RunInput = Omit<ReportInput, keyof ShownMessages>;

/**
 * Writes `report.html` into the folder of a run, whose messages are read from there.
 *
 * @param startMs when the history begins, by the world's clock
 * @param rerun what the page is to run again, if anything
 * @returns the path of the page.
 * @throws {Error} if it cannot be written.
 */
export async function writeReport(
  path: string,
  run: RunInput,
  startMs: number,
  rerun?: Rerun,
): Promise<string> {
  const file = join(path, "report.html");
  const messages = readMessages(join(path, "messages.jsonl"), startMs, momentOf(run));
  const page = await reportPage(makeReport({ ...run, ...messages }), rerun);
  try {
    writeWhole(file, page);
  } catch (cause) {
    throw new Error(`Cannot write ${file}: ${errorText(cause)}`, { cause });
  }
  return file;
}

/**
 * Writes the page of a run that has just ended, as {@linkcode writeReport} does.
 *
 * @returns why there is none, as a sentence; undefined if there is one.
 */
export async function keepReport(
  path: string,
  { results: report, history, options, startMs, observations }: RunResult,
  names: RunNames,
  rerun: Rerun | undefined,
): Promise<string | undefined> {
  const run = { workload: options.workload, report, options, history, observations, ...names };
  try {
    await writeReport(path, run, startMs, rerun);
    return undefined;
  } catch (error) {
    return `There is no report.html: ${errorText(error)}`;
  }
}

/** When the first finding shows, by the history's time; undefined where there is none. */
function momentOf({ report }: RunInput): number | undefined {
  const ns = report.findings[0]?.ops.at(-1)?.time;
  return ns === undefined ? undefined : ns / 1e6;
}

/** A run as its folder has it. */
interface ReadRun {
  readonly run: RunInput;
  /** When its history begins, by the world's clock. */
  readonly startMs: number;
  readonly plan: Plan;
}

/**
 * Reads the run of a folder.
 *
 * @throws {Error} if the folder is not that of a run that came to its end, saying what is missing.
 */
export function readRun(path: string): ReadRun {
  // The first, because it says whether the others can be read.
  const names = readNames(join(path, NAMES_FILE));
  const { startMs, options, ...rest } = readResults(join(path, "results.json"));
  const history = parse(join(path, "history.jsonl"), parseHistory);
  const report = camelled(rest) as unknown as ReportData["report"];
  if (!isOfRun(report)) {
    throw new Error(`Cannot read ${path}: its results.json is not that of a run`);
  }
  return {
    run: {
      workload: options.workload,
      report,
      options,
      history,
      observations: readObservations(join(path, "observations.jsonl")),
      ...names,
    },
    startMs,
    plan: parse(join(path, "plan.json"), parsePlan),
  };
}

const figure = v.optional(v.number());
const traffic = v.looseObject({ "msgs-per-op": figure });
const named = v.array(v.looseObject({ name: v.string(), count: v.number() }));

/** What the page looks at; all else is shown as it is, or not at all. */
const results = v.looseObject({
  "valid?": v.union([v.boolean(), v.literal("unknown")]),
  startMs: v.number(),
  options: v.looseObject({
    workload: v.picklist(WORKLOADS),
    nodeIds: v.array(v.string()),
    seed: v.number(),
    nemesis: v.array(v.string()),
  }),
  stats: v.looseObject({ count: v.number() }),
  availability: v.looseObject({ "ok-fraction": v.number() }),
  latencies: v.looseObject({ count: v.number(), p50: figure, p99: figure, max: figure }),
  workload: v.looseObject({
    "stable-latencies": v.optional(v.looseObject({ "0.5": figure, "1": figure })),
    "worst-realtime-lag": v.optional(v.looseObject({ lag: v.number() })),
    "worst-stale": v.optional(v.array(v.looseObject({ element: v.unknown() }))),
    lost: v.optional(v.array(v.unknown())),
    failures: v.optional(v.array(v.unknown())),
  }),
  net: v.looseObject({ all: traffic, clients: traffic, servers: traffic }),
  planned: v.optional(v.looseObject({ count: v.number(), begun: v.number() })),
  observed: v.optional(
    v.looseObject({ sometimes: named, violations: named, leftOut: v.number() }),
  ),
  disks: v.optional(v.looseObject({
    writes: v.number(),
    syncs: v.number(),
    failedSyncs: v.number(),
    lost: v.number(),
  })),
  broke: v.optional(v.looseObject({ byNode: v.boolean(), text: v.string() })),
  findings: v.array(v.looseObject({
    anomaly: v.string(),
    what: v.string(),
    ops: v.array(v.looseObject({ index: v.number(), time: v.number() })),
    about: v.optional(v.number()),
  })),
  warnings: v.array(v.string()),
  explanations: v.array(v.array(v.string())),
  faults: v.array(v.looseObject({
    fault: v.string(),
    description: v.string(),
    fromNs: v.number(),
    toNs: v.optional(v.number()),
  })),
});

const newer = `Expected at most ${STORE_VERSION}: a newer Eddy wrote this run`;
const namesSchema = v.object({
  // Absent in what was written before there were versions, whose formats are those of version 1.
  version: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(STORE_VERSION, newer)),
  ),
  engine: v.string(),
  command: v.optional(v.string()),
});

/** How a run was done; nothing where a version that did not keep it wrote the folder. */
function readNames(file: string): Partial<RunNames> {
  if (!isThere(file)) return {};
  const { version: _, ...read } = parse(file, (text) => checkShape(namesSchema, JSON.parse(text)));
  return read;
}

function readResults(file: string) {
  const { options, ...read } = parse(file, (text) => checkShape(results, JSON.parse(text)));
  return { ...read, options: options as unknown as RunOptions };
}

function parse<Read>(file: string, read: (text: string) => Read): Read {
  if (!isThere(file)) throw new Error(`Cannot read ${file}: there is no such file`);
  try {
    return read(Deno.readTextFileSync(file));
  } catch (cause) {
    throw new Error(`Cannot read ${file}: ${errorText(cause)}`, { cause });
  }
}

/**
 * Whether there is a file.
 *
 * @throws {Error} if it is no regular one: a pipe or a device may have no end.
 */
function isThere(file: string): boolean {
  let isFile: boolean;
  try {
    ({ isFile } = Deno.statSync(file));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw new Error(`Cannot read ${file}: ${errorText(cause)}`, { cause });
  }
  if (!isFile) throw new Error(`Cannot read ${file}: it is no regular file`);
  return true;
}

/** The names of fields as this program has them, for Maelstrom's; what is data stays. */
function camelled(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = Object.entries(record).map(([name, value]) => {
    const plain = name === "valid?" ? "valid" : name;
    const own = plain.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return [own, RENAMED.has(name) && isRecord(value) ? camelledDeep(value) : value];
  });
  return Object.fromEntries(fields);
}

/** The parts of a report that have Maelstrom's names. */
const RENAMED: ReadonlySet<string> = new Set([
  "stats",
  "availability",
  "exceptions",
  "workload",
  "net",
]);

function camelledDeep(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(camelled(record)).map(([name, value]) => {
      const isFigures = isRecord(value) && Object.keys(value).some((key) => /[-?]/.test(key));
      return [name, isFigures ? camelled(value) : value];
    }),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readObservations(file: string): ObservationRecord[] {
  // Nodes that told nothing leave no such file.
  if (!isThere(file)) return [];
  return parse(
    file,
    (text) =>
      text.split("\n").flatMap((line, i) =>
        line === "" ? [] : [atLine(i + 1, () => readRecord(JSON.parse(line)))]
      ),
  );
}

const recordHead = v.looseObject({ time: v.number(), node: v.string() });

function readRecord(parsed: unknown): ObservationRecord {
  const { time, node, ...rest } = checkShape(recordHead, parsed);
  const observation = readObservation(rest);
  if (observation === undefined) throw new RangeError("it is no observation");
  return { time, node, observation };
}

/** Reads a line; an error names it. */
function atLine<Read>(number: number, read: () => Read): Read {
  try {
    return read();
  } catch (cause) {
    throw new Error(`line ${number}: ${errorText(cause)}`, { cause });
  }
}

/** Of more messages than a page can have: this share before the finding, the rest after it. */
const SHARE_BEFORE = 0.75;

/**
 * Reads the messages of a run; where there are too many, those around a moment, or the first.
 *
 * @param atMs the moment, by the history's time
 */
function readMessages(file: string, startMs: number, atMs: number | undefined): ShownMessages {
  const collector = new MessageCollector(startMs, atMs);
  const sentMs: number[] = [];
  for (const event of eventsOf(file)) {
    if (event.type === "send") sentMs.push(event.timeMs - startMs);
    collector.add(event);
  }
  const { shown } = collector;
  const last = shown.messages.at(-1)?.sentMs ?? Infinity;
  if (shown.sentCount <= MAX_MESSAGES || atMs === undefined || atMs < last) return shown;
  const after = sentMs.findIndex((ms) => ms > atMs);
  const middle = after === -1 ? sentMs.length : after;
  const from = Math.min(middle - MAX_MESSAGES * SHARE_BEFORE, sentMs.length - MAX_MESSAGES);
  const second = new MessageCollector(startMs, atMs);
  let count = 0;
  for (const event of eventsOf(file)) {
    if (event.type === "send" ? count++ >= from : true) second.add(event);
  }
  return { messages: second.shown.messages, sentCount: sentMs.length };
}

function* eventsOf(file: string): Generator<MessageEvent> {
  let number = 0;
  for (const line of linesOf(file)) {
    number++;
    let event: MessageEvent | undefined;
    try {
      event = parseMessageEvent(line);
    } catch (cause) {
      throw new Error(`Cannot read ${file}: line ${number}: ${errorText(cause)}`, { cause });
    }
    if (event !== undefined) yield event;
  }
}

/** The lines of a file, of which only a part is in memory at a time; none where there is no file. */
function* linesOf(path: string): Generator<string> {
  if (!isThere(path)) return;
  const file = Deno.openSync(path);
  try {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(1 << 20);
    let rest = "";
    for (;;) {
      const count = file.readSync(buffer);
      if (count === null) break;
      const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split(
        "\n",
      );
      rest = lines.pop() ?? "";
      yield* lines;
    }
    if (rest !== "") yield rest;
  } finally {
    file.close();
  }
}
