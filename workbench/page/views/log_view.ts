/**
 * The logs of a run of kafka as tables: offsets from left to right, and below each who polled it.
 *
 * @module
 */

import { plural, seconds, show, who } from "../../checkers/checker.ts";
import type { Op } from "../../history.ts";
import type { ReportData } from "../../report_data.ts";
import type { LogReader, LogsView, LogView } from "../../views/logs.ts";
import { arrowKeys } from "./arrow_keys.ts";
import { element } from "../dom.ts";
import type { Selection } from "../selection.ts";

/** Shows the logs of a run, one at a time. */
export function showLogs(
  { keys, keyCount }: LogsView,
  { history }: ReportData,
  selection: Selection,
): HTMLElement {
  const box = element("div", { class: "view-body" });
  const choose = (i: number) => {
    const view = keys[i];
    if (view !== undefined) box.replaceChildren(...showLog(view, history, selection));
  };
  const chooser = element(
    "select",
    { change: () => choose(chooser.selectedIndex) },
    keys.map(({ key, marks, offsets, before, after }) => {
      const found = marks.length === 0 ? "" : `${plural(marks.length, "finding")}, `;
      const count = plural(before + offsets.length + after, "message");
      return element("option", {}, `${show(key)}: ${found}${count}`);
    }),
  );
  choose(0);
  const left = keyCount - keys.length;
  return element(
    "div",
    { class: "logs" },
    element("label", { class: "chooser" }, "Key ", chooser),
    left > 0 && element("p", { class: "note" }, `${left} more keys are not shown.`),
    box,
  );
}

function showLog(view: LogView, history: readonly Op[], selection: Selection): HTMLElement[] {
  const { marks, before, after, leftOutReaders } = view;
  const notes = [
    before > 0 && `${plural(before, "offset")} before these are not shown.`,
    after > 0 && `${plural(after, "offset")} after these are not shown.`,
    leftOutReaders > 0 && `${plural(leftOutReaders, "process")} that polled it are not shown.`,
  ].filter((note) => note !== false);
  const table = new LogTable(view, history, selection);
  const list = marks.map(({ anomaly, what, at }) =>
    element(
      "li",
      {},
      element(
        "button",
        { type: "button", click: () => table.bringIntoView(at[0]) },
        anomaly,
      ),
      `: ${what}`,
    )
  );
  const elements: HTMLElement[] = [];
  if (list.length > 0) elements.push(element("ul", { class: "reasons" }, list));
  elements.push(legend(), table.root, table.readout);
  if (notes.length > 0) elements.push(element("p", { class: "note" }, notes.join(" ")));
  return elements;
}

function legend(): HTMLElement {
  return element(
    "p",
    { class: "hint" },
    `${SIGNS["1"]} polled, 2 polled twice, ${SIGNS["-"]} the process went past it; ` +
      "red is what a finding is about. Click a cell, or go there with the arrow keys and press " +
      "Enter, to find its operation.",
  );
}

/** What stands in a cell; how often it was polled, where that is more than once. */
const SIGNS: Readonly<Record<string, string>> = { "1": "\u25cf", "-": "\u2013", ".": "" };

function nameOf({ process, node }: LogReader): string {
  return node === undefined ? `process ${process}` : `process ${process} on ${node}`;
}

class LogTable {
  readonly root: HTMLElement;
  readonly readout = element("p", { class: "view-readout" }, "\u00a0");
  readonly #view: LogView;
  readonly #history: readonly Op[];
  readonly #selection: Selection;
  readonly #heads: HTMLElement[];

