/**
 * Faults that come one upon the other and hit the leader.
 *
 * @module
 */

import type { Clock, Random } from "@eddy/maelstrom";
import type { FaultVerbs, RunHooks } from "@eddy/workbench";
import { randomBelow, shuffled } from "@eddy/workbench/random.ts";

/** Settings of {@linkcode storm}. */
export interface StormOptions {
  readonly nodeIds: readonly string[];
  readonly random: Random;
  /** How long faults come. */
  readonly durationMs: number;
  /** How long each is on, at most. */
  readonly longestMs: number;
  /** How long it is calm between two faults, at most. */
  readonly calmMs: number;
}

/** The probability that a message is lost, or doubled, while that is on. */
const LOSS = 0.2;
const DUPLICATION = 0.3;
/** How long a node that was killed is down, at most. */
const DOWN_MS = 60;

/**
 * A script of faults on nodes that keep their storage: cuts, one-way cuts, held messages, loss,
 * doubles, slowness, pauses and kills, each on for a moment; half of them meet the leader, known from who appends.
 */
export function storm(options: StormOptions): Pick<RunHooks, "onMessage" | "script"> {
  const { nodeIds, random, longestMs } = options;
  let leader: string | undefined;
  return {
    onMessage({ type, message: { src, text } }) {
      if (type === "send" && text.startsWith('{"type":"append_entries"')) leader = src;
    },
    script(faults, clock) {
      const endMs = clock.now() + options.durationMs;
      const next = () => {
        if (clock.now() >= endMs) return;
        const [first = "", ...others] = shuffled(random, nodeIds);
        const node = random.next() < 0.5 ? leader ?? first : first;
        const heal = strike(node, others, faults, clock, options);
        const lastsMs = 10 + random.next() * longestMs;
        clock.schedule(lastsMs, () => {
          heal();
          clock.schedule(random.next() * options.calmMs, next);
        });
      };
      next();
    },
  };
}

/** Does one fault, and returns what ends it. */
function strike(
  node: string,
  others: readonly string[],
  faults: FaultVerbs,
  clock: Clock,
  { nodeIds, random }: StormOptions,
): () => void {
  const rest = nodeIds.filter((other) => other !== node);
  const [some = node] = others;
  switch (randomBelow(random, 10)) {
    case 0:
      return faults.isolate(node);
    case 1:
      return faults.oneWay(node, rest);
    case 2:
      return faults.oneWay(rest, node);
    case 3: {
      const size = 1 + randomBelow(random, nodeIds.length - 1);
      const all = shuffled(random, nodeIds);
      return faults.partition([all.slice(0, size), all.slice(size)]);
    }
    case 4:
      for (const other of rest) if (random.next() < 0.7) faults.hold(node, other);
      return () => faults.release();
    case 5:
      return faults.loss(LOSS);
    case 6:
      return faults.duplicate(DUPLICATION);
    case 7:
      return faults.slow(node, { factor: 5, extraMs: 100 });
    case 8:
      faults.pause(node);
      return () => faults.resume(node);
    default:
      return bounce(random.next() < 0.5 ? [node] : [node, some]);
  }

  function bounce(nodes: readonly string[]): () => void {
    for (const each of nodes) {
      const ignore = () => {};
      faults.crash(each).catch(ignore);
      clock.schedule(random.next() * DOWN_MS, () => void faults.restart(each).catch(ignore));
    }
    return () => {};
  }
}
