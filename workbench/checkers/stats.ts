/**
 * How many operations succeeded, by what they did.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import {
  type CheckResult,
  type Finding,
  type History,
  type Op,
  type OpType,
  worst,
} from "../history.ts";
import { readerOf } from "../op_reader.ts";
import {
  endsOf,
  listOf,
  Pairs,
  type PlacedPair,
  plural,
  resultOf,
  show,
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
export function checkStats(history: History): StatsResult {
  const warnings = new Warnings();
  const pairs = new Pairs(history, warnings);
  const all = new Ends();
  const byF = new Map<string, Ends>();
  for (let number = 0; number < pairs.length; number++) {
    const type = pairs.endOf(number);
    if (type === undefined) continue;
    const f = pairs.fOf(number);
    let ends = byF.get(f);
    if (ends === undefined) byF.set(f, ends = new Ends());
    all.add(type, number);
    ends.add(type, number);
  }
  const counts = [...byF]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([f, ends]) => [f, { valid: EXEMPT.has(f) || ends.ok > 0, ...ends.counts() }] as const);
  const findings = counts.flatMap(([f, count]) => {
    const first = byF.get(f)?.first ?? [];
    return count.valid ? [] : [neverOk(f, count, first.map((number) => pairs.at(number)))];
  });
  const valid = worst(counts.map(([, count]) => count.valid));
  const figures = { ...all.counts(), byF: Object.fromEntries(counts) };
  return resultOf(valid, figures, findings, warnings);
}

/** How some operations ended, and the first of them. */
class Ends {
  ok = 0;
  #fail = 0;
  #info = 0;
  readonly first: number[] = [];

  add(type: OpType, number: number): void {
    if (type === "ok") this.ok++;
    else if (type === "fail") this.#fail++;
    else this.#info++;
    if (this.first.length < MAX_SHOWN) this.first.push(number);
  }

  counts(): EndCounts {
    const [okCount, failCount, infoCount] = [this.ok, this.#fail, this.#info];
    return { count: okCount + failCount + infoCount, okCount, failCount, infoCount };
  }
}

function neverOk(f: string, counts: EndCounts, first: readonly PlacedPair[]): Finding {
  const { count, failCount: failed, infoCount: unknown } = counts;
  const ends = [
    ...failed > 0 ? [`${failed} failed`] : [],
    ...unknown > 0 ? [`${unknown} ended with an unknown outcome`] : [],
  ];
  const hint = failed === count && count < FEW ? "; a longer run gives it more chances" : "";
  return {
    anomaly: "never-ok",
    what: `Not one ${f} succeeded: of ${plural(count, "operation")}, ${ends.join(" and ")}${hint}`,
    ops: endsOf(first),
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
  history: History,
  availability?: "total" | number,
): AvailabilityResult {
  const pairs = new Pairs(history);
  const first: number[] = [];
  let others = 0;
  for (let number = 0; number < pairs.length; number++) {
    if (pairs.endOf(number) === "ok") continue;
    others++;
    if (first.length < MAX_SHOWN) first.push(number);
  }
  const fraction = pairs.length === 0 ? 1 : (pairs.length - others) / pairs.length;
  const least = availability === "total" ? 1 : availability;
  const valid = least === undefined || fraction >= least;
  if (valid) return resultOf(valid, { okFraction: fraction });
  const finding = {
    anomaly: "unavailable",
    what: `${others} of ${plural(pairs.length, "operation")} did not succeed: ` +
      `${percent(fraction)} did, and ${percent(least)} had to` +
      (crashed(pairs) ? `; ${CRASHES_COUNT}` : ""),
    ops: endsOf(first.map((number) => pairs.at(number))),
  };
  return resultOf(valid, { okFraction: fraction }, [finding]);
}

const CRASHES_COUNT = "kafka's clients crash on purpose, and that counts";

function crashed(pairs: Pairs): boolean {
  return pairs.invokedAt.some((_, number) => {
    return pairs.fOf(number) === "crash" && pairs.endOf(number) !== "ok";
  });
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
export function checkExceptions(history: History): ExceptionsResult {
  const ops = readerOf(history);
  const byF = new Map<string, { count: number; example: Op }>();
  for (let position = 0; position < ops.length; position++) {
    if (ops.typeAt(position) !== "info" || ops.processAt(position) === "nemesis") continue;
    const op = ops.opAt(position);
    if (op.error === undefined || op.error.code !== undefined) continue;
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
  history: History,
  { name, operations, takesLoneCompletions = false }: {
    readonly name: string;
    readonly operations: Readonly<Record<string, (value: Json) => boolean>>;
    readonly takesLoneCompletions?: boolean | undefined;
  },
): OperationsResult {
  const ops = readerOf(history);
  const byF = new Map<string, { ok: number; fitting: number; first: number }>();
  let [ended, own] = [0, 0];
  for (let position = 0; position < ops.length; position++) {
    if (ops.processAt(position) === "nemesis") continue;
    const [f, type] = [ops.fAt(position), ops.typeAt(position)];
    let seen = byF.get(f);
    if (seen === undefined) byF.set(f, seen = { ok: 0, fitting: 0, first: position });
    if (type !== "invoke") ended++;
    if (type !== "ok") continue;
    if (seen.ok++ === 0) seen.first = position;
    const fits = Object.hasOwn(operations, f) ? operations[f] : undefined;
    if (fits?.(ops.valueAt(position)) !== true) continue;
    seen.fitting++;
    own++;
  }
  const foreign = new Set<string>();
  for (const [f, { ok, fitting, first }] of byF) {
    if (!Object.hasOwn(operations, f)) foreign.add(f);
    else if (ok > 0 && fitting === 0) foreign.add(`${f} with ${show(ops.valueAt(first))}`);
  }
  const result = (what: string, decisive: boolean): OperationsResult =>
    resultOf("unknown", { decisive }, [{ anomaly: "nothing-tested", what, ops: [] }]);
  if (byF.size === 0) {
    return result("The history has no operations of clients, so nothing was tested", true);
  }
  if (foreign.size > 0) {
    return result(
      `The history is of another workload than ${name}, which has operations ` +
        `${listOf(Object.keys(operations))}: there is ${listOf([...foreign])}`,
      own === 0,
    );
  }
  if (ended === 0 || !(takesLoneCompletions || isAnyPaired(history))) {
    return result("No operation of the history was ever completed, so nothing was tested", true);
  }
  return resultOf(true, { decisive: false });
}

/** Whether any completion has its invocation. */
function isAnyPaired(history: History): boolean {
  return new Pairs(history).completedAt.some((position) => position >= 0);
}
