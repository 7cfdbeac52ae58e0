/**
 * Puts together what the page of a run shows.
 *
 * @module
 */

import { findCauses } from "./causes.ts";
import type { ReportData, View } from "./report_data.ts";
import type { ShownMessages } from "./report_messages.ts";
import { cyclesView } from "./views/cycles.ts";
import { elementsView } from "./views/elements.ts";
import { logsView } from "./views/logs.ts";
import { registersView } from "./views/registers.ts";

/** What was run, and what came of it. */
export type ReportInput =
  & Omit<ReportData, "causes" | "views" | keyof ShownMessages>
  & Partial<ShownMessages>;

/** What a page shows of a run: with what led to each finding, and what the checkers saw. */
export function makeReport({ messages = [], sentCount = 0, ...run }: ReportInput): ReportData {
  const shown = { ...run, messages, sentCount };
  return { ...shown, causes: findCauses(shown), views: viewsOf(shown) };
}

/** What is drawn of a run beside its messages and figures. */
function viewsOf(run: Omit<ReportData, "causes" | "views">): View[] {
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
