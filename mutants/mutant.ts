/**
 * Mutants, which have one fault each, and how nodes whose verdict is known are run.
 *
 * @module
 */

import type { WorkloadName } from "@eddy/handlers/workloads";
import type { Node } from "@eddy/maelstrom";

/** How a node is run; what is left out is as in {@linkcode DEFAULT_SETTINGS}. */
export interface Settings {
  /** How many nodes. */
  readonly nodeCount?: number;
  /** Worker threads; `3n` is three times the number of nodes. */
  readonly concurrency?: number | `${number}n`;
  /** Operations a second, over all clients. */
  readonly rate?: number;
  /** How long clients begin operations. */
  readonly timeLimitSeconds?: number;
  /** How long messages take between nodes. */
  readonly latency?: {
    /** The mean, in milliseconds. */
    readonly meanMs?: number;
    /** How it is distributed. */
    readonly distribution?: "constant" | "uniform" | "exponential";
  };
  /** Which faults are injected, by their names in the workbench. */
  readonly nemesis?: readonly string[];
  /** The mean time between a fault and its end. */
  readonly nemesisIntervalSeconds?: number;
  /** Which share of operations must succeed. */
  readonly availability?: "total" | number;
  /** The consistency models that transactions must fulfil. */
  readonly consistencyModels?: readonly string[];
  /** Keys in use at a time. */
  readonly keyCount?: number;
  /** Operations in a transaction at most. */
  readonly maxTxnLength?: number;
  /** Writes until a key is retired. */
  readonly maxWritesPerKey?: number;
}

/** A node whose verdict is known. */
export interface NodeUnderTest {
  /** Unique among the nodes of its workload: what it does, or what is wrong with it. */
  readonly name: string;
  /** What it serves. */
  readonly workload: WorkloadName;
  /** Registers its handlers. */
  readonly install: (node: Node) => void;
  /** The settings that it needs for its fault to show. */
  readonly needs?: Settings | undefined;
}

/** A node with one deliberate fault. */
export interface Mutant extends NodeUnderTest {
  /**
   * What a checker must find: the name of an anomaly, or a part of a protocol error or warning.
   */
  readonly anomaly: string;
}

/** A mutant whose fault shows in a rare case only. */
export interface RareMutant extends Mutant {
  /** The rule that it breaks. */
  readonly rule: string;
  /**
   * How many seeds it takes, about three times out of four, until its fault shows; undefined if no
   * run is known in which clients notice.
   */
  readonly seeds: number | undefined;
}

/** Stands for an anomaly where no run is known in which clients notice. */
export const NOT_SEEN = "nothing that clients see";

/** Short runs of small clusters, with enough going on at once for faults to show. */
export const DEFAULT_SETTINGS = {
  nodeCount: 3,
  concurrency: "2n",
  rate: 50,
  timeLimitSeconds: 4,
  nemesisIntervalSeconds: 1,
  latency: { meanMs: 4, distribution: "exponential" },
} as const satisfies Settings;

/** Long enough for a node to be killed more than once while clients send requests. */
export const KILLED = {
  nemesis: ["kill"],
  nemesisIntervalSeconds: 3,
  timeLimitSeconds: 20,
  concurrency: "4n",
} as const satisfies Settings;
