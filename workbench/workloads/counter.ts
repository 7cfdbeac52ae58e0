/**
 * The `g-counter` and `pn-counter` workloads: does every node end up with the sum?
 *
 * @module
 */

import { counterSchema } from "@eddy/handlers";
import type { Json, Random } from "@eddy/maelstrom";
import { integerOf } from "../checkers/checker.ts";
import { checkCounter } from "../checkers/counter.ts";
import {
  eachTime,
  type Invocation,
  type MainGenerator,
  oncePerThread,
  openErrors,
  type Workload,
} from "../generator.ts";
import { randomBelow } from "../random.ts";

const read: Invocation = { f: "read", value: null };

/** Adds from -5 to 4 and reads, one as often as the other. */
function addOrRead(random: Random): Invocation {
  return randomBelow(random, 2) === 0 ? { f: "add", value: randomBelow(random, 10) - 5 } : read;
}

/** The same without the negative adds, so that a third is adds and two thirds are reads. */
function growOrRead(random: Random): Invocation {
  for (;;) {
    const op = addOrRead(random);
    if (typeof op.value !== "number" || op.value >= 0) return op;
  }
}

function isInteger(value: Json): boolean {
  return integerOf(value) !== undefined;
}

function counter(draw: (random: Random) => Invocation): Workload {
  return {
    operations: { add: isInteger, read: isInteger },
    errors: openErrors,
    reusableClients: false,
    session: (call) => async ({ f, value }) => {
      if (f === "read") return (await call({ type: "read" }, counterSchema.read.reply)).value;
      await call({ type: "add", delta: value }, counterSchema.add.reply);
      return value;
    },
    generator: (_options, random): MainGenerator => ({
      ...eachTime(() => draw(random)),
      final: (drawn) => oncePerThread({ ...read, final: true }, drawn),
    }),
    check: checkCounter,
  };
}

/** The `g-counter` workload. */
export const gCounter: Workload = counter(growOrRead);

/** The `pn-counter` workload. */
export const pnCounter: Workload = counter(addOrRead);
