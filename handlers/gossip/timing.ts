/**
 * How long a node gathers events before it sends, and how long it waits for an answer, from the
 * latency budget and the measured delays of links.
 *
 * @module
 */

import type { Peer } from "./membership.ts";

/** What is added to a link's delay in each direction, in milliseconds. */
export const MARGIN_MS = 5;

/** The delay of a link of which nothing is known, in milliseconds; less if the budget is small. */
const UNKNOWN_DELAY_MS = 100;

/** All durations, in milliseconds. */
export class Timing {
  readonly #maxLatencyMs: number;
  /** The delay of a link of which nothing is known. */
  readonly #fallbackMs: number;
  readonly #eager: boolean;

  /**
   * @param maxLatencyMs how long an event may take to reach every node
   * @param eager whether every node is to learn at once what is stable
   */
  constructor(maxLatencyMs: number, eager: boolean) {
    this.#maxLatencyMs = maxLatencyMs;
    this.#eager = eager;
    this.#fallbackMs = Math.min(maxLatencyMs / 5, UNKNOWN_DELAY_MS);
  }

  /** How long an acknowledgement waits for another message that can carry it. */
  get ackDelayMs(): number {
    return this.#eager ? 0 : Math.max(2000, 2 * this.#maxLatencyMs);
  }

  /** How long a hub waits before it sends a message only to say what is stable. */
  get stableDelayMs(): number {
    return this.#eager ? 0 : 1000;
  }

  /**
   * Whether the way through a hub would take too long, so that each node sends to all others.
   *
   * What counts is the least delay of the links: more messages do not make a link that has become
   * slow faster. A budget that cannot be kept either way does not count either.
   */
  isDirect(peers: readonly Peer[]): boolean {
    if (this.#maxLatencyMs === 0) return true;
    const known = peers.some((peer) => peer.delay.known);
    const leastMs = known ? this.#typicalMs(peers, (peer) => peer.delay.leastMs) : UNKNOWN_DELAY_MS;
    return this.#maxLatencyMs < 2.2 * leastMs && this.#maxLatencyMs > 1.1 * leastMs;
  }

  /**
   * How long a hub gathers: what the ways to the hub and from it leave of the budget.
   *
   * An eager hub needs a second round, in which every node acknowledges what has arrived. Where the
   * budget cannot be kept, a hub gathers as long as a message takes.
   */
  hubWindowMs(peers: readonly Peer[]): number {
    const wayMs = MARGIN_MS + this.#typicalMs(peers, (peer) => peer.delay.safeMs(this.#fallbackMs));
    const leftMs = this.#eager
      ? (this.#maxLatencyMs - 3 * wayMs) / 2
      : this.#maxLatencyMs - wayMs - MARGIN_MS -
        this.#typicalMs(peers, (peer) => this.#knownLeadMs(peer) - MARGIN_MS);
    const leastMs = this.#maxLatencyMs / 4;
    return leftMs >= leastMs ? leftMs : Math.max(leastMs, wayMs);
  }

  /**
   * How long a node gathers that sends to others without a hub.
   *
   * @param hops how many links there are to the farthest node
   */
  directWindowMs(peers: readonly Peer[], hops: number): number {
    if (this.#maxLatencyMs === 0) return 0;
    const wayMs = this.#typicalMs(peers, (peer) => peer.delay.safeMs(this.#fallbackMs));
    const leftMs = this.#maxLatencyMs / hops - wayMs;
    // As for a hub: where the budget cannot be kept, more messages do not help.
    return leftMs >= 0 ? leftMs : wayMs;
  }

  /** How long a message to or from a node takes on average. */
  delayMs(peer: Peer): number {
    return peer.delay.oneWayMs(this.#fallbackMs);
  }

  /** How long a message to a node and one back take at most. */
  roundTripMs(peer: Peer): number {
    return 2 * peer.delay.safeMs(this.#fallbackMs) + MARGIN_MS;
  }

  /** How long before a hub's next message this node has to send to it, to be in time. */
  leadMs(hub: Peer): number {
    return hub.delay.safeMs(this.#fallbackMs) + MARGIN_MS;
  }

  /** What is left of the budget of an event, for a hub and its message. */
  leftMs(waitedMs: number): number {
    return Math.max(0, Math.round(this.#maxLatencyMs - waitedMs));
  }

  /** How long a message from a node to this one took, and one from here to all takes at most. */
  handOverMs(from: Peer, peers: readonly Peer[]): number {
    return this.delayMs(from) + MARGIN_MS +
      this.#typicalMs(peers, (peer) => peer.delay.safeMs(this.#fallbackMs));
  }

  /**
   * How long an event may wait here before it is sent to the hub, if the hub passes it on at once;
   * as long as it takes where the budget cannot be kept.
   */
  maxWaitMs(hub: Peer): number {
    const leftMs = this.#maxLatencyMs - 2 * (this.delayMs(hub) + MARGIN_MS);
    return leftMs >= this.#maxLatencyMs / 4 ? leftMs + MARGIN_MS : Infinity;
  }

  /** How much later than planned an event may be everywhere without a message of its own. */
  toleranceMs(from: Peer): number {
    return this.delayMs(from) / 4;
  }

  #knownLeadMs(peer: Peer): number {
    return Math.min(peer.leadMs ?? Infinity, this.leadMs(peer) + this.#maxLatencyMs / 20);
  }

  /** How long after its time a hub's message may arrive. */
  graceMs(hub: Peer): number {
    return hub.delay.safeMs(this.#fallbackMs) + 4 * MARGIN_MS;
  }

  /** How long a hub takes to acknowledge what it was sent: until its next message. */
  hubPatienceMs(hub: Peer, periodMs: number): number {
    return periodMs + this.leadMs(hub) + this.graceMs(hub);
  }

  /** The pause between two messages to a hub whose rhythm is not known. */
  retryPauseMs(unanswered: number): number {
    if (unanswered === 0) return 0;
    return Math.min(this.#maxLatencyMs, this.#maxLatencyMs / 2 * unanswered);
  }

  /**
   * How long a node that was sent events, and need not answer at once, may take to acknowledge them.
   *
   * @param byHub whether it acknowledges to the hub, whose next message says so to all
   */
  ackPatienceMs(peer: Peer, byHub: boolean): number {
    const detourMs = byHub
      ? this.stableDelayMs + this.#maxLatencyMs + this.answerPatienceMs(peer)
      : 0;
    return this.ackDelayMs + this.answerPatienceMs(peer) + detourMs;
  }

  /** How long a node that is to answer at once may take. */
  answerPatienceMs(peer: Peer): number {
    return 3 * peer.delay.safeMs(UNKNOWN_DELAY_MS) + 200;
  }

  /** How long events that another node has may be missing here before they are asked for. */
  gapPatienceMs(peer: Peer): number {
    return this.#maxLatencyMs + this.answerPatienceMs(peer);
  }

  /** The first pause between two probes of suspected nodes. */
  get minProbePauseMs(): number {
    return Math.max(1000, Math.min(this.#maxLatencyMs, 4000));
  }

  /** The longest such pause: the longest wait for repair when a partition is over. */
  get maxProbePauseMs(): number {
    return Math.max(3000, Math.min(1.6 * this.#maxLatencyMs, 4000));
  }

  /** How long events may not be known to be everywhere before a node that is no hub acts. */
  get unconfirmedMs(): number {
    return this.ackDelayMs + this.stableDelayMs + 2 * this.#maxLatencyMs + 3000;
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
