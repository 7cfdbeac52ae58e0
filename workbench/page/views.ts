/// <reference lib="dom" />
/**
 * What the checkers saw of a run.
 *
 * @module
 */

import type { ReportData } from "../report_data.ts";
import type { View } from "../views/mod.ts";
import { showCycles } from "./cycle_view.ts";
import { section } from "./dom.ts";
import { showElements } from "./element_view.ts";
import { showLogs } from "./log_view.ts";
import { showRegisters } from "./register_view.ts";
import type { Selection } from "./selection.ts";

/** Shows what the run's checker saw, each kind under its heading; nothing where there is nothing. */
export function showViews(data: ReportData, selection: Selection): HTMLElement[] {
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
