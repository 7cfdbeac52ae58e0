import { assert, assertEquals } from "@std/assert";
import { type ConsensusOptions, serveTxnListAppend } from "@eddy/handlers";
import type { Timing } from "@eddy/handlers/raft";
import type { Clock, Node } from "@eddy/maelstrom";
import { raftMutants } from "@eddy/mutants";
import { type FaultVerbs, simulate } from "@eddy/workbench";
import { seededRandom, shuffled } from "@eddy/workbench/random.ts";

const NODES = ["n0", "n1", "n2", "n3", "n4"];

/** Some of these seeds have two leaders in one term, if votes are forgotten. */
const SEEDS = [1, 4, 5, 21, 25];

/**
 * Two nodes that do not hear each other stand for election at the same time, and each voter is
 * killed and started again as soon as its vote is on its way: faults that are drawn hit that moment
 * too seldom.
 *
 * @returns the verdict, and how many voters were killed.
 */
async function duel(install: (node: Node) => void, seed: number) {
  const random = seededRandom(seed, "f");
  let [faults, clock]: [FaultVerbs?, Clock?] = [];
  let killed = 0;
  const { results } = await simulate({
    workload: "txn-list-append",
    nodeIds: NODES,
    install,
    seed,
    rate: 300,
    timeLimitSeconds: 8,
    latency: { meanMs: 5, distribution: "exponential" },
    concurrency: "40n",
    keyCount: 3,
    maxTxnLength: 3,
    maxWritesPerKey: 64,
    disk: true,
    onMessage({ type, message: { src, text } }) {
      const isVote = text.includes('"type":"vote"') && text.includes('"pre":false') &&
        text.includes('"granted":true');
      if (type !== "send" || !isVote) return;
      random.next();
      killed++;
      clock?.schedule(0, () => {
        faults?.crash(src).catch(() => {});
        faults?.restart(src).catch(() => {});
      });
    },
    script(verbs, itsClock) {
      [faults, clock] = [verbs, itsClock];
      const endMs = itsClock.now() + 8000;
      const next = () => {
        if (itsClock.now() > endMs) return;
        const [a = "", b = "", ...rest] = shuffled(random, NODES);
        const heal = verbs.partition([[a], [b]]);
        verbs.pause(rest);
        itsClock.schedule(20 + random.next() * 150, () => verbs.resume(rest));
        itsClock.schedule(200 + random.next() * 300, () => {
          heal();
          next();
        });
      };
      next();
    },
  });
  return { valid: results.valid, killed };
}

Deno.test("a vote that a crash undoes elects two leaders in one term, one on disk does not", async () => {
  const mutant = raftMutants.find(({ name }) => name.includes("forgets its vote in a crash"));
  assert(mutant !== undefined);
  const right: ConsensusOptions & { timing: Partial<Timing> } = { timing: { heartbeatMs: 5 } };
  const found: unknown[] = [];
  for (const seed of SEEDS) {
    found.push((await duel(mutant.install, seed)).valid);
    const { valid, killed } = await duel((node) => serveTxnListAppend(node, right), seed);
    assertEquals(valid, true);
    assert(killed > 0);
  }
  assert(found.includes(false), "no seed shows it");
});
