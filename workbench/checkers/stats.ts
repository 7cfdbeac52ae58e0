/**
 * How many operations succeeded, by what they did.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { type CheckResult, type Finding, type Op, worst } from "../history.ts";
import {
  type CompletedPair,
  endsOf,
  listOf,
  type PlacedPair,
  placedPairs,
  plural,
  resultOf,
  show,
  valueOf,
  Warnings,
  whoAndWhen,
} from "./checker.ts";

/** Operations of kafka that never succeed, by design. */
const EXEMPT = new Set(["crash", "debug-topic-partitions"]);

/** How many of the operations that did not succeed a finding shows. */
const MAX_SHOWN = 4;

/** Fewer operations than this may all fail by bad luck: a `cas` of what is not there, say. */
const FEW = 20;

/** How operations ended. */
export interface EndCounts {
  /** How many completed. */
  readonly count: number;
  /** How many succeeded. */
  readonly okCount: number;
  /** How many certainly did not happen. */
  readonly failCount: number;
  /** How many may have happened. */
  readonly infoCount: number;
}

/** How operations ended, in all and for each `f`. */
export interface StatsResult extends CheckResult, EndCounts {
  /** The same for each `f`, and whether it succeeded at least once. */
  readonly byF: Readonly<Record<string, EndCounts & { readonly valid: boolean }>>;
}

/**
 * Counts completions, in all and for each `f`.
 *
 * Valid when every `f` that was completed at all succeeded at least once, kafka's `crash` and
 * `debug-topic-partitions` aside: a test whose every `cas` failed has not tested `cas`.
 */
export function checkStats(history: readonly Op[]): StatsResult {
  const warnings = new Warnings();
  const completed = placedPairs(history, warnings).filter((pair): pair is CompletedPair =>
    pair.completion !== undefined
  );
  const byF = Map.groupBy(completed, ({ invoke }) => invoke.f);
  const counts = [...byF]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([f, pairs]) => {
      const counts = countsOf(pairs);
      return [f, { valid: EXEMPT.has(f) || counts.okCount > 0, ...counts }] as const;
    });
  const findings = counts.flatMap(([f, count]) =>
    count.valid ? [] : [neverOk(f, count, byF.get(f) ?? [])]
  );
  const valid = worst(counts.map(([, count]) => count.valid));
  const figures = { ...countsOf(completed), byF: Object.fromEntries(counts) };
  return resultOf(valid, figures, findings, warnings);
}

function countsOf(pairs: readonly CompletedPair[]): EndCounts {
  let [ok, fail, info] = [0, 0, 0];
  for (const { completion: { type } } of pairs) {
    if (type === "ok") ok += 1;
    else if (type === "fail") fail += 1;
    else info += 1;
  }
  return { count: pairs.length, okCount: ok, failCount: fail, infoCount: info };
}

function neverOk(f: string, counts: EndCounts, pairs: readonly CompletedPair[]): Finding {
  const { count, failCount: failed, infoCount: unknown } = counts;
  const ends = [
    ...failed > 0 ? [`${failed} failed`] : [],
    ...unknown > 0 ? [`${unknown} ended with an unknown outcome`] : [],
  ];
  const hint = failed === count && count < FEW ? "; a longer run gives it more chances" : "";
  return {
    anomaly: "never-ok",
    what: `Not one ${f} succeeded: of ${plural(count, "operation")}, ${ends.join(" and ")}${hint}`,
    ops: endsOf(pairs.slice(0, MAX_SHOWN)),
  };
}

/** The share of operations that succeeded. */
export interface AvailabilityResult extends CheckResult {
  /** From 0 to 1; 1 when there are no operations. */
  readonly okFraction: number;
}

/**
 * Checks the share of invocations that succeeded, over the whole history.
 *
 * @param availability the least share, from 0 to 1, or `total` for all of them; nothing is asked
 * without it.
 */
export function checkAvailability(
  history: readonly Op[],
  availability?: "total" | number,
): AvailabilityResult {
  const pairs = placedPairs(history);
  const others = pairs.filter(({ completion }) => completion?.type !== "ok");
  const fraction = pairs.length === 0 ? 1 : (pairs.length - others.length) / pairs.length;
  const least = availability === "total" ? 1 : availability;
  const valid = least === undefined || fraction >= least;
  const findings = valid ? [] : [unavailable(pairs.length, others, fraction, least)];
  return resultOf(valid, { okFraction: fraction }, findings);
}

const CRASHES_COUNT = "kafka's clients crash on purpose, and that counts";

