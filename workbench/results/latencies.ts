/**
 * How long operations took.
 *
 * @module
 */

import type { Op } from "../history.ts";
import { quantile } from "../checkers/quantile.ts";
import { placedPairs } from "../checkers/pairing.ts";

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
  for (const { invoke, completion } of placedPairs(history)) {
    if (completion?.type === "ok") latenciesMs.push((completion.time - invoke.time) / 1e6);
  }
  return quantiles(latenciesMs);
}

/** The quantiles that a report tells, as Maelstrom picks them. */
export function quantiles(values: readonly number[]): Quantiles {
  if (values.length === 0) return { count: 0 };
  const sorted = Float64Array.from(values).sort();
  const at = (q: number) => quantile(sorted, q) ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
