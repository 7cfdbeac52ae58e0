/**
 * What the checkers saw, as plain data that a page draws.
 *
 * @module
 */

import type { ReportData } from "../report_data.ts";

/** Something that is drawn of a run, by its kind. */
export type View = never;

/** What is drawn of a run beside its messages and figures. */
export function viewsOf(_run: Omit<ReportData, "causes" | "views">): View[] {
  return [];
}
