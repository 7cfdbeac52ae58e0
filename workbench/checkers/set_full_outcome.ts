/**
 * An element's fate: stable, lost or never read, and how long it took.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Op } from "../history.ts";
import type { CompletedPair, PlacedPair } from "./pairing.ts";

/** What is known of one element: when it was known to exist, and who last saw or missed it. */
export interface ElementState {
  readonly element: Json;
  readonly add: PlacedPair;
  /** The end of the add, or of a read that contains it, whichever came first. */
  known?: { op: Op; at: number };
  /** Of the reads that contain it, the one invoked last. */
  lastPresent?: CompletedPair;
  /** Of the reads that do not, the one invoked last. */
  lastAbsent?: CompletedPair;
}

/** What became of an element; latencies are whole milliseconds, under Maelstrom's names. */
export interface ElementOutcome {
  readonly state: ElementState;
  readonly outcome: "stable" | "lost" | "never-read";
  readonly "stable-latency": number | null;
  readonly "lost-latency": number | null;
}

/**
 * Decides an element's fate.
 *
 * It is stable if the last read to tell had it. It is lost if that read missed it and had begun
 * after the element was known; otherwise a miss may have come before the add, and it was never read.
 */
export function outcomeOf(state: ElementState): ElementOutcome {
  const { known, lastPresent, lastAbsent } = state;
  const present = lastPresent?.invokedAt ?? -1;
  const absent = lastAbsent?.invokedAt ?? -1;
  const stable = lastPresent !== undefined && absent < present;
  const lost = known !== undefined && lastAbsent !== undefined && present < absent &&
    known.at < absent;
  return {
    state,
    outcome: stable ? "stable" : lost ? "lost" : "never-read",
    "stable-latency": stable ? latency(state, lastAbsent?.invoke.time) : null,
    "lost-latency": lost ? latency(state, lastPresent?.invoke.time) : null,
  };
}

/** Milliseconds from when the element was known to just after the last read of the other kind. */
function latency({ known }: ElementState, time: number | undefined): number {
  const end = time === undefined ? 0 : time + 1;
  return Math.trunc(Math.max(0, end - (known?.op.time ?? 0)) / 1e6);
}
