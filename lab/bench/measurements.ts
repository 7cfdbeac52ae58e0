/**
 * What is measured, and how.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { Cluster } from "./cluster.ts";
import { type Chunk, echo, LIST_LENGTH, type Load, loads, requestBytes } from "./load.ts";
import { ping } from "./ping.ts";
import { checkReplies, type Expected } from "./replies.ts";
import { blaming, RunningTarget, type Target, withNode, withNodes } from "./target.ts";

/** One number that a measurement gives. */
export interface Figure {
  readonly label: string;
  readonly unit: string;
  /** Digits behind the point. */
  readonly digits: number;
}

/** How much to do. */
export interface Scale {
  /** Requests of the echo load; the others have a share of them. */
  readonly requests: number;
  /** Seconds of each rate of pings. */
  readonly pingSeconds: number;
  /** Starts of the process, of which the median counts. */
  readonly starts: number;
  /** How much is written at most to a node whose output is not read. */
  readonly stalled: number;
}

/** What a measurement is. */
export interface Measurement {
  readonly figures: readonly Figure[];
  /** One sentence for the reader of the figures. */
  readonly about: string;
  /** Whether it measures all targets at the same time, not one after the other. */
  readonly together?: boolean;
  /**
   * Measures targets once; one value per figure for each.
   *
   * @param note takes what a reader of the figures must know, one sentence a call
   * @throws {TargetError} for the first target that cannot be measured.
   */
  readonly run: (
    targets: readonly Target[],
    scale: Scale,
    note: (text: string) => void,
  ) => Promise<number[][]>;
}

/** Requests with which a node is warmed up where its first moments are of no interest. */
const WARM_UP = 20_000;
/** The same for a cluster, which elects a leader, too. */
const WARM_UP_OPERATIONS = 500;
/** Operations on the cluster for each request of the echo load. */
const OPERATIONS_SHARE = 0.05;
/** Fewer than a pipe takes, so that each that is written shows that the node goes on reading. */
const STALL_CHUNK = 500;
/** A node that takes nothing and does nothing for so long has stopped reading. */
const STALL_MS = 5000;
const SAMPLE_MS = 500;
/** Processor time between two samples with which a node does something: it will read on. */
const BUSY_MS = 25;
/** More growth is not waited for, so that the machine's memory suffices. */
const MAX_GROWTH_MB = 2048;
/** How long a node of `--vs` may take for its first reply. */
const FIRST_REPLY_MS = 10_000;
/** How many nodes are idle at the same time, as in Maelstrom's largest exercise. */
const IDLE_NODES = 25;
const IDLE_MS = 2000;
/** How much longer it is pinged at 1/s, where all targets share the time. */
const SLOW_FACTOR = 3;

/** Value at share `share` of sorted numbers. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Measures one target after the other. */
function oneByOne(
  measure: (
    target: Target,
    scale: Scale,
    note: (text: string) => void,
  ) => Promise<number[]>,
): Measurement["run"] {
  return async (targets, scale, note) => {
    const all: number[][] = [];
    for (const target of targets) all.push(await measure(target, scale, note));
    return all;
  };
}

/** Sends requests all at once, and waits until all are answered. */
async function exchange(
  node: RunningTarget,
  load: Load,
  from: number,
  to: number,
): Promise<number> {
  const bytes = requestBytes(load, from, to);
  const startMs = performance.now();
  const chunks = await node.readReplies(to - from, node.write(bytes));
  const elapsedMs = performance.now() - startMs;
  await check(node, chunks, { load, from, to });
  return elapsedMs;
}

async function check(
  { target }: RunningTarget,
  chunks: readonly Chunk[],
  expected: Omit<Expected, "mirror">,
): Promise<void> {
  const mirror = target.mirror === true;
  await blaming(target, () => checkReplies(chunks, { ...expected, mirror }));
}

/**
 * Asks a node for one reply.
 *
 * @throws {TargetError} if it does not give it in ten seconds.
 */
export async function tryOut(target: Target): Promise<void> {
  await withNode(target, (node) => exchange(node, echo, 0, 1), { deadlineMs: FIRST_REPLY_MS });
}

function costFigures(name: string, each: string): Figure[] {
  return [
    { label: `${name}, CPU ${each}`, unit: "us", digits: 2 },
    { label: name, unit: "msg/s", digits: 0 },
  ];
}

