/**
 * Goals: for each job its command, the best published result, and this project's goal.
 *
 * @module
 */

import type { RunFigures } from "@eddy/workbench/sweep.ts";

/** A figure of a run. */
export interface Figure {
  readonly name: string;
  readonly digits: number;
  /** Whether more is better. */
  readonly more?: true;
  /** Whether it is the worst of many operations: a goal is reached if four of five runs reach it. */
  readonly extreme?: true;
  readonly of: (outcome: RunFigures) => number | undefined;
}

/** A figure of a job, and its goal. */
export interface Goal {
  readonly figure: Figure;
  /** Undefined for what is only shown. */
  readonly goal: number | undefined;
  /** The best published result; empty where there is none. */
  readonly best: string;
}

/** One command with its goals. */
export interface Job {
  readonly name: string;
  /** Flags of `eddy test`, and after `--` those of the node. */
  readonly line: string;
  readonly goals: readonly Goal[];
}

const servers: Figure = {
  name: "servers msgs/op",
  digits: 3,
  of: ({ serversPerOp }) => serversPerOp,
};
const stableMedian: Figure = {
  name: "stable median ms",
  digits: 0,
  of: ({ stableMs }) => stableMs?.median,
};
const stableMax: Figure = {
  name: "stable max ms",
  digits: 0,
  extreme: true,
  of: ({ stableMs }) => stableMs?.max,
};
const latencyMedian: Figure = {
  name: "latency p50 ms",
  digits: 1,
  of: ({ latencyMs }) => latencyMs?.median,
};
const latencyTail: Figure = {
  name: "latency p99 ms",
  digits: 1,
  of: ({ latencyMs }) => latencyMs?.p99,
};
const okFraction: Figure = {
  name: "ok-fraction",
  digits: 4,
  more: true,
  of: ({ okFraction }) => okFraction,
};
const info: Figure = {
  name: "info fraction",
  digits: 4,
  of: ({ infoFraction }) => infoFraction,
};
const lag: Figure = {
  name: "worst-realtime-lag s",
  digits: 3,
  of: ({ worstLagSeconds }) => worstLagSeconds,
};

const goal = (figure: Figure, goal: number, best = ""): Goal => ({ figure, goal, best });
const shown = (figure: Figure, best = ""): Goal => ({ figure, goal: undefined, best });

const threeD = "-w broadcast --node-count 25 --time-limit 20 --rate 100 --latency 100";
const counting = "--node-count 3 --rate 100 --time-limit 20";
const linKv = "-w lin-kv --node-count 3 --concurrency 4n --rate 30";
const listAppend = "-w txn-list-append --node-count 3 --concurrency 4n --time-limit 20";
const kafka = "-w kafka --node-count 2 --concurrency 2n --time-limit 20 --rate 1000";
const sixC = "-w txn-rw-register --node-count 2 --concurrency 2n --time-limit 20 --rate 1000";
const total = "--rate 1000 --node-count 3 --time-limit 30 --availability total --nemesis partition";

