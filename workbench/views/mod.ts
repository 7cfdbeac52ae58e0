/**
 * What the checkers saw, as plain data that a page draws.
 *
 * @module
 */

import type { ReportData } from "../report_data.ts";
import { type RegistersView, registersView } from "./registers.ts";

/** Something that is drawn of a run, by its kind. */
export type View = RegistersView;

/** What is drawn of a run beside its messages and figures. */
export function viewsOf(run: Omit<ReportData, "causes" | "views">): View[] {
  switch (run.workload) {
    case "lin-kv":
      return [registersView(run)].filter((view) => view !== undefined);
    default:
      return [];
  }
}
