import { errorText } from "@eddy/maelstrom";
import { assert, assertEquals } from "@std/assert";
import { mutations } from "@eddy/mutants/raft.ts";
import { checkLinearizable } from "@eddy/workbench/checkers/linearizable.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";

/** How many times as many seeds to try as usual. */
const EFFORT = Number(Deno.env.get("EDDY_EFFORT") ?? 1);
/** Within how many seeds a mutation must show. */
const MAX_SEEDS = 500;

/** What is wrong with a run, if anything. */
function violation(options: ClusterOptions): string | undefined {
  const cluster = new Cluster(options);
  try {
    cluster.run();
  } catch (error) {
    return errorText(error);
  }
  const result = checkLinearizable(cluster.history, { maxSteps: 300_000 });
  return result.valid === false ? result.findings?.[0]?.what ?? "?" : undefined;
}

function checkSeeds(first: number, count: number, options: Omit<ClusterOptions, "seed">): void {
  for (let seed = first; seed < first + count * EFFORT; seed++) {
    const found = violation({ ...options, seed });
    assertEquals(found, undefined, `Seed ${seed} with ${options.nodeCount} nodes: ${found}`);
  }
}

for (const [nodeCount, count] of [[1, 10], [2, 10], [3, 30], [5, 8], [7, 3]] as const) {
  Deno.test(`a cluster of ${nodeCount} keeps its promises whatever happens to it`, () => {
    checkSeeds(1, count, { nodeCount });
  });
}

Deno.test("followers far behind get a snapshot, and nothing is lost by it", () => {
  const timing = { maxLag: 8, maxEntries: 4 };
  checkSeeds(1000, 12, { nodeCount: 3, timing });
  checkSeeds(1000, 6, { nodeCount: 5, timing });
});

Deno.test("a lease is as good as asking, where no node is paused", () => {
  checkSeeds(2000, 12, { nodeCount: 3, leaseReads: true, pauses: false });
});

for (const { name, parts } of mutations) {
  Deno.test(`the seeds catch a Raft that ${name}`, () => {
    let seed = 1;
    while (seed <= MAX_SEEDS && violation({ nodeCount: 3, ...parts, seed }) === undefined) seed++;
    assert(seed <= MAX_SEEDS, `Not caught in ${MAX_SEEDS} seeds`);
  });
}
