/**
 * What broadcast costs, by what a value may take to reach everyone.
 *
 * @module
 */

import { type RunFigures, runJobs } from "@eddy/workbench/sweep.ts";
import { escapeXml, type XmlAttributes, xmlElement } from "@eddy/workbench/xml.ts";
import { caseOf } from "../campaign/cases.ts";
import { tenths } from "../campaign/campaign.ts";
import { summary } from "./measure.ts";

/** One result: ours at a budget, or one that was published. */
export interface Point {
  readonly name: string;
  /** Whether it is ours. */
  readonly ours: boolean;
  readonly serversPerOp: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

/** What others reached with the same command, loss-tolerant or not. */
export const published: readonly Point[] = [
  other("tree, 50 ms batches, acks", 7.75, 333, 533),
  other("direct, not loss-tolerant", 11.8, 84, 105),
  other("batched", 1.92, 764, 1087),
  other("batched star", 1.99, 339, 678),
];

function other(name: string, serversPerOp: number, medianMs: number, maxMs: number): Point {
  return { name, ours: false, serversPerOp, medianMs, maxMs };
}

/** Budgets in ms. */
const budgets = [0, 120, 200, 300, 400, 550, 700, 900, 1200, 1500, 2000] as const;

const LINE = "-w broadcast --node-count 25 --time-limit 20 --rate 100 --latency 100";

/** Runs every budget; each figure is the median of the seeds. */
export async function measureTradeoff(
  seeds: number,
  onProgress: (text: string) => void = () => {},
): Promise<Point[]> {
  const jobs = budgets.flatMap((budget) =>
    Array.from(
      { length: seeds },
      (_, seed) => caseOf(`${LINE} -- --max-latency ${budget}`, seed).job,
    )
  );
  const outcomes = await runJobs(jobs, {
    onOutcome: tenths(jobs.length, "trade-off", onProgress),
  });
  return budgets.map((budget, index) =>
    pointOf(budget, outcomes.slice(index * seeds, (index + 1) * seeds))
  );
}

function pointOf(budget: number, outcomes: readonly RunFigures[]): Point {
  const median = (of: (outcome: RunFigures) => number | undefined) =>
    summary({ of }, outcomes).median;
  return {
    name: `${budget} ms`,
    ours: true,
    serversPerOp: median(({ serversPerOp }) => serversPerOp),
    medianMs: median(({ stableMs }) => stableMs?.median),
    maxMs: median(({ stableMs }) => stableMs?.max),
  };
}

/** The points that the rows of a table have. */
export function pointsOf(rows: readonly (readonly string[])[]): Point[] {
  return rows.map(([head = "", serversPerOp, medianMs, maxMs]) => {
    const [, budget] = /^Eddy, budget (.*)$/.exec(head) ?? [];
    return {
      name: budget ?? head,
      ours: budget !== undefined,
      serversPerOp: Number(serversPerOp),
      medianMs: Number(medianMs),
      maxMs: Number(maxMs),
    };
  });
}

/** Points as rows of a table, under their heads. */
export function tradeoffRows(points: readonly Point[]): string[][] {
  return [
    ["", "servers msgs/op", "stable median ms", "stable max ms"],
    ...points.map(({ name, ours, serversPerOp, medianMs, maxMs }) => [
      ours ? `Eddy, budget ${name}` : name,
      serversPerOp.toFixed(2),
      medianMs.toFixed(0),
      maxMs.toFixed(0),
    ]),
  ];
}

const WIDTH = 700;
const HEIGHT = 440;
/** Where the axes are. */
const FRAME = { left: 60, right: 680, top: 40, bottom: 390 };

/**
 * The points as SVG: messages by worst stable latency, on logarithmic axes, with the figures as they
 * stand in the table.
 */
export function drawTradeoff(points: readonly Point[]): string {
  const x = logAxis([80, 3000], FRAME.left, FRAME.right);
  const y = logAxis([0.2, 20], FRAME.bottom, FRAME.top);
  const text = (at: { x: number; y: number }, content: string, more: XmlAttributes = {}) =>
    xmlElement("text", { ...at, "font-size": 11, ...more }, escapeXml(content));
  const line = (x1: number, y1: number, x2: number, y2: number) =>
    xmlElement("line", { x1, y1, x2, y2, stroke: "#ddd" });
  const ticks = [
    ...[100, 200, 500, 1000, 2000].flatMap((ms) => [
      line(x(ms), FRAME.top, x(ms), FRAME.bottom),
      text({ x: x(ms), y: FRAME.bottom + 16 }, String(ms), { "text-anchor": "middle" }),
    ]),
    ...[0.2, 0.5, 1, 2, 5, 10, 20].flatMap((count) => [
      line(FRAME.left, y(count), FRAME.right, y(count)),
      text({ x: FRAME.left - 6, y: y(count) + 4 }, String(count), { "text-anchor": "end" }),
    ]),
  ];
  const places = new Map<string, Point[]>();
  for (const point of points) {
    const place = `${x(Math.round(point.maxMs))} ${y(Number(point.serversPerOp.toFixed(2)))}`;
    places.set(place, [...places.get(place) ?? [], point]);
  }
  const dots = [...places].flatMap(([place, there]) => {
    const [cx = 0, cy = 0] = place.split(" ").map(Number);
    const ours = there.some((point) => point.ours);
    const fill = ours ? "#1f6feb" : "#c77700";
    const label = { x: cx + 7, y: cy + (ours ? 12 : -5) };
    const names = there.map(({ name }) => name).join(", ");
    return [xmlElement("circle", { cx, cy, r: 4, fill }), text(label, names, { fill })];
  });
  const heads = [
    text({ x: FRAME.left, y: 22 }, "servers msgs/op by worst stable latency in ms"),
    text({ x: 440, y: 22 }, "Eddy, by budget", { fill: "#1f6feb" }),
    text({ x: 560, y: 22 }, "published", { fill: "#c77700" }),
  ];
  return xmlElement(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width: WIDTH,
      height: HEIGHT,
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      "font-family": "sans-serif",
    },
    [
      xmlElement("rect", { width: WIDTH, height: HEIGHT, fill: "white" }),
      ...ticks,
      ...heads,
      ...dots,
    ].join("\n"),
  ) + "\n";
}

/** Where a value lies between two ends, by its logarithm. */
function logAxis([low, high]: [number, number], from: number, to: number): (v: number) => number {
  return (value) => tenth(from + (to - from) * Math.log(value / low) / Math.log(high / low));
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
