/**
 * Where a run's results are kept: `store/<workload>/<time>/`, with a link to the latest.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { join } from "@std/path/join";
import { plural } from "./checkers/checker.ts";
import { type DiagramMessage, drawMessages } from "./diagram.ts";
import { printableLine } from "./explain.ts";
import { type Op, writeHistoryLine } from "./history.ts";
import { writeJepsenOp, writeResultsEdn } from "./jepsen.ts";
import type { NetEvent } from "./journal.ts";
import { writeObservation } from "./observations.ts";
import { type Plan, writePlan } from "./plan.ts";
import { drawPlots } from "./plots.ts";
import { RecentLines } from "./protocol.ts";
import type { HistoryReport, RunReport, WorkloadResult } from "./report.ts";
import { routedBody } from "./report_messages.ts";
import { PROGRESS_FILE } from "./run_index.ts";
import type { RunProgress, Stage } from "./runner.ts";
import type { RunResult } from "./run.ts";

/** How many characters are buffered before they are written. */
const CHUNK_CHARS = 1 << 18;

/** The name of the file that has {@linkcode RunNames}, and the version of all formats. */
export const NAMES_FILE = "run.json";

/** The version of the formats of a run's files, which is `version` in `run.json`. */
export const STORE_VERSION = 1;

/** How many messages `messages.svg` shows. */
const MAX_DRAWN = 1000;

/** How much of a node's standard error is stored, in characters, before only its end is. */
const MAX_LOG_CHARS = 16 << 20;

/** How much of the history is stored in Jepsen's notations, in characters, beside the whole. */
const MAX_JEPSEN_CHARS = 64 << 20;

/** After how many milliseconds of a run `run.log` says how far it is. */
const LOG_INTERVAL_MS = 10_000;

/** How many characters of messages are stored. */
const MAX_MESSAGES_CHARS = 2 ** 30;

/** A file that is written line by line, up to a bound. Errors are kept, and end the writing. */
class LineFile {
  readonly #path: string;
  readonly #encoder = new TextEncoder();
  #file: Deno.FsFile | undefined;
  #error: string | undefined;
  #lines: string[] = [];
  #chars = 0;
  #roomChars: number;
  #leftOut = 0;
  /** The last of what is left out. */
  readonly #recent = new RecentLines();

  constructor(path: string, maxChars: number = Infinity) {
    this.#path = path;
    this.#roomChars = maxChars;
    this.#try(() => {
      this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
    });
  }

  /** Why it could not be written; undefined if it could. */
  get error(): string | undefined {
    return this.#error;
  }

  /** How many lines are not in it, because it would have become too long. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Whether what is added is left out. */
  get isFull(): boolean {
    return this.#roomChars <= 0;
  }

  /** Counts a line that is left out. */
  leaveOut(): void {
    this.#leftOut++;
  }

  add(line: string): void {
    if (line.length > this.#roomChars) {
      this.#roomChars = 0;
      this.#leftOut++;
      this.#recent.add(line);
      return;
    }
    this.#roomChars -= line.length;
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#chars > CHUNK_CHARS) this.#flush();
  }

  /** @param withEnd whether the last of the lines that are left out are written after all */
  close(withEnd = false): void {
    if (withEnd && this.#leftOut > 0) {
      const { lines } = this.#recent;
      this.#leftOut -= lines.length;
      if (this.#leftOut > 0) this.#lines.push(`(${this.#leftOut} lines are left out here)`);
      this.#lines.push(...lines);
    }
    this.#flush();
    this.#try(() => this.#file?.close());
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const bytes = this.#encoder.encode(this.#lines.join("\n") + "\n");
    this.#lines = [];
    this.#chars = 0;
    this.#try(() => {
      const file = this.#file;
      if (file === undefined) return;
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    });
  }

  #try(work: () => void): void {
    if (this.#error !== undefined) return;
    try {
      work();
    } catch (error) {
      this.#error = `Cannot write ${this.#path}: ${errorText(error)}`;
    }
  }
}

/** What a run is known by beside its results, as `run.json` has it. */
export interface RunNames {
  /** What ran the nodes, in a line. */
  readonly engine: string;
  /** The command line that repeats the run, if there is one. */
  readonly command?: string | undefined;
}

/**
 * The folder of one run.
 *
 * What cannot be written is left out and noted, as on a full disk: a run has its verdict without.
 */
