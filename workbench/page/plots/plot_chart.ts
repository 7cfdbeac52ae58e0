/**
 * One plot on a canvas, over the same time as all others.
 *
 * @module
 */

import uPlot from "uplot";
import { printableLine } from "../../explain.ts";
import type { FaultWindow } from "../../faults.ts";
import type { Colors } from "../colors.ts";
import { figure, type Plot, type PlotPoint, type PlotSeries } from "./plot_series.ts";

/** What all plots of a page share. */
export interface ChartOptions {
  readonly colors: Colors;
  readonly faults: readonly FaultWindow[];
  readonly durationMs: number;
  /** When something is selected, in ms; undefined where nothing is. */
  readonly selectedMs: () => number | undefined;
  /** Another time is shown: from and to, in seconds. */
  readonly onZoom: (min: number, max: number) => void;
  /** What is under the pointer; undefined when it has left. */
  readonly onPoint: (point: NamedPoint | undefined) => void;
  /** A place was clicked. */
  readonly onClick: (point: PlotPoint) => void;
  /** Says that the plot is shown no longer. */
  readonly ended: AbortSignal;
}

/** A point and the series it is of; all series of lines at that time. */
export interface NamedPoint extends PlotPoint {
  readonly texts: readonly string[];
}

/** A point, and the place of its series. */
interface SeriesPoint {
  readonly series: number;
  readonly point: PlotPoint;
}

/** The height of a plot with its axis, in CSS pixels. */
const HEIGHT = 190;
/** The width of the axis of values: that of all plots, so that times stand below each other. */
const AXIS_WIDTH = 66;
/** How near the pointer must be to a point, in CSS pixels. */
const REACH = 24;
/** How far the pointer may move in a click, in CSS pixels. */
const STILL = 4;

/** A plot that is drawn. */
export class Chart {
  readonly #plot: Plot;
  readonly #options: ChartOptions;
  /** The points in the order of time, where it is points that are drawn. */
  readonly #rows: readonly SeriesPoint[];
  readonly #chart: uPlot;
  #pressedAt: readonly [number, number] = [0, 0];

