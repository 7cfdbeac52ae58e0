/**
 * What the page of a run shows, as plain data.
 *
 * @module
 */

import { parseJson } from "@eddy/maelstrom";
import { type Op, writeHistoryLine } from "./history.ts";
import type { ObservationRecord } from "./observations.ts";
import type { RunOptions } from "./options.ts";
import { type PackedTexts, packTexts, unpackTexts } from "./packed_texts.ts";
import type { HistoryReport, RunReport } from "./report.ts";
import {
  type PackedMessages,
  packMessages,
  type ReportMessage,
  unpackMessages,
} from "./report_messages.ts";
import type { CyclesView } from "./views/cycles.ts";
import type { ElementsView } from "./views/elements.ts";
import type { LogsView } from "./views/logs.ts";
import type { RegistersView } from "./views/registers.ts";
import type { WorkloadName } from "./workloads/mod.ts";

/** A run, or a history alone, as its page shows it. */
export interface ReportData {
  readonly workload: WorkloadName;
  /** The verdict, what was found, and the figures; those of the run only where there was one. */
  readonly report: HistoryReport & Partial<RunReport>;
  /** What was run; absent for a history alone. */
  readonly options?: RunOptions | undefined;
  /** What ran the nodes, in a line. */
  readonly engine?: string | undefined;
  /** The command line that repeats the run. */
  readonly command?: string | undefined;
  readonly history: readonly Op[];
  /** Whether all lists in the history are as long as they were. */
  readonly isWhole: boolean;
  /** In the order in which they were sent; all of them, or those around the first finding. */
  readonly messages: readonly ReportMessage[];
  /** How many messages were sent in the whole run. */
  readonly sentCount: number;
  /** What nodes told of themselves. */
  readonly observations: readonly ObservationRecord[];
  /** What led to each finding, by its place among the findings. */
  readonly causes: readonly (readonly Cause[])[];
  /** What the workload's own checker saw, to be drawn. */
  readonly views: readonly View[];
}

/** Something that a checker saw and that is drawn, by its kind. */
export type View = CyclesView | ElementsView | LogsView | RegistersView;

/** What a page is made from: what was run, and what came of it. */
export type RunOfReport = Omit<ReportData, "causes" | "views" | "isWhole">;

/** Whether a report is that of a run, not of a history alone. */
export function isOfRun(report: ReportData["report"]): report is RunReport {
  return report.net !== undefined && report.faults !== undefined;
}

/** A sentence about what led to a finding, in parts: texts, and what they name. */
export type Cause = readonly (string | Place)[];

/** Something that a text names, and where it is in the run. */
export interface Place {
  readonly text: string;
  /** Milliseconds since the history began. */
  readonly atMs: number;
  /** The id of the message that it is. */
  readonly message?: number | undefined;
  /** The index of the operation that it is. */
  readonly op?: number | undefined;
}

/**
 * Where in a run a finding shows: the first place of what led to it; where that is known but names no
 * place (nothing was sent, say), the first operation that shows it, else the last. Undefined where
 * neither is known.
 */
export function placeOfFinding(
  { report, causes }: Pick<ReportData, "report" | "causes">,
  i: number,
): Omit<Place, "text"> | undefined {
  const parts = causes[i]?.flat() ?? [];
  const cause = parts.find((part) => typeof part !== "string");
  if (cause !== undefined) return cause;
  const op = report.findings[i]?.ops.at(parts.length > 0 ? 0 : -1);
  return op && { atMs: op.time / 1e6, op: op.index };
}

/** What `history.jsonl` has of a history. */
export function historyText(history: readonly Op[]): string {
  return history.map((op) => `${writeHistoryLine(op)}\n`).join("");
}

/**
 * The SHA-256 of {@linkcode historyText}, in hexadecimal; undefined where browsers have none: on a
 * page that comes over HTTP from another machine, or belongs to no site.
 */
export async function historyDigest(history: readonly Op[]): Promise<string | undefined> {
  if (!("subtle" in crypto)) return undefined;
  const bytes = new TextEncoder().encode(historyText(history));
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A report's data in little space, as JSON. */
type PackedReport = Omit<ReportData, "history" | "messages"> & {
  readonly history: PackedTexts;
  readonly messages: PackedMessages;
};

/** A report's data as a text, which is short once it is compressed. */
export function packReport(data: ReportData): string {
  const packed: PackedReport = {
    ...data,
    history: packTexts(data.history.map(writeHistoryLine)),
    messages: packMessages(data.messages),
  };
  return JSON.stringify(packed);
}

/** What {@linkcode packReport} was given. */
export function unpackReport(text: string): ReportData {
  const packed: PackedReport = JSON.parse(text);
  return {
    ...packed,
    // As they were written, so that they need no check.
    history: parseJson(`[${unpackTexts(packed.history).join(",")}]`) as unknown as Op[],
    messages: unpackMessages(packed.messages),
  };
}
