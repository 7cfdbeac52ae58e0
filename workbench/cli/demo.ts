/**
 * `demo`: one run of every workload that Eddy's own node serves, with faults, in one table.
 *
 * @module
 */

import { workloads } from "@eddy/handlers/workloads";
import { seedValue } from "./flags.ts";
import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { verdict } from "../explain.ts";
import { defaultOptions, type RunSettings } from "../options.ts";
import type { Job, RunFigures } from "../sweep.ts";
import { type WorkloadName, WORKLOADS } from "../workloads/mod.ts";
import { runAll } from "./run_all.ts";
import { colorFlag, Terminal } from "./terminal.ts";

/** The flags of `demo`. */
export const demoFlags = {
  seed: { help: "Seed of all random choices", value: "N", ...seedValue, default: 1 },
  ...colorFlag,
};

/** The settings of every workload; the rest is Maelstrom's defaults. */
const common: RunSettings = {
  nodeCount: 5,
  rate: 100,
  timeLimitSeconds: 20,
  latency: { meanMs: 10, distribution: "exponential" },
  nemesis: ["partition"],
};
/** The settings of single workloads. */
const special: Partial<Record<WorkloadName, RunSettings>> = {
  broadcast: { nodeCount: 25, latency: { meanMs: 100, distribution: "constant" } },
  "lin-kv": { concurrency: "2n", rate: 50 },
  "unique-ids": { rate: 1000, availability: "total" },
  echo: { availability: "total" },
};

/** Why a valid run may have a share of `ok` below 1. */
const footnote =
  `Not ok, as it should be: requests to nodes that a partition cuts off from the majority
(lin-kv, txn-*); in lin-kv also compare-and-sets that find another value, and requests for keys that
do not exist yet; in kafka the clients' crashes, which belong to its workload.`;

/** The runs of the demo. */
export function demoJobs(seed: number): Job[] {
  const names = WORKLOADS.filter((name) => Object.hasOwn(workloads, name));
  return names.map((name) => ({
    options: defaultOptions(name, { ...common, ...special[name], seed }),
    args: [],
  }));
}

/** Runs the command and returns the exit code. */
export async function demoCommand(args: readonly string[]): Promise<number> {
  const { flags: { seed, color }, words } = parseFlags(demoFlags, args);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  const jobs = demoJobs(seed);
  const began = performance.now();
  return await runAll("demo", jobs, {
    show(done, outcomes) {
      show(new Terminal(color), done, outcomes, seed, performance.now() - began);
    },
  });
}

function show(
  terminal: Terminal,
  jobs: readonly Job[],
  outcomes: readonly RunFigures[],
  seed: number,
  tookMs: number,
): void {
  const simulated = jobs.reduce((sum, { options }) => sum + options.timeLimitSeconds, 0);
  const rows = outcomes.map((outcome, i) => describe(jobs[i] as Job, outcome));
  terminal.printTable([
    [
      "workload",
      "nodes",
      "faults",
      "verdict",
      "ops",
      "ok",
      "msgs/op",
      "between servers",
      "median ms",
      "max ms",
    ],
    ...rows,
  ], 6);
  terminal.print([
    `${simulated} s simulated in ${(tookMs / 1000).toFixed(1)} s, from seed ${seed}. ` +
    "The last two columns: how long until a value is on all nodes for broadcast and g-set, else " +
    "how long operations took.",
    ...footnote.split("\n"),
    ...outcomes.flatMap(({ reason }) => reason === "" ? [] : reason.split("\n")),
  ]);
}

function describe({ options }: Job, outcome: RunFigures): string[] {
  const { valid, operations, okFraction, allPerOp, serversPerOp, stableMs, latencyMs } = outcome;
  const latency = stableMs ?? latencyMs;
  return [
    options.workload,
    String(options.nodeIds.length),
    options.nemesis.join(" + "),
    verdict(valid),
    String(operations),
    okFraction?.toFixed(3) ?? "",
    allPerOp?.toFixed(2) ?? "",
    serversPerOp?.toFixed(2) ?? "",
    latency?.median.toFixed(1) ?? "",
    latency?.max.toFixed(1) ?? "",
  ];
}
