/**
 * The options of a run, their defaults and their bounds.
 *
 * @module
 */

import { isClient } from "@eddy/maelstrom";
import { canonicalModel } from "./checkers/elle/consistency_model.ts";
import type { NemesisName } from "./nemesis.ts";
import { type Latency, SERVICES } from "./network.ts";
import type { WorkloadName } from "./workloads/mod.ts";

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
  /** Which faults are injected. */
  readonly nemesis: readonly NemesisName[];
  /** The mean time between a fault and its end. */
  readonly nemesisIntervalSeconds: number;
  /** How the nodes of broadcast are connected: what their `topology` message contains. */
  readonly topology: "line" | "grid" | "tree" | "tree2" | "tree3" | "tree4" | "total";
  /** What share of operations must succeed; absent for any. */
  readonly availability?: "total" | number;
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
 * @throws {Error} naming the option, if one is out of range.
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
  const { nodeCount, nodeIds: names, concurrency, latency, ...rest } = settings;
  const nodeIds = nodeCount === undefined
    ? names ?? DEFAULT_NODE_IDS
    : Array.from({ length: nodeCount }, (_, i) => `n${i}`);
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
    concurrency: threadCount(concurrency ?? (workload === "lin-kv" ? "2n" : "1n"), nodeIds.length),
    latency: { meanMs: 0, distribution: "constant", ...latency },
  };
  checkOptions(options);
  return options;
}

/**
 * The number of threads that `--concurrency` stands for.
 *
 * @param text a number; with an `n` behind it, that multiple of the number of nodes
 * @throws {RangeError} if it is neither.
 */
export function threadCount(text: string | number, nodeCount: number): number {
  const match = /^(\d+)(n?)$/.exec(String(text));
  if (match === null) {
    throw new RangeError(`Cannot run with concurrency ${text}: accepted are 6 and, say, 2n`);
  }
  const [, digits, perNode] = match;
  return Number(digits) * (perNode === "n" ? nodeCount : 1);
}

/**
 * Checks that every option is in range.
 *
 * @throws {RangeError} naming the option that is out of range.
 * @throws {Error} if a consistency model is unknown.
 */
function checkOptions(options: RunOptions): void {
  const { workload, nodeIds, concurrency } = options;
  const check = (name: string, value: number, ok: boolean, wanted: string) => {
    if (!ok) throw new RangeError(`Cannot run with ${name} ${value}: it must be ${wanted}`);
  };
  const positiveInteger = (name: string, value: number) =>
    check(name, value, Number.isSafeInteger(value) && value > 0, "a positive integer");
  const positive = (name: string, value: number) =>
    check(name, value, Number.isFinite(value) && value > 0, "a positive number");
  const notNegative = (name: string, value: number) =>
    check(name, value, Number.isFinite(value) && value >= 0, "a number of 0 or more");

  positiveInteger("node count", nodeIds.length);
  if (new Set(nodeIds).size < nodeIds.length) {
    throw new RangeError(`Cannot run nodes ${nodeIds.join(", ")}: a name occurs twice`);
  }
  for (const name of nodeIds) {
    const isFree = /^[\w.:-]{1,100}$/.test(name) && !isClient(name) &&
      !SERVICES.some((service) => service === name);
    if (isFree) continue;
    throw new RangeError(
      `Cannot run a node named ${JSON.stringify(name)}: a name has up to 100 letters, digits and ` +
        "_ . : -, and is no client's (c1) and no service's (lin-kv)",
    );
  }
  positiveInteger("concurrency", concurrency);
  notNegative("rate", options.rate);
  positive("time limit", options.timeLimitSeconds);
  notNegative("latency", options.latency.meanMs);
  positive("nemesis interval", options.nemesisIntervalSeconds);
  positiveInteger("key count", options.keyCount);
  positiveInteger("max txn length", options.maxTxnLength);
  positiveInteger("max writes per key", options.maxWritesPerKey);
  const { availability } = options;
  if (typeof availability === "number") {
    check("availability", availability, availability >= 0 && availability <= 1, "from 0 to 1");
  }
  options.consistencyModels.forEach(canonicalModel);
  const group = 2 * nodeIds.length;
  if (workload === "lin-kv") {
    check("concurrency", concurrency, concurrency % group === 0, `a multiple of ${group} (2n)`);
  }
}
