/**
 * Runs of Eddy's consensus with a rule broken, and of the same under the same faults with none.
 *
 * Everything here is what any user of the workbench can do: an `install`, a script, hooks.
 *
 * @module
 */

import { txnListAppendSchema } from "@eddy/handlers";
import type { Timing } from "@eddy/handlers/raft";
import { ListMachine } from "@eddy/handlers/raft/state_machines.ts";
import { serveReplicated } from "@eddy/handlers/txn.ts";
import type { Node } from "@eddy/maelstrom";
import { type Mutation, mutations as others } from "@eddy/mutants/raft.ts";
import { type RunHooks, type RunResult, simulate } from "@eddy/workbench";
import { seededRandom } from "@eddy/workbench/random.ts";
import { Disks, type DisksOptions } from "./mutations_disk.ts";
import { fork, seesaw, stragglers } from "./mutations_feuds.ts";
import { storm } from "./mutations_storm.ts";

/** A way to get Raft wrong, and where that matters. */
export interface WrongRaft extends Pick<DisksOptions, "onRestart"> {
  readonly name: string;
  readonly parts: Pick<Mutation["parts"], "makeRaft" | "makeStorage" | "makeSessions">;
  readonly condition: ConditionName;
}

/** Under which circumstances a rule matters. */
export interface Condition {
  readonly nodeCount: number;
  readonly timing: Partial<Timing>;
  readonly rate: number;
  readonly faults: (
    options: { nodeIds: readonly string[]; random: ReturnType<typeof seededRandom> },
  ) => Pick<RunHooks, "onMessage" | "script">;
}

/** What a run is blamed for. */
export interface Blame {
  readonly seed: number;
  readonly anomaly: string;
}

const TIME_LIMIT_SECONDS = 6;
const MEAN_LATENCIES_MS: readonly number[] = [3, 10, 20];

const durationMs = TIME_LIMIT_SECONDS * 1000;
/** Leaders are missed as soon as the links allow. */
const quick = { heartbeatMs: 5 };
/** So small messages that an old entry may arrive without the first of the new term. */
const oneByOne = { ...quick, maxEntries: 1, spacingMs: 60 };
/** So short a memory that followers need snapshots all the time. */
const shortLog = { ...quick, maxLag: 8, maxEntries: 4 };

const anyFault: Condition["faults"] = (options) =>
  storm({ ...options, durationMs, longestMs: 200, calmMs: 200 });
const lastsMs = [50, 400] as const;

/** All conditions. Nodes with a short log are not killed: their state machines are in memory. */
export const conditions = {
  "storm, 3 nodes": { nodeCount: 3, timing: quick, rate: 200, faults: anyFault },
  "storm, 5 nodes": { nodeCount: 5, timing: quick, rate: 200, faults: anyFault },
  "seesaw, 3 nodes": {
    nodeCount: 3,
    timing: oneByOne,
    rate: 60,
    faults: (options) => seesaw({ ...options, durationMs, lastsMs }),
  },
  "fork, 3 nodes": {
    nodeCount: 3,
    timing: quick,
    rate: 200,
    faults: (options) => fork({ ...options, durationMs, lastsMs }),
  },
  "stragglers, 3 nodes": {
    nodeCount: 3,
    timing: shortLog,
    rate: 200,
    faults: (options) => stragglers({ ...options, durationMs, lastsMs }),
  },
  "stragglers, 5 nodes": {
    nodeCount: 5,
    timing: shortLog,
    rate: 500,
    faults: (options) => stragglers({ ...options, durationMs, lastsMs: [20, 200] }),
  },
} satisfies Readonly<Record<string, Condition>>;

/** The name of a condition. */
export type ConditionName = keyof typeof conditions;

/** Where a rule matters, if not in a storm. */
const places: Readonly<Record<string, ConditionName>> = {
  "votes twice in a term": "fork, 3 nodes",
  "loses its vote": "fork, 3 nodes",
  "looks at the log's length, not at its last term": "seesaw, 3 nodes",
  "commits an old term's entry by counting": "seesaw, 3 nodes",
  "commits an old term's entry by counting, as a follower": "seesaw, 3 nodes",
  "appends wherever there is room": "storm, 5 nodes",
  "leaves out of a snapshot what was executed": "stragglers, 3 nodes",
  "goes back to an old snapshot": "stragglers, 3 nodes",
  "drops what follows a snapshot": "stragglers, 5 nodes",
};

