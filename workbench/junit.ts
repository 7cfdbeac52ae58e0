/**
 * Runs as JUnit XML, which systems for continuous integration read: a suite with a case a run.
 *
 * @module
 */

import { verdict } from "./explain.ts";
import type { Validity } from "./history.ts";
import type { RunFigures } from "./sweep.ts";
import { escapeXml, xmlElement } from "./xml.ts";

/** A run, as a system for continuous integration is told of it. */
export interface ReportedRun {
  /** What is run in it. */
  readonly workload: string;
  /** What tells it from the others: `seed 4`, or `latency=10, seed 4`. */
  readonly name: string;
  /** How it came out; undefined for a run that was not done. */
  readonly valid: Validity | undefined;
  /** All that is wrong; empty for a valid run. */
  readonly text: string;
  /** What is wrong first, in a few lines. */
  readonly first: string;
  /** How many findings there are beside that one. */
  readonly more: number;
  /** The command line that repeats it. */
  readonly replay: string;
  /** Where its results are. */
  readonly path: string | undefined;
  /** Its page. */
  readonly report: string | undefined;
  /** Its main figures; undefined for a run that was not done. */
  readonly figures:
    | Pick<RunFigures, "operations" | "okFraction" | "serversPerOp" | "latencyMs" | "stableMs">
    | undefined;
  /** How long it took, in the machine's time. */
  readonly tookMs: number;
  /** How long clients did operations, in the run's own time. */
  readonly timeLimitSeconds: number;
}

/** How long the text is that is shown in a list, in characters. */
const MAX_MESSAGE = 500;

/**
 * Writes runs as JUnit XML. An invalid run is a failure, one that is unknown an error, because it
 * broke off or tested nothing; one that was not done is skipped.
 *
 * @param name the suite's
 * @param beganAt when the first run began
 *
 * @example
 * ```ts
 * import { writeJunit } from "./junit.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const xml = writeJunit("eddy test", [], new Date(0));
 * assertStringIncludes(xml, '<testsuite name="eddy test" tests="0"');
 * ```
 */
export function writeJunit(name: string, runs: readonly ReportedRun[], beganAt: Date): string {
  const count = (valid: ReportedRun["valid"]) => runs.filter((run) => run.valid === valid).length;
  const figures = {
    name,
    tests: runs.length,
    failures: count(false),
    errors: count("unknown"),
    skipped: count(undefined),
    time: seconds(runs.reduce((sum, { tookMs }) => sum + tookMs, 0)),
  };
  const suite = xmlElement(
    "testsuite",
    { ...figures, timestamp: beganAt.toISOString().replace("Z", "") },
    ["", ...runs.map(testCase), ""].join("\n"),
  );
  const suites = xmlElement("testsuites", figures, `\n${suite}\n`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${suites}\n`;
}

function testCase(run: ReportedRun): string {
  const { workload, name, replay, path, report, tookMs, timeLimitSeconds } = run;
  const properties = { "time-limit": timeLimitSeconds, replay, results: path, report };
  const listed = Object.entries(properties).flatMap(([name, value]) => {
    return value === undefined ? [] : [xmlElement("property", { name, value })];
  });
  const content = [xmlElement("properties", {}, listed.join("")), ...outcome(run)].join("\n");
  const named = { classname: workload, name: `${workload}, ${name}`, time: seconds(tookMs) };
  return xmlElement("testcase", named, `\n${content}\n`);
}

function outcome({ valid, text, replay, report }: ReportedRun): string[] {
  if (valid === true) return [];
  const [message = ""] = text.split("\n");
  const cut = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}...` : message;
  if (valid === undefined) return [xmlElement("skipped", { message: cut })];
  const tag = valid === false ? "failure" : "error";
  const page = report === undefined ? "" : `\nReport: ${report}`;
  const content = escapeXml(`${text}\nReplay with: ${replay}${page}`);
  return [xmlElement(tag, { message: cut, type: verdict(valid) }, content)];
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
