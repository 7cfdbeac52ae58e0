/**
 * Which reads had an element: a row for each node, from the left to the right in time.
 *
 * @module
 */

import { plural } from "../../checkers/checker.ts";
import type { ReportData } from "../../report_data.ts";
import type { AgreeingReads, ElementsView, ElementView, NodeReads } from "../../views/elements.ts";
import { arrowKeys } from "./arrow_keys.ts";
import { drawn, element } from "../dom.ts";
import { durationOf } from "../plots/plot_series.ts";
import type { Selection } from "../selection.ts";

const ROW = 22;
const TOP = 18;
const BOTTOM = 20;
/** How wide the names of nodes are, and the time. */
const NAMES = 70;
const TIME = 540;
/** How many marks the time has. */
const MARKS = 4;

/** Shows elements, one below the other. */
export function showElements(
  { elements, count }: ElementsView,
  data: ReportData,
  selection: Selection,
): HTMLElement[] {
  const left = count - elements.length;
  return [
    element(
      "p",
      { class: "hint" },
      "A dot is a read that had the element, a cross one that did not, and a line what is between " +
        "two that agree; the dashed line is when it was added.",
    ),
    element(
      "div",
      { class: "element-cards" },
      elements.map((each) => showOne(each, data, selection)),
    ),
    ...left > 0 ? [element("p", { class: "note" }, `${left} more are not shown.`)] : [],
  ];
}

function showOne(view: ElementView, data: ReportData, selection: Selection): HTMLElement {
  const { outcome, op, atMs, nodes } = view;
  const durationMs = durationOf(data);
  const xOf = (ms: number) => NAMES + ms / durationMs * TIME;
  const readout = element("p", { class: "view-readout" }, sentence(view));
  const bottom = TOP + nodes.length * ROW;
  const [width, height] = [NAMES + TIME + 50, bottom + BOTTOM];
  const faults = (data.report.faults ?? []).map(({ fault, fromNs, toNs = durationMs * 1e6 }) => {
    const x = xOf(fromNs / 1e6);
    return [
      drawn("rect", {
        class: "shade",
        x,
        y: TOP,
        width: xOf(toNs / 1e6) - x,
        height: bottom - TOP,
      }),
      drawn("text", { class: "time", x: x + 3, y: TOP - 5 }, fault),
    ];
  });
  const rows = nodes.map((node, i) =>
    node.runs.map((run) => {
      const tell = (text: string) => readout.replaceChildren(element("span", {}, text));
      return drawRun({ node, run, y: levelOf(i), xOf, tell, rest: sentence(view) }, selection);
    })
  );
  arrowKeys(rows);
  const times = Array.from({ length: MARKS + 1 }, (_, i) => {
    const ms = i / MARKS * durationMs;
    const text = `${(ms / 1000).toFixed(1)} s`;
    return drawn("text", { class: "time", x: xOf(ms), y: bottom + 15 }, text);
  });
  const select = () => selection.select({ atMs, op });
  return element(
    "article",
    { class: "element" },
    element(
      "h3",
      {},
      `Element ${view.element}: ${outcome === "lost" ? "lost" : "came late"} `,
      element(
        "button",
        { type: "button", click: select },
        `added at ${(atMs / 1000).toFixed(2)} s`,
      ),
    ),
    element(
      "div",
      { class: "scroll" },
      drawn(
        "svg",
        {
          class: "reads",
          width,
          height,
          viewBox: `0 0 ${width} ${height}`,
          role: "group",
          "aria-label": sentence(view),
        },
        faults,
        drawn("path", { class: "added", d: `M${xOf(atMs)} ${TOP}V${bottom}` }),
        nodes.map(({ node }, i) => drawn("text", { x: 2, y: levelOf(i) + 4 }, node)),
        rows,
        times,
      ),
    ),
    readout,
  );
}

/** The middle of a node's row, by its place. */
function levelOf(i: number): number {
  return TOP + (i + 0.5) * ROW;
}

function drawRun(
  { node, run, y, xOf, tell, rest }: {
    readonly node: NodeReads;
    readonly run: AgreeingReads;
    readonly y: number;
    readonly xOf: (ms: number) => number;
    readonly tell: (text: string) => void;
    /** What is told when nothing is pointed at. */
    readonly rest: string;
  },
  selection: Selection,
): SVGElement {
  const [from, to] = [xOf(run.fromMs), xOf(run.toMs)];
  const text = inWords(node, run);
  return drawn(
    "g",
    {
      class: run.has ? "has" : "lacks",
      role: "button",
      "aria-label": text,
      pointerenter: () => tell(text),
      pointerleave: () => tell(rest),
      focus: () => tell(text),
      click: () => selection.select({ atMs: run.fromMs, op: run.op }),
    },
    drawn("path", { d: `M${from} ${y}H${to}` }),
    [...new Set([from, to])].map((x) => mark(x, y, run.has)),
    drawn("rect", {
      class: "reach",
      x: from - 5,
      y: y - ROW / 2,
      width: to - from + 10,
      height: ROW,
    }),
  );
}

/** A dot for a read that had the element, a cross for one that did not. */
function mark(x: number, y: number, has: boolean): SVGElement {
  return has
    ? drawn("circle", { cx: x, cy: y, r: 4 })
    : drawn("path", { d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` });
}

function inWords({ node }: NodeReads, { has, fromMs, toMs, count }: AgreeingReads): string {
  const did = has ? "had it" : "missed it";
  const from = (fromMs / 1000).toFixed(2);
  const when = count === 1 ? `at ${from} s` : `from ${from} s to ${(toMs / 1000).toFixed(2)} s`;
  return `${node}: ${plural(count, "read")} ${when} ${did}`;
}

/** What became of the element at each node in the end. */
function sentence({ nodes }: ElementView): string {
  const last = nodes.map(({ node, runs }) => ({ node, has: runs.at(-1)?.has === true }));
  const [had, missed] = [true, false].map((has) =>
    last.filter((each) => each.has === has).map(({ node }) => node).join(", ")
  );
  return `The last read had it at ${had || "no node"}, and missed it at ${missed || "none"}`;
}
