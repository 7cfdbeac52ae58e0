/**
 * The plots of Maelstrom's store as SVG: latencies of all operations, their quantiles over time, and
 * the rate at which operations end; faults are shaded.
 *
 * @module
 */

import { placedPairs, quantile } from "./checkers/checker.ts";
import type { FaultWindow } from "./faults.ts";
import type { Op, OpType } from "./history.ts";
import { escapeXml, xmlElement } from "./xml.ts";

/** The plots by the names of their files. */
export interface PlotFiles {
  /** A point for each operation that ended: when it began, and how long it took. */
  readonly "latency-raw.svg": string;
  /** Quantiles of what operations took that began in the same window. */
  readonly "latency-quantiles.svg": string;
  /** How many operations ended in a second, by how they did. */
  readonly "rate.svg": string;
}

/** What is drawn. */
export interface PlotOptions {
  readonly history: readonly Op[];
  readonly faults: readonly FaultWindow[];
  /** What stands above. */
  readonly title: string;
}

/** An operation that ended. */
interface EndedOperation {
  readonly f: string;
  readonly type: OpType;
  readonly beganS: number;
  readonly endedS: number;
  readonly tookMs: number;
}

const WIDTH = 900;
const HEIGHT = 400;
const LEFT = 70;
const RIGHT = 760;
const TOP = 44;
const BOTTOM = 350;

/** The ends of operations, in the order of the legend. */
const TYPES = ["ok", "info", "fail"] as const;
const TYPE_COLOURS: Readonly<Record<OpType, string>> = {
  invoke: "#777",
  ok: "#1f6feb",
  info: "#c77700",
  fail: "#b3261e",
};

/** The quantiles that are drawn, with their colours. */
const QUANTILES = [[0.5, "#1f6feb"], [0.95, "#2e7d32"], [0.99, "#c77700"], [1, "#b3261e"]] as const;

/** What is drawn at a point, by the kind of operation: a path from there. */
const MARKS = ["h0", "m-2-2l4 4m0-4l-4 4", "m-2.5 0h5m-2.5-2.5v5", "m-2-2h4v4h-4z", "m0-3l3 5h-6z"];

/** Dashes of lines, by the kind of operation. */
const DASHES = ["", "6 3", "2 3", "9 3 2 3", "1 4"];

/** How many windows quantiles and rates are counted in, at most. */
const MAX_WINDOWS = 60;

/**
 * Draws the plots of a history, in a size that does not grow without end with its length: points
 * that would cover each other are drawn once.
 *
 * @example
 * ```ts
 * import { drawPlots } from "./plots.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const plots = drawPlots({ history: [], faults: [], title: "echo" });
 * assertStringIncludes(plots["rate.svg"], ">echo: rate over ");
 * ```
 */
export function drawPlots({ history, faults, title }: PlotOptions): PlotFiles {
  const all = endedOf(history);
  const endS = Math.max(1e-3, (history.at(-1)?.time ?? 0) / 1e9);
  const fs = [...new Set(all.map(({ f }) => f))].sort();
  const axes = new Axes(title, endS, faults);
  return {
    "latency-raw.svg": drawRaw(all, fs, axes),
    "latency-quantiles.svg": drawQuantiles(all, fs, axes),
    "rate.svg": drawRate(all, fs, axes),
  };
}

function endedOf(history: readonly Op[]): EndedOperation[] {
  return placedPairs(history).flatMap(({ invoke, completion }) => {
    if (completion === undefined) return [];
    const { f, time } = invoke;
    const tookMs = (completion.time - time) / 1e6;
    return [{
      f,
      type: completion.type,
      beganS: time / 1e9,
      endedS: completion.time / 1e9,
      tookMs,
    }];
  });
}

