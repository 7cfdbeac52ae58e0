/**
 * The options of a run, their defaults and their bounds.
 *
 * @module
 */

import { canonicalModel } from "./checkers/elle/consistency_model.ts";
import { errorText, isClient } from "@eddy/maelstrom";
import type { Compute } from "./in_process.ts";
import { needsDisk, NEMESES, type NemesisName } from "./nemesis.ts";
import type { Latency } from "./links.ts";
import { SERVICES } from "./network.ts";
import { type WorkloadName, WORKLOADS } from "./workloads/mod.ts";

/** The topologies of broadcast. */
export const TOPOLOGIES: readonly RunOptions["topology"][] = [
  "line",
  "grid",
  "tree",
  "tree2",
  "tree3",
  "tree4",
  "total",
];

/** The distributions of latencies. */
export const DISTRIBUTIONS = ["constant", "uniform", "exponential", "uneven"] as const;

/** The largest value of each number, beyond which a run would not end or not fit in memory. */
export const MAX = {
  nodeCount: 1000,
  concurrency: 100_000,
  rate: 1_000_000,
  timeLimitSeconds: 1_000_000,
  latencyMs: 1_000_000,
  computeMs: 1_000_000,
  nemesisIntervalSeconds: 1_000_000,
  keyCount: 1000,
  maxTxnLength: 1000,
  maxWritesPerKey: 1_000_000_000,
  runTimeoutSeconds: 1_000_000,
} as const;

/** All options of a run: Maelstrom's flags, and this workbench's own. */
export interface RunOptions {
  /** What clients do. */
  readonly workload: WorkloadName;
  /** The names of the nodes: `n0`, `n1`, ... */
  readonly nodeIds: readonly string[];
  /** Worker threads. */
  readonly concurrency: number;
  /** Operations a second, over all clients. */
  readonly rate: number;
  /** How long clients begin operations. */
  readonly timeLimitSeconds: number;
  /** How long messages take between nodes. */
  readonly latency: Latency;
  /**
   * How long nodes under virtual time take over each message and timer.
   *
   * @default no time for Eddy's own nodes, 0.02 ms for programs
   */
  readonly compute?: Compute;
  /** Which faults are injected. */
  readonly nemesis: readonly NemesisName[];
  /**
   * Whether nodes under virtual time have a simulated disk each, which outlives them.
   *
   * @default with a fault that kills nodes or is one of disks
   */
  readonly disk?: boolean;
  /** The mean time between a fault and its end. */
  readonly nemesisIntervalSeconds: number;
  /**
   * Whether all faults end at the time limit, and clients go on for {@linkcode HEALED_SECONDS}, in
   * whose second half every operation must be answered.
   *
   * @default false
   */
  readonly heal?: boolean;
  /**
   * Whether the run ends at the first violation that nothing later can undo, where its workload has
   * such.
   *
   * @default false
   */
  readonly failFast?: boolean;
  /** How the nodes of broadcast are connected: what their `topology` message contains. */
  readonly topology: "line" | "grid" | "tree" | "tree2" | "tree3" | "tree4" | "total";
  /** What share of operations must succeed; absent for any. */
  readonly availability?: "total" | number;
  /** Whether a warning makes the run invalid. */
  readonly failOnWarning?: boolean;
  /** What transactions must fulfil. */
  readonly consistencyModels: readonly string[];
  /** Keys in use at a time, for transactions and kafka. */
  readonly keyCount: number;
  /** Operations in a transaction at most. */
  readonly maxTxnLength: number;
  /** Writes until a key is retired. */
  readonly maxWritesPerKey: number;
  /**
   * Which free thread is next: the one whose turn it is, as in Jepsen from 0.3 on, or any, as
   * before.
   *
   * @default "round-robin"
   */
  readonly threadOrder?: "round-robin" | "random";
  /**
   * Whether every group of threads of lin-kv reads its key, or the first one alone, as in Maelstrom.
   *
   * @default false
   */
  readonly everyGroupReads?: boolean;
  /** Seeds all random numbers of a run. */
  readonly seed: number;
  /** Mute a node that breaks the protocol, as Maelstrom does, rather than fail the run. */
  readonly strictMaelstrom: boolean;
  /** Reproduce the bugs of Maelstrom's services, too. */
  readonly maelstromBugs: boolean;
}

