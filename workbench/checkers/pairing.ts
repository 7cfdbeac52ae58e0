/**
 * Invocations with their completions and their places, and warnings where a history is odd.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Op } from "../history.ts";
import { Warnings } from "./warnings.ts";
import { whoAndWhen } from "./wording.ts";

/** An operation's two ends, and where in the history they stand, whatever their `index` says. */
export interface PlacedPair {
  readonly invoke: Op;
  /** Absent when the history stops before it. */
  readonly completion?: Op;
  readonly invokedAt: number;
  /** Infinity when there is no completion. */
  readonly completedAt: number;
}

/** A pair that came back. */
export interface CompletedPair extends PlacedPair {
  readonly completion: Op;
}

/**
 * Pairs each client's invocation with its completion, in the order of invocation.
 *
 * A completion without an invocation is left out, an invocation while another is open leaves that
 * one without completion; both are warned of. The nemesis is left out, too.
 */
export function placedPairs(
  history: readonly Op[],
  warnings: Warnings = new Warnings(),
): PlacedPair[] {
  const all: { invoke: Op; completion?: Op; invokedAt: number; completedAt: number }[] = [];
  const open = new Map<Op["process"], number>();
  for (const [position, op] of history.entries()) {
    if (op.process === "nemesis") continue;
    const pair = all[open.get(op.process) ?? -1];
    if (op.type === "invoke") {
      if (pair !== undefined) warnings.add("Invocation while another is open", () => told(op));
      open.set(op.process, all.length);
      all.push({ invoke: op, invokedAt: position, completedAt: Infinity });
    } else if (pair === undefined) {
      warnings.add("Completion without an invocation", () => told(op));
    } else {
      pair.completion = op;
      pair.completedAt = position;
      open.delete(op.process);
    }
  }
  return all;
}

/** Whether a pair was acknowledged. */
export function isOk(pair: PlacedPair): pair is CompletedPair {
  return pair.completion?.type === "ok";
}

/** An operation's value, `null` where a history left it out. */
export function valueOf(op: Op): Json {
  return (op.value as Json | undefined) ?? null;
}

function told(op: Op): string {
  return `${op.f} by ${whoAndWhen(op)}`;
}
