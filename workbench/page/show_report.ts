/// <reference lib="dom" />
/**
 * A run on a page, from the verdict down to single messages.
 *
 * @module
 */

import type { ReportData } from "../report_data.ts";
import { showDiagram } from "./diagram.ts";
import { type Child, element } from "./dom.ts";
import { showFindings } from "./findings.ts";
import { showPlots } from "./plots.ts";
import { Selection } from "./selection.ts";
import { showSummary } from "./summary.ts";
import { showViews } from "./views.ts";

/**
 * Shows a run in an element, in place of what it has.
 *
 * Each part is a function of the data and of what is selected, and gives nothing where the run has
 * nothing of its kind.
 */
export function showReport(root: HTMLElement, data: ReportData): void {
  const selection = new Selection();
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
