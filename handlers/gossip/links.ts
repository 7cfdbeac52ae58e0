/**
 * When to send to whom while nothing fails, through a hub or without one, and when to try the nodes
 * that messages seem not to reach.
 *
 * @module
 */

import type { Vector } from "./event_log.ts";
import { MeanDeviation } from "../mean_deviation.ts";
import type { Membership, Peer } from "./membership.ts";
import type { Gossip } from "./message.ts";
import { MARGIN_MS, type Timing } from "./timing.ts";

/** How much a node has got. */
export interface Progress {
  /** Counts what the node has appended and received. */
  readonly version: number;
  /** Counts what it has appended. */
  readonly ownSeq: number;
  /** Whether it is the hub. */
  readonly isHub: boolean;
}

/** When a hub sends, as its messages say. */
export interface Rhythm {
  /** How long until its next message, in milliseconds. */
  readonly nextMs: number;
  /** The time between two of its messages, in milliseconds. */
  readonly periodMs: number;
}

/** How soon a hub has to pass on what it is sent. */
export interface Urgency {
  /** What is left of the latency budget of the oldest event, in milliseconds. */
  readonly leftMs: number;
  /** How long before the hub's messages the sender sends, in milliseconds. */
  readonly leadMs: number;
}

/** When a node sends to its hub what the hub lacks: just in time for the hub's next message. */
export class Uplink {
  /** Undefined if this node is the hub. */
  hub: Peer | undefined;
  /** When to send; never while the hub lacks nothing. */
  dueAtMs = Infinity;
  readonly schedule: HubSchedule;
  readonly #membership: Membership;
  readonly #timing: Timing;
  /** The version that was sent last; see {@linkcode Progress}. */
  #sentVersion = 0;
  #sentAtMs = -Infinity;
  /** How many messages were sent since the hub's last one. */
  #unanswered = 0;
  /** When to send again if the hub has not acknowledged it. */
  #retryAtMs = 0;
  /** Since when events wait that were not sent, and since when those waited that were sent last. */
  #waitSinceMs: number | undefined;
  #sentWaitSinceMs = 0;
  readonly #lead = new Lead();
  /** The last message that was to arrive before a message of the hub. */
  #aimed: { readonly sentAtMs: number; readonly leadMs: number } | undefined;

  /** @param periodMs the hub's period until its first message */
  constructor(membership: Membership, timing: Timing, periodMs: number) {
    this.#membership = membership;
    this.#timing = timing;
    this.schedule = new HubSchedule(periodMs);
    this.hub = membership.hub;
  }

  /** Finds out which node is the hub. */
  chooseHub(): void {
    const { hub } = this.#membership;
    if (hub === this.hub) return;
    this.hub = hub;
    this.schedule.forget();
    this.#lead.forget();
    this.#aimed = undefined;
    this.#sentVersion = 0;
    this.#unanswered = 0;
    this.dueAtMs = Infinity;
  }

