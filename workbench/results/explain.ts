/**
 * A failure in four lines that a newcomer understands: what is wrong, which operations show it,
 * which fault was on, and which messages it ate.
 *
 * @module
 */

import { moment, seconds, show, who } from "../checkers/wording.ts";
import type { FaultWindow } from "../faults/faults.ts";
import type { Finding, Op } from "../history.ts";
import type { DroppedMessage } from "../network/journal.ts";

/** What beside the history tells why something went wrong. */
export interface Circumstances {
  readonly faults: readonly FaultWindow[];
  /** Messages that faults took, by the world's clock. */
  readonly dropped?: readonly DroppedMessage[];
  /** When the history begins, by the world's clock. */
  readonly startMs?: number;
}

/** How many operations, links and faults a line lists. */
const MAX_LISTED = 4;

/** The faults of a history, from what the nemesis said in it. */
export function faultWindows(history: readonly Op[]): FaultWindow[] {
  const windows: FaultWindow[] = [];
  const open = new Map<string, { op: Op; what: string }>();
  for (const op of history) {
    if (op.process !== "nemesis") continue;
    const [, verb, fault = ""] = /^(start|stop)-?(.*)$/.exec(op.f) ?? [];
    const begun = open.get(fault);
    if (verb === "start" && begun === undefined) open.set(fault, { op, what: describe(op) });
    // Jepsen writes both ends of each nemesis operation; the later one says what was done.
    else if (verb === "start" && begun !== undefined) begun.what = describe(op) || begun.what;
    else if (verb === "stop" && begun !== undefined) {
      windows.push({ fault, description: begun.what, fromNs: begun.op.time, toNs: op.time });
      open.delete(fault);
    }
  }
  for (const [fault, { op, what }] of open) {
    windows.push({ fault, description: what, fromNs: op.time, toNs: undefined });
  }
  return windows.sort((a, b) => a.fromNs - b.fromNs);
}

function describe({ value }: Op): string {
  if (value === null) return "";
  return typeof value === "string" ? value : show(value);
}

/** A finding in up to four lines. */
export function explain(finding: Finding, circumstances: Circumstances): string[] {
  const lines = [`${finding.anomaly}: ${finding.what}`];
  const { ops } = finding;
  const [first] = ops;
  const last = ops.at(-1);
  if (first === undefined || last === undefined) return lines;
  lines.push(`  Seen in: ${listed(ops.map(describeOp), "; ")}`);
  const windows = circumstances.faults
    .filter(({ fromNs, toNs = Infinity }) => fromNs <= last.time && toNs >= first.time);
  if (windows.length > 0) lines.push(`  Faults then: ${listed(describeWindows(windows), "; ")}`);
  const eaten = describeEaten(circumstances, first.time, last.time);
  if (eaten !== undefined) lines.push(`  ${eaten}`);
  return lines;
}

function describeOp(op: Op): string {
  const error = op.error === undefined ? "" : ` (${op.error.text})`;
  return `${seconds(op)} ${who(op)} ${op.f} ${op.type} ${show(op.value)}${error}`;
}

/** What was on at the same time is told together, as several nodes that were down. */
function describeWindows(windows: readonly FaultWindow[]): string[] {
  const groups = new Map<string, { fault: string; when: string; what: string[] }>();
  for (const { fault, description, fromNs, toNs } of windows) {
    const when = `from ${moment(fromNs)} to ${toNs === undefined ? "the end" : moment(toNs)}`;
    const group = groups.get(`${fault} ${when}`) ?? { fault, when, what: [] };
    groups.set(`${fault} ${when}`, group);
    if (description !== "") group.what.push(description);
  }
  return [...groups.values()].map(({ fault, when, what }) =>
    `${[fault, ...what.length > 0 ? [what.join(", ")] : []].join(": ")}, ${when}`
  );
}

function describeEaten(
  { dropped = [], startMs = 0 }: Circumstances,
  fromNs: number,
  toNs: number,
): string | undefined {
  const links = new Map<string, number>();
  let count = 0;
  for (const { timeMs, src, dest } of dropped) {
    const ns = (timeMs - startMs) * 1e6;
    if (ns < fromNs || ns > toNs) continue;
    count++;
    links.set(`${src} -> ${dest}`, (links.get(`${src} -> ${dest}`) ?? 0) + 1);
  }
  if (count === 0) return undefined;
  const most = [...links].sort((a, b) => b[1] - a[1]).map(([link, n]) => `${link} (${n})`);
  return `Messages lost in between: ${count}; ${listed(most, ", ")}`;
}

function listed(texts: readonly string[], separator: string): string {
  if (texts.length <= MAX_LISTED) return texts.join(separator);
  const more = texts.length - MAX_LISTED;
  return `${texts.slice(0, MAX_LISTED).join(separator)}${separator}and ${more} more`;
}
