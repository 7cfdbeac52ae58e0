/**
 * What the plots of a run show, as plain data.
 *
 * @module
 */

import { quantile, Warnings } from "../../checkers/checker.ts";
import { readHistory } from "../../checkers/kafka/operations.ts";
import { pollLags } from "../../checkers/kafka/reads.ts";
import { elementLatencies } from "../../checkers/set_full.ts";
import type { Op, OpType } from "../../history.ts";
import type { ReportData } from "../../report_data.ts";
import type { ReportMessage } from "../../report_messages.ts";

/** A place in a plot. */
export interface PlotPoint {
  /** Milliseconds since the history began. */
  readonly atMs: number;
  /** In the plot's unit; null interrupts a line. */
  readonly value: number | null;
  /** The index of the operation that it stands for. */
  readonly op?: number | undefined;
}

/** What one colour and one shape stand for. */
export interface PlotSeries {
  readonly name: string;
  /** The name of the colour among the page's: `ok`, `series-1`. */
  readonly color: string;
  /** Which shape the points have, or how the line is dashed: 0 and up. */
  readonly shape: number;
  /** Whether the line is heavy. */
  readonly heavy?: boolean | undefined;
  /** In the order of time. */
  readonly points: readonly PlotPoint[];
}

/** A plot over the time of the run. */
export interface Plot {
  readonly id: string;
  readonly heading: string;
  /** Of the values; empty where they are counts or numbers. */
  readonly unit: string;
  /** Levels are steps between whole numbers, of which lines lie a little apart. */
  readonly draws: "points" | "lines" | "steps" | "levels";
  /** The axis is logarithmic and begins with this value, which stands for all below; else linear. */
  readonly logFrom?: number | undefined;
  readonly series: readonly PlotSeries[];
  /** The main figures in a sentence, for those who cannot see the plot. */
  readonly summary: string;
  /** What the plot leaves out. */
  readonly note?: string | undefined;
}

/** How many points a plot has at most. */
export const MAX_POINTS = 20_000;

/** In how many spans of time rates and quantiles are taken, about. */
const SPANS = 60;

/** The lengths of such spans, in ms. */
const SPANS_MS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

/** Where axes of latencies begin, in ms: those of simulated networks may be 0. */
const LEAST_MS = 0.1;

/** The plots of a run; those of what it does not have are left out. */
export function plotsOf(data: ReportData): Plot[] {
  const operations = operationsOf(data.history);
  const plots = [
    latencyPlot(operations),
    quantilePlot(operations),
    ratePlot(operations),
    flightPlot(data),
    stablePlot(data),
    lagPlot(data),
    termPlot(data),
  ];
  return plots.filter((plot) => plot !== undefined).map(bounded);
}

/** How long the run took that is shown, in ms. */
export function durationOf({ history, messages }: ReportData): number {
  const last = history.reduce((max, { time }) => Math.max(max, time), 0) / 1e6;
  return Math.max(last, messages.at(-1)?.sentMs ?? 0, 1);
}

/** An operation of a client that came to an end. */
interface Ended {
  readonly f: string;
  readonly type: Exclude<OpType, "invoke">;
  readonly invoke: Op;
  readonly endMs: number;
  readonly latencyMs: number;
}

function operationsOf(history: readonly Op[]): Ended[] {
  const open = new Map<Op["process"], Op>();
  const ended: Ended[] = [];
  for (const op of history) {
    if (op.process === "nemesis") continue;
    const invoke = open.get(op.process);
    if (op.type === "invoke") open.set(op.process, op);
    else if (invoke !== undefined) {
      open.delete(op.process);
      const latencyMs = (op.time - invoke.time) / 1e6;
      ended.push({ f: invoke.f, type: op.type, invoke, endMs: op.time / 1e6, latencyMs });
    }
  }
  return ended;
}

const OUTCOMES = ["ok", "info", "fail"] as const;

/** The operations by outcome, and then by what was done; each `f` has the same shape everywhere. */
function kindsOf(operations: readonly Ended[]) {
  const fs = [...new Set(operations.map(({ f }) => f))].sort();
  return OUTCOMES.flatMap((type) =>
    fs.map((f, shape) => ({
      name: `${f} ${type}`,
      color: type,
      shape,
      operations: operations.filter((each) => each.f === f && each.type === type),
    }))
  ).filter((kind) => kind.operations.length > 0);
}

