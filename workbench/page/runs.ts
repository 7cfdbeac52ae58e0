/**
 * The list of a store's runs: filtered, sorted, two of them side by side, and what is under way.
 *
 * @module
 */

import { verdict } from "../explain.ts";
import type { StoredFigures, StoredRun } from "../run_index.ts";
import { type Child, element } from "./dom.ts";

/** How often the list is asked for anew, in ms. */
const INTERVAL_MS = 2000;

/** A column: its heading, what it shows of a run, and what it is sorted by. */
interface Column {
  readonly heading: string;
  readonly text: (run: StoredRun) => string;
  readonly order: (run: StoredRun) => number | string;
}

function figureColumn(heading: string, of: (figures: StoredFigures) => number | undefined): Column {
  const value = (run: StoredRun) => run.figures && of(run.figures);
  return {
    heading,
    text: (run) => {
      const number = value(run);
      if (number === undefined) return "";
      return Number.isInteger(number) ? String(number) : String(Number(number.toPrecision(4)));
    },
    order: (run) => value(run) ?? -1,
  };
}

const verdictColumn = textColumn("verdict", stateOf);

/** When a run began, which is the name of its folder. */
const timeColumn: Column = { heading: "time", text: timeOf, order: ({ name }) => name };

const columns: readonly Column[] = [
  verdictColumn,
  timeColumn,
  textColumn("workload", ({ workload }) => workload),
  textColumn("finding", ({ figures }) => figures?.finding ?? ""),
  figureColumn("seed", ({ seed }) => seed),
  figureColumn("nodes", ({ nodes }) => nodes),
  textColumn("faults", ({ figures }) => figures?.faults.join(" + ") ?? ""),
  figureColumn("operations", ({ operations }) => operations),
  figureColumn("ok-fraction", ({ okFraction }) => okFraction),
  figureColumn("msgs/op", ({ msgsPerOp }) => msgsPerOp),
  figureColumn("between servers", ({ serverMsgsPerOp }) => serverMsgsPerOp),
  figureColumn("median ms", ({ p50 }) => p50),
  figureColumn("p99 ms", ({ p99 }) => p99),
  figureColumn("max ms", ({ max }) => max),
  figureColumn("stable median ms", ({ stableP50 }) => stableP50),
  figureColumn("stable max ms", ({ stableMax }) => stableMax),
];

function textColumn(heading: string, text: (run: StoredRun) => string): Column {
  return { heading, text, order: text };
}

/** When a run began, in the reader's own time, and its number in a sweep; else its folder's name. */
function timeOf({ name }: StoredRun): string {
  const form = /^(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)\.\d+(?:-(\d+))?$/;
  const [, day, hours, minutes, seconds, number] = form.exec(name) ?? [];
  const began = new Date(`${day}T${hours}:${minutes}:${seconds}Z`);
  if (Number.isNaN(began.getTime())) return name;
  // Sweden writes times as ISO 8601 does.
  const time = began.toLocaleString("sv-SE");
  return number === undefined ? time : `${time} #${Number(number) + 1}`;
}

/** The verdict, or how far the run is, or came. */
function stateOf({ figures, progress, isBrokenOff = false }: StoredRun): string {
  if (figures !== undefined) return verdict(figures.valid);
  if (progress === undefined) return "no results";
  const { stage, elapsedMs, plannedMs, counts } = progress;
  const share = Math.min(100, Math.round(elapsedMs / plannedMs * 100));
  return `${
    isBrokenOff ? "broken off" : "under way"
  }: ${stage}, ${share} %, ${counts.invocations} operations`;
}

/** What is shown of the list, and how. */
const view = {
  runs: [] as readonly StoredRun[],
  words: "",
  column: timeColumn,
  isDescending: true,
  chosen: new Set<string>(),
};

const keyOf = ({ workload, name }: StoredRun) => `${workload}/${name}`;

function linkOf({ workload, name, hasReport }: StoredRun): string {
  const folder = `/runs/${encodeURIComponent(workload)}/${encodeURIComponent(name)}/`;
  return hasReport ? `${folder}report.html` : folder;
}

const filter = element("input", {
  type: "search",
  placeholder: "Filter: lin-kv INVALID partition",
  "aria-label": "Filter: words that a run's row must have",
  input: () => {
    view.words = filter.value;
    show();
  },
});
const count = element("p", { "aria-live": "polite" });
const head = element("thead");
const body = element("tbody");
const compared = element("tbody");
const frames = element("div", { class: "frames" });
const sideBySide = element(
  "section",
  { id: "compare", "aria-label": "Comparison", hidden: true },
  element("h2", {}, "Side by side"),
  element("p", { class: "hint" }, "Bold: what differs between the two."),
  element("table", {}, compared),
  frames,
);
const root = document.getElementById("page");
root?.replaceChildren(
  element("h1", {}, "Runs"),
  element("p", {}, filter),
  count,
  element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Runs" }, [
    element("table", {}, head, body),
  ]),
  sideBySide,
);

