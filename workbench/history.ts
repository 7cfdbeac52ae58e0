/**
 * What clients and the nemesis did and saw, in real order: the only thing a checker looks at.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";

/** How an operation stands: begun, happened, certainly did not happen, or nobody knows. */
export type OpType = "invoke" | "ok" | "fail" | "info";

/** One event of a history. Each process has at most one operation open at a time. */
export interface Op {
  /** Position in the history, from 0. */
  readonly index: number;
  /** Nanoseconds since the run began. */
  readonly time: number;
  /** Which end of an operation this is, and how it went. */
  readonly type: OpType;
  /** A client process, or the nemesis. */
  readonly process: number | "nemesis";
  /** What was done: `broadcast`, `read`, `cas`, `start-partition`, ... */
  readonly f: string;
  /** What it was done with, and on completion what came back, in Maelstrom's shapes. */
  readonly value: Json;
  /** Why it failed or is unknown. */
  readonly error?: OpError;
  /** Whether this belongs to the final phase of a counter's run, where reads must be exact. */
  readonly final?: boolean;
  /** The node that the process talks to; absent in histories that others wrote. */
  readonly node?: string;
}

/** An error reply, a timeout (code 0), or a reply that does not fit its schema (no code). */
export interface OpError {
  /** Maelstrom's error code; absent for a malformed reply. */
  readonly code?: number;
  /** What went wrong, for people. */
  readonly text: string;
}

/** What checkers say: false beats unknown beats true. */
export type Validity = true | false | "unknown";

/** One thing wrong, told so that a newcomer can follow it. */
export interface Finding {
  /** Maelstrom's name for it: `lost`, `G1a`, `poll-skip`, `nonlinearizable`, ... */
  readonly anomaly: string;
  /** One sentence naming the element, key or transaction, sentence case, no final period. */
  readonly what: string;
  /** The operations that show it, in the history's order; few. */
  readonly ops: readonly Op[];
}

/** A checker's verdict. Further keys are figures under Maelstrom's names (`attempt-count`, ...). */
export interface CheckResult {
  /** Whether the history is as it should be. */
  readonly "valid?": Validity;
  /** What is wrong, worst first; at most {@linkcode MAX_FINDINGS}. */
  readonly findings?: readonly Finding[];
  /** What Maelstrom would overlook and this workbench will not. */
  readonly warnings?: readonly string[];
  /** A figure. */
  readonly [figure: string]: unknown;
}

/** How many findings a result carries at most; counts tell the rest. */
export const MAX_FINDINGS = 8;

/** The worst of several verdicts. */
export function worst(verdicts: Iterable<Validity>): Validity {
  let all: Validity = true;
  for (const verdict of verdicts) {
    if (verdict === false) return false;
    if (verdict === "unknown") all = "unknown";
  }
  return all;
}
