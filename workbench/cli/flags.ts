/**
 * The flags of a run, with Maelstrom's names and defaults and a few of our own, and the exit codes.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { parseConsistencyModels } from "../checkers/elle/consistency_model.ts";
import {
  type Flags,
  type FlagValues,
  integer,
  number,
  oneOf,
  UsageError,
} from "@eddy/maelstrom/flags";
import {
  defaultOptions,
  DISTRIBUTIONS,
  MAX,
  type RunOptions,
  type RunSettings,
  TOPOLOGIES,
} from "../options.ts";
import type { Validity } from "../history.ts";
import type { RunBreak } from "../report.ts";
import { NEMESES, type NemesisName } from "../nemesis.ts";
import { WORKLOADS } from "../workloads/mod.ts";

/** The largest seed of a command line; a series counts up from there. */
export const MAX_SEED = 10 ** 15 - 1;

/** How many runs one command does at most. */
export const MAX_RUNS = 100_000;

/** The flags of a run. */
export const runFlags = {
  workload: {
    help: "The workload",
    value: "NAME",
    short: "w",
    ...oneOf(WORKLOADS),
    default: "lin-kv" as const,
  },
  bin: {
    help: "A node program: .ts, .mts, .js, .mjs and .cjs run in virtual time, all others as " +
      "processes in real time; without it Eddy's own node runs, in virtual time",
    value: "FILE",
  },
  "real-time": { help: "Run a TypeScript or JavaScript program as processes, too" },
  "node-count": {
    help: "How many nodes, named n0, n1, ...; without any word on nodes five, n1 to n5",
    value: "N",
    ...integer(1, MAX.nodeCount),
  },
  nodes: {
    help: "The names of the nodes, comma separated",
    value: "NAMES",
    accepts: "names, comma separated",
    parse: (text: string) => text.split(",").map((name) => name.trim()),
  },
  node: { help: "The name of one node; may be repeated", value: "NAME", short: "n", many: true },
  "nodes-file": { help: "A file with the name of a node on each line", value: "FILE" },
  concurrency: {
    help: "Clients; 3n is three times the nodes (default 1n, lin-kv 2n)",
    value: "C",
    accepts: "a positive integer, or one followed by n",
    parse: (text: string) => /^[1-9]\d{0,5}n?$/.test(text) ? text as `${number}n` : undefined,
  },
  "time-limit": {
    help: "Seconds of operations",
    value: "S",
    ...number(0.001, MAX.timeLimitSeconds),
    default: 60,
  },
  rate: {
    help: "Operations a second over all clients",
    value: "R",
    ...number(0, MAX.rate),
    default: 5,
  },
  latency: {
    help: "Mean latency between nodes, in ms",
    value: "MS",
    ...number(0, MAX.latencyMs),
    default: 0,
  },
  "latency-dist": {
    help: "How latencies are distributed",
    value: "NAME",
    ...oneOf(DISTRIBUTIONS),
    default: "constant" as const,
  },
  compute: {
    help:
      "How long a node under virtual time takes over each message and timer, in ms: the mean, " +
      "and the standard deviation as a multiple of it (default 0.02 for programs, else 0)",
    value: "MEAN[,JITTER]",
    accepts: `a number from 0 to ${MAX.computeMs}, and after a comma one from 0 to 10`,
    parse: parseCompute,
  },
  nemesis: {
    help: `Faults, comma separated: ${NEMESES.join(", ")}`,
    value: "NAMES",
    accepts: `some of ${NEMESES.join(", ")}, comma separated`,
    words: NEMESES,
    parse: parseNemesis,
  },
  "nemesis-interval": {
    help: "Mean seconds between a fault's start and its end",
    value: "S",
    ...number(0.001, MAX.nemesisIntervalSeconds),
    default: 10,
  },
  topology: {
    help: "The topology that broadcast nodes are sent",
    value: "NAME",
    ...oneOf(TOPOLOGIES),
    default: "grid" as const,
  },
  availability: {
    help: "What share of operations must succeed",
    value: "A",
    accepts: "total, or a number from 0 to 1",
    parse: parseAvailability,
  },
  "fail-on-warning": { help: "Take a run with a warning for invalid" },
  "consistency-models": {
    help: "Consistency models to check transactions against, comma separated (default " +
      "strict-serializable)",
    value: "NAMES",
  },
  "key-count": {
    help: "Keys in use at a time (txn, kafka)",
    value: "N",
    ...integer(1, MAX.keyCount),
    default: 10,
  },
  "max-txn-length": {
    help: "Operations in a transaction",
    value: "N",
    ...integer(1, MAX.maxTxnLength),
    default: 4,
  },
  "max-writes-per-key": {
    help: "Writes before a key is retired (txn, kafka)",
    value: "N",
    ...integer(1, MAX.maxWritesPerKey),
    default: 16,
  },
  seed: {
    help: "Seed of all random choices (default: a random one)",
    value: "N",
    ...integer(0, MAX_SEED),
  },
  "strict-maelstrom": {
    help: "Mute a node that breaks the protocol, as Maelstrom does, instead of failing the run",
  },
  "maelstrom-bugs": { help: "Reproduce the bugs of Maelstrom's seq-kv, too" },
} satisfies Flags;

