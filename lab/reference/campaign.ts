/**
 * Runs nodes whose verdict is known, and tells where the workbench's differs.
 *
 * @module
 */

import { type Candidate, type Mutant, mutants, type Settings } from "@eddy/mutants";
import { DEFAULT_SETTINGS, FAULTY, type RightNode } from "@eddy/mutants/candidate.ts";
import { type NemesisName, simulate, type Validity, type WorkloadName } from "@eddy/workbench";
import { rightNodes } from "./right_nodes.ts";
import { isAmong, signsOf } from "./signs.ts";

/** What a run of a candidate came to. */
export interface Trial {
  readonly seed: number;
  readonly nemesis: readonly NemesisName[];
  readonly valid: Validity;
  /** Everything it was blamed for: names of anomalies, and whole sentences. */
  readonly signs: readonly string[];
}

/** How a wrong node fared. */
export interface MutantRow {
  readonly name: string;
  readonly workload: WorkloadName;
  readonly deserves: string;
  /** How many runs it took to blame it for what it deserves; undefined if none did. */
  readonly caughtAfter: number | undefined;
  /** The run in which it was caught, or the last one. */
  readonly trial: Trial | undefined;
}

/** How a right node fared. */
export interface RightRow {
  readonly name: string;
  readonly workload: WorkloadName;
  readonly runs: number;
  /** The runs in which it was blamed. */
  readonly falseAlarms: readonly Trial[];
}

/** How many runs a wrong node may need to be caught. */
export const MAX_SEEDS = 20;

/** Runs a candidate once, with what it needs and with `more`. */
export async function tryOut(
  { workload, install, needs }: Candidate,
  seed: number,
  more: Settings = {},
): Promise<Trial> {
  const settings = { ...DEFAULT_SETTINGS, ...needs, ...more, seed };
  const result = await simulate({ workload, install, ...settings });
  const { nemesis = [] } = settings;
  return { seed, nemesis, valid: result.results.valid, signs: signsOf(result) };
}

/**
 * Runs each wrong node with the seeds 1, 2, ... until it is blamed for what it deserves.
 *
 * @param maxSeeds how many runs to give it
 * @param onRow told of each node as soon as it is done
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
  const { name, workload, deserves } = mutant;
  let trial: Trial | undefined;
  for (let seed = 1; seed <= maxSeeds; seed++) {
    trial = await tryOut(mutant, seed);
    if (isAmong(trial.signs, deserves)) {
      return { name, workload, deserves, caughtAfter: seed, trial };
    }
  }
  return { name, workload, deserves, caughtAfter: undefined, trial };
}

/**
 * Runs each right node with the seeds 1 to `seeds`: without faults, with each fault that it stands,
 * and with all of them, in turn.
 *
 * @param onRow told of each node as soon as it is done
 */
export async function runRightNodes(
  seeds: number,
  onRow: (row: RightRow) => void = () => {},
  which: readonly RightNode[] = rightNodes,
): Promise<RightRow[]> {
  const rows: RightRow[] = [];
  for (const right of which) {
    const { name, workload } = right;
    const faults = [[], right.stands, ...right.stands.map((each) => [each])];
    const falseAlarms: Trial[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const nemesis = faults[(seed - 1) % faults.length] ?? [];
      const trial = await tryOut(right, seed, nemesis.length > 0 ? { ...FAULTY, nemesis } : {});
      if (isAlarm(trial)) falseAlarms.push(trial);
    }
    const row = { name, workload, runs: seeds, falseAlarms };
    rows.push(row);
    onRow(row);
  }
  return rows;
}

/** Any blame at all is one too many for a right node. */
function isAlarm({ valid, signs }: Trial): boolean {
  return valid !== true || signs.some((sign) => !excused.some((each) => sign.includes(each)));
}

/** Warnings that a right node cannot help. */
const excused: readonly string[] = [
  // It was stopped, or cut off, for longer than its client waited.
  "which would silence this node under Maelstrom",
  // Every send of a key was lost on the way.
  "Key polled but never with a message",
];