/** The options of a run that differ from the defaults. */
export interface RunSettings
  extends Partial<Omit<RunOptions, "workload" | "nodeIds" | "concurrency" | "latency">> {
  /**
   * How many nodes to run, named `n0`, `n1`, ...; takes precedence over
   * {@linkcode RunSettings.nodeIds}.
   */
  readonly nodeCount?: number;
  /**
   * The names of the nodes, if {@linkcode RunSettings.nodeCount} is absent.
   *
   * @default `n1` to `n5`
   */
  readonly nodeIds?: readonly string[];
  /**
   * Worker threads; `3n` is three times the number of nodes.
   *
   * @default `1n`, and `2n` for lin-kv, which works with multiples of that only
   */
  readonly concurrency?: number | `${number}n`;
  /** How long messages take between nodes; no time by default. */
  readonly latency?: Partial<Latency>;
}

/** The names of the nodes when no number is given, as in Maelstrom. */
const DEFAULT_NODE_IDS: readonly string[] = ["n1", "n2", "n3", "n4", "n5"];

/**
 * All options of a run, with Maelstrom's defaults for those that are absent.
 *
 * @throws {RangeError} naming the option and its value, if one is unknown or out of range.
 *
 * @example
 * ```ts
 * import { defaultOptions } from "./options.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { nodeIds, concurrency, rate } = defaultOptions("lin-kv", { nodeCount: 3 });
 * assertEquals([nodeIds, concurrency, rate], [["n0", "n1", "n2"], 6, 5]);
 * ```
 */
export function defaultOptions(workload: WorkloadName, settings: RunSettings = {}): RunOptions {
  const {
    nodeCount,
    nodeIds: names = DEFAULT_NODE_IDS,
    concurrency = workload === "lin-kv" ? "2n" : "1n",
    latency = {},
    ...rest
  } = given(settings);
  if (nodeCount !== undefined) checkValue(NODE_COUNT, nodeCount);
  const nodeIds = nodeCount === undefined
    ? names
    : Array.from({ length: nodeCount }, (_, i) => `n${i}`);
  checkValue(rules.nodeIds, nodeIds);
  checkValue(LATENCY, latency);
  const options: RunOptions = {
    rate: 5,
    timeLimitSeconds: 60,
    nemesis: [],
    nemesisIntervalSeconds: 10,
    topology: "grid",
    consistencyModels: ["strict-serializable"],
    keyCount: 10,
    maxTxnLength: 4,
    maxWritesPerKey: 16,
    seed: 1,
    strictMaelstrom: false,
    maelstromBugs: false,
    ...rest,
    workload,
    nodeIds,
    concurrency: threadCount(concurrency, nodeIds.length),
    latency: { meanMs: 0, distribution: "constant", ...given(latency) },
  };
  checkOptions(options);
  return options;
}

/** How long clients go on after the time limit where all faults end with it. */
export const HEALED_SECONDS = 10;

/** How long clients begin operations, in ms. */
export function mainPhaseMs({ timeLimitSeconds, heal }: RunOptions): number {
  return 1000 * (timeLimitSeconds + (heal ? HEALED_SECONDS : 0));
}

/** Why processes have no simulated disks. */
export const OWN_DISK =
  "processes have the machine's disk, which stays as it is when they are killed";

/** Why processes have no faults of clocks. */
const OWN_CLOCK = "processes go by the machine's clock, which no fault of a run may change";

/** Why processes cannot have a fault; undefined if they can. */
export function whyNotForProcesses(fault: NemesisName): string | undefined {
  if (needsDisk(fault)) return OWN_DISK;
  return fault === "clock" ? OWN_CLOCK : undefined;
}

/** Whether nodes under virtual time have disks, with the faults of a run. */
export function hasDisks({ disk }: RunOptions, faults: readonly NemesisName[]): boolean {
  return disk ?? faults.some((fault) => fault === "kill" || needsDisk(fault));
}

