/**
 * Histories that cannot be judged.
 *
 * @module
 */

import type { Case } from "./cases.ts";
import type { Transactions } from "./txns.ts";
import type { Refusal } from "./verdict.ts";

/** A refusal to judge a history, for what is wrong with it. */
export function refusal(anomaly: string, { what, ops }: Case): Refusal {
  return { anomaly, what, ops };
}

/** A refusal to judge operations that are no transactions of this workload. */
export function malformedTxn({ malformed, write }: Transactions): Refusal | undefined {
  const [first] = malformed;
  if (first === undefined) return undefined;
  const { op, why } = first;
  const others = malformed.length === 1 ? "" : `, and ${malformed.length - 1} more`;
  return {
    anomaly: "malformed-txn",
    what: `Operation ${op.index} (${op.type}) is no transaction of "r" and "${write}": ` +
      `${why}${others}`,
    ops: malformed.slice(0, 4).map((each) => each.op),
  };
}
