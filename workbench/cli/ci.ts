/**
 * What a system for continuous integration is told of runs: a JUnit file, and in GitHub Actions
 * annotations and a summary of the job.
 *
 * @module
 */

import { type Flags, UsageError } from "@eddy/maelstrom/flags";
import { plural } from "../checkers/checker.ts";
import { printable, verdict } from "../explain.ts";
import { type ReportedRun, writeJunit } from "../junit.ts";
import { kindOf, temporaryName, whyUnwritten, writeWhole } from "../whole_file.ts";
import { isInActions, printCommand, printError } from "./terminal.ts";

/** The flag that names a JUnit file. */
export const junitFlag = {
  junit: {
    help: "Write a JUnit XML file with a test case for each run",
    value: "FILE",
    accepts: "the name of a file",
    parse: (text: string) => text === "" ? undefined : text,
  },
} satisfies Flags;

/** Collects runs, and tells of them at the end. */
export class CiReport {
  readonly #name: string;
  readonly #junit: string | undefined;
  readonly #began = new Date();
  #isAnnotated = false;

  /**
   * @param command what does the runs
   * @param junit the JUnit file, if one is asked for
   * @throws {UsageError} if that file cannot be written.
   */
  constructor(command: "test" | "sweep", junit: string | undefined) {
    this.#name = `eddy ${command}`;
    this.#junit = junit;
    if (junit !== undefined) checkWritable(junit);
  }

