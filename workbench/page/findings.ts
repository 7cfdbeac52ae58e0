/**
 * What is wrong with a run, as cards: the finding, what led to it, and what shows it.
 *
 * @module
 */

import { seconds, show, who } from "../checkers/checker.ts";
import { furtherWarnings } from "../explain.ts";
import type { Op } from "../history.ts";
import type { Cause, Place, ReportData } from "../report_data.ts";
import { element, section } from "./dom.ts";
import { linked, type Selection } from "./selection.ts";

/** Shows the findings and the warnings; nothing where there are none. */
export function showFindings(data: ReportData, selection: Selection): HTMLElement | undefined {
  const { report, causes } = data;
  const warnings = furtherWarnings(report, report.findings);
  if (report.findings.length + warnings.length === 0) return undefined;
  return section(
    "findings",
    "Findings",
    report.findings.map(({ anomaly, what, ops }, i) => {
      const [sentence = "", ...reasons] = what.split("\n");
      return element(
        "details",
        { class: "finding", open: i === 0 },
        element(
          "summary",
          {},
          element("h3", {}, anomaly),
          element("p", { class: "what" }, linked([sentence], selection)),
        ),
        listOf("Why", reasons.map((line) => [line.trim()]), selection),
        listOf("What led to it", causes[i] ?? [], selection),
        listOf("Seen in", ops.map((op) => [placeOf(op)]), selection),
        element(
          "ul",
          { class: "more" },
          furtherLines(data, i).map((line) => element("li", {}, linked([line], selection))),
        ),
      );
    }),
    warnings.map((warning) =>
      element("p", { class: "warning" }, linked([`Warning: ${warning}`], selection))
    ),
  );
}

/** What a terminal has of a finding beside the sentence and the operations: its faults and losses. */
function furtherLines({ report: { explanations = [] } }: ReportData, i: number): string[] {
  const lines = (explanations[i] ?? []).slice(1).map((line) => line.trim());
  return lines.filter((line) => !line.startsWith("Seen in: "));
}

function placeOf(op: Op): Place {
  const error = op.error === undefined ? "" : ` (${op.error.text})`;
  return {
    text: `${seconds(op)} ${who(op)} ${op.f} ${op.type} ${show(op.value)}${error}`,
    atMs: op.time / 1e6,
    op: op.index,
  };
}

function listOf(
  heading: string,
  items: readonly Cause[],
  selection: Selection,
): HTMLElement | undefined {
  if (items.length === 0) return undefined;
  return element(
    "div",
    { class: "list" },
    element("h4", {}, heading),
    element("ul", {}, items.map((parts) => element("li", {}, linked(parts, selection)))),
  );
}
