/**
 * When a hub sends next, as far as one of its spokes can tell.
 *
 * @module
 */

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

  /** The hub has sent, `delayMs` ago, and will again in `nextMs` from then. */
  heard(nowMs: number, nextMs: number, delayMs: number): void {
    this.periodMs = nextMs;
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
   *
   * @param leadMs how long before the hub's message it must leave here
   */
  dueMs(nowMs: number, leadMs: number, graceMs: number): number {
    if (this.#nextAtMs === undefined) return nowMs;
    const lapsesAtMs = this.#nextAtMs + graceMs;
    if (nowMs >= lapsesAtMs) return nowMs;
    let dueAtMs = this.#nextAtMs - leadMs;
    while (dueAtMs < nowMs && dueAtMs < lapsesAtMs && this.periodMs > 0) dueAtMs += this.periodMs;
    return Math.max(nowMs, Math.min(dueAtMs, lapsesAtMs));
  }
}
