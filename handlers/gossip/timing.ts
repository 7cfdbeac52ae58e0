/**
 * How long to gather, and how long to wait for a sign, from the latency budget and from what
 * links are seen to take.
 *
 * @module
 */

import type { Peer } from "./gossip.ts";

/** What a hub allows for on top of the links' delay, in milliseconds, once on each way. */
const MARGIN_MS = 5;

/** What a link is taken to need while nothing is known of it, in milliseconds; less in a hurry. */
const UNKNOWN_MS = 100;

/** The settings that time depends on. */
export interface TimingOptions {
  /** What an event may take to reach everyone, in milliseconds; 0 sends at once, to everyone. */
  readonly maxLatencyMs: number;
  /** Whether everyone wants to know at once what everybody has. */
  readonly eager: boolean;
}

/** Durations, all in milliseconds. */
export class Timing {
  readonly #maxLatencyMs: number;
  /** What a link is taken to need until something is known of it. */
  readonly #fallbackMs: number;
  readonly #eager: boolean;

  constructor({ maxLatencyMs, eager }: TimingOptions) {
    this.#maxLatencyMs = maxLatencyMs;
    this.#eager = eager;
    this.#fallbackMs = Math.min(maxLatencyMs / 5, UNKNOWN_MS);
  }

  /** How long an event that has come is left unconfirmed, in the hope of a message to ride on. */
  get ackMs(): number {
    return this.#eager ? 0 : Math.max(2000, 1.2 * this.#maxLatencyMs);
  }

  /** How long a hub that knows everything to be everywhere keeps that to itself. */
  get stableMs(): number {
    return this.#eager ? 0 : 1000;
  }

