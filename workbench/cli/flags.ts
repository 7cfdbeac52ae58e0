/**
 * The flags of a run, with Maelstrom's names and defaults and a few of our own.
 *
 * @module
 */

import { commonFlags } from "@eddy/handlers";
import { findWorkload } from "@eddy/handlers/workloads";
import { errorText } from "@eddy/maelstrom";
import { parseConsistencyModels } from "../checkers/elle/consistency_model.ts";
import {
  describeFlags,
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
  HEALED_SECONDS,
  MAX,
  OWN_DISK,
  type RunOptions,
  type RunSettings,
  TOPOLOGIES,
  whyNotForProcesses,
} from "../options.ts";
import { needsDisk, NEMESES, type NemesisName } from "../nemesis.ts";
import { type ScheduleName, SCHEDULES } from "../schedules.ts";
import { WORKLOADS } from "../workloads/mod.ts";

export { BAD_ARGUMENTS, BROKEN, exitCodeOf } from "./exit_codes.ts";

/** The largest seed of a command line; a series counts up from there. */
export const MAX_SEED = 10 ** 15 - 1;

/** What a flag for a seed accepts. */
export const seedValue = {
  ...integer(0, MAX_SEED),
  accepts: `an integer from 0 to ${MAX_SEED}`,
};

/**
 * Refuses a series of runs whose seeds would not all be accepted again, one at a time.
 *
 * @throws {UsageError} naming the last seed.
 */
export function checkSeeds(first: number, runs: number): void {
  const last = first + runs - 1;
  if (last <= MAX_SEED) return;
  throw new UsageError(
    `Cannot do ${runs} runs from seed ${first}: the last seed would be ${last}, and the largest is ` +
      MAX_SEED,
  );
}

/** How many runs one command does at most. */
export const MAX_RUNS = 100_000;

/** What asks for no faults, where there are some by default. */
const NO_FAULTS = "none";

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
    help:
      "A node program: .ts, .mts, .js, .mjs, .cjs and .wasm run in virtual time, all others as " +
      "processes in real time; without it Eddy's own node runs, in virtual time",
    value: "FILE",
  },
  "real-time": { help: "Run a TypeScript or JavaScript program as processes, too" },
  "node-count": {
    help: "How many nodes, named n0, n1, ... (default: five nodes, n1 to n5)",
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
    help: `Faults, comma separated: ${NEMESES.join(", ")}; or one of ${SCHEDULES.join(", ")}, ` +
      `which are drawn for each seed (docs/search.md); or ${NO_FAULTS}`,
    value: "NAMES",
    accepts: `some of ${NEMESES.join(", ")}, comma separated, or one of ` +
      [...SCHEDULES, NO_FAULTS].join(", "),
    words: [...NEMESES, ...SCHEDULES, NO_FAULTS],
    parse: parseNemesis,
  },
  disk: {
    help: "Give each node under virtual time a simulated disk (default with kill and disk faults)",
  },
  "no-disk": { help: "Give them none, although they are killed" },
  "nemesis-interval": {
    help: "Mean seconds between a fault's start and its end",
    value: "S",
    ...number(0.001, MAX.nemesisIntervalSeconds),
    default: 10,
  },
  heal: {
    help: `End all faults at the time limit, and go on for ${HEALED_SECONDS} s: in their second ` +
      "half every operation must be answered",
  },
  "fail-fast": {
    help: "End a run at the first violation that nothing later can undo, where there is such",
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
  "fail-on-warning": { help: "A run with a warning is invalid" },
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
  "every-group-reads": {
    help: "lin-kv: each group of threads reads its key, not the first group alone",
  },
  seed: {
    help: "Seed of all random choices (default: a random one)",
    value: "N",
    ...seedValue,
  },
  "run-timeout": {
    help: "Break a run off after so many seconds of real time; it is unknown, and kept",
    value: "S",
    ...number(0.001, MAX.runTimeoutSeconds),
  },
  "strict-maelstrom": {
    help: "Mute a node that breaks the protocol, as Maelstrom does, instead of failing the run",
  },
  "maelstrom-bugs": { help: "Reproduce the bugs of Maelstrom's seq-kv, too" },
} satisfies Flags;

/** What follows `--` where a program runs. */
export const OF_PROGRAM = "the program's own";

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

/** The flags that name nodes. */
const NAMING = ["nodes", "node", "nodes-file"] as const;

/** A sentence for each reason why some of the flags that were given have no effect. */
export function sayIgnored(given: Readonly<Record<string, unknown>>): string[] {
  const counted = given["node-count"] !== undefined;
  const reasons: [names: readonly string[], why: string][] = [
    [Object.keys(ignoredFlags), "there is no ssh here"],
    [counted ? NAMING : [], "--node-count takes precedence"],
    [given.workload === "lin-kv" ? [] : ["every-group-reads"], "only lin-kv has groups"],
  ];
  return reasons.flatMap(([names, why]) => {
    const ignored = names.filter((name) => isGiven(given[name])).map((name) => `--${name}`);
    return ignored.length === 0 ? [] : [`Ignored ${ignored.join(", ")}: ${why}`];
  });
}

/**
 * Refuses to vary the number of nodes beside their names, and the names beside the number: all rows
 * would be the same, or none would be what a flag asks for.
 */