export class ResultsDir {
  readonly path: string;
  readonly #messages: LineFile | undefined;
  readonly #runLog: LineFile | undefined;
  #logged: { readonly stage: Stage; readonly elapsedMs: number } | undefined;
  readonly #logs = new Map<string, LineFile>();
  readonly #drawn = new Map<number, DiagramMessage & { receivedMs?: number }>();
  readonly #notes: string[] = [];
  #progressMs = performance.now();

  /**
   * Creates the folder, and links to it as `latest`.
   *
   * @param root the store, which holds the runs of all workloads
   * @param name the folder's own name: the time of the run
   */
  constructor(root: string, workload: string, name: string) {
    this.path = join(root, workload, name);
    const logs = join(this.path, "node-logs");
    if (!this.#try(`create ${logs}`, () => Deno.mkdirSync(logs, { recursive: true }))) return;
    this.#messages = new LineFile(join(this.path, "messages.jsonl"), MAX_MESSAGES_CHARS);
    this.#runLog = new LineFile(join(this.path, "run.log"), MAX_LOG_CHARS);
    this.#try(`link ${join(root, "latest")}`, () => linkLatest(root, join(workload, name)));
  }

  /** Whether there is no folder, so that nothing is kept. */
  get isMissing(): boolean {
    return this.#messages === undefined;
  }

  /** What could not be written, or was too much; one sentence each. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  /** Adds an event of the network to `messages.jsonl`, times in ms by the world's clock. */
  addEvent({ type, timeMs, message, why }: NetEvent): void {
    if (this.#messages === undefined) return;
    const { id, src, dest } = message;
    const head = JSON.stringify({ type, time: timeMs, id, src, dest, ...(why && { why }) });
    this.#messages.add(type === "send" ? `${head.slice(0, -1)},"body":${message.text}}` : head);
    if (type === "send" && this.#drawn.size < MAX_DRAWN && !/^init(_ok)?$/.test(message.type)) {
      const inner = routedBody(message.body);
      const label = inner === undefined ? message.type : `${message.type} ${inner.type}`;
      this.#drawn.set(id, { src, dest, type: label, sentMs: timeMs });
    } else if (type === "recv") {
      const drawn = this.#drawn.get(id);
      if (drawn !== undefined) drawn.receivedMs = timeMs;
    }
  }

  /** Adds a line of a node's standard error. */
  addLog(node: string, line: string): void {
    if (this.#messages === undefined) return;
    let file = this.#logs.get(node);
    if (file === undefined) {
      const path = join(this.path, "node-logs", `${encodeURIComponent(node)}.log`);
      file = new LineFile(path, MAX_LOG_CHARS);
      this.#logs.set(node, file);
    }
    file.add(line);
  }

  /** Writes how far the run is, for who looks meanwhile; at most once a second of real time. */
  #writeProgress(progress: RunProgress, plannedMs: number): void {
    const nowMs = performance.now();
    if (this.#messages === undefined || nowMs - this.#progressMs < 1000) return;
    this.#progressMs = nowMs;
    const writtenAt = new Date().toISOString();
    const file = join(this.path, PROGRESS_FILE);
    try {
      Deno.writeTextFileSync(file, JSON.stringify({ ...progress, plannedMs, writtenAt }));
    } catch {
      // What cannot be written of the results themselves is noted.
    }
  }

  /** Adds a line of what the run prints to `run.log`. */
  addPrinted(line: string): void {
    this.#runLog?.add(printableLine(line));
  }

  /**
   * Notes how far the run is: in a file for who looks meanwhile, and in `run.log` at each stage and
   * every ten seconds of its time.
   */
  addProgress(progress: RunProgress, plannedMs: number): void {
    this.#writeProgress(progress, plannedMs);
    const { stage, elapsedMs, counts } = progress;
    const last = this.#logged;
    if (stage === last?.stage && elapsedMs - last.elapsedMs < LOG_INTERVAL_MS) return;
    this.#logged = { stage, elapsedMs };
    const { invocations, ok, fail, info } = counts;
    this.addPrinted(
      `${stage} ${(elapsedMs / 1000).toFixed(0)} s: ${invocations} operations, ` +
        `${ok} ok, ${fail} fail, ${info} info`,
    );
  }

  /** Writes the history, the results, the plan and the pictures, and closes all files but `run.log`. */
  finish(
    { results: report, options, history, startMs, observations }: RunResult,
    plan: Plan,
    names: RunNames,
  ): void {
    if (this.#messages === undefined) return;
    this.#messages.close();
    this.#note(this.#messages, "messages.jsonl has not all messages");
    for (const [node, file] of this.#logs) {
      file.close(true);
      this.#note(file, `${node}.log has not all that ${node} wrote`);
    }
    this.#writeHistory(history);
    if (observations.length > 0) {
      this.#write("observations.jsonl", () => {
        return observations.map((record) => writeObservation(record) + "\n").join("");
      });
    }
    let json = "";
    this.#write("results.json", () => {
      return json = JSON.stringify({ ...resultsJson(report), startMs, options }, null, 2) + "\n";
    });
    this.#write("results.edn", () => writeResultsEdn(json));
    this.#write("plan.json", () => writePlan(plan));
    const versioned = { version: STORE_VERSION, ...names };
    this.#write(NAMES_FILE, () => JSON.stringify(versioned, null, 2) + "\n");
    this.#removeProgress();
    const faults = report.faults.map(({ fault, fromNs, toNs }) => ({
      name: fault,
      fromMs: startMs + fromNs / 1e6,
      toMs: toNs === undefined ? Infinity : startMs + toNs / 1e6,
    }));
    const messages = [...this.#drawn.values()];
    this.#write("messages.svg", () => drawMessages({ messages, faults }));
    this.#writePlots({ options, history }, report);
  }

  /** Ends `run.log` with what is printed at the end. */
  close(printed: readonly string[]): void {
    if (this.#runLog === undefined) return;
    for (const line of [...printed, ...this.#notes]) this.addPrinted(line);
    this.#runLog.close(true);
    this.#note(this.#runLog, "run.log has not all lines");
  }

  /** Writes the history in its own format, and in Jepsen's. */
  #writeHistory(history: readonly Op[]): void {
    const file = (name: string, maxChars?: number) => new LineFile(join(this.path, name), maxChars);
    const whole = file("history.jsonl");
    const [edn, txt] = [
      file("history.edn", MAX_JEPSEN_CHARS),
      file("history.txt", MAX_JEPSEN_CHARS),
    ];
    for (const op of history) {
      whole.add(writeHistoryLine(op));
      if (edn.isFull || txt.isFull) {
        edn.leaveOut();
        txt.leaveOut();
        continue;
      }
      const lines = writeJepsenOp(op);
      edn.add(lines.edn);
      txt.add(lines.txt);
    }
    for (const each of [whole, edn, txt]) each.close();
    this.#note(whole);
    this.#note(edn, "history.edn has not all operations");
    this.#note(txt, "history.txt has not all operations");
  }

  #writePlots(
    { options, history }: Pick<RunResult, "options" | "history">,
    { faults }: RunReport,
  ): void {
    const { workload, nodeIds, nemesis, seed } = options;
    const title = [workload, plural(nodeIds.length, "node"), ...nemesis, `seed ${seed}`].join(", ");
    this.#try(`draw the plots in ${this.path}`, () => {
      const plots = drawPlots({ history, faults, title });
      for (const [name, svg] of Object.entries(plots)) this.#write(name, () => svg);
    });
  }