function latencyPlot(operations: readonly Ended[]): Plot | undefined {
  if (operations.length === 0) return undefined;
  const series = kindsOf(operations).map(({ operations, ...kind }) => ({
    ...kind,
    points: operations.map(({ invoke, latencyMs }) => ({
      atMs: invoke.time / 1e6,
      value: latencyMs,
      op: invoke.index,
    })).sort(byTime),
  }));
  const figures = series.map(({ name, points }) => {
    return `${points.length} ${name}, ${spread(points, "ms")}`;
  });
  return {
    id: "latency",
    heading: "Latency of operations",
    unit: "ms",
    draws: "points",
    logFrom: LEAST_MS,
    series,
    summary: figures.join("; "),
  };
}

const QUANTILES = [["median", 0.5], ["95 %", 0.95], ["99 %", 0.99], ["max", 1]] as const;

function quantilePlot(operations: readonly Ended[]): Plot | undefined {
  const ok = operations.filter(({ type }) => type === "ok");
  if (ok.length === 0) return undefined;
  const spanMs = spanOf(operations);
  const spans = inSpans(ok, ({ invoke }) => invoke.time / 1e6, spanMs).map((each) =>
    each.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b)
  );
  const series = QUANTILES.map(([name, share], i) => ({
    name,
    color: `series-${i + 1}`,
    shape: 0,
    points: spans.map((sorted, span) => ({
      atMs: (span + 0.5) * spanMs,
      value: quantile(sorted, share) ?? null,
    })),
  }));
  return {
    id: "quantiles",
    heading: `Latency quantiles of what succeeded, in spans of ${inWords(spanMs)}`,
    unit: "ms",
    draws: "lines",
    logFrom: LEAST_MS,
    series,
    summary: series.map(({ name, points }) => `${name}: ${spread(points, "ms")}`).join("; "),
  };
}

function ratePlot(operations: readonly Ended[]): Plot | undefined {
  if (operations.length === 0) return undefined;
  const spanMs = spanOf(operations);
  const count = Math.floor(endOf(operations) / spanMs) + 1;
  const series = kindsOf(operations).map(({ operations, ...kind }) => {
    const spans = inSpans(operations, ({ endMs }) => endMs, spanMs);
    const points = Array.from({ length: count }, (_, span) => ({
      atMs: (span + 0.5) * spanMs,
      value: (spans[span]?.length ?? 0) * 1000 / spanMs,
    }));
    return { ...kind, points };
  });
  return {
    id: "rate",
    heading: `Rate of operations by how they ended, in spans of ${inWords(spanMs)}`,
    unit: "/s",
    draws: "lines",
    series,
    summary: series.map(({ name, points }) => `${name}: ${spread(points, "/s")}`).join("; "),
  };
}

/** At how many moments messages in flight are counted. */
const MOMENTS = 1000;

function flightPlot(data: ReportData): Plot | undefined {
  const { messages, sentCount } = data;
  if (messages.length === 0) return undefined;
  const clients = messages.filter(({ src, dest }) => isClient(src) || isClient(dest));
  const servers = messages.filter(({ src, dest }) => !isClient(src) && !isClient(dest));
  const stepMs = durationOf(data) / MOMENTS;
  const series = [
    { name: "between servers", color: "series-1", shape: 0, points: inFlight(servers, stepMs) },
    { name: "of clients", color: "series-2", shape: 0, points: inFlight(clients, stepMs) },
  ].filter(({ points }) => points.some(({ value }) => value > 0));
  const left = sentCount - messages.length;
  return {
    id: "flight",
    heading: "Messages in flight",
    unit: "",
    draws: "steps",
    series,
    summary: series.map(({ name, points }) => `${name}: ${spread(points, "")}`).join("; "),
    note: left > 0
      ? `Of ${sentCount} messages the page has ${messages.length}; the others are not counted.`
      : undefined,
  };
}

function isClient(name: string): boolean {
  return /^c\d/.test(name);
}

