/**
 * What led to a finding: the cause before the symptom.
 *
 * @module
 */

import type { Cause, ReportData } from "./report_data.ts";

/** What led to each finding of a run, by the finding's place; nothing where it is not known. */
export function findCauses({ report }: Omit<ReportData, "causes" | "views">): Cause[][] {
  return report.findings.map(() => []);
}