/** All mutations: those of the core's own tests, and one that needs a restart. */
export const wrongRafts: readonly WrongRaft[] = [
  ...others.map(({ name, parts }): WrongRaft => ({
    name,
    parts,
    condition: places[name] ?? (parts.nodeCount === 5 ? "storm, 5 nodes" : "storm, 3 nodes"),
  })),
  {
    name: "forgets its vote when it is started again",
    parts: {},
    condition: "fork, 3 nodes",
    onRestart: (storage) => storage.setTerm(storage.term, undefined),
  },
];

/** Runs the wrong Raft of an index with the seeds 1, 2, ... until it is blamed for something. */
export async function tryWrongRaft(
  { index, seeds }: { readonly index: number; readonly seeds: number },
): Promise<Blame | undefined> {
  const wrong = wrongRafts[index];
  if (wrong === undefined) throw new RangeError(`There is no mutation ${index}`);
  for (let seed = 1; seed <= seeds; seed++) {
    const anomaly = await blame(wrong.condition, seed, wrong);
    if (anomaly !== undefined) return { seed, anomaly };
  }
  return undefined;
}

/** Runs Raft as it is, under a condition, with some seeds; tells those that are blamed. */
export async function tryRight(
  { condition, seeds }: { readonly condition: ConditionName; readonly seeds: readonly number[] },
): Promise<Blame[]> {
  const blames: Blame[] = [];
  for (const seed of seeds) {
    const anomaly = await blame(condition, seed, { parts: {} });
    if (anomaly !== undefined) blames.push({ seed, anomaly });
  }
  return blames;
}

/** What the checker finds in a run, or a node says that it cannot be; undefined for nothing. */
async function blame(
  name: ConditionName,
  seed: number,
  { parts, onRestart }: Pick<WrongRaft, "parts" | "onRestart">,
): Promise<string | undefined> {
  const { nodeCount, timing, rate, faults }: Condition = conditions[name];
  const { makeRaft, makeStorage, makeSessions } = parts;
  const disks = new Disks({ makeStorage, onRestart });
  const install = (node: Node) =>
    serveReplicated(node, new ListMachine(), txnListAppendSchema.txn, {
      storage: disks.of(node),
      timing,
      makeRaft,
      sessions: makeSessions?.(),
    });
  const nodeIds = Array.from({ length: nodeCount }, (_, i) => `n${i}`);
  let assertion: string | undefined;
  const result = await simulate({
    workload: "txn-list-append",
    nodeIds,
    install,
    seed,
    rate,
    timeLimitSeconds: TIME_LIMIT_SECONDS,
    latency: {
      meanMs: MEAN_LATENCIES_MS[seed % MEAN_LATENCIES_MS.length] ?? 0,
      distribution: "exponential",
    },
    // Who was cut off waits for long: others must go on.
    concurrency: "40n",
    keyCount: 3,
    maxTxnLength: 3,
    maxWritesPerKey: 64,
    ...faults({ nodeIds, random: seededRandom(seed, "faults") }),
    onLog: (node, text) => assertion ??= assertionIn(node, text),
  });
  return anomalyOf(result) ?? assertion;
}

function anomalyOf({ results, protocolErrors }: RunResult): string | undefined {
  const { workload, findings } = results;
  const [error] = protocolErrors;
  if (error !== undefined) return error.why;
  if (workload.valid !== false) return undefined;
  return [...new Set(findings.map(({ anomaly }) => anomaly))].slice(0, 3).join(", ");
}

/** What no node that follows the rules ever comes to see. */
function assertionIn(node: string, text: string): string | undefined {
  const [found] = /Term \d+ has two leaders|Cannot drop entry \d+: it is committed|Uncaught error.*/
    .exec(text) ?? [];
  return found === undefined ? undefined : `${node} stops at: ${found}`;
}