/** Flags of Maelstrom that have no meaning where nothing is reached by ssh. */
export const ignoredFlags = {
  "no-ssh": { help: "" },
  "strict-host-key-checking": { help: "" },
  "leave-db-running": { help: "" },
  "logging-json": { help: "" },
  username: { help: "", value: "USER" },
  password: { help: "", value: "PASS" },
  "ssh-private-key": { help: "", value: "FILE" },
} satisfies Flags;

/** A sentence about those of the ignored flags that were given, if any were. */
export function sayIgnored(given: Readonly<Record<string, unknown>>): string | undefined {
  const names = Object.keys(ignoredFlags).filter((name) => given[name] || given[name] === "");
  if (names.length === 0) return undefined;
  return `Ignored ${names.map((name) => `--${name}`).join(", ")}: there is no ssh here`;
}

/** The values of {@linkcode runFlags}. */
export type RunFlags = FlagValues<typeof runFlags>;

/**
 * The options of the run that a command line describes.
 *
 * @throws {UsageError} if it cannot be run.
 */
export function toRunOptions(flags: RunFlags, seed: number): RunOptions {
  const nodeIds = namedNodes(flags);
  const settings: RunSettings = {
    ...(nodeIds !== undefined && { nodeIds }),
    ...(flags["node-count"] !== undefined && { nodeCount: flags["node-count"] }),
    ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
    ...(flags.availability !== undefined && { availability: flags.availability }),
    ...(flags.compute !== undefined && {
      compute: { meanMs: flags.compute[0], jitter: flags.compute[1] },
    }),
    ...(flags["fail-on-warning"] && { failOnWarning: true }),
    timeLimitSeconds: flags["time-limit"],
    rate: flags.rate,
    latency: { meanMs: flags.latency, distribution: flags["latency-dist"] },
    nemesis: flags.nemesis ?? [],
    nemesisIntervalSeconds: flags["nemesis-interval"],
    topology: flags.topology,
    keyCount: flags["key-count"],
    maxTxnLength: flags["max-txn-length"],
    maxWritesPerKey: flags["max-writes-per-key"],
    strictMaelstrom: flags["strict-maelstrom"],
    maelstromBugs: flags["maelstrom-bugs"],
    seed,
  };
  try {
    const models = flags["consistency-models"];
    return defaultOptions(flags.workload, {
      ...settings,
      ...(models !== undefined && { consistencyModels: parseConsistencyModels(models) }),
    });
  } catch (error) {
    throw new UsageError(errorText(error), { cause: error });
  }
}

/** The nodes that are named; undefined if none is. A number of nodes takes precedence. */
function namedNodes({ nodes = [], node, "nodes-file": file }: RunFlags): string[] | undefined {
  const names = [...nodes, ...node, ...(file === undefined ? [] : readNames(file))];
  return names.length === 0 ? undefined : names;
}

function readNames(file: string): string[] {
  try {
    return Deno.readTextFileSync(file).split("\n").map((line) => line.trim()).filter(Boolean);
  } catch (cause) {
    throw new UsageError(`Cannot read --nodes-file ${file}: ${errorText(cause)}`, { cause });
  }
}

function parseCompute(text: string): [meanMs: number, jitter: number] | undefined {
  const [mean = "", jitter = "0", rest] = text.split(",");
  const parsed = [number(0, MAX.computeMs).parse(mean), number(0, 10).parse(jitter)] as const;
  if (parsed[0] === undefined || parsed[1] === undefined || rest !== undefined) return undefined;
  return [parsed[0], parsed[1]];
}

function parseNemesis(text: string): NemesisName[] | undefined {
  const names = text.split(",").map((name) => name.trim());
  const known = names.map((name) => NEMESES.find((nemesis) => nemesis === name));
  if (known.some((name) => name === undefined)) return undefined;
  return [...new Set(known.filter((name) => name !== undefined))];
}

function parseAvailability(text: string): "total" | number | undefined {
  if (text === "total") return text;
  return number(0, 1).parse(text);
}

/** The exit code for wrong arguments. */
export const BAD_ARGUMENTS = 254;

/** The exit code for a run that could not be completed, for another reason than a node. */
export const BROKEN = 255;

/** The exit code of a run: 0 valid, 1 invalid, 2 unknown, or {@linkcode BROKEN}. */
export function exitCodeOf(valid: Validity, broke?: RunBreak): number {
  if (broke !== undefined && !broke.byNode) return BROKEN;
  return valid === true ? 0 : valid === false ? 1 : 2;
}
