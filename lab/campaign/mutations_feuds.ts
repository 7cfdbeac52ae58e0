/**
 * Faults that set two nodes against each other, as in the paper's figure 8.
 *
 * @module
 */

import type { Clock, Random } from "@eddy/maelstrom";
import type { FaultVerbs, RunHooks } from "@eddy/workbench";
import { shuffled } from "@eddy/workbench/random.ts";

/** The probability that a phase leaves everybody together. */
const PEACE = 0.1;
/** How long the voters receive nothing, at most. */
const DEAF_MS = 60;

/** Settings of a feud. */
export interface FeudOptions {
  readonly nodeIds: readonly string[];
  readonly random: Random;
  /** How long faults come. */
  readonly durationMs: number;
  /** How long each is on, at least and at most. */
  readonly lastsMs: readonly [least: number, most: number];
}

type Script = Pick<RunHooks, "onMessage" | "script">;

/** Does one thing after the other until the time is up. */
function inTurn(
  { random, durationMs, lastsMs: [least, most] }: FeudOptions,
  step: (turn: number, faults: FaultVerbs, clock: Clock) => () => void,
): Script {
  return {
    script(faults, clock) {
      const endMs = clock.now() + durationMs;
      let turn = 0;
      const next = () => {
        if (clock.now() >= endMs) return;
        const heal = step(turn++, faults, clock);
        clock.schedule(least + random.next() * (most - least), () => {
          heal();
          next();
        });
      };
      next();
    },
  };
}

/**
 * The majority is now with one of two nodes, now with the other, and they never meet: each leads in
 * turn, and leaves entries behind that few have (paper, figure 8).
 */
export function seesaw(options: FeudOptions): Script {
  const [one = "", other = "", ...rest] = shuffled(options.random, options.nodeIds);
  return inTurn(options, (turn, faults) => {
    if (options.random.next() < PEACE) return () => {};
    const [outcast, leader] = turn % 2 === 0 ? [one, other] : [other, one];
    return faults.partition([[outcast], [leader, ...rest]]);
  });
}

/**
 * Two nodes that do not hear each other stand for election at the same time; who has voted is
 * started again at once.
 */
export function fork(options: FeudOptions): Script {
  const { nodeIds, random } = options;
  let bounce: (node: string) => void = () => {};
  const { script } = inTurn(options, (_turn, faults, clock) => {
    const ignore = () => {};
    bounce = (node) => {
      if (random.next() < 0.5) return;
      clock.schedule(0, () => {
        faults.crash(node).catch(ignore);
        faults.restart(node).catch(ignore);
      });
    };
    const [one = "", other = "", ...rest] = shuffled(random, nodeIds);
    const heal = faults.partition([[one], [other]]);
    faults.pause(rest);
    clock.schedule(random.next() * DEAF_MS, () => faults.resume(rest));
    return heal;
  });
  return {
    ...(script !== undefined && { script }),
    onMessage({ type, message: { src, text } }) {
      if (type !== "send" || !text.startsWith('{"type":"vote"')) return;
      if (text.includes('"pre":false') && text.includes('"granted":true')) bounce(src);
    },
  };
}

/**
 * One node after the other misses so much that it needs a snapshot, and some of these come late:
 * when another has come, and entries after it.
 */
export function stragglers(options: FeudOptions): Script {
  const { nodeIds, random } = options;
  let delay: (node: string) => void = () => {};
  const { script } = inTurn(options, (_turn, faults, clock) => {
    delay = (node) => {
      if (random.next() < 0.5) return;
      const heal = faults.slow(node, { extraMs: 50 + random.next() * 300 });
      clock.schedule(1, heal);
    };
    const [straggler = ""] = shuffled(random, nodeIds);
    return random.next() < 0.5 ? faults.isolate(straggler) : () => {};
  });
  return {
    ...(script !== undefined && { script }),
    onMessage({ type, message: { dest, text } }) {
      if (type === "send" && text.includes('"type":"install_snapshot"')) delay(dest);
    },
  };
}
