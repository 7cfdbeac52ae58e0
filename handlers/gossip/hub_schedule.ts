/**
 * When a hub sends next, as far as one of its spokes can tell.
 *
 * @module
 */

/** When a hub sends. */
export interface Rhythm {
  /** How long until it does, in milliseconds. */
  readonly nextMs: number;
  /** The time between two of its messages, in milliseconds. */
  readonly periodMs: number;
}

/** The way to the hub, as far as it is known. */
export interface Way {
  /** How long before the hub's message something should leave here. */
  readonly leadMs: number;
  /** How long before it something may still leave, with some luck. */
  readonly delayMs: number;
  /** How long after its time a hub's message may come. */
  readonly graceMs: number;
  /** When something left here last. */
  readonly sentAtMs: number;
  /** How long to wait from then if the hub shows no rhythm. */
  readonly pauseMs: number;
}

/** A spoke's picture of its hub's rhythm. */
export class HubSchedule {
  /** When the hub sends next, by this node's clock; undefined while it has no rhythm. */
  #nextAtMs: number | undefined;
  /** The time between two of its messages. */
  periodMs: number;

  /** @param periodMs what to expect until the hub has said otherwise */
  constructor(periodMs: number) {
    this.periodMs = periodMs;
  }

  /** The hub has said, `delayMs` ago, that it sends again in `nextMs` from then. */
  heard(nowMs: number, { nextMs, periodMs }: Rhythm, delayMs: number): void {
    this.periodMs = periodMs;
    this.#nextAtMs = nowMs - delayMs + nextMs;
  }

  /** Another node is the hub now. */
  forget(): void {
    this.#nextAtMs = undefined;
  }

  /**
   * When to send, so that it arrives just in time.
   *
   * What misses a hub's message aims for the one after it. A hub that has not been heard from
   * `graceMs` after its time had nothing to send, and sends again as soon as something comes.
   */
  dueMs(nowMs: number, { leadMs, delayMs, graceMs, sentAtMs, pauseMs }: Way): number {
    const nextAtMs = this.#nextAtMs;
    if (nextAtMs === undefined || nowMs >= nextAtMs + graceMs) {
      return Math.max(nowMs, sentAtMs + pauseMs);
    }
    const dueAtMs = nextAtMs - leadMs;
    if (dueAtMs >= nowMs) return dueAtMs;
    if (sentAtMs < dueAtMs && nextAtMs - delayMs >= nowMs) return nowMs;
    const missed = this.periodMs <= 0 ? 0 : Math.ceil((nowMs - dueAtMs) / this.periodMs);
    const givesUpAtMs = Math.max(nextAtMs + graceMs, sentAtMs + pauseMs);
    return Math.max(nowMs, Math.min(dueAtMs + missed * this.periodMs, givesUpAtMs));
  }
}
