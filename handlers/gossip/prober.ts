/**
 * Who of those that cannot be reached is tried next, and when.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import type { Roster } from "./roster.ts";
import type { Timing } from "./timing.ts";

/** The pause between two rounds of trying everybody. */
const ROUND_PAUSE_MS = 1000;

/**
 * Tries one suspected node at a time, round the list, with growing pauses; when one answers, what
 * kept it away may be over for all, and all are tried at once.
 */
export class Prober {
  /** When the next is to be tried. */
  dueAtMs = Infinity;
  readonly #roster: Roster;
  readonly #timing: Timing;
  #pauseMs = 0;
  #place = 0;
  #roundAtMs = -Infinity;

  constructor(roster: Roster, timing: Timing) {
    this.#roster = roster;
    this.#timing = timing;
  }

  /** A node has given no sign: it is tried once more at once. */
  suspect(peer: Peer, nowMs: number): void {
    this.dueAtMs = nowMs;
    this.#place = this.#roster.list.indexOf(peer);
    this.#pauseMs = this.#timing.minProbePauseMs;
  }

  /** Whom to try now. */
  take(nowMs: number): Peer | undefined {
    if (this.dueAtMs > nowMs) return undefined;
    const peer = this.#roster.suspectFrom(this.#place);
    if (peer === undefined) {
      this.dueAtMs = Infinity;
      return undefined;
    }
    this.#place = this.#roster.list.indexOf(peer) + 1;
    this.dueAtMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, this.#timing.maxProbePauseMs);
    return peer;
  }

  /** One has answered: whom else to try now. */
  takeAll(nowMs: number): readonly Peer[] {
    if (nowMs < this.#roundAtMs + ROUND_PAUSE_MS) return [];
    this.#roundAtMs = nowMs;
    return this.#roster.list.filter((peer) => peer.suspected);
  }
}