/** All commands, with their goals. */
export const jobs: readonly Job[] = [
  { name: "echo", line: `-w echo ${total}`, goals: [goal(servers, 0, "0"), goal(okFraction, 1)] },
  {
    name: "unique-ids",
    line: `-w unique-ids ${total}`,
    goals: [goal(servers, 0, "0"), goal(okFraction, 1)],
  },
  {
    name: "broadcast 3d",
    line: threeD,
    goals: [
      goal(servers, 1.3, "7.75"),
      goal(stableMedian, 300, "333"),
      goal(stableMax, 550, "533"),
    ],
  },
  {
    name: "broadcast 3e, budget 1.5 s",
    line: `${threeD} -- --max-latency 1500`,
    goals: [
      goal(servers, 0.45, "1.92"),
      goal(stableMedian, 800, "764"),
      goal(stableMax, 1600, "1087"),
    ],
  },
  {
    name: "broadcast, budget 0",
    line: `${threeD} -- --max-latency 0`,
    goals: [goal(servers, 13, "11.8, not loss-tolerant"), goal(stableMax, 130, "105")],
  },
  {
    name: "broadcast 3d, partitions",
    line: `${threeD} --nemesis partition`,
    goals: [goal(servers, 1.5, "8.49"), goal(okFraction, 1)],
  },
  {
    name: "g-set, partitions",
    line: `-w g-set ${counting} --nemesis partition`,
    goals: [goal(servers, 0.025, "0.021 @ 2860/9929 ms"), goal(okFraction, 1)],
  },
  {
    name: "g-set",
    line: `-w g-set ${counting}`,
    goals: [goal(servers, 0.03, "0.021"), goal(stableMax, 2500, "9929")],
  },
  {
    name: "g-counter, partitions",
    line: `-w g-counter ${counting} --nemesis partition`,
    goals: [goal(servers, 0.025, "0.718"), goal(okFraction, 1)],
  },
  {
    name: "pn-counter, partitions",
    line: `-w pn-counter ${counting} --nemesis partition`,
    goals: [goal(servers, 0.025, "0.041"), goal(okFraction, 1)],
  },
  {
    name: "kafka",
    line: kafka,
    goals: [goal(servers, 0.02, "1.369"), goal(lag, 0.3), goal(okFraction, 0.999)],
  },
  {
    name: "kafka, 3 nodes, partitions",
    line: `${kafka.replace("count 2", "count 3")} --nemesis partition`,
    goals: [goal(okFraction, 0.99)],
  },
  {
    name: "lin-kv",
    line: `${linKv} --time-limit 30`,
    goals: [
      goal(servers, 2, "2.0 (proxy), 3.25 (raft)"),
      goal(latencyMedian, 3, "2.7 (proxy), 32 (raft)"),
      shown(latencyTail, "13 (proxy), 57 (raft)"),
    ],
  },
  {
    name: "lin-kv, budget 50 ms",
    line: `${linKv} --time-limit 30 -- --max-latency 50`,
    goals: [goal(servers, 2.5, "2.0 (proxy), 3.25 (raft)")],
  },
  {
    name: "lin-kv under load",
    line: "-w lin-kv --node-count 3 --concurrency 12n --rate 1000 --time-limit 20",
    goals: [
      goal(servers, 0.7, "1.44"),
      goal(latencyMedian, 8, "1.1 (proxy), 38 (raft)"),
      shown(latencyTail, "14 (proxy), 72 (raft)"),
    ],
  },
  {
    name: "lin-kv, partitions",
    line: `${linKv} --nemesis partition --nemesis-interval 10 --time-limit 60`,
    goals: [goal(okFraction, 0.5, "0.287"), goal(info, 0.01)],
  },
  {
    name: "txn-list-append",
    line: `${listAppend} --rate 100`,
    goals: [
      goal(servers, 1.5, "17.8"),
      goal(latencyMedian, 4, "11"),
      shown(latencyTail, "77"),
      goal(okFraction, 1, "0.86"),
    ],
  },
  {
    name: "txn-list-append, rate 1000",
    line: `${listAppend} --rate 1000`,
    goals: [goal(servers, 1), shown(latencyMedian), shown(latencyTail)],
  },
  {
    name: "txn-list-append, partitions",
    line: `${listAppend} --rate 100 --nemesis partition`,
    goals: [goal(servers, 3, "19.5")],
  },
  {
    name: "txn-rw-register 6c",
    line: `${sixC} --consistency-models read-committed --availability total --nemesis partition ` +
      "-- --consistency read-committed",
    goals: [goal(servers, 0.004, "0.053"), goal(okFraction, 1)],
  },
  {
    name: "txn-rw-register",
    line: sixC,
    goals: [goal(okFraction, 1)],
  },
];
