/**
 * How long operations took.
 *
 * @module
 */

import { type Op, pairs } from "../history.ts";

/** A distribution in milliseconds, by quantile. */
export interface Quantiles {
  /** How many values there are; without any there are no quantiles. */
  readonly count: number;
  /** The median. */
  readonly p50?: number;
  /** 95 of 100 are below. */
  readonly p95?: number;
  /** 99 of 100 are below. */
  readonly p99?: number;
  /** The largest. */
  readonly max?: number;
}

/** How long the operations took that succeeded. */
export function operationLatencies(history: readonly Op[]): Quantiles {
  const latenciesMs: number[] = [];
  for (const { invoke, completion } of pairs(history)) {
    if (completion?.type === "ok") latenciesMs.push((completion.time - invoke.time) / 1e6);
  }
  return quantiles(latenciesMs);
}

/** Quantiles as Maelstrom picks them: of n sorted values the one at floor(n q). */
export function quantiles(values: readonly number[]): Quantiles {
  if (values.length === 0) return { count: 0 };
  const sorted = Float64Array.from(values).sort();
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