/** What is not undefined. */
function given<T extends object>(settings: T): T {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as T;
}

/**
 * The number of threads that `--concurrency` stands for.
 *
 * @param text a number; with an `n` behind it, that multiple of the number of nodes
 * @throws {RangeError} if it is neither.
 */
export function threadCount(text: string | number, nodeCount: number): number {
  const isText = typeof text === "string" || typeof text === "number";
  const match = isText ? /^(\d+)(n?)$/.exec(String(text)) : null;
  if (match === null) {
    const value = typeof text === "string" ? text : show(text);
    throw new RangeError(`Cannot run with concurrency ${value}: accepted are 6 and, say, 2n`);
  }
  const [, digits, perNode] = match;
  return Number(digits) * (perNode === "n" ? nodeCount : 1);
}

/** What an option must be. */
interface Rule {
  /** The option's name, in words. */
  readonly name: string;
  /** What is accepted: `it must be ...`. */
  readonly accepts: string;
  readonly ok: (value: unknown) => boolean;
}

function number(name: string, min: number, max: number): Rule {
  const what = min > 0 ? `a positive number up to ${max}` : `a number from ${min} to ${max}`;
  const ok = (value: unknown) => typeof value === "number" && value >= min && value <= max;
  return { name, accepts: `it must be ${what}`, ok };
}

function count(name: string, max: number): Rule {
  const ok = (value: unknown) =>
    Number.isInteger(value) && Number(value) > 0 && Number(value) <= max;
  return { name, accepts: `it must be an integer from 1 to ${max}`, ok };
}

function oneOf(name: string, words: readonly unknown[]): Rule {
  const ok = (value: unknown) => words.includes(value);
  return { name, accepts: `it must be one of ${words.join(", ")}`, ok };
}

function list(name: string, accepts: string, ok: (item: unknown) => boolean): Rule {
  return { name, accepts, ok: (value) => Array.isArray(value) && value.every(ok) };
}

const COMPUTE: Rule = {
  name: "compute",
  accepts:
    `it must be { meanMs, jitter }: a number from 0 to ${MAX.computeMs}, and one from 0 to 10`,
  ok: (value) =>
    typeof value === "object" && value !== null && Object.keys(value).length === 2 &&
    "meanMs" in value && number("", 0, MAX.computeMs).ok(value.meanMs) &&
    "jitter" in value && number("", 0, 10).ok(value.jitter),
};

const NODE_COUNT = count("node count", MAX.nodeCount);

