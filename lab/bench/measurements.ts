/**
 * What is measured, and how.
 *
 * @module
 */

import { checkReplies, type Chunk, requestBytes } from "./load.ts";
import { RunningTarget, type Target } from "./target.ts";

/** One number that a measurement gives. */
export interface Figure {
  readonly label: string;
  readonly unit: string;
  /** Digits behind the point. */
  readonly digits: number;
}

/** How much to do. */
export interface Scale {
  /** Requests of the throughput load. */
  readonly requests: number;
  /** Round trips, one at a time. */
  readonly pings: number;
  /** Seconds of the open loop. */
  readonly openSeconds: number;
  /** Starts of the process, of which the median counts. */
  readonly starts: number;
}

/** What a measurement is. */
export interface Measurement {
  readonly figures: readonly Figure[];
  /** One sentence for the reader of the figures. */
  readonly about: string;
  /** Measures a target once; one value per figure. */
  readonly run: (target: Target, scale: Scale) => Promise<number[]>;
}

/** Requests with which a node is warmed up where its first moments are of no interest. */
const WARM_UP = 20_000;
/** How much is written at most to a node whose output is not read. */
const STALL_REQUESTS = 800_000;
const STALL_CHUNK = 2_000;
/** A write that takes longer than this has met a node that stopped reading. */
const STALL_MS = 1000;
const OPEN_RATE = 10_000;

/** Value at share `share` of sorted numbers. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Starts a target, measures, and ends it whatever happens. */
async function withTarget<T>(target: Target, measure: (node: RunningTarget) => Promise<T>) {
  const node = await RunningTarget.start(target);
  try {
    return await measure(node);
  } finally {
    await node.stop();
  }
}

/** Sends requests all at once, and waits until all are answered. */
async function exchange(node: RunningTarget, from: number, to: number): Promise<number> {
  const bytes = requestBytes(from, to);
  const startMs = performance.now();
  const [chunks] = await Promise.all([node.readLines(to - from), node.write(bytes)]);
  const elapsedMs = performance.now() - startMs;
  checkReplies(chunks, { from, to, mirror: node.target.mirror === true });
  return elapsedMs;
}

const throughput: Measurement = {
  figures: [
    { label: "throughput", unit: "msg/s", digits: 0 },
    { label: "CPU per message, user", unit: "us", digits: 2 },
    { label: "CPU per message, user + system", unit: "us", digits: 2 },
  ],
  about:
    "All requests are written as fast as the node takes them, right after init_ok; time runs " +
    "from the first byte written to the last reply read. CPU is of the node's process alone",
  run: (target, { requests }) =>
    withTarget(target, async (node) => {
      const before = node.cpuTime();
      const elapsedMs = await exchange(node, 1, requests + 1);
      const after = node.cpuTime();
      const userMs = after.userMs - before.userMs;
      const systemMs = after.systemMs - before.systemMs;
      return [
        requests / elapsedMs * 1000,
        userMs * 1000 / requests,
        (userMs + systemMs) * 1000 / requests,
      ];
    }),
};

const ping: Measurement = {
  figures: [
    { label: "round trip, p50", unit: "us", digits: 0 },
    { label: "round trip, p99", unit: "us", digits: 0 },
  ],
  about:
    "One request at a time: from before it is written until its reply is read, after a warm-up",
  run: (target, { pings }) =>
    withTarget(target, async (node) => {
      await exchange(node, 0, WARM_UP);
      const times = new Float64Array(pings);
      const chunks: Chunk[] = [];
      const requests = Array.from({ length: pings }, (_, index) => requestBytes(index, index + 1));
      for (const [index, request] of requests.entries()) {
        const startMs = performance.now();
        const [got] = await Promise.all([node.readLines(1), node.write(request)]);
        times[index] = (performance.now() - startMs) * 1000;
        chunks.push(...got);
      }
      checkReplies(chunks, { from: 0, to: pings, mirror: target.mirror === true });
      times.sort();
      return [quantile(times, 0.5), quantile(times, 0.99)];
    }),
};

