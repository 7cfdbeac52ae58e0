/**
 * How busy the machine was during a run in real time: whether it, rather than the network, decided
 * how long operations took.
 *
 * @module
 */

import { plural, type Quantiles } from "./checkers/checker.ts";

/** How busy the machine was. */
export interface MachineLoad {
  /** How much later than due the workbench's own timers ran, in ms. */
  readonly lagMs: Quantiles;
  /** What each node, with the processes that it started, used; empty where that is not known. */
  readonly nodes: Readonly<Record<string, NodeLoad>>;
  /** How many cores the machine has. */
  readonly cores: number;
}

/** What a node used of the processor, in times of about a second each. */
export interface NodeLoad {
  /** How many cores, on average. */
  readonly cores: number;
  /** In what share of the times it used all of a core, or nearly. */
  readonly busyShare: number;
}

/**
 * Timers of an idle machine are late by up to about 1.5 ms, for they count whole milliseconds; a
 * lag above this is one of a machine that has something else to do.
 */
const MIN_LAG_MS = 5;
/** A message waits for some timers; so much of an operation's time is more than a small error. */
const LAG_SHARE = 0.1;
/** Nearly all of a core, as samples are a little uneven. */
export const BUSY_CORES = 0.9;
/** For how much of the time a node must be busy for operations to wait for it, not by chance. */
const BUSY_SHARE = 0.25;
/** How many busy nodes the sentence names. */
const MAX_NAMED = 3;

/**
 * A sentence that says with figures that the machine decided latencies; undefined if it did not.
 *
 * It did if timers were late by 5 ms or more, and by a tenth of what operations took or of the
 * latency that was asked for, once in twenty times; if a node used all of a core in a quarter of the
 * time, which stops a program with one thread; or if all nodes used all cores together.
 *
 * @param latencyMs the latency between nodes that was asked for
 * @param medianMs how long operations took; undefined if none succeeded
 */
export function loadWarning(
  { lagMs, nodes, cores }: MachineLoad,
  latencyMs: number,
  medianMs: number | undefined,
): string | undefined {
  const reasons: string[] = [];
  const { p50 = 0, p95 = 0, max = 0 } = lagMs;
  if (p95 >= MIN_LAG_MS && p95 >= LAG_SHARE * Math.max(latencyMs, medianMs ?? 0)) {
    const took = medianMs === undefined
      ? "no operation succeeded"
      : `operations took ${ms(medianMs)} (median)`;
    reasons.push(
      `timers of the workbench were ${ms(p50)} late in the median, ${ms(p95)} once in twenty ` +
        `times and ${ms(max)} at most, where the latency asked for is ${ms(latencyMs)} and ${took}`,
    );
  }
  const busy = Object.entries(nodes).filter(([, { busyShare }]) => busyShare >= BUSY_SHARE)
    .sort(([, a], [, b]) => b.busyShare - a.busyShare);
  if (busy.length > 0) {
    const named = busy.slice(0, MAX_NAMED).map(([node, { busyShare }]) => {
      return `${node} (${percent(busyShare)} of the time)`;
    });
    const more = busy.length > MAX_NAMED ? ` and ${plural(busy.length - MAX_NAMED, "more")}` : "";
    reasons.push(`a core was used up by ${named.join(", ")}${more}`);
  }
  const used = Object.values(nodes).reduce((sum, node) => sum + node.cores, 0);
  if (used >= BUSY_CORES * cores) {
    reasons.push(`the nodes used ${used.toFixed(1)} of ${plural(cores, "core")}`);
  }
  if (reasons.length === 0) return undefined;
  return `The machine, rather than the network, decided latencies: ${reasons.join("; ")}`;
}

function ms(value: number): string {
  return `${Number(value.toPrecision(2))} ms`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
