/**
 * The plots of a run over its time.
 *
 * @module
 */

import { seconds, show, who } from "../../checkers/checker.ts";
import { faultWindows } from "../../explain.ts";
import type { FaultWindow } from "../../faults.ts";
import type { Op } from "../../history.ts";
import type { ReportData } from "../../report_data.ts";
import { Colors } from "../colors.ts";
import { element, section } from "../dom.ts";
import { Chart, type NamedPoint, SHAPE_SIGNS } from "./plot_chart.ts";
import { durationOf, type Plot, type PlotSeries, plotsOf } from "./plot_series.ts";
import type { Selection } from "../selection.ts";

/**
 * Shows the plots, one below the other; nothing where the run has nothing to plot.
 *
 * What they show is computed after the page is first seen: in a large run that takes a moment.
 */
export function showPlots(data: ReportData, selection: Selection): HTMLElement | undefined {
  if (data.history.length + data.messages.length === 0) return undefined;
  const plots = new Plots(data, selection);
  requestAnimationFrame(() => setTimeout(() => plots.fill()));
  return plots.root;
}

/** How much of the time is left when it is zoomed in by a key, and how far a key moves it. */
const ZOOM_SHARE = 0.6;
const PAN_SHARE = 0.2;

/** How near a plot must come to the window before it is drawn, in CSS pixels. */
const DRAW_AHEAD = "600px";

class Plots {
  readonly root: HTMLElement;
  readonly #data: ReportData;
  readonly #selection: Selection;
  readonly #faults: readonly FaultWindow[];
  readonly #endSeconds: number;
  readonly #probe = element("span");
  readonly #colors = new Colors(this.#probe);
  readonly #charts: Chart[] = [];
  /** What waits to be drawn, by the element that it is to be in. */
  readonly #waiting = new Map<Element, () => void>();
  #span: readonly [number, number];
  #isFilled = false;

