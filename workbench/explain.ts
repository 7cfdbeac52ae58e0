/**
 * A failure in up to four lines: what is wrong, which operations show it, which faults were on, and
 * which messages they dropped; and a run in a few lines.
 *
 * @module
 */

import { moment, plural, seconds, show, valueOf, who } from "./checkers/checker.ts";
import type { DiskStats } from "./disk.ts";
import { describeNoted, type FaultWindow, isLoss } from "./faults.ts";
import type { Finding, History, Op, Validity } from "./history.ts";
import type { DroppedMessage } from "./journal.ts";
import type { ObservationSummary } from "./observations.ts";
import { readerOf } from "./op_reader.ts";
import type { RunOptions } from "./options.ts";
import type { RunBreak, RunReport } from "./report.ts";
import type { WorkloadName } from "./workloads/mod.ts";

/** What explains a finding besides the history. */
export interface Circumstances {
  readonly faults: readonly FaultWindow[];
  /** Messages that faults took, by the world's clock. */
  readonly dropped?: readonly DroppedMessage[] | undefined;
  /** When the history begins, by the world's clock. */
  readonly startMs?: number | undefined;
}

/** How many operations, links and faults a line lists. */
const MAX_LISTED = 4;

/** The faults of a history, from what the nemesis said in it. */
export function faultWindows(history: History): FaultWindow[] {
  const windows: FaultWindow[] = [];
  const open = new Map<string, { op: Op; what: string }>();
  const ops = readerOf(history);
  for (let position = 0; position < ops.length; position++) {
    if (ops.processAt(position) !== "nemesis") continue;
    const op = ops.opAt(position);
    const { verb, fault } = turnOf(op.f, open);
    const begun = open.get(fault);
    if (verb === "start") {
      // Jepsen writes both ends of each nemesis operation; the later one says what was done.
      const what = describeNoted(fault, valueOf(op));
      if (what === undefined) open.delete(fault);
      else if (begun === undefined) open.set(fault, { op, what });
      else begun.what = what || begun.what;
    } else if (verb === "stop" && begun !== undefined) {
      windows.push({ fault, description: begun.what, fromNs: begun.op.time, toNs: op.time });
      open.delete(fault);
    }
  }
  for (const [fault, { op, what }] of open) {
    windows.push({ fault, description: what, fromNs: op.time, toNs: undefined });
  }
  return windows.sort((a, b) => a.fromNs - b.fromNs);
}

/** What Jepsen calls the beginning and the end of faults of nodes. */
const JEPSENS = new Map([
  ["kill", { verb: "start", fault: "kill" }],
  ["pause", { verb: "start", fault: "pause" }],
  ["resume", { verb: "stop", fault: "pause" }],
]);

/** Which fault an operation of a nemesis begins or ends. */
function turnOf(f: string, open: ReadonlyMap<string, unknown>): { verb: string; fault: string } {
  // After a kill it starts the nodes again.
  if (f === "start" && open.has("kill")) return { verb: "stop", fault: "kill" };
  const [, verb = "", fault = ""] = /^(start|stop)-?(.*)$/.exec(f) ?? [];
  return JEPSENS.get(f) ?? { verb, fault };
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
  const dropped = describeDropped(circumstances, first.time, last.time);
  if (dropped !== undefined) lines.push(`  ${dropped}`);
  return lines;
}

function describeOp(op: Op): string {
  const error = op.error === undefined ? "" : ` (${op.error.text})`;
  return `${seconds(op)} ${who(op)} ${op.f} ${op.type} ${show(op.value)}${error}`;
}

/** Faults of the same time are one text, as several nodes that were down. */
function describeWindows(windows: readonly FaultWindow[]): string[] {
  const groups = new Map<string, { fault: string; when: string; what: string[] }>();
  for (const { fault, description, fromNs, toNs } of windows) {
    const when = `from ${moment(fromNs)} to ${toNs === undefined ? "the end" : moment(toNs)}`;
    const group = groups.get(`${fault} ${when}`) ?? { fault, when, what: [] };
    groups.set(`${fault} ${when}`, group);
    if (description !== "") group.what.push(description);
  }
  return [...groups.values()].map(({ fault, when, what }) =>
    `${[fault, what.join(", ")].filter((text) => text !== "").join(": ") || "a fault"}, ${when}`
  );
}

