/**
 * Generators that several workloads share.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";
import { shuffled } from "../world/random.ts";
import type { FinalPhase, Generator, Invocation, Next, Threads } from "./spec.ts";

/** Draws an operation for whichever free thread's turn it is, without end. */
export function eachTime(draw: () => Invocation): Generator {
  return {
    next(threads) {
      const thread = threads.nextFree();
      return thread === undefined ? "pending" : { thread, op: draw() };
    },
  };
}

/** One operation on every thread, all at once, in an order drawn by chance. */
export function oncePerThread(op: Invocation, random: Random): FinalPhase {
  return { generator: new OncePerThread(op, random) };
}

class OncePerThread implements Generator {
  readonly #op: Invocation;
  readonly #random: Random;
  #left: number[] | undefined;

  constructor(op: Invocation, random: Random) {
    this.#op = op;
    this.#random = random;
  }

  next(threads: Threads): Next {
    this.#left ??= shuffled(this.#random, Array.from({ length: threads.count }, (_, t) => t));
    // All threads are idle when a final phase begins, and none is asked twice: each is free.
    const thread = this.#left.pop();
    return thread === undefined ? "done" : { thread, op: this.#op };
  }
}