const LATENCY: Rule = {
  name: "latency",
  accepts: "accepted are meanMs, distribution",
  ok: (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.keys(value).every((key) => ["meanMs", "distribution"].includes(key)),
};

/** Node names: as the network has them, and no client's or service's. */
const NODE_IDS: Rule = {
  name: "node names",
  accepts: `they must be 1 to ${MAX.nodeCount} different names without characters that JSON ` +
    "escapes, and not those of clients (c0) or services",
  ok: (value) =>
    Array.isArray(value) && value.length > 0 && value.length <= MAX.nodeCount &&
    new Set(value).size === value.length && value.every(isNodeName),
};

function isNodeName(name: unknown): boolean {
  return typeof name === "string" && name !== "" && JSON.stringify(name) === `"${name}"` &&
    !isClient(name) && !SERVICES.some((service) => service === name);
}

/** The rule of every option, but for latency, which has two. */
const rules: Readonly<Record<Exclude<keyof RunOptions, "latency">, Rule>> = {
  workload: oneOf("workload", WORKLOADS),
  nodeIds: NODE_IDS,
  concurrency: count("concurrency", MAX.concurrency),
  rate: number("rate", 0, MAX.rate),
  timeLimitSeconds: number("time limit", Number.MIN_VALUE, MAX.timeLimitSeconds),
  compute: COMPUTE,
  nemesis: list(
    "nemesis",
    `it must be a list of some of ${NEMESES.join(", ")}`,
    (name) => NEMESES.some((known) => known === name),
  ),
  disk: oneOf("disk", [true, false]),
  heal: oneOf("heal", [true, false]),
  failFast: oneOf("failFast", [true, false]),
  nemesisIntervalSeconds: number(
    "nemesis interval",
    Number.MIN_VALUE,
    MAX.nemesisIntervalSeconds,
  ),
  topology: oneOf("topology", TOPOLOGIES),
  availability: {
    name: "availability",
    accepts: 'it must be "total", or a number from 0 to 1',
    ok: (value) => value === "total" || number("", 0, 1).ok(value),
  },
  consistencyModels: list(
    "consistency models",
    "they must be a list of names",
    (name) => typeof name === "string",
  ),
  keyCount: count("key count", MAX.keyCount),
  maxTxnLength: count("max txn length", MAX.maxTxnLength),
  maxWritesPerKey: count("max writes per key", MAX.maxWritesPerKey),
  threadOrder: oneOf("thread order", ["round-robin", "random"]),
  everyGroupReads: oneOf("everyGroupReads", [true, false]),
  seed: { name: "seed", accepts: "it must be an integer", ok: Number.isSafeInteger },
  strictMaelstrom: oneOf("strictMaelstrom", [true, false]),
  maelstromBugs: oneOf("maelstromBugs", [true, false]),
  failOnWarning: oneOf("failOnWarning", [true, false]),
};

/** The options that may be absent. */
const OPTIONAL: ReadonlySet<string> = new Set([
  "availability",
  "compute",
  "disk",
  "threadOrder",
  "everyGroupReads",
  "failOnWarning",
  "heal",
  "failFast",
]);

const MEAN = number("latency", 0, MAX.latencyMs);

const DISTRIBUTION = oneOf("latency distribution", DISTRIBUTIONS);

/** Checks one option. */
function checkValue({ name, accepts, ok }: Rule, value: unknown): void {
  if (!ok(value)) throw new RangeError(`Cannot run with ${name} ${show(value)}: ${accepts}`);
}

/**
 * Checks something that a run is given beside its options, if it is given.
 *
 * @param what what it must be, for the error
 * @throws {RangeError} naming it, if it is not that.
 */
export function checkGiven(name: string, value: unknown, what: string, ok: boolean): void {
  if (value !== undefined) checkValue({ name, accepts: `it must be ${what}`, ok: () => ok }, value);
}

/** How long a value is quoted. */
const MAX_SHOWN = 60;

/** A value of any kind, for an error. */
function show(value: unknown): string {
  const plain = typeof value === "object" || typeof value === "string";
  const text = (plain ? JSON.stringify(value) : String(value)).replaceAll(/\s+/g, " ");
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}...`;
}

/**
 * Checks that every option is known and in range.
 *
 * @throws {RangeError} naming the option and its value, if one is not.
 */
export function checkOptions(options: RunOptions): void {
  const { latency, ...others } = options;
  for (const name of Object.keys(others)) {
    if (Object.hasOwn(rules, name)) continue;
    const accepted = ["nodeCount", ...Object.keys(rules), "latency"].join(", ");
    throw new RangeError(`Cannot run with an option ${name}: accepted are ${accepted}`);
  }
  for (const [name, rule] of Object.entries(rules)) {
    const value = others[name as keyof typeof others];
    if (value !== undefined || !OPTIONAL.has(name)) checkValue(rule, value);
  }
  checkValue(MEAN, latency.meanMs);
  checkValue(DISTRIBUTION, latency.distribution);
  try {
    options.consistencyModels.forEach(canonicalModel);
  } catch (error) {
    throw new RangeError(errorText(error), { cause: error });
  }
  const { workload, nodeIds, concurrency, nemesis, disk } = options;
  const needing = nemesis.find(needsDisk);
  if (disk === false && needing !== undefined) {
    throw new RangeError(`Cannot run with nemesis ${needing} and no disk: it is a fault of disks`);
  }
  const group = 2 * nodeIds.length;
  if (workload === "lin-kv" && concurrency % group !== 0) {
    const name = "concurrency";
    checkValue(
      { name, accepts: `it must be a multiple of ${group} (2n)`, ok: () => false },
      concurrency,
    );
  }
}
