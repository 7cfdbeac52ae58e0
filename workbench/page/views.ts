/// <reference lib="dom" />
/**
 * What the checkers saw of a run.
 *
 * @module
 */

import type { ReportData } from "../report_data.ts";
import type { Selection } from "./selection.ts";

/** Shows it; nothing where the run has nothing of the kind. */
export function showViews(_data: ReportData, _selection: Selection): HTMLElement | undefined {
  return undefined;
}
