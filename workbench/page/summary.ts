/**
 * The verdict of a run in one sentence, and its figures.
 *
 * @module
 */

import { plural } from "../checkers/checker.ts";
import { describeBreak, reportRows, verdict } from "../explain.ts";
import { isOfRun, type ReportData } from "../report_data.ts";
import { type Child, element } from "./dom.ts";

/** Shows the verdict, the figures, and how to run it again. */
export function showSummary(data: ReportData): HTMLElement {
  const { report, engine, command } = data;
  return element(
    "header",
    { id: "summary", "data-valid": String(report.valid) },
    element("h1", {}, sentence(data)),
    report.broke !== undefined && element("p", { class: "broke" }, linesOf(report.broke.text)),
    engine !== undefined && element("p", { class: "engine" }, engine),
    element(
      "dl",
      { class: "figures" },
      figures(data).map(([name, text]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, text))
      ),
    ),
    command !== undefined && element(
      "p",
      { class: "command" },
      "Run again: ",
      element("code", { tabindex: 0 }, command),
    ),
  );
}

/** The lines of a text, one below the other. */
function linesOf(text: string): Child[] {
  return text.split("\n").flatMap((line, i) => i === 0 ? [line] : [element("br"), line]);
}

/** The verdict with what was run. */
function sentence({ workload, report, options }: ReportData): string {
  const { valid, findings } = report;
  const what = options === undefined
    ? workload
    : `${workload}, ${plural(options.nodeIds.length, "node")}, seed ${options.seed}`;
  const broke = "broke" in report ? report.broke : undefined;
  const why = broke !== undefined
    ? `: ${describeBreak(broke)}`
    : valid === true || findings.length === 0
    ? ""
    : `: ${findings[0]?.anomaly}${
      findings.length > 1 ? `, and ${plural(findings.length - 1, "more finding")}` : ""
    }`;
  return `${what}: ${verdict(valid)}${why}`;
}

function figures({ report, options, history }: ReportData): readonly (readonly [string, string])[] {
  if (options !== undefined && isOfRun(report)) return reportRows(report, options);
  return [["operations", `${report.stats.count}, in ${history.length} events`]];
}