function show(): void {
  const words = view.words.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const shown = view.runs.filter((run) => {
    const row = [keyOf(run), ...columns.map(({ text }) => text(run))].join(" ").toLowerCase();
    return words.every((word) => row.includes(word));
  });
  const { order } = view.column;
  const sorted = shown.toSorted((a, b) => {
    const [x, y] = [order(a), order(b)];
    return (x < y ? -1 : Number(x > y)) * (view.isDescending ? -1 : 1);
  });
  count.replaceChildren(`${sorted.length} of ${view.runs.length} runs; choose two to compare them`);
  keepFocus(() => {
    head.replaceChildren(element("tr", {}, element("th", { scope: "col" }, "compare"), headings()));
    body.replaceChildren(...sorted.map(row));
  });
  compare();
  if (root !== null) root.dataset.ready = "true";
}

/** Does something that makes what has a `data-focus` anew, and leaves the focus where it was. */
function keepFocus(work: () => void): void {
  const focused = document.activeElement;
  const name = focused instanceof HTMLElement ? focused.dataset.focus : undefined;
  work();
  if (name === undefined) return;
  for (const each of root?.querySelectorAll<HTMLElement>("[data-focus]") ?? []) {
    if (each.dataset.focus === name) each.focus({ preventScroll: true });
  }
}

function headings(): readonly Child[] {
  return columns.map((column) => {
    const isSorted = column === view.column;
    const sort = () => {
      view.isDescending = isSorted ? !view.isDescending : true;
      view.column = column;
      show();
    };
    const direction = isSorted ? (view.isDescending ? "descending" : "ascending") : undefined;
    const mark = isSorted ? (view.isDescending ? " ↓" : " ↑") : "";
    return element(
      "th",
      { scope: "col", "aria-sort": direction },
      element(
        "button",
        { type: "button", "data-focus": `sort ${column.heading}`, click: sort },
        column.heading + mark,
      ),
    );
  });
}

function row(run: StoredRun): HTMLElement {
  const key = keyOf(run);
  const box = element("input", {
    type: "checkbox",
    "aria-label": `Compare ${key}`,
    "data-focus": `compare ${key}`,
    checked: view.chosen.has(key),
    change: () => {
      if (box.checked) view.chosen.add(key);
      else view.chosen.delete(key);
      // Of more than two the last two are compared.
      const [first] = view.chosen;
      if (view.chosen.size > 2 && first !== undefined) view.chosen.delete(first);
      show();
    },
  });
  const cells = columns.map((column) => {
    const text = column.text(run);
    return element(
      "td",
      { class: column === verdictColumn ? "verdict" : undefined },
      column === timeColumn
        ? element("a", { href: linkOf(run), "data-focus": `open ${key}` }, text)
        : text,
    );
  });
  return element("tr", { "data-valid": String(run.figures?.valid) }, element("td", {}, box), cells);
}

/** Shows the two runs that are chosen side by side, as they are now: their figures, and their pages. */
function compare(): void {
  const runs = view.runs.filter((run) => view.chosen.has(keyOf(run)));
  sideBySide.hidden = runs.length !== 2;
  const rows = columns.map(({ heading, text }) => {
    const [a = "", b = ""] = runs.map(text);
    return element(
      "tr",
      { class: a === b ? undefined : "differs" },
      element("th", { scope: "row" }, heading),
      element("td", {}, a),
      element("td", {}, b),
    );
  });
  compared.replaceChildren(...rows);
  const pages = sideBySide.hidden ? [] : runs.filter(({ hasReport }) => hasReport);
  const shown = [...frames.children].map((frame) => frame.getAttribute("src"));
  // A page that is put in again is loaded again, and loses its place.
  if (JSON.stringify(shown) === JSON.stringify(pages.map(linkOf))) return;
  frames.replaceChildren(
    ...pages.map((run) => element("iframe", { src: linkOf(run), title: keyOf(run) })),
  );
}

async function refresh(): Promise<void> {
  try {
    const response = await fetch("/runs.json");
    const text = await response.text();
    const runs: StoredRun[] = JSON.parse(text);
    // A table that is written anew loses its focus.
    const isSame = JSON.stringify(runs) === JSON.stringify(view.runs);
    view.runs = runs;
    if (!isSame || root?.dataset.ready === undefined) show();
  } catch {
    count.replaceChildren("The server does not answer: is it still running?");
  }
  setTimeout(refresh, INTERVAL_MS);
}

await refresh();
