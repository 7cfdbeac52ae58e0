/**
 * How the parts of a run see each other: the network, the cluster on it, and what a run is told.
 *
 * @module
 */

import type { Clock, JsonObject, Random } from "@eddy/maelstrom";

/** The ten workloads. */
export const WORKLOADS = [
  "broadcast",
  "echo",
  "g-counter",
  "g-set",
  "kafka",
  "lin-kv",
  "pn-counter",
  "txn-list-append",
  "txn-rw-register",
  "unique-ids",
] as const;

/** One of Maelstrom's workloads. */
export type WorkloadName = typeof WORKLOADS[number];

/** The faults that a nemesis can be made of. */
export const NEMESES = [
  "partition",
  "kill",
  "pause",
  "one-way",
  "loss",
  "duplicate",
  "slow",
] as const;

/** A kind of fault. */
export type NemesisName = typeof NEMESES[number];

/** A message on the network. */
export interface Envelope {
  /** The network's own number for it, from 0 up. */
  readonly id: number;
  /** Who sent it. */
  readonly src: string;
  /** Whom it is for. */
  readonly dest: string;
  /** What it says. */
  readonly body: JsonObject;
}

/** What endpoints need of the network. */
export interface Network {
  /**
   * Registers an endpoint, to which messages are delivered one at a time.
   *
   * @throws {Error} if the name is taken.
   */
  open(name: string, deliver: (message: Envelope) => void): void;
  /** Takes an endpoint away, with what is still queued for it. */
  close(name: string): void;
  /** Whether an endpoint of that name is open. */
  has(name: string): boolean;
  /**
   * Sends a message.
   *
   * @throws {RangeError} if source or destination is no open endpoint.
   */
  send(message: { src: string; dest: string; body: JsonObject }): void;
}

/** How long messages take between nodes. */
export interface Latency {
  /** The mean, in milliseconds. */
  readonly meanMs: number;
  /** How single draws spread around it. */
  readonly distribution: "constant" | "uniform" | "exponential";
}

/** What a run is told: Maelstrom's flags, and ours. */
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
  /** Which neighbours broadcast nodes are told of. */
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
  /** Decides every draw of a run under virtual time. */
  readonly seed: number;
  /** Behave like Maelstrom where this workbench mends it: mute a node that breaks the protocol. */
  readonly strictMaelstrom: boolean;
  /** Reproduce the bugs of Maelstrom's services, too. */
  readonly maelstromBugs: boolean;
}

/** Time, chance and the network, as the parts of a run see them. */
export interface World {
  readonly clock: Clock;
  /** A source of its own for every part, so that one part's draws do not shift another's. */
  random(part: string): Random;
  readonly network: Network;
}
