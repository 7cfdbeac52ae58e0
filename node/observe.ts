/**
 * What a node tells of itself to whoever watches it: its state, what it reached, what must hold.
 *
 * @example
 * ```ts
 * import { Node, type Observation } from "@eddy/maelstrom";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: Observation[] = [];
 * const node = new Node({ observer: (observation) => void seen.push(observation) });
 * node.observe({ role: "leader", term: 3 });
 * node.sometimes("steps down");
 * node.always(2 > 1, "terms only grow");
 * assertEquals(seen.length, 2);
 * ```
 *
 * @module
 */

/** What describes a node at present, by name. */
export type ObservedState = Readonly<Record<string, string | number | boolean>>;

/** Something that a node tells of itself, as {@linkcode observationLine} writes it. */
export type Observation =
  | {
    /** What the node is from now on. */
    readonly observe: ObservedState;
  }
  | {
    /** The name of something that is to happen in some run. */
    readonly sometimes: string;
    /**
     * Whether it has happened, or the node has only come by.
     *
     * @default true
     */
    readonly reached?: boolean | undefined;
  }
  | {
    /** Whether something held that must always hold; those that held are not told. */
    readonly always: false;
    /** What must hold. */
    readonly name: string;
  };

/** Takes what a node tells of itself. */
export type Observer = (observation: Observation) => void;

/** What a line on standard error begins with that is an observation. */
export const OBSERVATION_PREFIX = "eddy: ";

/**
 * An observation as a line on standard error, for which a program in any language may write.
 *
 * @example
 * ```ts
 * import { observationLine } from "./observe.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const line = observationLine({ observe: { role: "leader", term: 3 } });
 * assertEquals(line, 'eddy: {"observe":{"role":"leader","term":3}}');
 * ```
 */
export function observationLine(observation: Observation): string {
  return OBSERVATION_PREFIX + JSON.stringify(observation);
}

/** How many names are remembered, so that each is written once. */
const MAX_NAMES = 1000;

/**
 * An observer that writes lines: a state when it has changed, a name of `sometimes` when it comes
 * by and when it is reached, a violation of `always` once a name.
 */
export function lineObserver(write: (line: string) => void): Observer {
  const written = new Set<string>();
  let lastState = "";
  return (observation) => {
    const line = observationLine(observation);
    if ("observe" in observation) {
      if (line === lastState) return;
      lastState = line;
    } else {
      if (written.has(line) || written.size >= MAX_NAMES) return;
      written.add(line);
    }
    write(line);
  };
}