  #removeProgress(): void {
    try {
      Deno.removeSync(join(this.path, PROGRESS_FILE));
    } catch {
      // Most runs are over before there is any.
    }
  }

  #note({ error, leftOut }: LineFile, cut = ""): void {
    if (error !== undefined) this.#notes.push(error);
    if (leftOut > 0) this.#notes.push(`${cut}: ${leftOut} lines are left out`);
  }

  #write(name: string, text: () => string): void {
    const path = join(this.path, name);
    this.#try(`write ${path}`, () => Deno.writeTextFileSync(path, text()));
  }

  /** Whether something could be done. */
  #try(what: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#notes.push(`Cannot ${what}: ${errorText(error)}`);
      return false;
    }
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

/** The name of a run's folder: when it begins, in ms, as a file may be named. */
export function folderName(): string {
  return new Date().toISOString().replaceAll(":", "").replace("Z", "");
}

/** Removes the folder of a run that did not come to its end, and `latest` if it leads there. */
export function removeRun(root: string, workload: string, name: string): void {
  const latest = join(root, "latest");
  try {
    Deno.removeSync(join(root, workload, name), { recursive: true });
    if (Deno.readLinkSync(latest) === join(workload, name)) Deno.removeSync(latest);
  } catch {
    // It had not begun, or there are no links here.
  }
}

/** Replaces the link at once, because runs at the same time may each do so. */
function linkLatest(root: string, target: string): void {
  const fresh = join(root, `latest-${crypto.randomUUID()}`);
  Deno.symlinkSync(target, fresh);
  try {
    Deno.renameSync(fresh, join(root, "latest"));
  } catch (error) {
    Deno.removeSync(fresh);
    throw error;
  }
}