export function checkVaried(varied: string, given: Readonly<Record<string, unknown>>): void {
  const rivals: readonly string[] = varied === "node-count"
    ? NAMING
    : NAMING.some((name) => name === varied)
    ? ["node-count"]
    : [];
  const rival = rivals.find((name) => isGiven(given[name]));
  if (rival === undefined) return;
  throw new UsageError(
    `Cannot vary ${varied} beside --${rival}: a number of nodes takes precedence over names`,
  );
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

/** The values of {@linkcode runFlags}. */
export type RunFlags = FlagValues<typeof runFlags>;

/** The kinds of faults that are named; none if a schedule is. */
function kindsOf({ nemesis = [] }: Pick<RunFlags, "nemesis">): readonly NemesisName[] {
  return typeof nemesis === "string" ? [] : nemesis;
}

/**
 * The options of the run that a command line describes.
 *
 * @param drawn what a schedule has drawn in place of flags
 * @throws {UsageError} if it cannot be run.
 */
export function toRunOptions(
  flags: RunFlags,
  seed: number,
  drawn: RunSettings = {},
): RunOptions {
  checkDisk(flags);
  const nodeIds = namedNodes(flags);
  const settings: RunSettings = {
    ...(nodeIds !== undefined && { nodeIds }),
    ...(flags["node-count"] !== undefined && { nodeCount: flags["node-count"] }),
    ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
    ...(flags.availability !== undefined && { availability: flags.availability }),
    ...(flags.compute !== undefined && {
      compute: { meanMs: flags.compute[0], jitter: flags.compute[1] },
    }),
    ...(flags.disk && { disk: true }),
    ...(flags["no-disk"] && { disk: false }),
    ...(flags.heal && { heal: true }),
    ...(flags["fail-fast"] && { failFast: true }),
    ...(flags["fail-on-warning"] && { failOnWarning: true }),
    ...(flags["every-group-reads"] && { everyGroupReads: true }),
    timeLimitSeconds: flags["time-limit"],
    rate: flags.rate,
    latency: { meanMs: flags.latency, distribution: flags["latency-dist"] },
    nemesis: kindsOf(flags),
    nemesisIntervalSeconds: flags["nemesis-interval"],
    topology: flags.topology,
    keyCount: flags["key-count"],
    maxTxnLength: flags["max-txn-length"],
    maxWritesPerKey: flags["max-writes-per-key"],
    strictMaelstrom: flags["strict-maelstrom"],
    maelstromBugs: flags["maelstrom-bugs"],
    seed,
    ...drawn,
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

/**
 * Refuses simulated disks and their faults where nothing can have them.
 *
 * @throws {UsageError} naming the flag.
 */
function checkDisk(flags: RunFlags): void {
  const fault = kindsOf(flags).find(needsDisk);
  if (flags["no-disk"] && (flags.disk || fault !== undefined)) {
    const rival = flags.disk ? "--disk" : `--nemesis ${fault}`;
    throw new UsageError(`Cannot use --no-disk beside ${rival}, which needs disks`);
  }
}

/**
 * Refuses what only nodes under virtual time can have: simulated disks, and faults of disks and clocks.
 *
 * @throws {UsageError} naming the flag.
 */
export function refuseSimulated(bin: string, flags: RunFlags): void {
  for (const fault of kindsOf(flags)) {
    const why = whyNotForProcesses(fault);
    if (why !== undefined) throw new UsageError(`Cannot use --nemesis ${fault} for ${bin}: ${why}`);
  }
  if (flags.disk) throw new UsageError(`Cannot use --disk for ${bin}: ${OWN_DISK}`);
}

/**
 * Refuses options that Eddy's own node does not have, or that would keep it from running.
 *
 * @throws {UsageError} with the options that it has.
 */
export async function checkOwnOptions(workload: string, args: readonly string[]): Promise<void> {
  const { flags, configure } = await findWorkload(workload);
  const answered = ["-h", ...Object.keys(commonFlags).map((name) => `--${name}`)];
  const asked = args.find((arg) => answered.includes(arg));
  if (asked === undefined) return void configure(args);
  const list = describeFlags(flags);
  throw new UsageError(
    `Cannot run with ${asked}: ` +
      (list === ""
        ? `Eddy's own node has no options for ${workload}`
        : `the options of Eddy's own node for ${workload} are\n${list}`),
  );
}

/** Why a node that is no program cannot have `--real-time`. */
export function noRealTime(what = "Eddy's own node"): UsageError {
  return new UsageError(`Cannot use --real-time for ${what}: it runs in virtual time`);
}

/** The nodes that are named; undefined if none is. A number of nodes takes precedence. */
function namedNodes({ nodes = [], node, "nodes-file": file }: RunFlags): string[] | undefined {
  const names = [...nodes, ...node, ...(file === undefined ? [] : readNames(file))];
  return names.length === 0 ? undefined : names;
}

function readNames(file: string): string[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (cause) {
    throw new UsageError(`Cannot read --nodes-file ${file}: ${errorText(cause)}`, { cause });
  }
  const names = text.split("\n").map((line) => line.trim()).filter(Boolean);
  if (names.length === 0) throw new UsageError(`Cannot use --nodes-file ${file}: it names no node`);
  return names;
}

function parseCompute(text: string): [meanMs: number, jitter: number] | undefined {
  const [mean = "", jitter = "0", rest] = text.split(",");
  const parsed = [number(0, MAX.computeMs).parse(mean), number(0, 10).parse(jitter)] as const;
  if (parsed[0] === undefined || parsed[1] === undefined || rest !== undefined) return undefined;
  return [parsed[0], parsed[1]];
}

function parseNemesis(text: string): NemesisName[] | ScheduleName | undefined {
  const schedule = SCHEDULES.find((name) => name === text.trim());
  if (schedule !== undefined) return schedule;
  if (text.trim() === NO_FAULTS) return [];
  const names = text.split(",").map((name) => name.trim());
  const known = names.map((name) => NEMESES.find((nemesis) => nemesis === name));
  if (known.some((name) => name === undefined)) return undefined;
  return [...new Set(known.filter((name) => name !== undefined))];
}

function parseAvailability(text: string): "total" | number | undefined {
  if (text === "total") return text;
  return number(0, 1).parse(text);
}
