/**
 * The logs of a run of kafka: what is at each offset, who sent it, who polled it, and what findings
 * are about.
 *
 * @module
 */

import { show } from "../checkers/checker.ts";
import { type Anomaly, describe } from "../checkers/kafka/anomalies.ts";
import { readAnomalies } from "../checkers/kafka/kafka.ts";
import type { DenseLog, Logs } from "../checkers/kafka/log.ts";
import type { KafkaHistory, LogMessage } from "../checkers/kafka/operations.ts";
import type { Op } from "../history.ts";
import type { ReportData } from "../report_data.ts";

/** The logs of a run. */
export interface LogsView {
  readonly kind: "logs";
  /** Those that findings are about first. */
  readonly keys: readonly LogView[];
  /** How many keys there are in all. */
  readonly keyCount: number;
}

/** The log of a key: some offsets in a row, gaps left out. */
export interface LogView {
  readonly key: string;
  readonly offsets: readonly string[];
  /** What is at each offset: one value, unless the log contradicts itself. */
  readonly values: readonly string[];
  /** The index of the operation that sent it; null where it is not known. */
  readonly senders: readonly (number | null)[];
  /** How many offsets are not shown, before and after these. */
  readonly before: number;
  readonly after: number;
  readonly readers: readonly LogReader[];
  readonly leftOutReaders: number;
  readonly marks: readonly LogMark[];
}

/** A process that polled from a log. */
export interface LogReader {
  readonly process: Op["process"];
  readonly node?: string | undefined;
  /**
   * A character for each offset: how often it was polled, at most 9; `-` where the process went
   * past it; a point before and after what it polled.
   */
  readonly reads: string;
}

/** A finding about a log. */
export interface LogMark {
  readonly anomaly: string;
  readonly what: string;
  /** The offsets that it is about, by their places among those shown. */
  readonly at: readonly number[];
  /** Whose poll it is about; undefined where it is about the log. */
  readonly process?: Op["process"] | undefined;
}

/** How many keys, offsets of each and readers of each are shown at most. */
const MAX_KEYS = 20;
const MAX_OFFSETS = 120;
const MAX_READERS = 24;
/** How many offsets are shown before the first that a finding is about. */
const BEFORE_MARK = 30;

/** The logs of a run; undefined where nothing was sent. */
export function logsView({ history }: Pick<ReportData, "history">): LogsView | undefined {
  const { read, logs, worst } = readAnomalies(history);
  const all = [...logs.values()].map((log) => ({
    log,
    marks: marksOf(worst, logs, log),
    rank: worst.findIndex((anomaly) => subjectOf(anomaly, logs, log) !== undefined) >>> 0,
  })).filter(({ log, marks }) => log.length + marks.length > 0)
    // What the first finding is about comes first; -1 has become the last rank of all.
    .sort((a, b) => a.rank - b.rank || b.log.length - a.log.length);
  if (all.length === 0) return undefined;
  return {
    kind: "logs",
    keys: all.slice(0, MAX_KEYS).map(({ log, marks }) => viewOf(log, marks, logs, read)),
    keyCount: all.length,
  };
}

/** A finding about a log, by the log's own indexes. */
type IndexedMark = Omit<LogMark, "at"> & { readonly indexes: readonly number[] };

function marksOf(worst: readonly Anomaly[], logs: Logs, log: DenseLog): IndexedMark[] {
  return worst.flatMap((anomaly) => {
    const subject = subjectOf(anomaly, logs, log);
    return subject === undefined
      ? []
      : [{ anomaly: anomaly.type, what: describe(anomaly).what, ...subject }];
  });
}