/** The cost of the requests of one kind. */
function cost(load: Load): (target: Target, scale: Scale) => Promise<number[]> {
  const { workload, share, unmeasured = 0, open = Infinity } = load;
  return (target, { requests }) =>
    withNode(target, async (node) => {
      const count = Math.ceil(requests * share);
      if (unmeasured > 0) await exchange(node, load, 0, unmeasured);
      const beforeMs = node.cpuMs();
      const end = unmeasured + count;
      let elapsedMs = 0;
      for (let from = unmeasured; from < end; from += open) {
        elapsedMs += await exchange(node, load, from, Math.min(end, from + open));
      }
      const cpuMs = node.cpuMs() - beforeMs;
      return [cpuMs * 1000 / count, count / elapsedMs * 1000];
    }, { workload });
}

const ABOUT_COST =
  "all requests are written as fast as the node takes them, right after init_ok; " +
  "CPU is user and system of the node's process alone, for a request with its reply";

/** The loads of a workload as one measurement. */
function costOf(workload: string, about = ABOUT_COST): Measurement {
  const chosen = loads.filter((load) => load.workload === workload);
  return {
    figures: chosen.flatMap(({ name }) => costFigures(name, "a message")),
    about,
    run: oneByOne(async (target, scale) => {
      const all: number[][] = [];
      for (const load of chosen) all.push(await cost(load)(target, scale));
      return all.flat();
    }),
  };
}

const linKv: Measurement = {
  figures: [
    { label: "lin-kv, CPU an operation", unit: "us", digits: 1 },
    { label: "lin-kv", unit: "op/s", digits: 0 },
    { label: "lin-kv, messages", unit: "per op", digits: 2 },
  ],
  about: "three nodes, between which the driver passes each message on at once and in order; 30 " +
    "clients with one operation each; CPU of the three together, messages between nodes; the " +
    "floor answers an operation when one other node has acknowledged it",
  run: oneByOne((target, { requests }) =>
    Cluster.with(target, async (cluster) => {
      const count = Math.ceil(requests * OPERATIONS_SHARE);
      await cluster.run(WARM_UP_OPERATIONS);
      const { cpuMs, elapsedMs, messages } = await cluster.run(count);
      return [cpuMs * 1000 / count, count / elapsedMs * 1000, messages / count];
    })
  ),
};

function pingAt(
  rate: number,
  label: string,
  { together = false, about }: { together?: boolean; about: string },
): Measurement {
  return {
    together,
    about,
    figures: ["p50", "p99", "p99.9"].map((share) => (
      { label: `ping at ${label}, ${share}`, unit: "us", digits: 0 }
    )),
    run: (targets, { pingSeconds }) =>
      withNodes(targets.map((target) => ({ target })), async (nodes) => {
        for (const node of nodes) await exchange(node, echo, 0, WARM_UP);
        const times = await ping(nodes, rate, together ? pingSeconds * SLOW_FACTOR : pingSeconds);
        return times.map((sorted) => [0.5, 0.99, 0.999].map((share) => quantile(sorted, share)));
      }),
  };
}

const start: Measurement = {
  figures: [{ label: "start to init_ok", unit: "ms", digits: 1 }],
  about: "from before the process is started until its reply to init is read; median of several",
  run: oneByOne(async (target, { starts }) => {
    const times = new Float64Array(starts);
    for (let index = 0; index < starts; index++) {
      const startMs = performance.now();
      const node = await RunningTarget.start(target);
      times[index] = performance.now() - startMs;
      await node.stop();
    }
    return [quantile(times.sort(), 0.5)];
  }),
};

const memory: Measurement = {
  figures: [
    { label: `memory of ${IDLE_NODES} nodes`, unit: "MB", digits: 1 },
    { label: "memory of a node", unit: "MB", digits: 2 },
  ],
  about: `proportional memory (PSS) of ${IDLE_NODES} nodes that run at the same time, ` +
    `${IDLE_MS / 1000} s after the last init_ok: the sum, and its share for each`,
  run: oneByOne((target) => {
    const ids = Array.from({ length: IDLE_NODES }, (_, index) => `n${index}`);
    return withNodes(ids.map((id) => ({ target, id, ids })), async (nodes) => {
      await delay(IDLE_MS);
      const sum = nodes.reduce((mb, node) => mb + node.proportionalMb(), 0);
      return [sum, sum / IDLE_NODES];
    });
  }),
};