  /**
   * The hub has sent a message, which says when it sends the next one.
   *
   * @param echo the last message from here that had arrived, and how long before, if any had
   */
  heard(hub: Peer, rhythm: Rhythm, echo: Echo | undefined, nowMs: number): void {
    // A message of the rhythm; one in between is not what was aimed for.
    if (this.#aimed !== undefined && rhythm.nextMs >= rhythm.periodMs) {
      const { sentAtMs, leadMs } = this.#aimed;
      this.#aimed = undefined;
      const offMs = nowMs - this.#timing.delayMs(hub) - (this.schedule.nextAtMs ?? -Infinity);
      if (echo === undefined || echo.sentAtMs < sentAtMs) this.#lead.missed(leadMs);
      else if (echo.sentAtMs === sentAtMs && Math.abs(offMs) < this.#timing.toleranceMs(hub)) {
        this.#lead.inTime(leadMs, echo.heldMs);
      }
    }
    this.schedule.heard(nowMs, rhythm, this.#timing.delayMs(hub));
    this.#unanswered = 0;
    this.dueAtMs = Infinity;
  }

  /** Whether all that this version holds was sent. */
  isSent(version: number): boolean {
    return version <= this.#sentVersion;
  }

  /** A version was sent to the hub. */
  sent(hub: Peer, version: number, nowMs: number): void {
    this.#retryAtMs = nowMs +
      (this.isSent(version)
        ? this.#timing.answerPatienceMs(hub)
        : this.#timing.hubPatienceMs(hub, this.schedule.periodMs));
    this.#aim(hub, nowMs);
    this.#sentVersion = version;
    this.#sentAtMs = nowMs;
    this.#sentWaitSinceMs = this.#waitSinceMs ?? this.#sentWaitSinceMs;
    this.#waitSinceMs = undefined;
    this.#unanswered++;
    this.dueAtMs = Infinity;
  }

  /** How soon the hub has to pass on what it is sent now. */
  urgency(hub: Peer, nowMs: number): Urgency {
    const waitedMs = nowMs - (this.#waitSinceMs ?? this.#sentWaitSinceMs);
    return {
      leftMs: this.#timing.leftMs(waitedMs),
      leadMs: Math.round(this.#leadMs(hub)),
    };
  }

  /** Notes how long before the hub's next message one is sent that is to be in time for it. */
  #aim(hub: Peer, nowMs: number): void {
    const plannedMs = Math.min(nowMs, this.dueAtMs);
    const leadMs = (this.schedule.nextAtMs ?? -Infinity) - plannedMs;
    if (leadMs < this.#timing.delayMs(hub)) return;
    this.#aimed = { sentAtMs: Math.floor(nowMs), leadMs };
  }

  #leadMs(hub: Peer): number {
    return this.#lead.ms ?? this.#timing.leadMs(hub) + FIRST_SPARE_MS;
  }

  /** The version has grown by what came from the hub, which needs none of that. */
  skip(version: number): void {
    this.#sentVersion = version;
  }

  /** Sets the time to send; a time that is over stays. */
  plan(version: number, have: Vector, stable: Vector, nowMs: number): void {
    const { hub } = this;
    if (hub === undefined || hub.holds(have, stable)) {
      this.dueAtMs = Infinity;
      this.#waitSinceMs = undefined;
      return;
    }
    if (!this.isSent(version)) this.#waitSinceMs ??= nowMs;
    if (this.dueAtMs <= nowMs) return;
    const atMs = this.isSent(version)
      ? this.#retryAtMs
      : Math.min(this.justInTimeMs(hub, nowMs), this.#lastMs(hub, nowMs));
    this.dueAtMs = Math.max(nowMs, atMs);
  }

  /** When to send at the latest, whatever is known of the hub's rhythm. */
  #lastMs(hub: Peer, nowMs: number): number {
    return (this.#waitSinceMs ?? nowMs) + this.#timing.maxWaitMs(hub);
  }

  /** When to send so that the message reaches the hub just before the hub sends. */
  justInTimeMs(hub: Peer, nowMs: number): number {
    return this.schedule.dueMs(nowMs, {
      leadMs: this.#leadMs(hub),
      delayMs: this.#timing.delayMs(hub),
      graceMs: this.#timing.graceMs(hub),
      sentAtMs: this.#sentAtMs,
      pauseMs: this.#timing.retryPauseMs(this.#unanswered),
    });
  }
}

/** The last message from here that a node had got, and how long before it sent. */
type Echo = NonNullable<Gossip["echo"]>;

/** What the lead is while nothing is known, more than a link takes at most, in milliseconds. */
const FIRST_SPARE_MS = 20;

/**
 * How long before the hub's messages to send: as long as messages have taken until now, timers that
 * run late and busy processors included, with four deviations on top (as in RFC 6298).
 */
class Lead {
  readonly #taken = new MeanDeviation();

  /** Undefined while nothing is known. */
  get ms(): number | undefined {
    const { mean, deviation } = this.#taken;
    return mean === undefined ? undefined : mean + 4 * deviation + MARGIN_MS;
  }

  /** A message that was to be sent `leadMs` before the hub's arrived `slackMs` before it. */
  inTime(leadMs: number, slackMs: number): void {
    this.#taken.add(Math.max(0, leadMs - slackMs), FIRST_SPARE_MS / 4);
  }

  /** A message that was to be sent `leadMs` before the hub's arrived after it. */
  missed(leadMs: number): void {
    this.#taken.add(leadMs + FIRST_SPARE_MS, FIRST_SPARE_MS / 4);
  }

  forget(): void {
    this.#taken.forget();
  }
}

/** What is known of the link to the hub, and of what was sent over it. */
interface HubLink {
  /** How long before the hub's message this node should send. */
  readonly leadMs: number;
  /** How long before the hub's message this node may still send, if the link is not slow. */
  readonly delayMs: number;
  /** How long after its time a hub's message may arrive. */
  readonly graceMs: number;
  /** When this node sent last. */
  readonly sentAtMs: number;
  /** How long to wait from then if the hub's rhythm is not known. */
  readonly pauseMs: number;
}

/** What a node knows of its hub's rhythm. */
export class HubSchedule {
  /** When the hub sends next, by this node's clock; undefined if not known. */
  nextAtMs: number | undefined;
  /** The time between two of its messages. */
  periodMs: number;

  /** @param periodMs the period until the hub's first message */
  constructor(periodMs: number) {
    this.periodMs = periodMs;
  }

  /** The hub said `delayMs` ago that it sends its next message `nextMs` later. */
  heard(nowMs: number, { nextMs, periodMs }: Rhythm, delayMs: number): void {
    this.periodMs = periodMs;
    this.nextAtMs = nowMs - delayMs + nextMs;
  }

  /** Another node is the hub now. */
  forget(): void {
    this.nextAtMs = undefined;
  }

  /**
   * When to send, so that it arrives just in time.
   *
   * What is too late for one message of the hub is sent for the one after it. A hub whose message
   * has not arrived `graceMs` after its time had nothing to send, and sends as soon as it has.
   */
  dueMs(nowMs: number, { leadMs, delayMs, graceMs, sentAtMs, pauseMs }: HubLink): number {
    const nextAtMs = this.nextAtMs;
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

/** How events spread while nothing fails: through a hub, to all directly, or along a topology. */
type Mode = "hub" | "direct" | "given";

/** When a node sends to the nodes that get events from it: once in each window. */
export class Downlink {
  /** How long it gathers between two rounds of messages. */
  windowMs = 0;
  /** Since when more is stable than the last round has said. */
  stableAtMs = Infinity;
  readonly #membership: Membership;
  readonly #timing: Timing;
  #neighbours: ReadonlySet<string> | undefined;
  #hops = 1;
  #version = 1;
  #ownSeq = 0;
  #sentAtMs = -Infinity;
  /** When it may send again. */
  #nextAtMs = -Infinity;
  /** When it has to send, for events that arrived too late for its last message. */
  #urgentAtMs = Infinity;
  #nextWindowMs = Infinity;

  constructor(membership: Membership, timing: Timing) {
    this.#membership = membership;
    this.#timing = timing;
  }

  /** See {@linkcode GossipCore.follow}. */
  follow(neighbours: readonly string[], hops: number): void {
    this.#neighbours = new Set(neighbours);
    this.#hops = Math.max(1, hops);
  }

  get mode(): Mode {
    if (this.#neighbours !== undefined) return "given";
    return this.#timing.isDirect(this.#membership.peers) ? "direct" : "hub";
  }

  /** Whether a node gets new events from this one. */
  serves(peer: Peer, isHub: boolean, mode: Mode): boolean {
    if (peer.suspected) return false;
    if (peer.subscribed) return true;
    if (mode === "hub") return isHub;
    return mode === "direct" || this.#neighbours?.has(peer.name) === true;
  }

  /** When to send new events and acknowledgements; never if there are none. */
  newsDueMs({ version, ownSeq, isHub }: Progress): number {
    const toSome = version > this.#version;
    const { mode } = this;
    const toAll = mode === "direct" ? ownSeq > this.#ownSeq : toSome;
    const due = this.#membership.peers.some((peer) =>
      peer.awaitsAck || ((peer.subscribed ? toSome : toAll) && this.serves(peer, isHub, mode))
    );
    return due ? Math.min(this.#nextAtMs, this.#urgentAtMs) : Infinity;
  }

  /** When to send anything, what is stable included; never if there is nothing. */
  dueMs(progress: Progress): number {
    const newsDueMs = this.newsDueMs(progress);
    if (newsDueMs < Infinity || !progress.isHub) return newsDueMs;
    return Math.max(this.stableAtMs + this.#timing.stableDelayMs, this.#nextAtMs);
  }

  /** When it sends the next round, for the nodes that send to it. */
  rhythm(nowMs: number): Rhythm {
    const nextMs = Math.max(0, Math.round(this.#nextAtMs - nowMs));
    return { nextMs, periodMs: Math.round(this.windowMs) };
  }

  /**
   * Events have come that must be passed on soon. Those that were in time for the next round are, or
   * nearly; for others a round is sent that is none of the rhythm.
   */
  hurry(from: Peer, { leftMs, leadMs }: Urgency, nowMs: number): void {
    from.leadMs = leadMs;
    // What has used up its budget, as after a lost message, can no longer be in time.
    if (leftMs === 0) return;
    const dueAtMs = nowMs + leftMs - this.#timing.handOverMs(from, this.#membership.peers);
    if (dueAtMs > this.#nextAtMs - this.#timing.toleranceMs(from)) return;
    // Messages that are late are so for a common reason: one round is for all of them.
    this.#urgentAtMs = Math.min(
      this.#urgentAtMs,
      Math.max(nowMs + 2 * MARGIN_MS, dueAtMs, this.#sentAtMs + this.#timing.delayMs(from)),
    );
  }

  /** A round is being sent now. */
  sent({ version, ownSeq }: Progress, nowMs: number): void {
    this.#version = version;
    this.#ownSeq = ownSeq;
    this.#sentAtMs = nowMs;
    this.stableAtMs = Infinity;
    this.#urgentAtMs = Infinity;
    const { peers } = this.#membership;
    const windowMs = this.mode === "hub"
      ? this.#timing.hubWindowMs(peers)
      : this.#timing.directWindowMs(peers, this.#hops);
    // A message that just missed this round may have been sent by a node that takes its link for
    // slower than it is. So that it does not wait longer than planned, a longer window begins one
    // round later.
    this.windowMs = Math.min(windowMs, this.#nextWindowMs);
    this.#nextWindowMs = windowMs;
    // The others send just in time for the next round that they know of: one in between moves nothing.
    if (nowMs >= this.#nextAtMs) this.#nextAtMs = nowMs + this.windowMs;
  }
}

/** The pause between two rounds of probes to all suspected nodes, in milliseconds. */
const ROUND_PAUSE_MS = 1000;

/**
 * When to send to suspected nodes, which messages seem not to reach: to one after the other, with
 * growing pauses. When one answers, the fault may be over for all, so all get a message at once.
 */
export class Prober {
  /** When to send to the next. */
  dueAtMs = Infinity;
  readonly #membership: Membership;
  readonly #timing: Timing;
  #pauseMs = 0;
  #place = 0;
  #roundAtMs = -Infinity;

  constructor(membership: Membership, timing: Timing) {
    this.#membership = membership;
    this.#timing = timing;
  }

  /** A node has become suspected: it gets a message at once. */
  suspect(peer: Peer, nowMs: number): void {
    this.dueAtMs = nowMs;
    this.#place = this.#membership.peers.indexOf(peer);
    this.#pauseMs = this.#timing.minProbePauseMs;
  }

  /** The node to send to now. */
  next(nowMs: number): Peer | undefined {
    if (this.dueAtMs > nowMs) return undefined;
    const peer = this.#membership.nextSuspect(this.#place);
    if (peer === undefined) {
      this.dueAtMs = Infinity;
      return undefined;
    }
    this.#place = this.#membership.peers.indexOf(peer) + 1;
    this.dueAtMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, this.#timing.maxProbePauseMs);
    return peer;
  }

  /** One has answered: all nodes to send to now. */
  all(nowMs: number): readonly Peer[] {
    if (nowMs < this.#roundAtMs + ROUND_PAUSE_MS) return [];
    this.#roundAtMs = nowMs;
    return this.#membership.peers.filter((peer) => peer.suspected);
  }
}
