/**
 * Runs nodes whose verdict is known, and compares it with the verdict of the workbench.
 *
 * @module
 */

import { type Mutant, mutants, type NodeUnderTest, type Settings } from "@eddy/mutants";
import { DEFAULT_SETTINGS } from "@eddy/mutants/mutant.ts";
import {
  NEMESES,
  type NemesisName,
  type RunResult,
  simulate,
  type Validity,
  type WorkloadName,
} from "@eddy/workbench";
import { type RightNode, rightNodes } from "./right_nodes.ts";

/** The result of one run of a node. */
export interface Trial {
  readonly seed: number;
  readonly nemesis: readonly NemesisName[];
  readonly valid: Validity;
  /** What was found wrong: names of anomalies, and whole sentences. */
  readonly signs: readonly string[];
}

/** The runs of one mutant. */
export interface MutantRow {
  readonly name: string;
  readonly workload: WorkloadName;
  readonly anomaly: string;
  /** How many runs it took to blame it for what it anomaly; undefined if none did. */
  readonly caughtAfter: number | undefined;
  /** The run that found it, or the last one. */
  readonly trial: Trial | undefined;
}

/** The runs of one right node. */
export interface RightRow {
  readonly name: string;
  readonly workload: WorkloadName;
  readonly runs: number;
  /** The runs that found something wrong. */
  readonly falseAlarms: readonly Trial[];
}

/** Long enough for some requests to succeed under all faults together. */
const FAULTY: Settings = {
  nemesisIntervalSeconds: 2,
  timeLimitSeconds: 15,
  concurrency: "4n",
  rate: 20,
};

/** How many runs a mutant may need until its anomaly is found. */
export const MAX_SEEDS = 20;

/** Runs a node once, with the settings that it needs and with `more`. */
export async function tryOut(
  { workload, install, needs }: NodeUnderTest,
  seed: number,
  more: Settings = {},
): Promise<Trial> {
  const settings: Settings = { ...DEFAULT_SETTINGS, ...needs, ...more };
  const nemesis = (settings.nemesis ?? []).map(faultNamed);
  const result = await simulate({ workload, install, ...settings, nemesis, seed });
  return { seed, nemesis, valid: result.results.valid, signs: signsOf(result) };
}

/** A fault of the workbench; mutants, which do not know the workbench, name theirs in words. */
function faultNamed(name: string): NemesisName {
  const found = NEMESES.find((each) => each === name);
  if (found === undefined) throw new Error(`Cannot inject ${name}: workbench/nemesis.ts lacks it`);
  return found;
}

/**
 * Runs each mutant with the seeds 1, 2, ... until its anomaly is found.
 *
 * @param maxSeeds how many runs of each at most
 * @param onRow called with each row as soon as it is done
 */
export async function runMutants(
  maxSeeds: number = MAX_SEEDS,
  onRow: (row: MutantRow) => void = () => {},
  which: readonly Mutant[] = mutants,
): Promise<MutantRow[]> {
  const rows: MutantRow[] = [];
  for (const mutant of which) {
    const row = await runMutant(mutant, maxSeeds);
    rows.push(row);
    onRow(row);
  }
  return rows;
}

async function runMutant(mutant: Mutant, maxSeeds: number): Promise<MutantRow> {
  const { name, workload, anomaly } = mutant;
  let trial: Trial | undefined;
  for (let seed = 1; seed <= maxSeeds; seed++) {
    trial = await tryOut(mutant, seed);
    if (isAmong(trial.signs, anomaly)) {
      return { name, workload, anomaly, caughtAfter: seed, trial };
    }
  }
  return { name, workload, anomaly, caughtAfter: undefined, trial };
}

/**
 * Runs each right node with the seeds 1 to `seeds`: without faults, with each fault that it
 * tolerates, and with all of these, in turn.
 *
 * @param onRow called with each row as soon as it is done
 */
export async function runRightNodes(
  seeds: number,
  onRow: (row: RightRow) => void = () => {},
  which: readonly RightNode[] = rightNodes,
): Promise<RightRow[]> {
  const rows: RightRow[] = [];
  for (const right of which) {
    const { name, workload } = right;
    const faults = [[], right.tolerates, ...right.tolerates.map((each) => [each])];
    const falseAlarms: Trial[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const nemesis = faults[(seed - 1) % faults.length] ?? [];
      const trial = await tryOut(right, seed, nemesis.length > 0 ? { ...FAULTY, nemesis } : {});
      if (isAlarm(trial, right)) falseAlarms.push(trial);
    }
    const row = { name, workload, runs: seeds, falseAlarms };
    rows.push(row);
    onRow(row);
  }
  return rows;
}

/** What a run found wrong: names of anomalies, and whole sentences. */
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
 * Whether an anomaly is among the signs: a name must be equal; of a sentence, which has spaces, a
 * part is enough.
 */
export function isAmong(signs: readonly string[], anomaly: string): boolean {
  return signs.some((sign) =>
    sign === anomaly || (anomaly.includes(" ") && sign.includes(anomaly))
  );
}

/** Whether a run of a right node found anything but what such nodes are excused for. */
export function isAlarm(
  { valid, signs }: Pick<Trial, "valid" | "signs">,
  { warnedOf }: Pick<RightNode, "warnedOf"> = {},
): boolean {
  const allowed = warnedOf === undefined ? excused : [...excused, warnedOf];
  return valid !== true || signs.some((sign) => !allowed.some((each) => sign.includes(each)));
}

/** Parts of warnings that right nodes may cause under faults. */
const excused: readonly string[] = [
  // It was stopped, or cut off, for longer than its client waited.
  "which would silence this node under Maelstrom",
  // Every send of a key was lost on the way.
  "Key polled but never with a message",
  // All nodes were down for long: that is a fault of the run.
  "planned operations began",
];