  /**
   * @param box where it is put
   * @param span what is shown of the time, in seconds
   */
  constructor(
    plot: Plot,
    box: HTMLElement,
    span: readonly [number, number],
    options: ChartOptions,
  ) {
    this.#plot = plot;
    this.#options = options;
    this.#rows = plot.draws === "points" ? rowsOf(plot.series) : [];
    this.#chart = new uPlot(this.#settings(box, span), this.#columns(), box);
    // The library keeps what shares a cursor, and what listens to the window.
    options.ended.addEventListener("abort", () => this.#chart.destroy());
    const { over } = this.#chart;
    over.addEventListener("pointerdown", ({ clientX, clientY }) => {
      this.#pressedAt = [clientX, clientY];
    });
    over.addEventListener("pointermove", (event) => this.#pointed(event));
    over.addEventListener("pointerleave", () => options.onPoint(undefined));
    over.addEventListener("click", (event) => this.#click(event));
  }

  /** Shows another part of the time, in seconds. */
  zoom(min: number, max: number): void {
    const { x } = this.#chart.scales;
    if (x?.min !== min || x?.max !== max) this.#chart.setScale("x", { min, max });
  }

  /** Shows or hides a series by its place. */
  toggle(series: number, show: boolean): void {
    this.#chart.setSeries(series + 1, { show });
  }

  /** Draws it anew, with the same paths. */
  redraw(): void {
    this.#chart.redraw(false, true);
  }

  resize(width: number): void {
    if (width > 0 && width !== this.#chart.width) this.#chart.setSize({ width, height: HEIGHT });
  }

  /** Times in seconds, and the values of each series then; undefined where it has no point. */
  #columns(): uPlot.AlignedData {
    const { series, draws } = this.#plot;
    if (draws === "points") {
      const columns = series.map(() => new Array<number | null | undefined>(this.#rows.length));
      for (const [i, { series, point }] of this.#rows.entries()) {
        const column = columns[series];
        if (column !== undefined) column[i] = this.#shown(point.value);
      }
      return [this.#rows.map(({ point }) => point.atMs / 1000), ...columns];
    }
    const times = series.flatMap(({ points }) => points.map(({ atMs }) => atMs));
    const sorted = [...new Set(times)].sort((a, b) => a - b);
    const columns = series.map(({ points }) => {
      const values = new Map(points.map(({ atMs, value }) => [atMs, this.#shown(value)]));
      return sorted.map((atMs) => values.get(atMs));
    });
    return [sorted.map((atMs) => atMs / 1000), ...columns];
  }

  /** A value as it is drawn: a logarithmic axis has no 0. */
  #shown(value: number | null): number | null {
    return value === null ? null : Math.max(value, this.#plot.logFrom ?? value);
  }

  #settings(box: HTMLElement, [min, max]: readonly [number, number]): uPlot.Options {
    const { colors, durationMs } = this.#options;
    const { logFrom, draws, unit } = this.#plot;
    const axis = {
      stroke: () => colors.of("muted"),
      grid: { stroke: () => colors.of("grid"), width: 1 },
      ticks: { stroke: () => colors.of("grid"), width: 1, size: 4 },
      font: AXIS_FONT,
    };
    return {
      width: Math.max(box.clientWidth, 200),
      height: HEIGHT,
      legend: { show: false },
      padding: [16, 18, 0, 0],
      cursor: {
        sync: { key: "time", scales: ["x", null] },
        drag: { x: true, y: false, setScale: true, dist: STILL },
        y: false,
        points: { show: draws !== "points" },
        bind: {
          dblclick: (chart) => () => {
            chart.setScale("x", { min: 0, max: durationMs / 1000 });
            return null;
          },
        },
      },
      scales: {
        x: { time: false, min, max },
        y: logFrom !== undefined
          ? { distr: 3, range: (_, low, high) => logRange(logFrom, low, high) }
          : { range: (_, low, high) => linearRange(low, high, draws === "levels") },
      },
      axes: [
        { ...axis, size: 26, values: (_, splits) => splits.map((at) => `${at} s`) },
        {
          ...axis,
          size: AXIS_WIDTH,
          ...(logFrom !== undefined && POWERS_OF_TEN),
          ...(draws === "levels" && { incrs: WHOLE }),
          values: (_, splits) =>
            splits.map((value) => (value === logFrom ? "\u2264 " : "") + figure(value, unit)),
        },
      ],
      series: [{}, ...this.#plot.series.map((each) => this.#series(each))],
      hooks: {
        drawClear: [(chart) => this.#drawFaults(chart)],
        draw: [(chart) => this.#drawSelected(chart)],
        setScale: [(chart, key) => this.#scaled(chart, key)],
      },
    };
  }

  #series({ color, shape, heavy }: PlotSeries): uPlot.Series {
    const stroke = () => this.#options.colors.of(color);
    const line = {
      stroke,
      width: heavy === true ? 4 : 1.5,
      ...(shape > 0 && { dash: DASHES[shape % DASHES.length] ?? [] }),
      points: { show: false },
    };
    switch (this.#plot.draws) {
      case "points":
        return {
          stroke,
          points: { show: false },
          paths: (chart, series, from, to) => {
            drawPoints(chart, series, from, to, stroke(), shape);
            return null;
          },
        };
      case "lines":
        return { ...line, points: { show: true, size: 5, fill: stroke, filter: alone } };
      case "steps":
      case "levels":
        return { ...line, paths: uPlot.paths.stepped?.({ align: 1 }) ?? (() => null) };
    }
  }

  /** Shades the time of each fault, and names it where there is room. */
  #drawFaults({ ctx, bbox, scales }: uPlot): void {
    const { min = 0, max = 1 } = scales["x"] ?? {};
    const { colors, durationMs, faults } = this.#options;
    const ratio = devicePixelRatio;
    const at = (seconds: number) => bbox.left + (seconds - min) / (max - min) * bbox.width;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, 0, bbox.width, bbox.top + bbox.height);
    ctx.clip();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    let labelledTo = -Infinity;
    for (const { fault, fromNs, toNs = durationMs * 1e6 } of faults) {
      const from = at(fromNs / 1e9);
      const width = Math.max(at(toNs / 1e9) - from, ratio);
      if (from + width < bbox.left || from > bbox.left + bbox.width) continue;
      ctx.fillStyle = colors.of("fault");
      // Faults at the same time are darker together.
      ctx.globalAlpha = 0.75;
      ctx.fillRect(from, bbox.top, width, bbox.height);
      ctx.globalAlpha = 1;
      const left = Math.max(from, bbox.left) + 3 * ratio;
      const [name, room] = [printableLine(fault), from + width - left];
      if (left < labelledTo || ctx.measureText(name).width > room) continue;
      ctx.fillStyle = colors.of("muted");
      ctx.fillText(name, left, bbox.top - 8 * ratio);
      labelledTo = left + ctx.measureText(name).width + 6 * ratio;
    }
    ctx.restore();
  }

  #drawSelected(chart: uPlot): void {
    const atMs = this.#options.selectedMs();
    if (atMs === undefined) return;
    const { ctx, bbox } = chart;
    const x = chart.valToPos(atMs / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.save();
    ctx.strokeStyle = this.#options.colors.of("link");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }

  #scaled({ scales }: uPlot, key: string): void {
    const { min, max } = scales["x"] ?? {};
    if (key === "x" && typeof min === "number" && typeof max === "number") {
      this.#options.onZoom(min, max);
    }
  }

  #pointed(event: MouseEvent): void {
    const { left, top } = this.#chart.over.getBoundingClientRect();
    this.#options.onPoint(this.#at(event.clientX - left, event.clientY - top));
  }

  #click(event: MouseEvent): void {
    const [x, y] = this.#pressedAt;
    if (Math.hypot(event.clientX - x, event.clientY - y) > STILL) return;
    const { left, top } = this.#chart.over.getBoundingClientRect();
    const near = this.#at(event.clientX - left, event.clientY - top);
    const atMs = this.#chart.posToVal(event.clientX - left, "x") * 1000;
    this.#options.onClick(near ?? { atMs, value: null });
  }

  /** What is near a place in the plot. */
  #at(left: number, top: number): NamedPoint | undefined {
    return this.#plot.draws === "points" ? this.#nearest(left, top) : this.#values(left);
  }

  #nearest(left: number, top: number): NamedPoint | undefined {
    const chart = this.#chart;
    const last = chart.posToVal(left + REACH, "x") * 1000;
    let best: SeriesPoint | undefined;
    let least = REACH ** 2;
    for (let i = this.#firstFrom(chart.posToVal(left - REACH, "x") * 1000);; i++) {
      const row = this.#rows[i];
      if (row === undefined || row.point.atMs > last) break;
      if (row.point.value === null || chart.series[row.series + 1]?.show === false) continue;
      const [x, y] = [
        chart.valToPos(row.point.atMs / 1000, "x"),
        chart.valToPos(this.#shown(row.point.value) ?? 0, "y"),
      ];
      const distance = (x - left) ** 2 + (y - top) ** 2;
      if (distance < least) [best, least] = [row, distance];
    }
    if (best === undefined) return undefined;
    const { name } = this.#plot.series[best.series] ?? { name: "" };
    const value = figure(best.point.value ?? 0, this.#plot.unit);
    return { ...best.point, texts: [`${name} ${value}`] };
  }

  /** The value of each line at a time. */
  #values(left: number): NamedPoint | undefined {
    const atMs = this.#chart.posToVal(left, "x") * 1000;
    const isStep = this.#plot.draws !== "lines";
    const texts = this.#plot.series.flatMap(({ name, points, heavy }, series) => {
      if (heavy === true || this.#chart.series[series + 1]?.show === false) return [];
      const place = points.findIndex((point) => point.atMs > atMs);
      const [before, after] = [points.at(place === -1 ? -1 : place - 1), points[place]];
      const isNearer = !isStep && after !== undefined && before !== undefined &&
        after.atMs - atMs < atMs - before.atMs;
      const value = place === 0 ? after?.value : (isNearer ? after : before)?.value;
      if (value === undefined || value === null) return [];
      const shown = this.#plot.draws === "levels" ? Math.round(value) : value;
      return [`${name} ${figure(shown, this.#plot.unit)}`];
    });
    return texts.length === 0 ? undefined : { atMs, value: null, texts };
  }

  #firstFrom(atMs: number): number {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle]?.point.atMs ?? Infinity) < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const AXIS_FONT = "12px system-ui, sans-serif";

/** How lines of the same colour differ. */
const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

/** The points of a line that has gaps on both sides, without which they would not be seen. */
function alone({ data }: uPlot, series: number): number[] {
  const values = data[series] ?? [];
  const isGap = (i: number) => values[i] === null || values[i] === undefined;
  return Array.from(values.keys()).filter((i) => !isGap(i) && isGap(i - 1) && isGap(i + 1));
}

/** The points of all series in the order of time. */
function rowsOf(series: readonly PlotSeries[]): SeriesPoint[] {
  return series.flatMap(({ points }, i) => points.map((point) => ({ series: i, point })))
    .sort((a, b) => a.point.atMs - b.point.atMs);
}

/** Powers of ten around some values, two of them apart at least: down to the first, or else up. */
function logRange(first: number, low: number | null, high: number | null): [number, number] {
  const least = Math.round(Math.log10(first));
  const to = Math.ceil(Math.log10(high ?? first));
  const from = Math.max(least, Math.min(Math.floor(Math.log10(low ?? first)), to - 2));
  return [Number(`1e${from}`), Number(`1e${Math.max(to, from + 2)}`)];
}

/** Marks the powers of ten, each with its label. */
const POWERS_OF_TEN: Pick<uPlot.Axis, "splits" | "filter"> = {
  splits: (_chart, _axis, low, high) => {
    const from = Math.round(Math.log10(low));
    const count = Math.round(Math.log10(high)) - from + 1;
    return Array.from({ length: count }, (_, i) => Number(`1e${from + i}`));
  },
  filter: (_, splits) => splits,
};

function linearRange(low: number | null, high: number | null, levels: boolean): [number, number] {
  const [least, most] = [low ?? 0, high ?? 1];
  if (levels) return [Math.round(least) - 0.5, Math.round(most) + 0.5];
  return [0, most <= 0 ? 1 : most * 1.08];
}

/** How far ticks lie apart where values are whole numbers. */
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000, 1_000_000];

/** Draws the points of a series, each with its shape. */
function drawPoints(
  chart: uPlot,
  series: number,
  from: number,
  to: number,
  color: string,
  shape: number,
): void {
  const { ctx, data } = chart;
  const ratio = devicePixelRatio;
  const size = 2.5 * ratio;
  const values = data[series] ?? [];
  const draw = SHAPES[shape % SHAPES.length] ?? square;
  ctx.save();
  ctx.beginPath();
  ctx.rect(chart.bbox.left, 0, chart.bbox.width, chart.bbox.top + chart.bbox.height + size);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.2 * ratio;
  ctx.beginPath();
  for (let i = from; i <= to; i++) {
    const value = values[i];
    if (value === null || value === undefined) continue;
    draw(ctx, chart.valToPos(data[0][i] ?? 0, "x", true), chart.valToPos(value, "y", true), size);
  }
  ctx.stroke();
  ctx.restore();
}

type DrawShape = (ctx: CanvasRenderingContext2D, x: number, y: number, size: number) => void;

function cross(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.moveTo(x - size, y - size);
  ctx.lineTo(x + size, y + size);
  ctx.moveTo(x + size, y - size);
  ctx.lineTo(x - size, y + size);
}

function circle(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.moveTo(x + size, y);
  ctx.arc(x, y, size, 0, 2 * Math.PI);
}

function triangle(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.moveTo(x, y - size);
  ctx.lineTo(x + size, y + size);
  ctx.lineTo(x - size, y + size);
  ctx.closePath();
}

function square(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.rect(x - size, y - size, 2 * size, 2 * size);
}

const SHAPES: readonly DrawShape[] = [circle, cross, triangle, square];

/** The names of the shapes, in their order. */
export const SHAPE_SIGNS = ["\u25cb", "\u00d7", "\u25b3", "\u25a1"];