/** What of a log an anomaly is about; undefined if it is about another. */
function subjectOf(
  anomaly: Anomaly,
  logs: Logs,
  log: DenseLog,
): Pick<IndexedMark, "indexes" | "process"> | undefined {
  const placesOf = (message: LogMessage | undefined, process?: Op["process"]) =>
    message?.key === log.key ? { indexes: logs.placesOf(message), process } : undefined;
  switch (anomaly.type) {
    case "inconsistent-offsets":
      return anomaly.log === log ? { indexes: [anomaly.index] } : undefined;
    case "duplicate":
    case "lost-write":
    case "unseen":
      return placesOf(anomaly.message);
    case "G1a":
    case "no-writer-of-value":
      return placesOf(anomaly.read.message, anomaly.reader.op.process);
    case "precommitted-read":
      return placesOf(anomaly.read.message, anomaly.operation.op.process);
    case "G1c":
    case "G1c-realtime":
      return placesOf(anomaly.steps.find(({ message }) => message?.key === log.key)?.message);
    case "empty-transaction-graph":
      return undefined;
    default: {
      const { from, to, later, delta } = anomaly.move;
      if (anomaly.move.log !== log) return undefined;
      const [i, j] = [logs.indexOf(from.message) ?? 0, logs.indexOf(to.message) ?? 0];
      // Of a skip what was skipped, else what came again.
      const indexes = delta > 1 ? Array.from({ length: delta - 1 }, (_, n) => i + 1 + n) : [j];
      return { indexes, process: later.op.process };
    }
  }
}

function viewOf(
  log: DenseLog,
  marks: readonly IndexedMark[],
  logs: Logs,
  operations: KafkaHistory,
): LogView {
  const { slots } = log;
  const first = Math.min(...marks.flatMap(({ indexes }) => indexes.slice(0, 1)), slots.length);
  const last = Math.max(0, slots.length - MAX_OFFSETS);
  const from = marks.length === 0 ? 0 : Math.max(0, Math.min(first - BEFORE_MARK, last));
  const shown = slots.slice(from, from + MAX_OFFSETS);
  const isShown = (index: number) => index >= from && index < from + shown.length;
  const readers = readersOf(log, { logs, operations, marks }, from, shown.length);
  return {
    key: log.key,
    offsets: shown.map(({ offset }) => String(offset)),
    values: shown.map(({ messages }) =>
      [...messages.keys()].map(({ value }) => show(value)).join()
    ),
    senders: shown.map(({ messages }) => {
      const [message] = messages.keys();
      return message?.sender?.op.index ?? null;
    }),
    before: from,
    after: slots.length - from - shown.length,
    readers: readers.slice(0, MAX_READERS),
    leftOutReaders: Math.max(0, readers.length - MAX_READERS),
    marks: marks.map(({ indexes, ...mark }) => ({
      ...mark,
      at: indexes.filter(isShown).map((index) => index - from),
    })),
  };
}

/** Who polled from a log: those that findings are about first, then those that polled most. */
function readersOf(
  log: DenseLog,
  { logs, operations, marks }: {
    readonly logs: Logs;
    readonly operations: KafkaHistory;
    readonly marks: readonly IndexedMark[];
  },
  from: number,
  count: number,
): LogReader[] {
  const readers = new Map<Op["process"], { node: string | undefined; times: number[] }>();
  for (const { op, type, reads } of operations) {
    const list = reads.get(log.key) ?? [];
    if (type !== "ok" || list.length === 0) continue;
    const reader = readers.get(op.process) ?? { node: op.node, times: [] };
    readers.set(op.process, reader);
    for (const { message, offset } of list) {
      // A message that stands at several offsets was polled at one of them.
      const places = logs.placesOf(message);
      const index = places.find((place) => log.offsetAt(place) === offset) ?? places[0];
      if (index !== undefined) reader.times[index] = (reader.times[index] ?? 0) + 1;
    }
  }
  const marked = new Set(marks.map(({ process }) => process));
  const countOf = (process: Op["process"]) => readers.get(process)?.times.length ?? 0;
  return [...readers].sort(([a], [b]) =>
    Number(marked.has(b)) - Number(marked.has(a)) || countOf(b) - countOf(a)
  ).map(([process, { node, times }]) => {
    const firstRead = times.findIndex((time) => time !== undefined);
    const reads = Array.from({ length: count }, (_, i) => {
      const time = times[from + i];
      if (time !== undefined) return String(Math.min(9, time));
      return from + i > firstRead && from + i < times.length ? "-" : ".";
    });
    return { process, node, reads: reads.join("") };
  });
}