function describeDropped(
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

/** How many explanations and warnings are shown; the stored results have all. */
const MAX_SHOWN = 3;

/** Why a run broke off, in some words. */
export function describeBreak({ byNode }: RunBreak): string {
  return byNode ? "a node broke the protocol" : "the run was broken off";
}

/** A verdict in a word. */
export function verdict(valid: Validity): string {
  return valid === true ? "valid" : valid === false ? "INVALID" : "unknown";
}

/** A run in a few lines. */
export function summarize(report: RunReport, options: RunOptions): string {
  const warnings = furtherWarnings(report, report.findings.slice(0, MAX_SHOWN));
  return [
    headline(report, options),
    ...reportRows(report, options).map(([name, text]) => `  ${name.padEnd(11)}${text}`),
    ...failures(report),
    ...warnings.slice(0, MAX_SHOWN).map((warning) => `Warning: ${indented(warning)}`),
    ...more(warnings.length - MAX_SHOWN, "warning"),
    ...report.machineNote === undefined ? [] : [report.machineNote],
  ].join("\n");
}

/** The warnings that are not shown as findings, which they are with `failOnWarning`. */
export function furtherWarnings(
  { warnings }: Pick<RunReport, "warnings">,
  shown: readonly Finding[],
): string[] {
  const said = new Set(shown.map(({ anomaly, what }) => anomaly === "warning" ? what : undefined));
  return warnings.filter((warning) => !said.has(warning));
}

/** The workloads whose nodes must remember what they acknowledged. */
const CONSENSUS: ReadonlySet<WorkloadName> = new Set<WorkloadName>([
  "lin-kv",
  "txn-list-append",
  "txn-rw-register",
]);

function headline(report: RunReport, { workload, nodeIds, nemesis, seed }: RunOptions): string {
  const faults = nemesis.length === 0 ? "no faults" : nemesis.join(" + ");
  return `${workload}, ${plural(nodeIds.length, "node")}, ${faults}, seed ${seed}: ${
    verdict(report.valid)
  }`;
}

/** The figures of a run, each with its name, as texts. */
export function reportRows(
  report: RunReport,
  { workload: name }: RunOptions,
): [name: string, text: string][] {
  const { stats, availability, net, latencies, workload, faults, planned, observed, disks } =
    report;
  const missing = planned === undefined
    ? ""
    : `; of about ${planned.count} planned ${planned.count - planned.begun} never began`;
  const rows: [string, string][] = stats.count === 0
    ? [["operations", `none completed${missing}`]]
    : [
      ["operations", `${stats.count}, ok-fraction ${fixed(availability.okFraction)}${missing}`],
      [
        "messages",
        `${fixed(net.all.msgsPerOp)} per operation, ${
          fixed(net.servers.msgsPerOp)
        } between servers`,
      ],
    ];
  if (latencies.count > 0) {
    const { p50, p99, max } = latencies;
    rows.push(["latencies", `median ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)}`]);
  }
  const stable = "stableLatencies" in workload ? workload.stableLatencies : undefined;
  if (stable !== undefined) {
    rows.push(["stable", `median ${ms(stable["0.5"])}, max ${ms(stable["1"])}`]);
  }
  if ("worstRealtimeLag" in workload) {
    rows.push(["worst lag", `${workload.worstRealtimeLag.lag.toFixed(3)} s`]);
  }
  if (faults.length > 0) rows.push(["faults", describeFaults(faults)]);
  if (observed !== undefined) rows.push(...describeObserved(observed));
  if (disks !== undefined) rows.push(["disks", describeDisks(disks)]);
  else if (CONSENSUS.has(name) && faults.some(({ fault }) => isLoss(fault))) {
    rows.push([
      "killed",
      "nodes start again with nothing but what they have kept on a disk, if they have one",
    ]);
  }
  return rows;
}

function describeDisks({ writes, syncs, failedSyncs, lost }: DiskStats): string {
  const failed = failedSyncs === 0 ? "" : `, ${failedSyncs} failed`;
  return `${plural(writes, "write")}, ${plural(syncs, "sync")}${failed}; ` +
    `${plural(lost, "write")} lost that none covered`;
}

function describeObserved({ sometimes, leftOut }: ObservationSummary): [string, string][] {
  const names = (reached: boolean) =>
    listed(
      sometimes.filter(({ count }) => count > 0 === reached).map(({ name }) => printableLine(name)),
      ", ",
    );
  const rows: [string, string][] = [
    ["sometimes", names(true)],
    ["not yet", names(false)],
    ["observed", leftOut > 0 ? `too much: ${leftOut} observations are left out` : ""],
  ];
  return rows.filter(([, text]) => text !== "");
}

function describeFaults(faults: RunReport["faults"]): string {
  const counts = new Map<string, number>();
  for (const { fault } of faults) counts.set(fault, (counts.get(fault) ?? 0) + 1);
  return [...counts].map(([fault, n]) => `${fault} ${plural(n, "time")}`).join(", ");
}

const UP_TO_THERE = "Up to there, with what was still on its way counted as lost:";

function failures({ valid, broke, explanations }: RunReport): string[] {
  const lines = explanations.slice(0, MAX_SHOWN).flat().map(indented);
  lines.push(...more(explanations.length - MAX_SHOWN, "finding"));
  if (broke !== undefined) {
    lines.unshift(indented(broke.text), ...(lines.length > 0 ? [UP_TO_THERE] : []));
  }
  return valid === true ? [] : lines;
}

function more(count: number, noun: string): string[] {
  return count > 0
    ? [`... and ${plural(count, `more ${noun}`)}; results.json has all that is kept`]
    : [];
}

function fixed(value: number | undefined): string {
  return value === undefined ? "?" : String(Number(value.toPrecision(4)));
}

function ms(value: number | undefined): string {
  return value === undefined ? "?" : `${Number(value.toPrecision(3))} ms`;
}

/**
 * A text from elsewhere, as a terminal may have it: what would move the cursor, change colours or
 * turn the direction of writing is escaped as in JSON. Tabs and line ends stay.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]|[\p{Bidi_Control}\u2028\u2029]/gu, escaped);
}

/** The same for one line: line ends are escaped, too. */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\\n");
}

/**
 * A text of several lines, as the cycles of transactions: all but the first are indented more than
 * that, so that only the first can be taken for one of ours.
 */
export function indented(text: string): string {
  const [indent = ""] = /^ */.exec(text) ?? [];
  return printable(text).replace(/\n(?=[^\n])/g, `\n${indent}  `);
}

function escaped(char: string): string {
  const code = char.charCodeAt(0).toString(16).padStart(4, "0");
  return char === "\r" ? "\\r" : `\\u${code}`;
}