/** The most messages that were on their way at once in each step of time. */
function inFlight(messages: readonly ReportMessage[], stepMs: number) {
  const changes = messages.flatMap(({ sentMs, deliveries, drops }) => {
    const ends = [...deliveries, ...drops].map(({ atMs }) => atMs);
    const endMs = ends.length === 0 ? Infinity : Math.max(...ends);
    return [{ atMs: sentMs, by: 1 }, { atMs: endMs, by: -1 }];
    // What arrives when it is sent was on its way, too.
  }).sort((a, b) => a.atMs - b.atMs || b.by - a.by);
  const points: { atMs: number; value: number }[] = [];
  let [next, count] = [0, 0];
  for (let step = 0; step <= MOMENTS; step++) {
    let most = count;
    for (; (changes[next]?.atMs ?? Infinity) < (step + 1) * stepMs; next++) {
      count += changes[next]?.by ?? 0;
      most = Math.max(most, count);
    }
    points.push({ atMs: step * stepMs, value: most });
  }
  return points;
}

/** The operation that adds an element, by workload. */
const ADDS: Readonly<Record<string, "broadcast" | "add" | undefined>> = {
  broadcast: "broadcast",
  "g-set": "add",
};

function stablePlot({ workload, history }: ReportData): Plot | undefined {
  const addF = ADDS[workload];
  const all = addF === undefined ? [] : elementLatencies(history, addF);
  if (all.length === 0) return undefined;
  const series = (["stable", "lost"] as const).map((outcome) => ({
    name: outcome,
    color: outcome === "stable" ? "ok" : "fail",
    shape: outcome === "stable" ? 0 : 1,
    points: all.filter((each) => each.outcome === outcome).map(({ latencyMs, known }) => ({
      atMs: known.time / 1e6,
      value: latencyMs,
      op: known.index,
    })),
  })).filter(({ points }) => points.length > 0);
  return {
    id: "stable",
    heading: "How long until each element was in every read, or in none",
    unit: "ms",
    draws: "points",
    logFrom: 1,
    series,
    summary: series.map(({ name, points }) => {
      return `${points.length} ${name}, ${spread(points, "ms")}`;
    }).join("; "),
  };
}

function lagPlot({ workload, history }: ReportData): Plot | undefined {
  if (workload !== "kafka") return undefined;
  const operations = readHistory(history, new Warnings());
  const points = Array.from(pollLags(operations), ({ poll, begunNs, lags }) => ({
    atMs: begunNs / 1e6,
    value: Math.max(0, ...lags.values()) / 1e9,
    op: (poll.invoke ?? poll.op).index,
  })).sort(byTime);
  if (points.length === 0) return undefined;
  return {
    id: "lag",
    heading: "How far each poll was behind the logs of its keys",
    unit: "s",
    draws: "points",
    series: [{ name: "poll", color: "ok", shape: 0, points }],
    summary: `${points.length} polls, ${spread(points, "s")}`,
  };
}

/** Nodes that tell of a term, as those of Raft do: the term, heavy while the node leads. */
function termPlot(data: ReportData): Plot | undefined {
  const byNode = Map.groupBy(
    data.observations.flatMap(({ time, node, observation }) => {
      const { term, role } = "observe" in observation ? observation.observe : {};
      return typeof term === "number" ? [{ atMs: time / 1e6, node, term, role }] : [];
    }),
    ({ node }) => node,
  );
  if (byNode.size === 0) return undefined;
  const endMs = durationOf(data);
  const nodes = [...byNode].sort(([a], [b]) => a < b ? -1 : 1);
  const series = nodes.flatMap(([node, states], i): PlotSeries[] => {
    // Lines of several nodes in one term would hide each other.
    const shift = (i - (nodes.length - 1) / 2) * Math.min(0.12, 0.6 / nodes.length);
    const color = `series-${i % COLORS + 1}`;
    const known = states.map(({ atMs, term, role }, place) => ({
      fromMs: Math.max(0, atMs),
      toMs: Math.max(0, states[place + 1]?.atMs ?? endMs),
      value: term + shift,
      leads: role === "leader",
    })).filter(({ fromMs, toMs }) => toMs > fromMs);
    const points = known.flatMap(({ fromMs, toMs, value }) => [
      { atMs: fromMs, value },
      { atMs: toMs, value },
    ]);
    const led = known.filter(({ leads }) => leads).flatMap(({ fromMs, toMs, value }) => [
      { atMs: fromMs, value },
      { atMs: toMs, value },
      { atMs: toMs + GAP_MS, value: null },
    ]);
    return [
      { name: node, color, shape: 0, points },
      { name: `${node} leads`, color, shape: 0, heavy: true, points: led },
    ];
  }).filter(({ points }) => points.some(({ value }) => value !== null));
  const leaders = nodes.flatMap(([node, states]) =>
    states.filter(({ role }) => role === "leader").map(({ term, atMs }) => ({ node, term, atMs }))
  ).sort(byTime);
  return {
    id: "terms",
    heading: "Terms; a heavy line is that of a leader",
    unit: "",
    draws: "levels",
    series,
    summary: leaders.length === 0
      ? "No node led"
      : leaders.slice(0, MAX_LEADERS).map(({ node, term, atMs }) => {
        return `${node} led in term ${term} from ${(atMs / 1000).toFixed(2)} s`;
      }).join("; "),
  };
}