  /**
   * Whether a hub in between would take too long: each node sends to everyone itself.
   *
   * Links that have become slow do not count: more messages would not make them faster. Nor does a
   * budget that cannot be kept either way.
   */
  isDirect(peers: readonly Peer[]): boolean {
    if (this.#maxLatencyMs === 0) return true;
    const known = peers.some((peer) => peer.delay.known);
    const leastMs = known ? this.#typicalMs(peers, (peer) => peer.delay.leastMs) : UNKNOWN_MS;
    return this.#maxLatencyMs < 2.2 * leastMs && this.#maxLatencyMs > 1.1 * leastMs;
  }

  /**
   * How long a hub gathers: what the budget leaves of the way to the hub and the way from it.
   * An eager one needs a second round, in which everyone says what has come. Where the budget
   * cannot be kept, a hub gathers as long as a message takes.
   */
  hubWindowMs(peers: readonly Peer[]): number {
    const wayMs = MARGIN_MS + this.#typicalMs(peers, (peer) => peer.delay.safeMs(this.#fallbackMs));
    const leftMs = this.#eager
      ? (this.#maxLatencyMs - 3 * wayMs) / 2
      : this.#maxLatencyMs - 2 * wayMs;
    const leastMs = this.#maxLatencyMs / 4;
    return leftMs >= leastMs ? leftMs : Math.max(leastMs, wayMs);
  }

  /**
   * How long a node gathers that sends to others itself.
   *
   * @param hops how many such nodes an event passes
   */
  directWindowMs(peers: readonly Peer[], hops: number): number {
    if (this.#maxLatencyMs === 0) return 0;
    const wayMs = this.#typicalMs(peers, (peer) => peer.delay.safeMs(this.#fallbackMs));
    const leftMs = this.#maxLatencyMs / hops - wayMs;
    // As for a hub: where the budget cannot be kept, messages would not make up for it.
    return leftMs >= 0 ? leftMs : wayMs;
  }

  /** What a message to or from a node takes on average. */
  delayMs(peer: Peer): number {
    return peer.delay.oneWayMs(this.#fallbackMs);
  }

  /** How long a message takes there, and one back, at most. */
  roundTripMs(peer: Peer): number {
    return 2 * peer.delay.safeMs(this.#fallbackMs) + MARGIN_MS;
  }

  /** How long before a hub's next message something has to leave here. */
  leadMs(hub: Peer): number {
    return hub.delay.safeMs(this.#fallbackMs) + MARGIN_MS;
  }

  /** How long after its time a hub's message is taken to be still on its way. */
  graceMs(hub: Peer): number {
    return hub.delay.safeMs(this.#fallbackMs) + 4 * MARGIN_MS;
  }

  /** How long a hub usually takes to confirm what it was sent: until its next message. */
  hubPatienceMs(hub: Peer, periodMs: number): number {
    return periodMs + this.leadMs(hub) + this.graceMs(hub);
  }

  /** The pause before something is sent once more to a hub that shows no rhythm. */
  pauseMs(unanswered: number): number {
    if (unanswered === 0) return 0;
    return Math.min(this.#maxLatencyMs, this.#maxLatencyMs / 2 * unanswered);
  }

  /**
   * How long one that was sent events, and need not answer at once, may take to confirm them.
   *
   * @param byHub whether it tells the hub, which tells all in one of its next messages
   */
  ackPatienceMs(peer: Peer, byHub: boolean): number {
    const detourMs = byHub ? this.stableMs + this.#maxLatencyMs + this.answerPatienceMs(peer) : 0;
    return this.ackMs + this.answerPatienceMs(peer) + detourMs;
  }

  /** How long one that was asked may take to answer. */
  answerPatienceMs(peer: Peer): number {
    return 3 * peer.delay.safeMs(UNKNOWN_MS) + 200;
  }

  /** How long others may be seen to have what is missing here before it is asked for. */
  gapPatienceMs(peer: Peer): number {
    return this.#maxLatencyMs + this.answerPatienceMs(peer);
  }

  /** The first pause between two tries of someone who cannot be reached. */
  get minProbePauseMs(): number {
    return Math.max(1000, Math.min(this.#maxLatencyMs, 4000));
  }

  /** The longest such pause: what repair has to wait for when a cut is over. */
  get maxProbePauseMs(): number {
    return Math.max(3000, Math.min(1.6 * this.#maxLatencyMs, 4000));
  }

  /** How long something may stay unconfirmed before a node that is no hub looks after it. */
  get unconfirmedMs(): number {
    return this.ackMs + this.stableMs + 2 * this.#maxLatencyMs + 3000;
  }

  #typicalMs(peers: readonly Peer[], delayMs: (peer: Peer) => number): number {
    let sumMs = 0;
    let count = 0;
    for (const peer of peers) {
      if (!peer.delay.known || peer.suspected) continue;
      sumMs += delayMs(peer);
      count++;
    }
    return count === 0 ? this.#fallbackMs : sumMs / count;
  }
}

/** Weights of a new sample in the mean and in the deviation, as in TCP (RFC 6298). */
const MEAN_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;

/** How far off the first sample is taken to be, as a share of it. */
const FIRST_DEVIATION = 1 / 32;

/**
 * The delay of one link: half the mean round trip, and how far round trips are off their mean.
 *
 * A message says when it was sent and which message of the other side it has seen last, and how
 * long ago; the other side computes the round trip from its own clock alone.
 */
export class LinkDelay {
  #roundTripMs: number | undefined;
  #deviationMs = 0;
  #leastMs = Infinity;

  /** Whether any round trip has been seen. */
  get known(): boolean {
    return this.#roundTripMs !== undefined;
  }

  /** Takes a round trip. */
  add(roundTripMs: number): void {
    const sample = Math.max(0, roundTripMs);
    this.#leastMs = Math.min(this.#leastMs, sample);
    if (this.#roundTripMs === undefined) {
      this.#roundTripMs = sample;
      this.#deviationMs = sample * FIRST_DEVIATION;
      return;
    }
    const error = sample - this.#roundTripMs;
    this.#roundTripMs += error * MEAN_WEIGHT;
    this.#deviationMs += (Math.abs(error) - this.#deviationMs) * DEVIATION_WEIGHT;
  }

  /** What a message takes on average, or `fallbackMs` while nothing is known. */
  oneWayMs(fallbackMs: number): number {
    return this.#roundTripMs === undefined ? fallbackMs : this.#roundTripMs / 2;
  }

  /** What a message takes when nothing slows it down; 0 while nothing is known. */
  get leastMs(): number {
    return this.known ? this.#leastMs / 2 : 0;
  }

  /** What nearly every message stays below. */
  safeMs(fallbackMs: number): number {
    return this.#roundTripMs === undefined
      ? fallbackMs
      : this.#roundTripMs / 2 + 2 * this.#deviationMs;
  }
}
