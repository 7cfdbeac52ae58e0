/**
 * Worlds that are variations of those of earlier seeds, which reached something new.
 *
 * A world is named by seeds alone: that which it was drawn from first, and those by which it was
 * varied since. So it can be drawn again anywhere.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";
import { drawOf } from "./faults.ts";
import type { PlanFault } from "./nemesis.ts";
import { randomBelow, seededRandom } from "./random.ts";

/** How many runs a generation has. */
export const GENERATION = 32;
/** How often the world of a new seed is a variation, once there is something to vary. */
const VARIED = 0.5;
/** How many times a world is varied at most. */
export const MAX_PARENTS = 8;
/** How many different things are told apart in all; what comes later counts as known. */
const MAX_REACHED = 100_000;
/** Of so many things that were reached, the rarest decides what is varied. */
const CHOICES = 4;

/** The seeds of a world before the last one, by which it was varied; none if it was not. */
export type Parents = readonly number[];

/**
 * Decides which worlds the runs of a sweep have, by what earlier ones reached.
 *
 * It learns from whole generations, so that it does not matter which of several runs ends first.
 */
export class Steering {
  readonly #reached = new Map<string, { count: number; readonly world: readonly number[] }>();
  readonly #names: string[] = [];
  /** What runs reached that are not yet learnt from, and their worlds. */
  #results: { readonly world: readonly number[]; readonly reached: readonly string[] }[] = [];
  #sinceNew = 0;

  /** How many different things were reached. */
  get size(): number {
    return this.#names.length;
  }

  /** How many runs there were since the last that reached something new. */
  get sinceNew(): number {
    return this.#sinceNew;
  }

  /** Draws which world the run of a seed varies; none if it has one of its own. */
  parents(seed: number): Parents {
    const random = seededRandom(seed, "parents");
    if (this.size === 0 || random.next() >= VARIED) return [];
    const drawn = Array.from({ length: CHOICES }, () => drawOf(random, this.#names));
    const found = drawn.flatMap((name) => this.#reached.get(name) ?? []);
    const [rarest] = found.sort((a, b) => a.count - b.count);
    return rarest?.world.slice(0, MAX_PARENTS) ?? [];
  }

  /**
   * Takes what a run reached.
   *
   * @param world its parents and its seed
   */
  add(world: readonly number[], reached: readonly string[]): void {
    this.#results.push({ world, reached });
  }

  /** Learns from the runs of a generation, in the order of their seeds. */
  learn(): void {
    const seed = ({ world }: { readonly world: readonly number[] }) => world.at(-1) ?? 0;
    for (const { world, reached } of this.#results.sort((a, b) => seed(a) - seed(b))) {
      const before = this.size;
      for (const name of reached) this.#count(name, world);
      this.#sinceNew = this.size > before ? 0 : this.#sinceNew + 1;
    }
    this.#results = [];
  }

  #count(name: string, world: readonly number[]): void {
    const known = this.#reached.get(name);
    if (known !== undefined) known.count++;
    else if (this.size < MAX_REACHED) {
      this.#reached.set(name, { count: 1, world });
      this.#names.push(name);
    }
  }
}

/**
 * Varies the faults of a run.
 *
 * @param faults in the order of beginning
 * @param fresh faults that were drawn for the same nodes
 * @param durationMs until when faults may last
 */
export function varyFaults(
  faults: readonly PlanFault[],
  fresh: readonly PlanFault[],
  random: Random,
  durationMs: number,
): PlanFault[] {
  const vary = drawOf(random, VARIATIONS);
  return oneAtATime(vary({ faults, fresh, random, durationMs }));
}

/** Of each kind what does not begin before the last has ended: a majority is to be left. */
function oneAtATime(faults: readonly PlanFault[]): PlanFault[] {
  const endMs = new Map<string, number>();
  return faults.toSorted((a, b) => a.fromMs - b.fromMs)
    .filter(({ kind, fromMs, toMs = Infinity }) => {
      if (fromMs < (endMs.get(kind) ?? 0)) return false;
      endMs.set(kind, toMs);
      return true;
    });
}

interface Variation {
  readonly faults: readonly PlanFault[];
  readonly fresh: readonly PlanFault[];
  readonly random: Random;
  readonly durationMs: number;
}

const VARIATIONS: readonly ((variation: Variation) => PlanFault[])[] = [
  // Operations and latencies are those of another seed.
  ({ faults }) => [...faults],
  // What follows is another.
  ({ faults, fresh, random, durationMs }) => {
    const atMs = random.next() * durationMs;
    return [
      ...faults.filter(({ fromMs }) => fromMs < atMs),
      ...fresh.filter(({ fromMs }) => fromMs >= atMs),
    ];
  },
  ({ faults, fresh }) => [...faults, ...fresh],
  ({ faults, random }) => faults.filter(() => random.next() < 0.5),
  // A part of them happens again later.
  ({ faults, random, durationMs }) => {
    const lengthMs = durationMs / (2 + randomBelow(random, 8));
    const fromMs = random.next() * durationMs;
    const byMs = lengthMs + random.next() * lengthMs;
    const part = faults.filter((fault) =>
      fault.fromMs >= fromMs && fault.fromMs < fromMs + lengthMs
    );
    return [...faults, ...part.map((fault) => moved(fault, byMs))];
  },
  // Each is a little earlier or later, and longer or shorter.
  ({ faults, random }) => {
    const scale = 2 ** (2 * random.next() - 1);
    const mostMs = 10 ** (1 + 2 * random.next());
    return faults.map((fault) => {
      const { fromMs, toMs } = moved(fault, mostMs * (2 * random.next() - 1));
      return {
        ...fault,
        fromMs,
        toMs: toMs === undefined ? toMs : fromMs + scale * (toMs - fromMs),
      };
    });
  },
];

function moved(fault: PlanFault, byMs: number): PlanFault {
  const fromMs = Math.max(0, fault.fromMs + byMs);
  const { toMs } = fault;
  return { ...fault, fromMs, toMs: toMs === undefined ? toMs : fromMs + toMs - fault.fromMs };
}
