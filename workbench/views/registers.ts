/**
 * What the checker of lin-kv saw: for each key an order in which its operations took effect, or how
 * far there is one.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { type PlacedPair, show } from "../checkers/checker.ts";
import { type OrderedRegister, registerOrders } from "../checkers/linearizable.ts";
import type { Validity } from "../history.ts";
import type { ReportData } from "../report_data.ts";

/** The keys of a run of lin-kv; operations go by the place of their invocation in the history. */
export interface RegistersView {
  readonly kind: "registers";
  /** Those without an order for all first. */
  readonly keys: readonly RegisterView[];
  /** How many keys there are in all. */
  readonly keyCount: number;
}

/** One key. */
export interface RegisterView {
  /** Its text. */
  readonly key: string;
  readonly valid: Validity;
  /** Operations in the order in which they can have taken effect: the first, or the last before its end. */
  readonly order: readonly number[];
  /** What that order leaves out. */
  readonly left: readonly number[];
  /** The first operation that no order accounts for, and why. */
  readonly stuck?: { readonly at: number; readonly why: string } | undefined;
  /** How many operations are not shown: of the order before these, and others after them. */
  readonly before: number;
  readonly after: number;
  /** How many operations of unknown outcome the order for all does without. */
  readonly unneeded: number;
}

/** How many keys are shown at most. */
const MAX_KEYS = 20;
/** How many operations of an order, and how many others. */
const MAX_ORDER = 200;
const MAX_LEFT = 40;
/** How many placings are tried for each key. */
const MAX_STEPS = 1_000_000;

/** The orders of a run's keys. */
export function registersView(
  { report: { workload }, history }: Pick<ReportData, "report" | "history">,
): RegistersView | undefined {
  const failures: readonly Json[] = "failures" in workload ? workload.failures : [];
  const limits = { maxKeys: MAX_KEYS, maxSteps: MAX_STEPS };
  const { orders, keyCount } = registerOrders(history, failures, limits);
  if (orders.length === 0) return undefined;
  return { kind: "registers", keys: orders.map(viewOf), keyCount };
}

function viewOf({ key, valid, order, left, stuck }: OrderedRegister): RegisterView {
  const placesOf = (pairs: readonly PlacedPair[]) => pairs.map(({ invokedAt }) => invokedAt);
  const base = { key: show(key), valid };
  if (stuck === undefined) {
    const shown = order.slice(0, MAX_ORDER);
    const after = order.length - shown.length;
    return { ...base, order: placesOf(shown), left: [], before: 0, after, unneeded: left.length };
  }
  const [shown, others] = [order.slice(-MAX_ORDER), leftAround(left, stuck.pair)];
  return {
    ...base,
    order: placesOf(shown),
    left: placesOf(others),
    stuck: { at: stuck.pair.invokedAt, why: stuck.why },
    before: order.length - shown.length,
    after: left.length - others.length,
    unneeded: 0,
  };
}

/** The operation where an order ends, those begun before it ended, and the next ones. */
function leftAround(left: readonly PlacedPair[], stuck: PlacedPair): PlacedPair[] {
  const others = left.filter((pair) => pair !== stuck);
  const before = others.filter(({ invokedAt }) => invokedAt < stuck.completedAt);
  const after = others.filter(({ invokedAt }) => invokedAt > stuck.completedAt);
  return [stuck, ...before.slice(-MAX_LEFT), ...after.slice(0, MAX_LEFT / 4)]
    .sort((a, b) => a.invokedAt - b.invokedAt);
}
