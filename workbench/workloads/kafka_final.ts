/**
 * How a run of the `kafka` workload ends: every thread reads everything once more.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";
import { shuffled } from "../world/random.ts";
import { drawInterval } from "./draw.ts";
import { atLeast } from "./integers.ts";
import { type Offsets, polledOffsets } from "./kafka_offsets.ts";
import type { CompletedOp, FinalPhase, Generator, Invocation, Next, Threads } from "./spec.ts";

/** How long it may take in all, since messages may well be lost. */
const LIMIT_MS = 10_000;

/** How long a thread rests between polls, on average. */
const POLL_INTERVAL_MS = 200;

const poll: Invocation = { f: "poll", value: [["poll"]] };

/** How far one thread has come. */
interface Reader {
  /** Operations to do before it polls. */
  readonly before: Invocation[];
  /** The offsets it has yet to reach. */
  readonly targets: Offsets;
  nextPollMs: number;
}

/**
 * Each thread crashes its client, assigns all keys from the beginning, and polls until it has seen
 * the highest offset that anybody saw of every key.
 *
 * @param seen each key's highest offset; -1 for keys that turned out empty
 */
export function finalPolls(seen: Offsets, random: Random): FinalPhase {
  return { generator: new FinalPolls(seen, random), limitMs: LIMIT_MS };
}

class FinalPolls implements Generator {
  readonly #seen: Offsets;
  readonly #random: Random;
  /** Those who are not done, by thread, in the order in which they are asked. */
  #readers: Map<number, Reader> | undefined;

  constructor(seen: Offsets, random: Random) {
    this.#seen = seen;
    this.#random = random;
  }

  next(threads: Threads, nowMs: number): Next {
    this.#readers ??= this.#start(threads.count);
    if (this.#readers.size === 0) return "done";
    let untilMs = Infinity;
    for (const [thread, reader] of this.#readers) {
      if (threads.nextFree(thread, thread + 1) === undefined) continue;
      const first = reader.before.shift();
      if (first !== undefined) return { thread, op: first };
      if (reader.nextPollMs <= nowMs) {
        reader.nextPollMs = nowMs + drawInterval(this.#random, POLL_INTERVAL_MS);
        return { thread, op: poll };
      }
      untilMs = Math.min(untilMs, reader.nextPollMs);
    }
    return untilMs === Infinity ? "pending" : { untilMs };
  }

  update(thread: number, completion: CompletedOp): void {
    const targets = this.#readers?.get(thread)?.targets;
    if (targets === undefined) return;
    for (const [key, offset] of polledOffsets(completion)) {
      const target = targets.get(key);
      if (target !== undefined && atLeast(offset, target)) targets.delete(key);
    }
    if (targets.size === 0) this.#readers?.delete(thread);
  }

  #start(threads: number): Map<number, Reader> {
    const keys = [...this.#seen.keys()].sort((a, b) => Number(a) - Number(b));
    const targets = [...this.#seen].filter(([, offset]) => atLeast(offset, 0));
    if (targets.length === 0) return new Map();
    const before: Invocation[] = [
      { f: "crash", value: null },
      { f: "assign", value: keys, seekToBeginning: true },
    ];
    const order = shuffled(this.#random, Array.from({ length: threads }, (_, thread) => thread));
    return new Map(order.map((thread) => [
      thread,
      { before: [...before], targets: new Map(targets), nextPollMs: 0 },
    ]));
  }
}
