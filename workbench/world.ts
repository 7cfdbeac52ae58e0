/**
 * The two worlds that a run can take place in: one where time is only a number, and the real one.
 *
 * @module
 */

import { type Clock, type Random, systemClock } from "@eddy/maelstrom";
import type { Latency, PlanLink } from "./links.ts";
import { Network } from "./network.ts";
import { seededRandom } from "./random.ts";
import { runVirtual, VirtualClock } from "./virtual_clock.ts";

/** The clock, the random numbers and the network of a run. */
export interface World {
  readonly clock: Clock;
  /** A random source for one part of a run, so that one part's draws do not shift another's. */
  random(part: string): Random;
  readonly network: Network;
  /**
   * Runs `main` in this world's time and returns what it returns.
   *
   * @param onStuck called when time cannot go on, so that `main` may end without it
   */
  run<T>(main: () => Promise<T>, onStuck?: (error: unknown) => void): Promise<T>;
}

/** Settings of a world. */
interface WorldOptions {
  /**
   * How long messages take between nodes.
   *
   * @default no time
   */
  readonly latency?: Latency | undefined;
  /**
   * What is not drawn of the messages of some links.
   *
   * @default all is drawn
   */
  readonly links?: readonly PlanLink[] | undefined;
  /**
   * Whether the event loop gets a turn after every event, so that what a program rejects and does
   * not catch is known before anything else happens.
   *
   * @default false
   */
  readonly turns?: boolean | undefined;
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
export function createVirtualWorld(seed: number, options: WorldOptions = {}): World {
  const clock = new VirtualClock();
  return {
    ...createWorld(seed, clock, options),
    run: (main, onStuck) => runVirtual(clock, main, onStuck, options.turns ? 1 : undefined),
  };
}

/** The real world, for nodes that are processes; the seed decides all draws, but not the timing. */
export function createRealWorld(seed: number, options: WorldOptions = {}): World {
  return { ...createWorld(seed, systemClock, options), run: (main) => main() };
}

function createWorld(
  seed: number,
  clock: Clock,
  { latency = { meanMs: 0, distribution: "constant" }, links }: WorldOptions,
): Omit<World, "run"> {
  const random = (part: string): Random => seededRandom(seed, part);
  const network = new Network({ clock, latency, random, plan: links });
  return { clock, random, network };
}