function drawRaw(all: readonly EndedOperation[], fs: readonly string[], axes: Axes): string {
  const scale = new LogScale(all.map(({ tookMs }) => tookMs));
  const series = fs.flatMap((f, i) =>
    TYPES.flatMap((type): Series[] => {
      const places = new Set<number>();
      for (const { beganS, tookMs, ...op } of all) {
        if (op.f !== f || op.type !== type) continue;
        places.add(Math.round(axes.x(beganS)) * HEIGHT + Math.round(scale.y(tookMs)));
      }
      if (places.size === 0) return [];
      const mark = MARKS[i % MARKS.length] ?? "";
      const width = mark === "h0" ? 4 : 1;
      const path = Array.from(places, (at) => `M${Math.floor(at / HEIGHT)} ${at % HEIGHT}${mark}`);
      const [colour, text] = [TYPE_COLOURS[type], `${f} ${type}`];
      return [{ text, colour, width, mark, drawn: stroke(path.join(""), colour, width) }];
    })
  );
  return axes.draw("latencies", scale, series);
}

function drawQuantiles(all: readonly EndedOperation[], fs: readonly string[], axes: Axes): string {
  const byKind = fs.map((f) => {
    const windows = new Map<number, number[]>();
    for (const { beganS, tookMs, ...op } of all) {
      if (op.f !== f) continue;
      const index = axes.windowAt(beganS);
      const window = windows.get(index) ?? [];
      windows.set(index, window);
      window.push(tookMs);
    }
    const sorted = [...windows].sort(([a], [b]) => a - b);
    return {
      f,
      windows: sorted.map(([i, values]) => [i, Float64Array.from(values).sort()] as const),
    };
  });
  const scale = new LogScale(all.map(({ tookMs }) => tookMs));
  const series = byKind.flatMap(({ f, windows }, i) =>
    QUANTILES.map(([q, colour]): Series => {
      const points = windows.map(([index, values]) => {
        return { index, x: axes.middleOf(index), y: scale.y(quantile(values, q) ?? 0) };
      });
      const dash = DASHES[i % DASHES.length] ?? "";
      const drawn = stroke(linePath(points), colour, 1.5, dash);
      return { text: `${f} ${q}`, colour, width: 1.5, dash, drawn };
    })
  );
  return axes.draw(`latency quantiles over ${spanOf(axes.windowS)}`, scale, series);
}

function drawRate(all: readonly EndedOperation[], fs: readonly string[], axes: Axes): string {
  const counted = fs.flatMap((f, i) =>
    TYPES.flatMap((type) => {
      const counts: number[] = new Array(axes.windowCount).fill(0);
      for (const { endedS, ...op } of all) {
        if (op.f !== f || op.type !== type) continue;
        const index = axes.windowAt(endedS);
        counts[index] = (counts[index] ?? 0) + 1;
      }
      if (counts.every((count) => count === 0)) return [];
      const rates = counts.map((count, index) => count / axes.lengthOf(index));
      return [{ f, type, rates, dash: DASHES[i % DASHES.length] ?? "" }];
    })
  );
  const most = counted.flatMap(({ rates }) => rates).reduce((a, b) => Math.max(a, b), 0);
  const scale = new LinearScale(most);
  const series = counted.map(({ f, type, rates, dash }): Series => {
    const points = rates.map((rate, index) => {
      return { index, x: axes.middleOf(index), y: scale.y(rate) };
    });
    const colour = TYPE_COLOURS[type];
    const drawn = stroke(linePath(points), colour, 1.5, dash);
    return { text: `${f} ${type}`, colour, width: 1.5, dash, drawn };
  });
  return axes.draw(`rate over ${spanOf(axes.windowS)}`, scale, series);
}

/** A line of the legend, and what it stands for. */
interface Series {
  readonly text: string;
  readonly colour: string;
  readonly width: number;
  readonly mark?: string;
  readonly dash?: string;
  readonly drawn: string;
}

function stroke(d: string, colour: string, width: number, dash = ""): string {
  const dashes = dash === "" ? undefined : dash;
  return xmlElement("path", {
    d,
    stroke: colour,
    "stroke-width": width,
    "stroke-dasharray": dashes,
  });
}