function unavailable(
  count: number,
  others: readonly PlacedPair[],
  fraction: number,
  least: number,
): Finding {
  return {
    anomaly: "unavailable",
    what: `${others.length} of ${plural(count, "operation")} did not succeed: ` +
      `${percent(fraction)} did, and ${percent(least)} had to` +
      (others.some(({ invoke }) => invoke.f === "crash") ? `; ${CRASHES_COUNT}` : ""),
    ops: endsOf(others.slice(0, MAX_SHOWN)),
  };
}

/** A share rounded down, so that what falls short of all never reads as 100 %. */
function percent(share: number): string {
  return `${Math.floor(share * 1e4) / 100} %`;
}

/** The malformed replies, by what was asked. */
export interface ExceptionsResult extends CheckResult {
  /** How many of each, and the first; absent when there are none. */
  readonly exceptions?:
    | readonly { readonly count: number; readonly class: string; readonly example: Op }[]
    | undefined;
}

/**
 * Lists malformed replies by what was asked, most frequent first.
 *
 * Always valid, as in Maelstrom, where such an operation just ends unknown; here each kind
 * is warned of besides. A malformed reply is an `info` whose error has no code.
 */
export function checkExceptions(history: readonly Op[]): ExceptionsResult {
  const byF = new Map<string, { count: number; example: Op }>();
  for (const op of history) {
    if (op.process === "nemesis" || op.type !== "info" || op.error === undefined) continue;
    if (op.error.code !== undefined) continue;
    const known = byF.get(op.f);
    if (known === undefined) byF.set(op.f, { count: 1, example: op });
    else known.count += 1;
  }
  if (byF.size === 0) return resultOf(true, {});
  const warnings = new Warnings();
  const exceptions = [...byF].sort(([, a], [, b]) => b.count - a.count)
    .map(([f, { count, example }]) => {
      warnings.add(
        `Malformed replies to ${f}, taken as unknown (${count} in all)`,
        () => `to ${whoAndWhen(example)}, ${example.error?.text ?? "no text"}`,
      );
      return { count, class: "malformed-rpc-response", example };
    });
  return resultOf(true, { exceptions }, [], warnings);
}

/** Whether a history has what its workload checks. */
export interface OperationsResult extends CheckResult {
  /** Whether no checker's verdict means anything. */
  readonly decisive: boolean;
}

/**
 * Checks that operations of the workload were acknowledged, and none of another.
 *
 * Every other checker finds nothing wrong with what it does not look at: without this the history
 * of another workload would be valid, and so would an empty one.
 *
 * @param workload its name, its operations with the values that they can have when they succeed,
 * and whether completions count that have no invocation
 */
export function checkOperations(
  history: readonly Op[],
  { name, operations, takesLoneCompletions = false }: {
    readonly name: string;
    readonly operations: Readonly<Record<string, (value: Json) => boolean>>;
    readonly takesLoneCompletions?: boolean | undefined;
  },
): OperationsResult {
  const ofClients = history.filter(({ process }) => process !== "nemesis");
  const completions = takesLoneCompletions
    ? ofClients.filter(({ type }) => type !== "invoke")
    : placedPairs(history).flatMap(({ completion }) => completion ?? []);
  const foreign = new Set<string>();
  let own = 0;
  for (const [f, ends] of Map.groupBy(ofClients, ({ f }) => f)) {
    const fit = Object.hasOwn(operations, f) ? operations[f] : undefined;
    const acknowledged = ends.filter(({ type }) => type === "ok");
    const fitting = acknowledged.filter((op) => fit?.(valueOf(op)) === true);
    own += fitting.length;
    if (fit === undefined) foreign.add(f);
    else if (acknowledged[0] !== undefined && fitting.length === 0) {
      foreign.add(`${f} with ${show(valueOf(acknowledged[0]))}`);
    }
  }
  const result = (what: string, decisive: boolean): OperationsResult =>
    resultOf("unknown", { decisive }, [{ anomaly: "nothing-tested", what, ops: [] }]);
  if (ofClients.length === 0) {
    return result("The history has no operations of clients, so nothing was tested", true);
  }
  if (foreign.size > 0) {
    return result(
      `The history is of another workload than ${name}, which has operations ` +
        `${listOf(Object.keys(operations))}: there is ${listOf([...foreign])}`,
      own === 0,
    );
  }
  if (completions.length === 0) {
    return result("No operation of the history was ever completed, so nothing was tested", true);
  }
  return resultOf(true, { decisive: false });
}
