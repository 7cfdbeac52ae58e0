/**
 * The two worlds that a run can take place in: one where time is only a number, and the real one.
 *
 * @module
 */

import { type Clock, type Random, systemClock } from "@eddy/maelstrom";
import { SimulatedNetwork } from "./network.ts";
import type { Latency, World } from "./options.ts";
import { seededRandom } from "./random.ts";
import { runVirtual, VirtualClock } from "./virtual_clock.ts";

/** A world with all that the workbench itself needs of it. */
export interface Arena extends World {
  readonly network: SimulatedNetwork;
  readonly seed: number;
  /**
   * Runs `main` in this world's time and returns what it returns.
   *
   * @param onStuck told if time cannot go on, so that `main` may end without it
   */
  run<T>(main: () => Promise<T>, onStuck?: (error: unknown) => void): Promise<T>;
}

/** Settings of a world. */
export interface WorldOptions {
  /**
   * How long messages take between nodes.
   *
   * @default no time
   */
  readonly latency?: Latency;
}

/**
 * A world under virtual time: the same seed gives the same run, on every machine.
 *
 * @example
 * ```ts
 * import { createVirtualWorld } from "./world.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const world = createVirtualWorld(7, { latency: { meanMs: 100, distribution: "constant" } });
 * const { network, clock } = world;
 * const arrival = await world.run(() =>
 *   new Promise((resolve) => {
 *     network.open("n0", () => {});
 *     network.open("n1", () => resolve(clock.now()));
 *     network.send({ src: "n0", dest: "n1", body: { type: "hello" } });
 *   })
 * );
 * assertEquals(arrival, 99); // As in Maelstrom, which sleeps in whole milliseconds.
 * ```
 */
export function createVirtualWorld(seed: number, options: WorldOptions = {}): Arena {
  const clock = new VirtualClock();
  return {
    ...createWorld(seed, clock, options),
    run: (main, onStuck) => runVirtual(clock, main, onStuck),
  };
}

/** The real world, for nodes that are processes; the seed decides all draws, but not the timing. */
export function createRealWorld(seed: number, options: WorldOptions = {}): Arena {
  return { ...createWorld(seed, systemClock, options), run: (main) => main() };
}

function createWorld(
  seed: number,
  clock: Clock,
  { latency = { meanMs: 0, distribution: "constant" } }: WorldOptions,
): Omit<Arena, "run"> {
  const random = (part: string): Random => seededRandom(seed, part);
  const network = new SimulatedNetwork({ clock, latency, random });
  return { clock, random, network, seed };
}

/** Keeps what nobody catches from ending the process, as `main.ts` does for a node on its own. */
export class Uncaught {
  #count = 0;
  #first = "";

  /** One sentence, if there was anything. */
  get warnings(): string[] {
    if (this.#count === 0) return [];
    const more = this.#count === 1 ? "" : `, and ${this.#count - 1} more`;
    return [`Nodes rejected promises that nobody caught: ${this.#first}${more}`];
  }

  /** Runs `main`, and takes note of all that is rejected meanwhile and not caught. */
  async during<T>(main: () => Promise<T>): Promise<T> {
    const note = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      if (this.#count++ === 0) this.#first = describe(event.reason);
    };
    globalThis.addEventListener("unhandledrejection", note);
    try {
      return await main();
    } finally {
      // What was rejected last is told of when the event loop gets its turn.
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.removeEventListener("unhandledrejection", note);
    }
  }
}

/** An error with the line it came from. */
function describe(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  const place = reason.stack?.split("\n").find((line) => /^\s+at /.test(line));
  return place === undefined ? String(reason) : `${reason} ${place.trim()}`;
}