  constructor(view: LogView, history: readonly Op[], selection: Selection) {
    this.#view = view;
    this.#history = history;
    this.#selection = selection;
    const { offsets, values, senders, readers } = view;
    this.#heads = offsets.map((offset, at) =>
      element("th", { scope: "col", class: this.#isMarked(at) ? "marked" : "" }, offset)
    );
    const row = (name: string, cells: readonly HTMLElement[]) =>
      element("tr", {}, element("th", { scope: "row" }, name), cells);
    const sent = senders.map((index) => this.#sender(index));
    const rows: readonly (readonly [name: string, cells: HTMLElement[]])[] = [
      ["value", values.map((value, at) => this.#cell(value, at, undefined, sent[at]))],
      [
        "sent to",
        sent.map((op, at) => this.#cell(op?.node ?? (op && who(op)) ?? "?", at, undefined, op)),
      ],
      ...readers.map((reader) => [nameOf(reader), this.#reads(reader)] as const),
    ];
    const first = view.marks.flatMap(({ at }) => at)[0];
    arrowKeys(rows.map(([, cells]) => cells), rows[0]?.[1][first ?? 0]);
    this.root = element(
      "div",
      { class: "scroll" },
      element(
        "table",
        { class: "log" },
        element("caption", { class: "unseen" }, `Log of key ${show(view.key)}`),
        element("thead", {}, row("offset", this.#heads)),
        element(
          "tbody",
          {},
          rows.map(([name, cells]) => row(name, cells)),
        ),
      ),
    );
    new ResizeObserver((_, observer) => {
      if (this.root.clientWidth === 0) return;
      observer.disconnect();
      this.bringIntoView(first);
    }).observe(this.root);
  }

  /** Scrolls to an offset by its place; to none where there is none. */
  bringIntoView(at: number | undefined): void {
    const head = this.#heads[at ?? -1];
    if (head === undefined) return;
    this.root.scrollLeft = head.offsetLeft - this.root.clientWidth / 2;
  }

  #isMarked(at: number, process?: Op["process"]): boolean {
    return this.#view.marks.some((mark) =>
      mark.at.includes(at) && (process === undefined || mark.process === process)
    );
  }

  #sender(index: number | null): Op | undefined {
    if (index === null) return undefined;
    const op = this.#history[index];
    return op?.index === index ? op : this.#history.find((each) => each.index === index);
  }

  #reads({ process, reads }: LogReader): HTMLElement[] {
    return [...reads].map((read, at) => {
      const text = SIGNS[read] ?? read;
      return this.#cell(text, at, process, undefined, read === "-" ? "past" : "");
    });
  }

  #cell(
    text: string,
    at: number,
    process: Op["process"] | undefined,
    sent: Op | undefined,
    kind = "",
  ): HTMLElement {
    const marked = text !== "" && this.#isMarked(at, process) ? " marked" : "";
    return element("td", {
      class: `${kind}${marked}`,
      pointerenter: () => this.#tell(at, process),
      focus: () => this.#tell(at, process),
      click: () => this.#select(sent ?? this.#poll(at, process)),
    }, text);
  }

  #tell(at: number, process: Op["process"] | undefined): void {
    const { offsets, values, senders } = this.#view;
    const sender = this.#sender(senders[at] ?? null);
    const poll = process === undefined ? undefined : this.#poll(at, process);
    const parts = [
      `offset ${offsets[at]}: message ${values[at]}`,
      sender && `sent by ${who(sender)} at ${seconds(sender)}`,
      poll && `polled by ${who(poll)} at ${seconds(poll)}`,
    ].filter((part) => part !== undefined);
    this.readout.replaceChildren(element("span", {}, parts.join(", ")));
  }

  #select(op: Op | undefined): void {
    if (op !== undefined) this.#selection.select({ atMs: op.time / 1e6, op: op.index });
  }

  /** The first poll of a process that returned what is at an offset. */
  #poll(at: number, process: Op["process"] | undefined): Op | undefined {
    const { key, offsets } = this.#view;
    const offset = offsets[at];
    const holds = (step: Op["value"]) => {
      const [kind, byKey] = Array.isArray(step) ? step : [];
      if (kind !== "poll" || typeof byKey !== "object" || byKey === null) return false;
      const list = Object.entries(byKey).find(([name]) => name === key)?.[1];
      return Array.isArray(list) &&
        list.some((pair) => Array.isArray(pair) && String(pair[0]) === offset);
    };
    return this.#history.find((op) =>
      op.process === process && op.type === "ok" && Array.isArray(op.value) && op.value.some(holds)
    );
  }
}
