/**
 * What a run blames its nodes for, in whatever way.
 *
 * @module
 */

import type { RunResult } from "@eddy/workbench";

/** Everything that a run blames its nodes for: names of anomalies, and whole sentences. */
export function signsOf({ results, protocolErrors }: RunResult): string[] {
  const { workload, exceptions } = results;
  const { exceptions: malformed = [] } = exceptions;
  return [
    ...results.findings.map(({ anomaly }) => anomaly),
    ...("anomalyTypes" in workload ? workload.anomalyTypes : []),
    ...("badErrorTypes" in workload ? workload.badErrorTypes : []),
    ...malformed.map((each) => each.class),
    ...protocolErrors.map(({ why }) => why),
    ...results.warnings,
    ...(results.broke === undefined ? [] : [results.broke.text]),
  ].filter((sign, i, all) => all.indexOf(sign) === i);
}

/**
 * Whether something is among the signs: a name must be the same; of a sentence, which has spaces in
 * it, a part is enough.
 */
export function isAmong(signs: readonly string[], deserved: string): boolean {
  return signs.some((sign) =>
    sign === deserved || (deserved.includes(" ") && sign.includes(deserved))
  );
}
