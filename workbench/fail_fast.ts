/**
 * Ends a run at the first violation that nothing later can undo.
 *
 * @module
 */

import type { Finding, Op } from "./history.ts";
import type { Observations } from "./observations.ts";
import type { RunOptions } from "./options.ts";
import { workloads } from "./workloads/mod.ts";

/** With how many entries a history is checked first; then whenever it is twice as long. */
const FIRST_CHECK = 50;

/** Why a run was ended before its time. */
export class LastingViolation extends Error {
  /** What was found in the history; nothing if a node has told of it. */
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    super("The run was ended at the first violation that nothing can undo (--fail-fast)");
    this.findings = findings;
  }
}

/** Checks a history while it grows, which takes about twice as long in all as to check it once. */
export class FailFast {
  readonly #options: RunOptions;
  readonly #observations: Observations;
  #nextLength = FIRST_CHECK;

  constructor(options: RunOptions, observations: Observations) {
    this.#options = options;
    this.#observations = observations;
  }

  /** The violation that a history so far shows for good, if it is time to look for one. */
  check(history: readonly Op[]): LastingViolation | undefined {
    if (this.#observations.isViolated) return new LastingViolation([]);
    if (history.length < this.#nextLength) return undefined;
    this.#nextLength = 2 * history.length;
    const { lasting = [], check } = workloads[this.#options.workload];
    if (lasting.length === 0) return undefined;
    const { valid, findings = [] } = check(history, this.#options);
    const sure = findings.filter(({ anomaly }) => lasting === "all" || lasting.includes(anomaly));
    return valid === false && sure.length > 0 ? new LastingViolation(sure) : undefined;
  }
}
