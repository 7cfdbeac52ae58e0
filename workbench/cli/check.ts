/**
 * `check`: the checkers alone, on a stored history.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { oneOf, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { parseConsistencyModels } from "../checkers/elle/consistency_model.ts";
import { explain, faultWindows, verdict } from "../explain.ts";
import { type Op, parseHistory } from "../history.ts";
import { check } from "../report.ts";
import { resultsJson } from "../results_dir.ts";
import { exitCodeOf, runFlags } from "./flags.ts";
import { print, printJson, printLine } from "./terminal.ts";
import { WORKLOADS } from "../workloads/mod.ts";

/** The flags of `check`. */
export const checkFlags = {
  workload: { help: "The workload; required", value: "NAME", short: "w", ...oneOf(WORKLOADS) },
  availability: runFlags.availability,
  "fail-on-warning": runFlags["fail-on-warning"],
  "consistency-models": runFlags["consistency-models"],
  only: { help: "Ask what the workload asks alone, not whether each kind of operation succeeded" },
  json: { help: "Print the results as JSON" },
};

/** Runs the command and returns the exit code. */
export async function checkCommand(args: readonly string[]): Promise<number> {
  const { flags, words: [file, extra] } = parseFlags(checkFlags, args);
  const { workload, availability } = flags;
  if (workload === undefined) {
    throw new UsageError("Cannot check without a workload: use --workload NAME");
  }
  if (file === undefined) {
    throw new UsageError("Cannot check without a history: name a history.jsonl or history.edn");
  }
  if (extra !== undefined) throw new UsageError(`Unexpected argument ${JSON.stringify(extra)}`);
  const history = parse(await read(file), file);
  const results = check(history, {
    workload,
    availability,
    failOnWarning: flags["fail-on-warning"],
    only: flags.only,
    consistencyModels: models(flags["consistency-models"]),
  });
  const faults = faultWindows(history);
  if (flags.json) printJson(resultsJson(results), 2);
  else {
    print(`${workload}, ${history.length} events: ${verdict(results.valid)}`);
    for (const finding of results.findings) explain(finding, { faults }).forEach(printLine);
    for (const warning of results.warnings) printLine(`Warning: ${warning}`);
  }
  return exitCodeOf(results.valid);
}

function parse(text: string, file: string): Op[] {
  try {
    return parseHistory(text);
  } catch (cause) {
    throw new UsageError(`Cannot read ${file}: ${errorText(cause)}`, { cause });
  }
}

/** The two bytes that a gzip file begins with. */
const GZIP = [0x1f, 0x8b];

async function read(file: string): Promise<string> {
  try {
    const bytes = await Deno.readFile(file);
    if (!GZIP.every((byte, i) => bytes[i] === byte)) return new TextDecoder().decode(bytes);
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return await new Response(unpacked).text();
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "there is no such file" : errorText(cause);
    throw new UsageError(`Cannot read ${file}: ${why}`, { cause });
  }
}

function models(text = "strict-serializable"): string[] {
  try {
    return parseConsistencyModels(text);
  } catch (cause) {
    throw new UsageError(errorText(cause), { cause });
  }
}
