/**
 * A run on a page, from the verdict down to single messages.
 *
 * @module
 */

import type { ReportData, View } from "../report_data.ts";
import { showCycles } from "./views/cycle_view.ts";
import { showDiagram } from "./diagram/diagram.ts";
import { type Child, element, section } from "./dom.ts";
import { showElements } from "./views/element_view.ts";
import { showFindings } from "./findings.ts";
import { showLogs } from "./views/log_view.ts";
import { showPlots } from "./plots/plots.ts";
import { showRegisters } from "./views/register_view.ts";
import { Selection } from "./selection.ts";
import { showSummary } from "./summary.ts";

/** What is selected of the run that an element shows. */
const shown = new WeakMap<HTMLElement, Selection>();

/**
 * Shows a run in an element, in place of what it has.
 *
 * Each part is a function of the data and of what is selected, and gives nothing where the run has
 * nothing of its kind.
 */
export function showReport(root: HTMLElement, data: ReportData): void {
  const selection = new Selection();
  shown.get(root)?.end();
  shown.set(root, selection);
  const parts: readonly Child[] = [
    showSummary(data),
    showFindings(data, selection),
    showDiagram(data, selection),
    showViews(data, selection),
    showPlots(data, selection),
  ];
  root.replaceChildren(element("div", { class: "report" }, parts));
  root.dataset.ready = "true";
}

/** Shows what the run's checker saw, each kind under its heading; nothing where there is nothing. */
function showViews(data: ReportData, selection: Selection): HTMLElement[] {
  return data.views.map((view) => showView(view, data, selection));
}

function showView(view: View, data: ReportData, selection: Selection): HTMLElement {
  switch (view.kind) {
    case "cycles":
      return section("cycles", "Cycles of transactions", showCycles(view, selection));
    case "elements":
      return section("elements", "Elements", showElements(view, data, selection));
    case "logs":
      return section("logs", "Logs", showLogs(view, data, selection));
    case "registers":
      return section("registers", "Registers", showRegisters(view, data, selection));
  }
}
