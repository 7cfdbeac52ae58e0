/**
 * What to tell of lost elements.
 *
 * @module
 */

import { type Finding, MAX_FINDINGS } from "../history.ts";
import type { CompletedPair } from "./pairing.ts";
import type { ElementOutcome } from "./set_full_outcome.ts";
import { inOrder, plural, seconds, show, who, whoAndWhen } from "./wording.ts";

/**
 * Tells of the first few lost elements.
 *
 * @param reads every acknowledged read, in the order of invocation.
 */
export function lostFindings(
  lost: readonly ElementOutcome[],
  reads: readonly CompletedPair[],
): Finding[] {
  return lost.slice(0, MAX_FINDINGS).map((outcome) => lostFinding(outcome, reads));
}

function lostFinding({ state }: ElementOutcome, reads: readonly CompletedPair[]): Finding {
  const { element, add, known, lastPresent, lastAbsent } = state;
  const since = Math.max(known?.at ?? -1, lastPresent?.invokedAt ?? -1);
  const missing = reads.filter(({ invokedAt }) => invokedAt > since);
  const first = missing[0] ?? lastAbsent;
  const how = known === undefined
    ? "was added"
    : known.op === add.completion
    ? `was acknowledged to ${whoAndWhen(known.op)}`
    : `was first read by ${whoAndWhen(known.op)}`;
  const seen = lastPresent === undefined
    ? "no read ever had it"
    : `the last read that had it was by ${whoAndWhen(lastPresent.invoke)}`;
  const miss = first === undefined
    ? ""
    : `, and ${plural(missing.length, "read")} begun later missed it, from ${
      seconds(first.invoke)
    }` +
      ` (${who(first.invoke)})` +
      (lastAbsent === undefined || lastAbsent === first
        ? ""
        : ` to ${seconds(lastAbsent.invoke)} (${who(lastAbsent.invoke)})`);
  return {
    anomaly: "lost",
    what: `Element ${show(element)} ${how}; ${seen}${miss}`,
    ops: inOrder([
      add.invoke,
      add.completion,
      known?.op,
      ...[lastPresent, first, lastAbsent].flatMap((read) => [read?.invoke, read?.completion]),
    ]),
  };
}

/** Tells why a run without a lost element says nothing all the same. */
export function nothingStable(outcomes: readonly ElementOutcome[], readCount: number): Finding {
  const adds = outcomes.slice(0, 4).map(({ state }) => state.add);
  return {
    anomaly: "never-read",
    what: `None of ${plural(outcomes.length, "added element")} was seen to stay in ` +
      `${plural(readCount, "acknowledged read")}, so nothing was tested`,
    ops: inOrder(adds.flatMap(({ invoke, completion }) => [invoke, completion])),
  };
}
