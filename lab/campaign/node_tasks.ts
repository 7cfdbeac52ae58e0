/**
 * What workers do with nodes whose verdict is known.
 *
 * @module
 */

import { type MutantRow, type RightRow, runMutants, runRightNodes } from "../reference/trials.ts";
import { mutants } from "@eddy/mutants";
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
