/**
 * Where a run's results are kept: `store/<workload>/<time>/`, with a link to the latest.
 *
 * @module
 */

import { join } from "@std/path/join";
import { type DiagramMessage, drawMessages } from "./diagram.ts";
import { type Op, writeHistoryLine } from "./history.ts";
import type { NetEvent } from "./journal.ts";
import type { RunOptions } from "./options.ts";
import type { HistoryReport, RunReport, WorkloadResult } from "./report.ts";

/** How many characters are buffered before they are written. */
const CHUNK_CHARS = 1 << 18;

/** How many messages `messages.svg` shows. */
const MAX_DRAWN = 1000;

/** A file that is written line by line. */
class LineFile {
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #chars = 0;

  constructor(path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#chars > CHUNK_CHARS) this.#flush();
  }

  close(): void {
    this.#flush();
    this.#file.close();
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const bytes = this.#encoder.encode(this.#lines.join("\n") + "\n");
    for (let done = 0; done < bytes.length;) done += this.#file.writeSync(bytes.subarray(done));
    this.#lines = [];
    this.#chars = 0;
  }
}

/** The folder of one run. */
export class ResultsDir {
  readonly path: string;
  readonly #messages: LineFile;
  readonly #logs = new Map<string, LineFile>();
  readonly #drawn = new Map<number, DiagramMessage & { receivedMs?: number }>();

  /**
   * Creates the folder, and links to it as `latest`.
   *
   * @param root the store, which holds the runs of all workloads
   * @param name the folder's own name: the time of the run
   */
  constructor(root: string, workload: string, name: string) {
    this.path = join(root, workload, name);
    Deno.mkdirSync(join(this.path, "node-logs"), { recursive: true });
    this.#messages = new LineFile(join(this.path, "messages.jsonl"));
    linkLatest(root, join(workload, name));
  }

  /** Adds an event of the network to `messages.jsonl`, times in ms by the world's clock. */
  addEvent({ type, timeMs, message, why }: NetEvent): void {
    const { id, src, dest } = message;
    const head = JSON.stringify({ type, time: timeMs, id, src, dest, ...(why && { why }) });
    this.#messages.add(type === "send" ? `${head.slice(0, -1)},"body":${message.text}}` : head);
    if (type === "send" && this.#drawn.size < MAX_DRAWN && !/^init(_ok)?$/.test(message.type)) {
      this.#drawn.set(id, { src, dest, type: message.type, sentMs: timeMs });
    } else if (type === "recv") {
      const drawn = this.#drawn.get(id);
      if (drawn !== undefined) drawn.receivedMs = timeMs;
    }
  }

  /** Adds a line of a node's standard error. */
  addLog(node: string, line: string): void {
    let file = this.#logs.get(node);
    if (file === undefined) {
      file = new LineFile(join(this.path, "node-logs", `${node}.log`));
      this.#logs.set(node, file);
    }
    file.add(line);
  }

  /** Writes the history, the results and the diagram, and closes all files. */
  finish(report: RunReport, options: RunOptions, history: readonly Op[], startMs: number): void {
    this.#messages.close();
    for (const file of this.#logs.values()) file.close();
    const historyFile = new LineFile(join(this.path, "history.jsonl"));
    for (const op of history) historyFile.add(writeHistoryLine(op));
    historyFile.close();
    const results = JSON.stringify({ ...resultsJson(report), startMs, options }, null, 2);
    Deno.writeTextFileSync(join(this.path, "results.json"), results + "\n");
    const faults = report.faults.map(({ fault, fromNs, toNs }) => ({
      name: fault,
      fromMs: startMs + fromNs / 1e6,
      toMs: toNs === undefined ? Infinity : startMs + toNs / 1e6,
    }));
    const diagram = drawMessages({ messages: [...this.#drawn.values()], faults });
    Deno.writeTextFileSync(join(this.path, "messages.svg"), diagram);
  }
}

/** A report as `results.json` has it: Maelstrom's names for verdicts and figures. */
export function resultsJson(report: HistoryReport | RunReport): Record<string, unknown> {
  const { valid, ...rest } = report;
  const { stats } = report;
  return {
    "valid?": valid,
    ...rest,
    exceptions: renamed(report.exceptions),
    stats: renamed({ ...stats, byF: eachRenamed(stats.byF) }),
    availability: renamed(report.availability),
    workload: workloadJson(report.workload),
    ...("net" in report && { net: eachRenamed(report.net) }),
  };
}

function workloadJson(result: WorkloadResult): Record<string, unknown> {
  if ("worstStale" in result) {
    return renamed({ ...result, worstStale: result.worstStale.map(renamed) });
  }
  if ("failures" in result) return renamed({ ...result, results: eachRenamed(result.results) });
  if (!("errorTypes" in result)) return renamed(result);
  const { valid, anomalies, unseen, ...figures } = result;
  const cases = Object.entries(anomalies).map(([name, { count, errs }]) => [
    name,
    { count, errs: errs.map(renamed), ...(name === "unseen" && unseen) },
  ]);
  return { "valid?": valid, ...Object.fromEntries(cases), ...renamed(figures) };
}

function eachRenamed(records: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(records).map(([name, each]) => [name, renamed(each)]));
}

/** A record with `valid?` for `valid` and `ok-count` for `okCount`; what is in it stays. */
function renamed(record: object): Record<string, unknown> {
  const named = Object.entries(record).map(([field, value]) => {
    const name = field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return [name === "valid" ? "valid?" : name, value];
  });
  return Object.fromEntries(named);
}

function linkLatest(root: string, target: string): void {
  const link = join(root, "latest");
  try {
    Deno.removeSync(link);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.symlinkSync(target, link);
}