/** Writes `OPEN_RATE` requests a second whatever the node does; notes when each was written. */
async function writeOpenLoop(node: RunningTarget, sentMs: Float64Array): Promise<void> {
  const startMs = performance.now();
  for (let next = 0; next < sentMs.length;) {
    const nowMs = performance.now();
    const due = Math.min(sentMs.length, Math.floor((nowMs - startMs) * OPEN_RATE / 1000));
    if (due > next) {
      sentMs.fill(nowMs, next, due);
      // Not awaited: what the pipe does not take queues up, and counts as the node's time.
      node.write(requestBytes(next, due)).catch(() => {});
      next = due;
    }
    await sleep(1);
  }
}

const open: Measurement = {
  figures: [
    { label: "at 10k/s, p50", unit: "us", digits: 0 },
    { label: "at 10k/s, p99", unit: "us", digits: 0 },
  ],
  about:
    "Open loop: ten requests a millisecond whether or not the node keeps up, each timed from " +
    "when it was handed to the pipe, after a warm-up",
  run: (target, { openSeconds }) =>
    withTarget(target, async (node) => {
      await exchange(node, 0, WARM_UP);
      const sentMs = new Float64Array(OPEN_RATE * openSeconds);
      const [chunks] = await Promise.all([
        node.readLines(sentMs.length),
        writeOpenLoop(node, sentMs),
      ]);
      const mirror = target.mirror === true;
      const repliedAtMs = checkReplies(chunks, { from: 0, to: sentMs.length, mirror });
      const times = repliedAtMs.map((atMs, index) => (atMs - (sentMs[index] ?? NaN)) * 1000);
      times.sort();
      return [quantile(times, 0.5), quantile(times, 0.99)];
    }),
};

const start: Measurement = {
  figures: [{ label: "start to init_ok", unit: "ms", digits: 1 }],
  about: "From before the process is started until its reply to init is read; median of several",
  run: async (target, { starts }) => {
    const times = new Float64Array(starts);
    for (let index = 0; index < starts; index++) {
      const startMs = performance.now();
      const node = await RunningTarget.start(target);
      times[index] = performance.now() - startMs;
      await node.stop();
    }
    return [quantile(times.sort(), 0.5)];
  },
};

const idle: Measurement = {
  figures: [{ label: "idle memory", unit: "MB", digits: 1 }],
  about: "Resident memory half a second after init_ok, pages shared with other processes included",
  run: (target) =>
    withTarget(target, async (node) => {
      await sleep(500);
      return [node.residentMb()];
    }),
};

/** Writes requests until the node stops taking them; returns how many it was given. */
async function stuff(node: RunningTarget, onChunk: () => void): Promise<{
  sent: number;
  written: Promise<void>;
}> {
  for (let sent = 0;;) {
    const written = node.write(requestBytes(sent, sent + STALL_CHUNK));
    sent += STALL_CHUNK;
    const stalled = await Promise.race([
      written.then(() => false),
      sleep(STALL_MS).then(() => true),
    ]);
    onChunk();
    if (stalled || sent >= STALL_REQUESTS) return { sent, written };
  }
}

const stall: Measurement = {
  figures: [{ label: "growth with a stalled reader", unit: "MB", digits: 1 }],
  about: "Requests are written while the replies are not read, until the node takes no more " +
    `(or ${STALL_REQUESTS} are written): the peak of resident memory over that after a warm-up. ` +
    "Then all replies are read and checked",
  run: (target) =>
    withTarget(target, async (node) => {
      for (let round = 0; round < 5; round++) await exchange(node, 0, WARM_UP);
      const beforeMb = node.residentMb();
      let peakMb = beforeMb;
      const sample = () => peakMb = Math.max(peakMb, node.residentMb());
      const { sent, written } = await stuff(node, sample);
      const [chunks] = await Promise.all([node.readLines(sent), written]);
      checkReplies(chunks, { from: 0, to: sent, mirror: target.mirror === true });
      return [peakMb - beforeMb];
    }),
};

/** All measurements, by the names that `--only` takes. */
export const measurements: Readonly<Record<string, Measurement>> = {
  throughput,
  ping,
  open,
  start,
  idle,
  stall,
};
