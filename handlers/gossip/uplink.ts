/**
 * A spoke's side: when to send to the hub what it lacks.
 *
 * @module
 */

import { HubSchedule, type Rhythm } from "./hub_schedule.ts";
import type { Peer } from "./peer.ts";
import type { Roster } from "./roster.ts";
import type { Timing } from "./timing.ts";
import type { Vector } from "./vector.ts";

/** What goes from a node to its hub. */
export class Uplink {
  /** The hub; undefined if this node is its own. */
  hub: Peer | undefined;
  /** When to send; never while the hub lacks nothing. */
  dueAtMs = Infinity;
  readonly schedule: HubSchedule;
  readonly #roster: Roster;
  readonly #timing: Timing;
  /** Which version of what is held here was sent last. */
  #sentVersion = 0;
  #sentAtMs = -Infinity;
  /** How often something was sent since the hub was heard from. */
  #unanswered = 0;
  /** When to send that again if the hub has not confirmed it. */
  #retryAtMs = 0;

  /** @param periodMs what to expect of the hub until it has said otherwise */
  constructor(roster: Roster, timing: Timing, periodMs: number) {
    this.#roster = roster;
    this.#timing = timing;
    this.schedule = new HubSchedule(periodMs);
    this.hub = roster.hub;
  }

  /** Chooses the hub anew. */
  choose(): void {
    const { hub } = this.#roster;
    if (hub === this.hub) return;
    this.hub = hub;
    this.schedule.forget();
    this.#sentVersion = 0;
    this.#unanswered = 0;
    this.dueAtMs = Infinity;
  }

  /** The hub has sent, and says when it will again. */
  heard(hub: Peer, rhythm: Rhythm, nowMs: number): void {
    this.schedule.heard(nowMs, rhythm, this.#timing.delayMs(hub));
    this.#unanswered = 0;
    this.dueAtMs = Infinity;
  }

  /** Whether all that this version holds has been sent. */
  isSent(version: number): boolean {
    return version <= this.#sentVersion;
  }

  /** A version is on its way to the hub. */
  sent(hub: Peer, version: number, nowMs: number): void {
    this.#retryAtMs = nowMs +
      (this.isSent(version)
        ? this.#timing.answerPatienceMs(hub)
        : this.#timing.hubPatienceMs(hub, this.schedule.periodMs));
    this.#sentVersion = version;
    this.#sentAtMs = nowMs;
    this.#unanswered++;
    this.dueAtMs = Infinity;
  }

  /** The version has grown by what came from the hub itself. */
  skip(version: number): void {
    this.#sentVersion = version;
  }

  /** Finds out when to send; a time that has come already stays. */
  plan(version: number, have: Vector, stable: Vector, nowMs: number): void {
    const { hub } = this;
    if (hub === undefined || hub.holds(have, stable)) this.dueAtMs = Infinity;
    else if (this.dueAtMs > nowMs) {
      this.dueAtMs = this.isSent(version)
        ? Math.max(nowMs, this.#retryAtMs)
        : this.justInTimeMs(hub, nowMs);
    }
  }

  /** When to send so that it reaches the hub just before that sends itself. */
  justInTimeMs(hub: Peer, nowMs: number): number {
    return this.schedule.dueMs(nowMs, {
      leadMs: this.#timing.leadMs(hub),
      delayMs: this.#timing.delayMs(hub),
      graceMs: this.#timing.graceMs(hub),
      sentAtMs: this.#sentAtMs,
      pauseMs: this.#timing.pauseMs(this.#unanswered),
    });
  }
}
