/**
 * What nodes told of themselves in a run: states, what they reached, what did not hold.
 *
 * @module
 */

import { type Observation, OBSERVATION_PREFIX, type ObservedState } from "@eddy/maelstrom";
import { plural } from "./checkers/checker.ts";
import type { Finding } from "./history.ts";

/** How long a line may be to be an observation, in characters. */
const MAX_LINE_CHARS = 2000;
/** How long a name of a state's value, or a value, may be, in characters. */
const MAX_TEXT_CHARS = 200;
/** How many values a state may have. */
const MAX_VALUES = 20;
/** How many observations of a run are kept. */
const MAX_RECORDS = 100_000;
/** How many names of each kind are kept. */
const MAX_NAMES = 1000;

/**
 * The observation in a line of a node's log; undefined for an ordinary line, as is one that is
 * malformed or too long.
 *
 * @example
 * ```ts
 * import { parseObservation } from "./observations.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseObservation('eddy: {"sometimes":"steps down"}'), {
 *   sometimes: "steps down",
 *   reached: true,
 * });
 * assertEquals(parseObservation("eddy: hello"), undefined);
 * ```
 */
export function parseObservation(line: string): Observation | undefined {
  if (!line.startsWith(OBSERVATION_PREFIX) || line.length > MAX_LINE_CHARS) return undefined;
  try {
    return readObservation(JSON.parse(line.slice(OBSERVATION_PREFIX.length)));
  } catch {
    return undefined;
  }
}

/** A value as an observation, copied; undefined if it is none, or too large. */
export function readObservation(value: unknown): Observation | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { observe, sometimes, reached = true, always, name } = value as Record<string, unknown>;
  const keys = Object.keys(value);
  const hasOnly = (...known: string[]) => keys.every((key) => known.includes(key));
  if (observe !== undefined) {
    const state = hasOnly("observe") ? readState(observe) : undefined;
    return state && { observe: state };
  }
  if (sometimes !== undefined) {
    const isRight = hasOnly("sometimes", "reached") && isName(sometimes) &&
      typeof reached === "boolean";
    return isRight ? { sometimes, reached } : undefined;
  }
  return hasOnly("always", "name") && always === false && isName(name)
    ? { always, name }
    : undefined;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_TEXT_CHARS;
}

function readState(value: unknown): ObservedState | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  const fits = entries.length > 0 && entries.length <= MAX_VALUES &&
    entries.every(([key, each]) => isName(key) && isValue(each));
  return fits ? Object.fromEntries(entries) : undefined;
}

function isValue(value: unknown): boolean {
  if (typeof value === "string") return value.length <= MAX_TEXT_CHARS;
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}

/** An observation, by whom and when. */
export interface ObservationRecord {
  /** Nanoseconds since the history began, as in it; negative before. */
  readonly time: number;
  /** The node that told it. */
  readonly node: string;
  /** What it told. */
  readonly observation: Observation;
}

/** How often nodes told something of a name, and when first. */
export interface NamedCount {
  /** The name. */
  readonly name: string;
  /** How often; 0 for what the nodes only came by. */
  readonly count: number;
  /** The first node that did; undefined if none did. */
  readonly node: string | undefined;
  /** When it did, in nanoseconds since the history began. */
  readonly time: number | undefined;
}

/** What nodes told of themselves, by name. */
export interface ObservationSummary {
  /** What is to happen in some run. */
  readonly sometimes: readonly NamedCount[];
  /** What must always hold, and did not. */
  readonly violations: readonly NamedCount[];
  /** How many observations were not kept, because there were too many. */
  readonly leftOut: number;
}

interface NamedTally {
  count: number;
  node: string | undefined;
  atMs: number | undefined;
}

/** Collects what nodes tell of themselves, up to a bound. */
export class Observations {
  readonly #now: () => number;
  readonly #records: { atMs: number; node: string; observation: Observation }[] = [];
  readonly #sometimes = new Map<string, NamedTally>();
  readonly #violations = new Map<string, NamedTally>();
  /** The last state of each node, as text. */
  readonly #states = new Map<string, string>();
  #leftOut = 0;

  /** @param now the world's time, in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes an observation; what is none, or is nothing new, is dropped. */
  add(node: string, given: Observation): void {
    const observation = readObservation(given);
    if (observation === undefined) return;
    const atMs = this.#now();
    if ("observe" in observation) {
      const text = JSON.stringify(observation);
      if (this.#states.get(node) === text) return;
      this.#states.set(node, text);
    } else if ("sometimes" in observation) {
      const { sometimes: name, reached } = observation;
      const isNew = this.#count(this.#sometimes, name, reached === true, node, atMs);
      if (!isNew) return;
    } else if (!this.#count(this.#violations, observation.name, true, node, atMs)) return;
    if (this.#records.length < MAX_RECORDS) this.#records.push({ atMs, node, observation });
    else this.#leftOut++;
  }

  /**
   * All that is kept, in order: states that differ from the one before, the first time that each
   * name was reached, and that it did not hold.
   *
   * @param startMs when the history begins, by the world's time
   */
  records(startMs: number): ObservationRecord[] {
    return this.#records.map(({ atMs, node, observation }) => {
      return { time: timeNs(atMs, startMs), node, observation };
    });
  }

  /** Whether a node said that something did not hold that always must. */
  get isViolated(): boolean {
    return this.#violations.size > 0;
  }

  /** What was told by name; undefined if nothing was, and nothing was left out. */
  summary(startMs: number): ObservationSummary | undefined {
    const named = (tallies: ReadonlyMap<string, NamedTally>): NamedCount[] =>
      [...tallies].map(([name, { count, node, atMs }]) => {
        return { name, count, node, time: atMs && timeNs(atMs, startMs) };
      });
    const sometimes = named(this.#sometimes);
    const violations = named(this.#violations);
    if (sometimes.length + violations.length + this.#leftOut === 0) return undefined;
    return { sometimes, violations, leftOut: this.#leftOut };
  }

  /** Counts a name, and returns whether it is the first time. */
  #count(
    tallies: Map<string, NamedTally>,
    name: string,
    happened: boolean,
    node: string,
    atMs: number,
  ): boolean {
    let tally = tallies.get(name);
    if (tally === undefined) {
      if (tallies.size >= MAX_NAMES) {
        this.#leftOut++;
        return false;
      }
      tally = { count: 0, node: undefined, atMs: undefined };
      tallies.set(name, tally);
    }
    if (!happened) return false;
    if (tally.count++ > 0) return false;
    Object.assign(tally, { node, atMs });
    return true;
  }
}

function timeNs(atMs: number, startMs: number): number {
  return Math.round((atMs - startMs) * 1e6);
}

/** A record as a line of `observations.jsonl`. */
export function writeObservation({ time, node, observation }: ObservationRecord): string {
  return JSON.stringify({ time, node, ...observation });
}

/** What did not hold, as findings. */
export function checkObservations({ violations }: ObservationSummary): Finding[] {
  return violations.map(({ name, count, node, time = 0 }) => ({
    anomaly: "always",
    what: `${node} said at ${(time / 1e9).toFixed(2)} s that ${JSON.stringify(name)} does not ` +
      `hold${count > 1 ? `, the first of ${plural(count, "time")}` : ""}`,
    ops: [],
  }));
}

/** In how many of some runs each name of `sometimes` was reached, by name. */
export function reachedIn(
  runs: readonly (ObservationSummary | undefined)[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const run of runs) {
    for (const { name, count } of run?.sometimes ?? []) {
      counts.set(name, (counts.get(name) ?? 0) + (count > 0 ? 1 : 0));
    }
  }
  return counts;
}