/** Whether a node takes what is written to it, soon or after some work. */
async function isTaken(
  node: RunningTarget,
  written: Promise<void>,
  sample: () => void,
): Promise<boolean> {
  for (let idleMs = 0; idleMs < STALL_MS;) {
    const beforeMs = node.cpuMs();
    if (await Promise.race([written.then(() => true), delay(SAMPLE_MS).then(() => false)])) {
      return true;
    }
    sample();
    idleMs = node.cpuMs() - beforeMs < BUSY_MS ? idleMs + SAMPLE_MS : 0;
  }
  return false;
}

/** What became of a node whose output nobody read. */
interface Stuffed {
  readonly sent: number;
  readonly growthMb: number;
  readonly end: string;
}

/** Writes requests and reads nothing until the node stops reading, too, or it has had enough. */
async function stuff(node: RunningTarget, most: number): Promise<Stuffed> {
  const beforeMb = node.residentMb();
  let growthMb = 0;
  const sample = () => growthMb = Math.max(growthMb, node.residentMb() - beforeMb);
  let sent = 0, written = Promise.resolve(), end = "";
  while (end === "") {
    written = node.write(requestBytes(echo, sent, sent + STALL_CHUNK));
    sent += STALL_CHUNK;
    const taken = await isTaken(node, written, sample);
    sample();
    if (!taken) end = "stopped reading";
    else if (growthMb > MAX_GROWTH_MB) end = `was given no more at ${MAX_GROWTH_MB} MB`;
    else if (sent >= most) end = "went on reading until it had all";
  }
  const chunks = await node.readReplies(sent, written);
  await check(node, chunks, { load: echo, from: 0, to: sent });
  return { sent, growthMb, end };
}

const stall: Measurement = {
  figures: [
    { label: "growth with a stalled reader", unit: "MB", digits: 1 },
    { label: "requests written to a stalled reader", unit: "count", digits: 0 },
    { label: "growth for each of them", unit: "bytes", digits: 0 },
  ],
  about: "requests are written while the replies are not read, until the node has taken nothing " +
    `and done nothing for ${STALL_MS / 1000} s, or 100,000 are written (20,000 with --quick), or ` +
    `it has grown by ${MAX_GROWTH_MB} MB: the peak of resident memory over that after a warm-up; ` +
    "then all replies are read and checked. Which of the three it was is said for each node",
  run: oneByOne((target, { stalled }, note) =>
    withNode(target, async (node) => {
      for (let round = 0; round < 5; round++) await exchange(node, echo, 0, WARM_UP);
      const { sent, growthMb, end } = await stuff(node, stalled);
      note(`${target.name} ${end}: ${sent} requests, ${growthMb.toFixed(1)} MB`);
      return [growthMb, sent, growthMb * 2 ** 20 / sent];
    })
  ),
};

const SLOW_PING =
  `${SLOW_FACTOR} requests for each of --ping-seconds in a round: p99 and p99.9 are ` +
  "its slowest. All nodes are pinged at the same time, each in its own part of the second";

/** All measurements, by the names that `--only` takes. */
export const measurements: Readonly<Record<string, Measurement>> = {
  echo: costOf("echo"),
  "unique-ids": costOf("unique-ids", "as echo"),
  broadcast: costOf(
    "broadcast",
    `as echo: new values; and a list that grows to ${LIST_LENGTH} values, read 20 times after each`,
  ),
  "pn-counter": costOf("pn-counter", "as echo"),
  kafka: costOf(
    "kafka",
    `as echo: sends to 10 keys; and polls of 10 keys that return ${LIST_LENGTH} entries in all`,
  ),
  "txn-list-append": costOf(
    "txn-list-append",
    "as echo, one node, 4,096 requests at a time: an append to and a read of lists of up to 8",
  ),
  "lin-kv": linKv,
  "ping-1": pingAt(1, "1/s", { together: true, about: SLOW_PING }),
  "ping-100": pingAt(100, "100/s", { about: "a hundred requests for each of --ping-seconds" }),
  "ping-10k": pingAt(10_000, "10k/s", {
    about: "a request each 100 us whether or not the node keeps up. All pings are sent and read " +
      "by a thread for each, after a warm-up, and timed from when they are written, or due if the " +
      "pipe is full",
  }),
  start,
  memory,
  stall,
};
