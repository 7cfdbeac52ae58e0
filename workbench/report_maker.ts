/**
 * Puts together what the page of a run shows.
 *
 * @module
 */

import { findCauses } from "./causes.ts";
import type { ReportData } from "./report_data.ts";
import type { ShownMessages } from "./report_messages.ts";
import { viewsOf } from "./views/mod.ts";

/** What was run, and what came of it. */
export type ReportInput =
  & Omit<ReportData, "causes" | "views" | keyof ShownMessages>
  & Partial<ShownMessages>;

/** What a page shows of a run: with what led to each finding, and what the checkers saw. */
export function makeReport({ messages = [], sentCount = 0, ...run }: ReportInput): ReportData {
  const shown = { ...run, messages, sentCount };
  return { ...shown, causes: findCauses(shown), views: viewsOf(shown) };
}
