/**
 * What a worker does for `deno task availability`: a run, and what its clients were served.
 *
 * @module
 */

import { simulate } from "@eddy/workbench";
import { placedPairs } from "@eddy/workbench/checkers/checker.ts";
import type { FaultWindow } from "@eddy/workbench/faults.ts";
import type { Op, Validity } from "@eddy/workbench/history.ts";
import { type Job, outcomeOf } from "@eddy/workbench/sweep.ts";
import { segmentsOf } from "./connectivity.ts";
import { type Gap, paceOf, type Service, serviceOf, type Share } from "./service.ts";

/** What came of a run. */
interface Verdict {
  readonly seed: number;
  readonly valid: Validity;
  /** The first thing that was wrong; empty for a valid run. */
  readonly reason: string;
}

/** What came of a run of a workload that needs majorities. */
export interface ConsensusRun extends Verdict {
  readonly service: Service;
  /** The faults that were on at some time in each of the gaps, in words. */
  readonly during: readonly string[];
  /** Whether nothing is wrong but that all operations, or all of a kind, have failed. */
  readonly isStarved: boolean;
}

/** What came of a run of a workload that needs none. */
export interface AvailableRun extends Verdict {
  readonly all: Share;
}

/** What the checkers say where nothing, or nothing of a kind, succeeded: it may have been impossible. */
const STARVED: ReadonlySet<string> = new Set(["never-ok", "empty-transaction-graph"]);

/** Runs a workload that needs majorities. */
export async function measureConsensus(job: Job): Promise<ConsensusRun> {
  const { options, args } = job;
  const { results, history, plan } = await simulate({ ...options, args });
  const { seed, valid, reason } = outcomeOf(results, options);
  const segments = segmentsOf(options.nodeIds, plan().faults);
  const service = serviceOf(history, segments, paceOf(options.latency));
  const { findings, broke } = results;
  const isStarved = valid !== true && broke === undefined && findings.length > 0 &&
    findings.every(({ anomaly }) => STARVED.has(anomaly));
  const during = service.gaps.map((gap) => faultsIn(gap, results.faults));
  return { seed, valid, reason, service, during, isStarved };
}

function faultsIn({ fromMs, toMs }: Gap, faults: readonly FaultWindow[]): string {
  const on = faults.filter(({ fromNs, toNs = Infinity }) =>
    fromNs <= toMs * 1e6 && toNs > fromMs * 1e6
  );
  return on.map(({ fault, description }) => `${fault} ${description}`).join(", then ");
}

/** Runs a workload of which every operation is to be served at once, whatever is cut off. */
export async function measureAvailable({ options, args }: Job): Promise<AvailableRun> {
  const { results, history } = await simulate({ ...options, args });
  const { seed, valid, reason } = outcomeOf(results, options);
  return { seed, valid, reason, all: shareOfAll(history) };
}

/** How many operations were served, of all that ask a node something: a `crash` of kafka does not. */
function shareOfAll(history: readonly Op[]): Share {
  const asked = placedPairs(history).filter(({ invoke }) => invoke.f !== "crash");
  const served = asked.filter(({ completion }) => completion?.type === "ok").length;
  return { count: asked.length, served };
}
