/**
 * What workers do with nodes whose verdict is known.
 *
 * @module
 */

import {
  type MutantRow,
  type RightRow,
  runMutants,
  runRightNodes,
  type Trial,
  tryOut,
} from "../reference/trials.ts";
import { mutants, raftMutants } from "@eddy/mutants";
import { rightNodes } from "../reference/right_nodes.ts";

/** Which node, by its index, and how many runs. */
export interface NodeTask {
  readonly index: number;
  readonly seeds: number;
}

/** Tries one wrong node. */
export async function tryMutant({ index, seeds }: NodeTask): Promise<MutantRow | undefined> {
  const [row] = await runMutants(seeds, () => {}, mutants.slice(index, index + 1));
  return row;
}

/** Tries one right node. */
export async function tryRightNode({ index, seeds }: NodeTask): Promise<RightRow | undefined> {
  const [row] = await runRightNodes(seeds, () => {}, rightNodes.slice(index, index + 1));
  return row;
}

/** Tries one wrong node on Raft until it is invalid, as clients see it; undefined if it never is. */
export async function tryRaftMutant({ index, seeds }: NodeTask): Promise<Trial | undefined> {
  const mutant = raftMutants[index];
  if (mutant === undefined) throw new RangeError(`There is no mutant ${index} on Raft`);
  for (let seed = 0; seed < seeds; seed++) {
    const trial = await tryOut(mutant, seed);
    // Under faults so dense, Raft as it is, too, may have no operation that succeeds.
    if (trial.valid === false && !trial.signs.includes("never-ok")) return trial;
  }
  return undefined;
}
