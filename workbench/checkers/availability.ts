/**
 * How many operations succeeded, against how many had to.
 *
 * @module
 */

import type { CheckResult, Finding, Op } from "../history.ts";
import { type PlacedPair, placedPairs } from "./pairing.ts";
import { resultOf } from "./warnings.ts";
import { inOrder, plural } from "./wording.ts";

/** How many of the operations that did not succeed a finding shows. */
const MAX_PAIRS_SHOWN = 4;

/**
 * Checks the share of invocations that succeeded, over the whole history.
 *
 * @param availability the least share, from 0 to 1, or `total` for all of them; nothing is asked
 * without it.
 */
export function checkAvailability(
  history: readonly Op[],
  availability?: "total" | number,
): CheckResult {
  const pairs = placedPairs(history);
  const others = pairs.filter(({ completion }) => completion?.type !== "ok");
  const fraction = pairs.length === 0 ? 1 : (pairs.length - others.length) / pairs.length;
  const least = availability === "total" ? 1 : availability;
  const valid = least === undefined || fraction >= least;
  const findings = valid ? [] : [unavailable(pairs.length, others, fraction, least)];
  return resultOf(valid, { "ok-fraction": fraction }, findings);
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
    ops: inOrder(
      others.slice(0, MAX_PAIRS_SHOWN).flatMap(({ invoke, completion }) => [invoke, completion]),
    ),
  };
}

/** A share rounded down, so that what falls short of all never reads as 100 %. */
function percent(share: number): string {
  return `${Math.floor(share * 1e4) / 100} %`;
}
