/**
 * `mutants`: wrong nodes by name, to be run with `--bin mutant:NAME`.
 *
 * @module
 */

import type { Node } from "@eddy/maelstrom";
import { oneOf, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import {
  allMutants,
  binOf,
  DEFAULT_SETTINGS,
  findMutant,
  type Mutant,
  raftMutants,
  type RareMutant,
  type Settings,
} from "@eddy/mutants";
import type { Job } from "../sweep.ts";
import { type WorkloadName, WORKLOADS } from "../workloads/mod.ts";
import { commandName } from "./command_name.ts";
import { print, Terminal } from "./terminal.ts";

/** The flags of `mutants`. */
export const mutantsFlags = {
  workload: {
    help: "The workload; with it the command is printed that shows each fault",
    value: "NAME",
    short: "w",
    ...oneOf(WORKLOADS),
  },
};

/** Runs the command and returns the exit code. */
export function mutantsCommand(args: readonly string[]): Promise<number> {
  const { flags: { workload }, words } = parseFlags(mutantsFlags, args);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  const shown = allMutants.filter((each) => workload === undefined || each.workload === workload);
  if (workload === undefined) {
    const rows = shown.map((mutant) => [mutant.workload, binOf(mutant), whatIsFound(mutant)]);
    new Terminal("auto").printTable([["workload", "--bin", "what is found"], ...rows]);
  } else {
    const blocks = shown.map((mutant) => {
      const head = `${binOf(mutant)}: ${whatIsFound(mutant)}`;
      const lines = "rule" in mutant ? [head, ...describeRule(mutant)] : [head];
      return [...lines, `  ${commandName()} ${commandOf(mutant)}`].join("\n");
    });
    print(blocks.join("\n"));
  }
  return Promise.resolve(0);
}

/** The name of a finding; of what is none, a text that a run prints. */
function whatIsFound(mutant: Mutant | RareMutant): string {
  const { anomaly } = mutant;
  if (anomaly === "malformed-rpc-response") return 'the text "Malformed replies"';
  const isNotSeen = "rule" in mutant && mutant.seeds === undefined;
  return isNotSeen || /^[\w.-]+$/.test(anomaly) ? anomaly : `the text "${anomaly.trim()}"`;
}

/** What is known of mutants on Raft that clients have not noticed. */
const ASSERTED =
  "; Raft's own assertions see it (in Eddy's repository, deno task campaign mutations)";

/** The rule that a mutant breaks, and how often that shows. */
function describeRule(mutant: RareMutant): string[] {
  const { rule, seeds } = mutant;
  const shows = seeds === undefined
    ? `  No run is known in which a client notices${raftMutants.includes(mutant) ? ASSERTED : ""}`
    : seeds > 1
    ? `  It shows with some seeds only: ${seeds} are mostly enough`
    : undefined;
  return [`  Breaks the rule: ${rule}`, ...shows === undefined ? [] : [shows]];
}

/**
 * What a worker is sent in place of the function that registers a mutant's handlers.
 *
 * @throws {UsageError} if the workload has no mutant of that name, or if it is given arguments.
 */
export function installationOf(
  bin: string,
  workload: WorkloadName,
  args: readonly string[],
): Job["install"] {
  findMutant(bin, workload);
  refuseArgs(bin, args);
  return { module: import.meta.url, name: "installMutant", arguments: [bin, workload] };
}

/** Refuses what follows `--`: a mutant takes no arguments. */
export function refuseArgs(bin: string, args: readonly string[]): void {
  if (args.length === 0) return;
  throw new UsageError(`Cannot use ${JSON.stringify(args[0])} for ${bin}: it takes no arguments`);
}

/** Registers the handlers of the mutant that a `--bin` names. */
export function installMutant(node: Node, bin: string, workload: WorkloadName): void {
  findMutant(bin, workload).install(node);
}

/** The command line that shows a mutant's fault: for most seeds, or with one of several. */
export function commandOf(mutant: Mutant | RareMutant): string {
  const seeds = "seeds" in mutant ? mutant.seeds ?? 1 : 1;
  const isSweep = seeds > 1;
  const isCalm = isSweep && mutant.needs?.nemesis === undefined;
  const command = isSweep ? "sweep" : "test";
  const more = isSweep ? ["--seeds", String(seeds), ...isCalm ? ["--nemesis", "none"] : []] : [];
  const words = [command, "-w", mutant.workload, "--bin", binOf(mutant)];
  return [...words, ...flagsOf(mutant.needs), ...more].join(" ");
}

/** Settings as flags: by default a short run with enough going on at once for faults to show. */
function flagsOf(needs: Settings = {}): string[] {
  const settings: Settings = { ...DEFAULT_SETTINGS, ...needs };
  const { latency, nemesis, consistencyModels } = settings;
  const flags: [name: string, value: unknown][] = [
    ["node-count", settings.nodeCount],
    ["concurrency", settings.concurrency],
    ["rate", settings.rate],
    ["time-limit", settings.timeLimitSeconds],
    ["latency", latency?.meanMs],
    ["latency-dist", latency?.distribution],
    ["nemesis", nemesis?.join(",")],
    ["nemesis-interval", nemesis === undefined ? undefined : settings.nemesisIntervalSeconds],
    ["availability", settings.availability],
    ["consistency-models", consistencyModels?.join(",")],
    ["key-count", settings.keyCount],
    ["max-txn-length", settings.maxTxnLength],
    ["max-writes-per-key", settings.maxWritesPerKey],
  ];
  return flags.flatMap(([name, value]) => value === undefined ? [] : [`--${name}`, String(value)]);
}
