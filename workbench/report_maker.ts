/**
 * Puts together what the page of a run shows.
 *
 * @module
 */

import { findCauses } from "./causes.ts";
import { boundLists } from "./report_bounds.ts";
import { placeOfFinding, type ReportData, type RunOfReport, type View } from "./report_data.ts";
import type { ShownMessages } from "./report_messages.ts";
import { cyclesView } from "./views/cycles.ts";
import { elementsView } from "./views/elements.ts";
import { logsView } from "./views/logs.ts";
import { registersView } from "./views/registers.ts";

/** What was run, and what came of it. */
export type ReportInput =
  & Omit<RunOfReport, keyof ShownMessages>
  & Partial<ShownMessages>;

/** What a page shows of a run: with what led to each finding, and what the checkers saw. */
export function makeReport({ messages = [], sentCount = 0, ...run }: ReportInput): ReportData {
  const all = { ...run, messages, sentCount };
  const seen = { ...all, causes: findCauses(all), views: viewsOf(all) };
  const nearMs = placeOfFinding(seen, 0)?.atMs ?? Infinity;
  return { ...seen, ...boundLists(run.history, nearMs) };
}

/** What is drawn of a run beside its messages and figures. */
function viewsOf(run: RunOfReport): View[] {
  const view = viewOf(run);
  return view === undefined ? [] : [view];
}

function viewOf(run: RunOfReport): View | undefined {
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
