/**
 * Whether clients are answered once all faults have ended.
 *
 * @module
 */

import type { Finding, History, Op } from "../history.ts";
import { HEALED_SECONDS, type RunOptions } from "../options.ts";
import { Pairs, type PlacedPair, plural } from "./checker.ts";

/** Within what part of the healed time a node may still recover. */
const RECOVERY = 0.5;

/** With fewer operations than that a node's silence is not a finding. */
const MIN_OPS = 3;

/**
 * Checks the end of a run whose faults all ended at the time limit: liveness.
 *
 * @param waiting what a node waited for in an operation's time, in words; undefined if nothing
 * @returns `unfinished` if an operation was never answered, and `unserved` if a node answered, but
 * only that it is not available; both of those that began when half of the time had passed.
 */
export function checkHealed(
  history: History,
  { timeLimitSeconds }: Pick<RunOptions, "timeLimitSeconds">,
  waiting: (invoke: Op, completion: Op | undefined) => string | undefined = () => undefined,
): Finding[] {
  const fromNs = 1e9 * (timeLimitSeconds + HEALED_SECONDS * RECOVERY);
  const pairs = new Pairs(history);
  const late: PlacedPair[] = [];
  for (let number = 0; number < pairs.length; number++) {
    const pair = pairs.at(number);
    if (pair.invoke.time >= fromNs && pair.invoke.final !== true) late.push(pair);
  }
  const when = `${HEALED_SECONDS * RECOVERY} s and more after the time limit, with no fault on`;
  const unfinished = late.filter(({ completion }) => isUnanswered(completion));
  const findings: Finding[] = [];
  if (unfinished.length > 0) {
    const told = unfinished.map(({ invoke, completion }) => waiting(invoke, completion));
    // An operation of a node that waits says most.
    const first = Math.max(0, told.findIndex((text) => text !== undefined));
    const { invoke } = unfinished[first] as PlacedPair;
    const why = told[first] === undefined ? "" : `, where ${told[first]}`;
    const count = plural(unfinished.length, "operation");
    findings.push({
      anomaly: "unfinished",
      what: `${count} of ${late.length}, begun ${when}, had no answer: ${invoke.f} of process ` +
        `${invoke.process} on ${invoke.node}${why}`,
      ops: opsOf(unfinished),
    });
  }
  for (const [node, those] of Map.groupBy(late, ({ invoke }) => invoke.node)) {
    if (those.length < MIN_OPS || !those.every(isRefused)) continue;
    findings.push({
      anomaly: "unserved",
      what: `${node} refused all ${those.length} operations begun ${when}`,
      ops: opsOf(those),
    });
  }
  return findings;
}

const TIMEOUT = 0;
const UNAVAILABLE = 11;

function isRefused({ completion }: PlacedPair): boolean {
  return completion?.error?.code === UNAVAILABLE;
}

function isUnanswered(completion: Op | undefined): boolean {
  return completion === undefined || completion.error?.code === TIMEOUT;
}

/** How many operations are shown. */
const MAX_SHOWN = 4;

function opsOf(pairs: readonly PlacedPair[]): Op[] {
  return pairs.slice(0, MAX_SHOWN).flatMap(({ invoke, completion }) =>
    completion === undefined ? [invoke] : [invoke, completion]
  );
}
