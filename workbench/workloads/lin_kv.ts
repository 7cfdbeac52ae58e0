/**
 * The `lin-kv` workload: does each key behave like one register?
 *
 * @module
 */

import { linKvSchema } from "@eddy/handlers";
import type { Json, Random } from "@eddy/maelstrom";
import { checkLinearizable } from "../checkers/linearizable.ts";
import type { RunOptions } from "../options.ts";
import { randomBelow } from "../random.ts";
import {
  type Generator,
  type Invocation,
  mappedErrors,
  type Next,
  type Threads,
  type Workload,
} from "../generator.ts";

/** How many values are written. */
const VALUES = 5;

/** How many processes may work on a key: each that crashed leaves the checker another unknown. */
const MAX_PROCESSES = 20;

/** How long clients wait, in milliseconds. */
export function linKvTimeoutMs({ latency }: Pick<RunOptions, "latency">): number {
  return Math.max(10 * latency.meanMs, 1000);
}

/** The `lin-kv` workload. */
export const linKv: Workload = {
  operations: { read: isKeyedOrPlain, write: isKeyedOrPlain, cas: isKeyedOrPlain },
  errors: mappedErrors("read"),
  reusableClients: true,
  session(call, options) {
    const timeoutMs = linKvTimeoutMs(options);
    return async ({ f, value: keyed }) => {
      const [key, value] = pair(keyed);
      if (f === "read") {
        const reply = await call({ type: "read", key }, linKvSchema.read.reply, timeoutMs);
        return [key, reply.value];
      } else if (f === "write") {
        await call({ type: "write", key, value }, linKvSchema.write.reply, timeoutMs);
      } else {
        const [from, to] = pair(value);
        await call({ type: "cas", key, from, to }, linKvSchema.cas.reply, timeoutMs);
      }
      return keyed;
    };
  },
  generator: (options, random) => new KeyGroups(options, random),
  check: (history) => checkLinearizable(history),
  lasting: ["nonlinearizable"],
};

/** Whether a value is a pair of key and value, or one of a single register without a key. */
function isKeyedOrPlain(value: Json): boolean {
  return !Array.isArray(value) || value.length === 2;
}

function pair(value: Json): [Json, Json] {
  if (!Array.isArray(value)) {
    throw new TypeError(
      `Cannot do an operation of lin-kv with ${JSON.stringify(value)}: not a pair`,
    );
  }
  return [value[0] ?? null, value[1] ?? null];
}

/** Some threads in a row that work on one key together. */
interface Group {
  readonly firstThread: number;
  key: number;
  /** Every process that has had a part in the key. */
  processes: Set<number>;
}

/**
 * Cuts the threads into groups of twice the number of nodes, each on a key of its own: half of
 * the threads read, the others write and compare-and-set.
 *
 * As in Maelstrom, whose generator compares the numbers of threads in the whole test, only the first
 * group reads, unless `everyGroupReads` is set. A key that has seen too many processes is retired for
 * a fresh one.
 */
class KeyGroups implements Generator {
  readonly #nodeCount: number;
  readonly #everyGroupReads: boolean;
  readonly #random: Random;
  readonly #groups: Group[] = [];
  readonly #maxProcesses: number;
  #nextKey = 0;

  constructor({ nodeIds, concurrency, everyGroupReads = false }: RunOptions, random: Random) {
    const nodeCount = nodeIds.length;
    this.#nodeCount = nodeCount;
    this.#everyGroupReads = everyGroupReads;
    this.#random = random;
    // In Maelstrom a group of more than 20 threads never does anything; here it does until a crash.
    this.#maxProcesses = Math.max(MAX_PROCESSES, 2 * nodeCount);
    for (let firstThread = 0; firstThread < concurrency; firstThread += 2 * nodeCount) {
      this.#groups.push({ firstThread, key: this.#nextKey++, processes: new Set() });
    }
  }

  next(threads: Threads): Next {
    const free = this.#groups.filter(({ firstThread }) =>
      threads.nextFree(firstThread, firstThread + 2 * this.#nodeCount) !== undefined
    );
    const group = free[randomBelow(this.#random, free.length)];
    if (group === undefined) return "pending";
    this.#count(group, threads);
    const { firstThread } = group;
    const hasReaders = this.#everyGroupReads || firstThread === 0;
    const firstWriter = firstThread + (hasReaders ? this.#nodeCount : 0);
    const reader = hasReaders ? threads.nextFree(firstThread, firstWriter) : undefined;
    const writer = threads.nextFree(firstWriter, firstThread + 2 * this.#nodeCount);
    const reads = reader !== undefined &&
      (writer === undefined || randomBelow(this.#random, 2) === 0);
    const thread = reads ? reader : writer;
    if (thread === undefined) return "pending";
    return { thread, op: reads ? readOf(group.key) : this.#change(group.key) };
  }

  /** Adds a group's present processes to those of its key, or takes the next key. */
  #count(group: Group, threads: Threads): void {
    for (let i = 0; i < 2 * this.#nodeCount; i++) {
      group.processes.add(threads.process(group.firstThread + i));
    }
    if (group.processes.size <= this.#maxProcesses) return;
    group.key = this.#nextKey++;
    group.processes = new Set();
    this.#count(group, threads);
  }

  #change(key: number): Invocation {
    const value = () => randomBelow(this.#random, VALUES);
    return randomBelow(this.#random, 3) === 0
      ? { f: "write", value: [key, value()] }
      : { f: "cas", value: [key, [value(), value()]] };
  }
}

function readOf(key: number): Invocation {
  return { f: "read", value: [key, null] };
}
