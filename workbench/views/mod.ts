/**
 * What the checkers saw, as plain data that a page draws.
 *
 * @module
 */

import { type CyclesView, cyclesView } from "./cycles.ts";
import { type ElementsView, elementsView } from "./elements.ts";
import { type LogsView, logsView } from "./logs.ts";
import type { ReportData } from "../report_data.ts";
import { type RegistersView, registersView } from "./registers.ts";

/** Something that is drawn of a run, by its kind. */
export type View = CyclesView | ElementsView | LogsView | RegistersView;

/** What is drawn of a run beside its messages and figures. */
export function viewsOf(run: Omit<ReportData, "causes" | "views">): View[] {
  const view = viewOf(run);
  return view === undefined ? [] : [view];
}

function viewOf(run: Omit<ReportData, "causes" | "views">): View | undefined {
  switch (run.workload) {
    case "broadcast":
    case "g-set":
      return elementsView(run);
    case "kafka":
      return logsView(run);
    case "lin-kv":
      return registersView(run);
    case "txn-list-append":
    case "txn-rw-register":
      return cyclesView(run);
    default:
      return undefined;
  }
}