/** A line through the points of windows that follow each other; one alone is a dot. */
function linePath(
  points: readonly { readonly index: number; readonly x: number; readonly y: number }[],
): string {
  return points.map(({ index, x, y }, i) => {
    const follows = points[i - 1]?.index === index - 1;
    return follows ? `L${tenths(x)} ${tenths(y)}` : `M${tenths(x)} ${tenths(y)}h0`;
  }).join("");
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A mark on an axis. */
interface AxisMark {
  readonly at: number;
  readonly text: string;
}

/** What a height in a plot means. */
interface Scale {
  readonly unit: string;
  readonly ticks: readonly AxisMark[];
}

/** Milliseconds, each power of ten as high as the next; what is shorter than the first is in it. */
class LogScale implements Scale {
  readonly unit = "latency";
  readonly #low: number;
  readonly #high: number;
  /** Whether something is shorter than the first power of ten. */
  readonly #isCut: boolean;

  constructor(valuesMs: readonly number[]) {
    let [low, high] = [Infinity, 0];
    for (const value of valuesMs) {
      if (value > 0) low = Math.min(low, value);
      high = Math.max(high, value);
    }
    this.#low = high === 0 ? 0 : Math.max(-3, Math.floor(Math.log10(low)));
    this.#isCut = valuesMs.some((value) => value < 10 ** this.#low);
    this.#high = Math.max(this.#low + 1, high === 0 ? 1 : Math.ceil(Math.log10(high)));
  }

  y(ms: number): number {
    const power = Math.max(this.#low, ms > 0 ? Math.log10(ms) : this.#low);
    return BOTTOM - (BOTTOM - TOP) * (power - this.#low) / (this.#high - this.#low);
  }

  get ticks(): AxisMark[] {
    return Array.from({ length: this.#high - this.#low + 1 }, (_, i) => {
      const ms = 10 ** (this.#low + i);
      const text = ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
      return { at: this.y(ms), text: i === 0 && this.#isCut ? `<= ${text}` : text };
    });
  }
}

/** Operations a second, from 0. */
class LinearScale implements Scale {
  readonly unit = "operations a second";
  readonly #step: number;
  readonly #count: number;

  constructor(max: number) {
    this.#step = niceStep(max, 6);
    this.#count = Math.max(1, Math.ceil(max / this.#step));
  }

  y(value: number): number {
    return BOTTOM - (BOTTOM - TOP) * value / (this.#step * this.#count);
  }

  get ticks(): AxisMark[] {
    return Array.from({ length: this.#count + 1 }, (_, i) => {
      const value = Number((i * this.#step).toPrecision(6));
      return { at: this.y(value), text: String(value) };
    });
  }
}

/** The least of 1, 2, 5, 10, 20, ... with which so many steps reach a length. */
function niceStep(length: number, steps: number): number {
  if (length <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(length / steps));
  return [1, 2, 5].map((factor) => factor * power).find((step) => step * steps >= length) ??
    10 * power;
}

function spanOf(seconds: number): string {
  return seconds > 0 && seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds} s`;
}

/** How long a text of a plot may be. */
const MAX_TEXT = 80;

/** What is the same in all plots of a run: the axis of time, with the faults. */
class Axes {
  /** How long a window is, in seconds. */
  readonly windowS: number;
  readonly windowCount: number;
  readonly #title: string;
  readonly #endS: number;
  readonly #faults: readonly FaultWindow[];

  constructor(title: string, endS: number, faults: readonly FaultWindow[]) {
    this.#title = title;
    this.#endS = endS;
    this.#faults = mergedFaults(faults);
    this.windowS = niceStep(endS, MAX_WINDOWS);
    this.windowCount = Math.max(1, Math.round(endS / this.windowS));
  }

  /** In which window a moment is; the last one has what is left. */
  windowAt(seconds: number): number {
    return Math.min(this.windowCount - 1, Math.floor(seconds / this.windowS));
  }

  /** How long a window is, in seconds. */
  lengthOf(index: number): number {
    const isLast = index === this.windowCount - 1;
    return isLast ? this.#endS - index * this.windowS : this.windowS;
  }

  /** Where the middle of a window is. */
  middleOf(index: number): number {
    return this.x(index * this.windowS + this.lengthOf(index) / 2);
  }

  x(seconds: number): number {
    const share = Math.min(1, Math.max(0, seconds / this.#endS));
    return LEFT + (RIGHT - LEFT) * share;
  }

  draw(what: string, { unit, ticks }: Scale, series: readonly Series[]): string {
    const grid = ticks.map(({ at, text }) =>
      line(LEFT, tenths(at), RIGHT, tenths(at)) + label(LEFT - 8, at + 4, text, "end")
    );
    const step = niceStep(this.#endS, 10);
    const times = Array.from({ length: Math.floor(this.#endS / step) + 1 }, (_, i) => {
      const seconds = Number((i * step).toPrecision(6));
      return label(this.x(seconds), BOTTOM + 18, spanOf(seconds), "middle");
    });
    const box = { width: WIDTH, height: HEIGHT };
    const content = [
      xmlElement("rect", { ...box, fill: "#fff" }),
      ...this.#drawFaults(),
      ...grid,
      ...times,
      label(LEFT, 18, `${cut(this.#title)}: ${what}`, "start", "bold"),
      label(LEFT, TOP - 10, unit, "start"),
      ...series.map(({ drawn }) => drawn),
      ...series.map(legend),
    ];
    const settings = {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      ...box,
      "font-family": "sans-serif",
      "font-size": 11,
      fill: "none",
      "stroke-linecap": "round",
    };
    return xmlElement("svg", settings, `\n${content.join("\n")}\n`) + "\n";
  }

  /** Shades faults; the name of each kind stands in a row of its own, where there is room. */
  #drawFaults(): string[] {
    const rows = new Map<string, { readonly y: number; freeX: number }>();
    return this.#faults.map(({ fault, description, fromNs, toNs = Infinity }) => {
      const from = this.x(fromNs / 1e9);
      const width = Math.max(1, this.x(toNs / 1e9) - from);
      const place = { x: tenths(from), y: TOP, width: tenths(width), height: BOTTOM - TOP };
      const text = [fault, description].filter((part) => part !== "").join(": ");
      const about = xmlElement("title", {}, escapeXml(cut(text)));
      const shade = xmlElement("rect", { ...place, fill: "#b3261e", "fill-opacity": 0.1 }, about);
      const row = rows.get(fault) ?? { y: TOP + 12 + 12 * rows.size, freeX: 0 };
      rows.set(fault, row);
      if (from < row.freeX) return shade;
      row.freeX = from + CHAR_WIDTH * fault.length;
      return shade + label(from + 3, row.y, fault, "start");
    });
  }
}

/** About how wide a character is. */
const CHAR_WIDTH = 7;

/** One fault for those of a kind and a time, as several nodes that are down. */
function mergedFaults(faults: readonly FaultWindow[]): FaultWindow[] {
  const merged = new Map<string, FaultWindow>();
  for (const window of faults) {
    const key = JSON.stringify([window.fault, window.fromNs, window.toNs]);
    const known = merged.get(key);
    const description = known === undefined
      ? window.description
      : `${known.description}, ${window.description}`;
    merged.set(key, { ...window, description });
  }
  return [...merged.values()];
}

function legend({ text, colour, width, mark, dash }: Series, i: number): string {
  const y = TOP + 10 + 16 * i;
  const path = mark === undefined ? `M${RIGHT + 8} ${y}h20` : `M${RIGHT + 18} ${y}${mark}`;
  return stroke(path, colour, width, dash) + label(RIGHT + 34, y + 4, cut(text), "start");
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return xmlElement("path", { d: `M${x1} ${y1}L${x2} ${y2}`, stroke: "#ddd" });
}

function label(x: number, y: number, text: string, anchor: string, weight?: string): string {
  const place = { x: tenths(x), y: tenths(y), "text-anchor": anchor, "font-weight": weight };
  return xmlElement("text", { ...place, fill: "#333" }, escapeXml(text));
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}
