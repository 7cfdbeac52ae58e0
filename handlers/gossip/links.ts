/**
 * A spoke's side: when to send to the hub what it lacks.
 *
 * @module
 */

import type { Peer, Roster } from "./gossip.ts";
import type { Timing } from "./timing.ts";
import type { Vector } from "./event_log.ts";

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