/** The least that a line is interrupted for, in ms. */
const GAP_MS = 0.001;

/** How many colours there are for series that have no colour of their own. */
const COLORS = 8;

/** How many leaders the summary of a plot names. */
const MAX_LEADERS = 8;

function byTime(a: { readonly atMs: number }, b: { readonly atMs: number }): number {
  return a.atMs - b.atMs;
}

/** The length of spans, in ms, so that there are about {@linkcode SPANS} of them. */
function spanOf(operations: readonly Ended[]): number {
  const endMs = endOf(operations);
  return SPANS_MS.find((ms) => endMs / ms <= SPANS * 1.5) ?? endMs / SPANS;
}

function endOf(operations: readonly Ended[]): number {
  return operations.reduce((max, { endMs }) => Math.max(max, endMs), 0);
}

function inSpans<T>(items: readonly T[], atMs: (item: T) => number, spanMs: number): T[][] {
  const spans: T[][] = [];
  for (const item of items) {
    const span = Math.max(0, Math.floor(atMs(item) / spanMs));
    while (spans.length <= span) spans.push([]);
    spans[span]?.push(item);
  }
  return spans;
}

function inWords(ms: number): string {
  return ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
}

/** `median 2 ms, at most 30 ms`. */
function spread(points: readonly PlotPoint[], unit: string): string {
  const values = points.flatMap(({ value }) => value ?? []).sort((a, b) => a - b);
  return `median ${figure(quantile(values, 0.5) ?? 0, unit)}, ` +
    `at most ${figure(values.at(-1) ?? 0, unit)}`;
}

/** A value with its unit, as people write it. */
export function figure(value: number, unit: string): string {
  if (unit === "ms" && value >= 1000) return figure(value / 1000, "s");
  const text = String(Number(value.toPrecision(3)));
  return unit === "" ? text : unit === "/s" ? `${text}/s` : `${text} ${unit}`;
}

/** A plot of at most {@linkcode MAX_POINTS} points, of which it keeps the highest and the lowest. */
function bounded(plot: Plot): Plot {
  const count = plot.series.reduce((sum, { points }) => sum + points.length, 0);
  if (count <= MAX_POINTS || plot.draws !== "points") return plot;
  const series = plot.series.map((each) => {
    return { ...each, points: thinned(each.points, MAX_POINTS / count) };
  });
  const kept = series.reduce((sum, { points }) => sum + points.length, 0);
  const thin = `Of ${count} points ${kept} are drawn, the highest and the lowest among them.`;
  return { ...plot, series, note: plot.note === undefined ? thin : `${plot.note} ${thin}` };
}

/** Of each run of points the lowest and the highest. */
function thinned(points: readonly PlotPoint[], share: number): PlotPoint[] {
  const size = Math.ceil(2 / share);
  const kept: PlotPoint[] = [];
  for (let i = 0; i < points.length; i += size) {
    const some = points.slice(i, i + size);
    const [first] = some;
    if (first === undefined) continue;
    let [low, high] = [first, first];
    for (const point of some) {
      if ((point.value ?? 0) < (low.value ?? 0)) low = point;
      if ((point.value ?? 0) > (high.value ?? 0)) high = point;
    }
    kept.push(...low === high ? [low] : [low, high].sort(byTime));
  }
  return kept;
}
