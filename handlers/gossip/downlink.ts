/**
 * A hub's side: whom it sends to, and when.
 *
 * @module
 */

import type { Rhythm } from "./hub_schedule.ts";
import type { Peer } from "./peer.ts";
import type { Roster } from "./roster.ts";
import type { Timing } from "./timing.ts";

/** How events spread while nothing fails: through a hub, straight to everyone, or as told. */
export type Mode = "hub" | "direct" | "given";

/** How far a node has come: what has come from anywhere, and what it has appended itself. */
export interface Progress {
  readonly version: number;
  readonly ownSeq: number;
  /** Whether this node is its own hub. */
  readonly isHub: boolean;
}

/** What goes from a node to those that rely on it. */
export class Downlink {
  /** For how long it gathers between two times that it sends. */
  windowMs = 0;
  /** Since when more is known to be everywhere than others have been told. */
  settledAtMs = Infinity;
  readonly #roster: Roster;
  readonly #timing: Timing;
  #neighbours: ReadonlySet<string> | undefined;
  #hops = 1;
  #version = 1;
  #ownSeq = 0;
  #sentAtMs = -Infinity;
  #nextWindowMs = Infinity;

  constructor(roster: Roster, timing: Timing) {
    this.#roster = roster;
    this.#timing = timing;
  }

  /** Sends to these nodes only, while nothing fails; the farthest node is `hops` steps away. */
  follow(neighbours: readonly string[], hops: number): void {
    this.#neighbours = new Set(neighbours);
    this.#hops = Math.max(1, hops);
  }

  get mode(): Mode {
    if (this.#neighbours !== undefined) return "given";
    return this.#timing.isDirect(this.#roster.list) ? "direct" : "hub";
  }

  /** Whether a node relies on this one for what is new. */
  serves(peer: Peer, isHub: boolean, mode: Mode): boolean {
    if (peer.suspected) return false;
    if (peer.subscribed) return true;
    if (mode === "hub") return isHub;
    return mode === "direct" || this.#neighbours?.has(peer.name) === true;
  }

  /** When to send what is new, or a sign to those who wait for one; never if there is nothing. */
  newsDueMs({ version, ownSeq, isHub }: Progress): number {
    const toSome = version > this.#version;
    const { mode } = this;
    const toAll = mode === "direct" ? ownSeq > this.#ownSeq : toSome;
    const due = this.#roster.list.some((peer) =>
      peer.owed || ((peer.subscribed ? toSome : toAll) && this.serves(peer, isHub, mode))
    );
    return due ? this.#sentAtMs + this.windowMs : Infinity;
  }

  /** When to send; never while there is nothing to say. */
  dueMs(progress: Progress): number {
    const newsDueMs = this.newsDueMs(progress);
    if (newsDueMs < Infinity || !progress.isHub) return newsDueMs;
    return Math.max(this.settledAtMs + this.#timing.stableMs, this.#sentAtMs + this.windowMs);
  }

  /** When it sends again, for those that aim for that. */
  rhythm(nowMs: number): Rhythm {
    const nextMs = Math.max(0, Math.round(this.#sentAtMs + this.windowMs - nowMs));
    return { nextMs, periodMs: Math.round(this.windowMs) };
  }

  /** All of it is being sent now. */
  sent({ version, ownSeq }: Progress, nowMs: number): void {
    this.#version = version;
    this.#ownSeq = ownSeq;
    this.#sentAtMs = nowMs;
    this.settledAtMs = Infinity;
    const { list } = this.#roster;
    const windowMs = this.mode === "hub"
      ? this.#timing.hubWindowMs(list)
      : this.#timing.directWindowMs(list, this.#hops);
    // What just missed this message may have left early, for fear of links slower than they are.
    this.windowMs = Math.min(windowMs, this.#nextWindowMs);
    this.#nextWindowMs = windowMs;
  }
}