  /**
   * Tells GitHub Actions of the runs that are not valid, once; it is told at the end at the latest.
   *
   * @param runs in order; also those that were not done
   */
  annotate(runs: readonly ReportedRun[]): void {
    if (!isInActions() || this.#isAnnotated) return;
    this.#isAnnotated = true;
    for (const line of annotations(runs)) printCommand(line);
  }

  /**
   * Writes what was asked for.
   *
   * @param runs in order; also those that were not done
   * @returns whether all could be written; if not, it is said.
   */
  finish(runs: readonly ReportedRun[]): boolean {
    this.annotate(runs);
    if (isInActions()) appendSummary(summary(this.#name, runs));
    if (this.#junit === undefined) return true;
    try {
      writeWhole(this.#junit, writeJunit(this.#name, runs, this.#began));
      return true;
    } catch (error) {
      printError(`Cannot write --junit ${this.#junit}: ${whyUnwritten(error)}`);
      return false;
    }
  }
}

/** Refuses a file that cannot be written, before there is anything to write. */
function checkWritable(path: string): void {
  try {
    const folder = folderOf(path);
    if (folder !== "") Deno.mkdirSync(folder, { recursive: true });
    const kind = kindOf(path);
    if (kind === "folder") throw new Error("it is a folder");
    if (kind === "other") return;
    const temporary = temporaryName(path);
    Deno.writeTextFileSync(temporary, "", { createNew: true });
    Deno.removeSync(temporary);
  } catch (cause) {
    throw new UsageError(`Cannot write --junit ${path}: ${whyUnwritten(cause)}`, { cause });
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** How many annotations GitHub shows of a step. */
const MAX_ANNOTATIONS = 10;

/** How long the text of an annotation, or of a run in a summary, may be, in characters. */
const MAX_TEXT = 4000;

/** A command to GitHub Actions for each run that is not valid, up to as many as are shown. */
export function annotations(runs: readonly ReportedRun[]): string[] {
  const failing = runs.filter(({ valid }) => valid !== undefined && valid !== true);
  const shown = failing.length > MAX_ANNOTATIONS ? MAX_ANNOTATIONS - 1 : failing.length;
  const lines = failing.slice(0, shown).map((run) => {
    const { workload, name, valid = "unknown" } = run;
    const level = valid === false ? "error" : "warning";
    const title = `${workload}, ${name}: ${verdict(valid)}`;
    return `::${level} title=${property(title)}::${data(textOf(run))}`;
  });
  const more = failing.length - shown;
  if (more > 0) lines.push(`::error::${data(`${more} more runs are not valid`)}`);
  return lines;
}

/** What GitHub Actions reads as the text of a command. */
function data(text: string): string {
  const escaped = text.replaceAll("%", "%25").replaceAll("\r", "%0D");
  return printable(escaped).replaceAll("\n", "%0A");
}

/** What it reads as the value of a property. */
function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

function textOf({ first, more, replay, path, report }: ReportedRun): string {
  const cut = first.length > MAX_TEXT ? `${first.slice(0, MAX_TEXT)}...` : first;
  const others = more > 0 ? [`... and ${plural(more, "more finding")}`] : [];
  const results = path === undefined ? [] : [`Results in ${path}`];
  const where = report === undefined ? results : [`Report: ${report}`];
  return [cut, ...others, `Replay with: ${replay}`, ...where].join("\n");
}

/** How many runs a summary lists, which GitHub keeps up to a megabyte of. */
const MAX_LISTED = 20;

/** Runs in Markdown: how many came out how, and those that are not valid. */
export function summary(name: string, runs: readonly ReportedRun[]): string {
  const [first] = runs;
  const count = (valid: ReportedRun["valid"]) => runs.filter((run) => run.valid === valid).length;
  const skipped = count(undefined);
  const figures = [
    `${plural(runs.length, "run")}: ${count(true)} valid, ${count(false)} invalid, ` +
    `${count("unknown")} unknown` + (skipped > 0 ? `, ${skipped} not done` : ""),
  ];
  const failing = runs.filter(({ valid }) => valid !== undefined && valid !== true);
  const sections = failing.slice(0, MAX_LISTED).flatMap((run) => {
    const { workload, name, valid = "unknown" } = run;
    return [
      "",
      `#### ${inline(`${workload}, ${name}`)}: ${verdict(valid)}`,
      ...fenced(textOf(run)),
    ];
  });
  const more = failing.length - MAX_LISTED;
  if (more > 0) sections.push("", `... and ${plural(more, "more run")} not valid`);
  figures.push(...figuresTable(runs.length <= MAX_ROWS ? runs : failing.slice(0, MAX_ROWS)));
  const title = first === undefined ? name : `${name}, ${first.workload}`;
  return [`### ${title}`, "", ...figures, ...sections, "", ""].join("\n");
}

/** How many runs the table of a summary has; of more it has only those that are not valid. */
const MAX_ROWS = 30;

/** The figures of runs as a table in Markdown; nothing where there are none. */
function figuresTable(runs: readonly ReportedRun[]): string[] {
  if (runs.length === 0) return [];
  const heads = ["verdict", "operations", "ok-fraction", "median ms", "max ms", "msgs/op"];
  const rows = runs.map(({ name, valid, figures }) => {
    const latency = figures?.stableMs ?? figures?.latencyMs;
    return [
      inline(name),
      valid === undefined ? "not done" : verdict(valid),
      String(figures?.operations ?? ""),
      ...[figures?.okFraction, latency?.median, latency?.max, figures?.serversPerOp].map(rounded),
    ];
  });
  const rule = ["---", "---", ...heads.slice(1).map(() => "---:")];
  const lines = [["run", ...heads], rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const note =
    "Latencies: until a value is on all nodes for broadcast and g-set, else of operations. " +
    "Messages: between servers.";
  return ["", ...lines, "", note];
}

function rounded(figure: number | undefined): string {
  return figure === undefined ? "" : String(Number(figure.toPrecision(4)));
}

/** Text in a block of code, which it cannot end. */
function fenced(text: string): string[] {
  const ticks = text.match(/`+/g)?.map(({ length }) => length) ?? [];
  const fence = "`".repeat(Math.max(2, ...ticks) + 1);
  return ["", `${fence}text`, printable(text), fence];
}

/** Text in a heading, without the signs that mean something in Markdown or HTML. */
function inline(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>()#+!|&~]/g, (sign) => `\\${sign}`);
}

function appendSummary(text: string): void {
  const path = Deno.env.get("GITHUB_STEP_SUMMARY") ?? "";
  if (path === "") return;
  try {
    Deno.writeTextFileSync(path, text, { append: true });
  } catch (error) {
    printError(`Cannot write the summary of the job: ${whyUnwritten(error)}`);
  }
}
