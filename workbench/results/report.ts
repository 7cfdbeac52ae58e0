/**
 * What a whole run comes to: verdicts, figures, and what broke.
 *
 * @module
 */

import type { Op, Validity } from "../history.ts";
import type { DroppedMessage, NetStats } from "../network/journal.ts";
import type { OpCounts } from "../run/recorder.ts";
import type { RunOptions } from "../types.ts";
import type { FaultWindow } from "../faults/faults.ts";
import { explain } from "./explain.ts";
import { type HistoryResults, judge, type NetResults, netResults } from "./results.ts";

/** What a run leaves behind, for judging. */
export interface RunRecord {
  readonly options: RunOptions;
  readonly history: readonly Op[];
  readonly counts: OpCounts;
  readonly net: NetStats;
  readonly dropped: readonly DroppedMessage[];
  readonly faults: readonly FaultWindow[];
  /** When the history begins, by the world's clock. */
  readonly startMs: number;
  /** Why the run was broken off, where a node broke the protocol or could not be started. */
  readonly broke: RunBreak | undefined;
  /** What the cluster and the services noticed. */
  readonly warnings: readonly string[];
}

/** Why a run did not come to its end. */
export interface RunBreak {
  /** Whether a node is to blame, so that the run is invalid rather than broken. */
  readonly byNode: boolean;
  /** The sentence for people. */
  readonly text: string;
}

/** All that is said of a run; what `results.json` holds. */
export interface RunReport extends HistoryResults {
  /** What decided all chance. */
  readonly seed: number;
  /** What went over the network. */
  readonly net: NetResults;
  /** What was on when. */
  readonly faults: readonly FaultWindow[];
  /** Why the run was broken off, if it was. */
  readonly broke?: RunBreak;
  /** Each failure in up to four lines. */
  readonly explanations: readonly (readonly string[])[];
}

/** Judges a run. */
export function reportRun(record: RunRecord): RunReport {
  const { options, history, counts, broke } = record;
  const results = judge(history, options);
  return {
    ...results,
    "valid?": overall(results["valid?"], broke),
    warnings: [...results.warnings, ...record.warnings],
    seed: options.seed,
    net: netResults(record.net, counts.invocations),
    faults: record.faults,
    ...(broke === undefined ? {} : { broke }),
    explanations: results.findings.map((finding) => explain(finding, record)),
  };
}

/** Half a history proves little: values on their way, say, count as lost. */
function overall(judged: Validity, broke: RunBreak | undefined): Validity {
  if (broke === undefined) return judged;
  return broke.byNode ? false : "unknown";
}