  constructor(data: ReportData, selection: Selection) {
    this.#data = data;
    this.#selection = selection;
    this.#faults = data.report.faults ?? faultWindows(data.history);
    this.#endSeconds = durationOf(data) / 1000;
    this.#span = [0, this.#endSeconds];
    const zooms = [["+", "Zoom in"], ["-", "Zoom out"], ["0", "Whole run"]].map((
      [key = "", text],
    ) => element("button", { type: "button", click: () => this.#act(key) }, text));
    this.root = section(
      "plots",
      "Over time",
      this.#probe,
      element(
        "p",
        { class: "hint" },
        zooms,
        " Drag across a plot to see a part of the time, double-click for all of it; click a point " +
          "to find its operation. Keys on a plot: arrows move, + and - zoom, 0 shows all.",
      ),
      this.#faultList(),
    );
    this.root.dataset.span = this.#span.join(" ");
    this.#colors.onChange(() => this.#redraw(), selection.ended);
    selection.onSelect((target, from) => {
      if (target && from !== this) this.#bringIntoView(target.atMs / 1000);
      this.#redraw();
    });
    addEventListener("beforeprint", () => {
      this.fill();
      for (const draw of this.#waiting.values()) draw();
    }, { signal: selection.ended });
  }

  /** Adds the plots, unless they are there already. */
  fill(): void {
    if (this.#isFilled) return;
    this.#isFilled = true;
    const figures = plotsOf(this.#data).map((plot) => this.#figure(plot));
    if (figures.length === 0) this.root.remove();
    else this.root.append(...figures);
  }

  /** The faults in words: a plot has room for their names only. */
  #faultList(): HTMLElement | undefined {
    if (this.#faults.length === 0) return undefined;
    const items = this.#faults.map(({ fault, description, fromNs, toNs }) => {
      const what = description === "" ? fault : `${fault}: ${description}`;
      const until = toNs === undefined ? "the end" : `${(toNs / 1e9).toFixed(2)} s`;
      return element("li", {}, `${what}, from ${(fromNs / 1e9).toFixed(2)} s to ${until}`);
    });
    return element(
      "details",
      { class: "faults" },
      element(
        "summary",
        {},
        `Shaded: ${items.length === 1 ? "a fault" : `${items.length} faults`}`,
      ),
      element("ul", {}, items),
    );
  }

  #figure(plot: Plot): HTMLElement {
    const readout = element("p", { class: "readout", "aria-hidden": "true" }, "\u00a0");
    const box = element("div", {
      class: "plot",
      id: `plot-${plot.id}`,
      role: "img",
      tabindex: 0,
      "aria-label": `${plot.heading}. ${plot.summary}`,
      keydown: (event: KeyboardEvent) => this.#key(event),
    });
    let chart: Chart | undefined;
    const hidden = new Set<number>();
    const legend = this.#legend(plot.series, (places, shown) => {
      for (const place of places) {
        if (shown) hidden.delete(place);
        else hidden.add(place);
        chart?.toggle(place, shown);
      }
    });
    this.#drawLater(box, () => {
      chart = new Chart(plot, box, this.#span, {
        colors: this.#colors,
        faults: this.#faults,
        durationMs: this.#endSeconds * 1000,
        selectedMs: () => this.#selection.target?.atMs,
        onZoom: (min, max) => this.#zoom(min, max),
        onPoint: (point) => this.#read(readout, point),
        onClick: ({ atMs, op }) => this.#selection.select({ atMs, op }, this),
        ended: this.#selection.ended,
      });
      for (const place of hidden) chart.toggle(place, false);
      this.#charts.push(chart);
    }, (width) => chart?.resize(width));
    return element(
      "figure",
      {},
      element("figcaption", {}, element("h3", {}, plot.heading), legend, readout),
      box,
      plot.note !== undefined && element("p", { class: "note" }, plot.note),
    );
  }

  /** Buttons that show and hide series; those of the same name before a space belong together. */
  #legend(
    series: readonly PlotSeries[],
    toggle: (places: readonly number[], shown: boolean) => void,
  ): HTMLElement {
    const groups = [...series.entries()].filter(([, { heavy }]) => heavy !== true);
    return element(
      "div",
      { class: "legend", role: "group", "aria-label": "Shown" },
      groups.map(([place, { name, color, shape, points }]) => {
        const places = [...series.entries()]
          .filter(([other, each]) => other === place || (each.heavy && each.color === color))
          .map(([other]) => other);
        const mark = element("span", { class: "mark", "aria-hidden": "true" });
        mark.style.color = `var(--${color})`;
        mark.append(
          points.some(({ op }) => op !== undefined)
            ? SHAPE_SIGNS[shape % SHAPE_SIGNS.length] ?? ""
            : LINE_SIGNS[shape % LINE_SIGNS.length] ?? "",
        );
        const button = element("button", { type: "button", "aria-pressed": "true" }, mark, name);
        button.addEventListener("click", () => {
          const shown = button.getAttribute("aria-pressed") !== "true";
          button.setAttribute("aria-pressed", String(shown));
          toggle(places, shown);
        });
        return button;
      }),
    );
  }

  /** Draws something once it is near to what is in view, and tells how wide it is from then on. */
  #drawLater(box: HTMLElement, draw: () => void, resize: (width: number) => void): void {
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) this.#waiting.get(box)?.();
    }, { rootMargin: DRAW_AHEAD });
    this.#waiting.set(box, () => {
      this.#waiting.delete(box);
      observer.disconnect();
      draw();
    });
    observer.observe(box);
    const sizes = new ResizeObserver(() => resize(box.clientWidth));
    sizes.observe(box);
    this.#selection.ended.addEventListener("abort", () => {
      observer.disconnect();
      sizes.disconnect();
    });
  }

  #read(readout: HTMLElement, point: NamedPoint | undefined): void {
    if (point === undefined) return readout.replaceChildren("\u00a0");
    const op = point.op === undefined ? undefined : this.#op(point.op);
    const of = op === undefined
      ? `${(point.atMs / 1000).toFixed(2)} s`
      : `${seconds(op)} ${who(op)} ${op.f} ${show(op.value)}`;
    readout.replaceChildren(element("span", {}, `${of}: ${point.texts.join(", ")}`));
  }

  #op(index: number): Op | undefined {
    const { history } = this.#data;
    const op = history[index];
    return op?.index === index ? op : history.find((each) => each.index === index);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.#act(event.key)) event.preventDefault();
  }

  /** Does what a key stands for; false where it stands for nothing. */
  #act(key: string): boolean {
    const [from, to] = this.#span;
    const [width, middle] = [to - from, (from + to) / 2];
    const around = (size: number) => this.#zoom(middle - size / 2, middle + size / 2);
    const keys: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => this.#zoom(from - width * PAN_SHARE, to - width * PAN_SHARE),
      ArrowRight: () => this.#zoom(from + width * PAN_SHARE, to + width * PAN_SHARE),
      "+": () => around(width * ZOOM_SHARE),
      "-": () => around(width / ZOOM_SHARE),
      "0": () => this.#zoom(0, this.#endSeconds),
    };
    keys[key]?.();
    return key in keys;
  }

  #bringIntoView(at: number): void {
    const [from, to] = this.#span;
    if (at < from || at > to) this.#zoom(at - (to - from) / 2, at + (to - from) / 2);
  }

  /** Shows a part of the time in all plots, which is moved to where the run is. */
  #zoom(min: number, max: number): void {
    const width = Math.min(max - min, this.#endSeconds);
    const from = Math.max(0, Math.min(min, this.#endSeconds - width));
    if (from === this.#span[0] && from + width === this.#span[1]) return;
    this.#span = [from, from + width];
    this.root.dataset.span = this.#span.join(" ");
    for (const chart of this.#charts) chart.zoom(...this.#span);
  }

  #redraw(): void {
    for (const chart of this.#charts) chart.redraw();
  }
}

/** Lines of a legend, as they are dashed. */
const LINE_SIGNS = ["\u2501", "\u2505", "\u2509", "\u254d"];
