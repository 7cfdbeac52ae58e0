/**
 * Stand-ins for the run around a generator or a session, for tests.
 *
 * @module
 */

import type { JsonObject } from "@eddy/maelstrom";
import { readReply } from "../clients/reply.ts";
import { defaultOptions, type RunSettings } from "../run/options.ts";
import type { WorkloadName } from "../types.ts";
import { seededRandom } from "../world/random.ts";
import type { Call, Generator, Invocation, Next, Threads } from "./spec.ts";
import { workloadSpecs } from "./workloads.ts";

/** Threads that are busy, and run processes, as the test says. */
export class ScriptedThreads implements Threads {
  busy: Set<number> = new Set();
  readonly processes: number[];
  #turn = 0;

  constructor(readonly count: number) {
    this.processes = Array.from({ length: count }, (_, thread) => thread);
  }

  process(thread: number): number {
    return this.processes[thread] ?? -1;
  }

  nextFree(from = 0, to = this.count): number | undefined {
    const free = Array.from({ length: to - from }, (_, i) => from + i)
      .filter((thread) => !this.busy.has(thread));
    return free.find((thread) => thread >= this.#turn) ?? free[0];
  }

  /** Passes the turn on, as an operation on a thread does. */
  pass(thread: number): void {
    this.#turn = (thread + 1) % this.count;
  }
}

/** An emitted operation and who does it. */
export type Emitted = { readonly thread: number; readonly op: Invocation };

/** What a generator emitted, or an error if it emitted nothing. */
export function emitted(next: Next): Emitted {
  if (typeof next === "string" || "untilMs" in next) {
    throw new Error(`Nothing was emitted: ${JSON.stringify(next)}`);
  }
  return next;
}

/** The first operations of a workload, none of which ever takes time. */
export function take(workload: WorkloadName, n: number, settings: RunSettings = {}): Emitted[] {
  const options = defaultOptions(workload, settings);
  const random = seededRandom(options.seed, "generator");
  const generator = workloadSpecs[workload].generator(options, random);
  return takeFrom(generator, n, new ScriptedThreads(options.concurrency));
}

/** The next operations of a generator, a millisecond apart. */
export function takeFrom(generator: Generator, n: number, threads: ScriptedThreads): Emitted[] {
  return Array.from({ length: n }, (_, i) => {
    const each = emitted(generator.next(threads, i));
    threads.pass(each.thread);
    return each;
  });
}

/** How often each text occurs. */
export function tally(texts: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

/** A node that answers at once, and remembers what it was asked and how long one would wait. */
export class ScriptedNode {
  readonly requests: JsonObject[] = [];
  readonly timeouts: (number | undefined)[] = [];
  /** Answers a request, or throws what the client is to meet. */
  answer: (body: JsonObject) => JsonObject;

  constructor(answer: (body: JsonObject) => JsonObject) {
    this.answer = answer;
  }

  readonly call: Call = (request, schema, timeoutMs) => {
    this.requests.push(request);
    this.timeouts.push(timeoutMs);
    return new Promise((resolve) => {
      const body = { in_reply_to: 1, ...this.answer(request) };
      resolve(readReply(body, schema, { type: request.type, node: "n1" }));
    });
  };
}
