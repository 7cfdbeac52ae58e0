/// <reference lib="dom" />
/**
 * The plots of a run over its time.
 *
 * @module
 */

import type { ReportData } from "../report_data.ts";
import type { Selection } from "./selection.ts";

/** Shows it; nothing where the run has nothing of the kind. */
export function showPlots(_data: ReportData, _selection: Selection): HTMLElement | undefined {
  return undefined;
}
