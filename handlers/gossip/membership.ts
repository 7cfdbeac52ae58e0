/**
 * The other nodes of the cluster: what each holds, whether messages reach it, and how long they
 * take.
 *
 * @module
 */

import { MeanDeviation } from "../mean_deviation.ts";
import { covers, isLater, merge, seqOf, type Vector } from "./event_log.ts";

/** The other nodes, in the order of the cluster's list. */
export class Membership {
  readonly peers: readonly Peer[];
  readonly #byName: ReadonlyMap<string, Peer>;
  readonly #index: number;

  constructor(id: string, nodeIds: readonly string[]) {
    this.#index = nodeIds.indexOf(id);
    this.peers = nodeIds.map((name, index) => new Peer(name, index))
      .filter(({ name }) => name !== id);
    this.#byName = new Map(this.peers.map((peer) => [peer.name, peer]));
  }

  get(name: string): Peer | undefined {
    return this.#byName.get(name);
  }

  /** The first node of the list that is not suspected; undefined if that is this node. */
  get hub(): Peer | undefined {
    for (const peer of this.peers) {
      if (peer.index > this.#index) return undefined;
      if (!peer.suspected) return peer;
    }
    return undefined;
  }

  /** Whether any node is suspected. */
  get hasSuspects(): boolean {
    return this.peers.some((peer) => peer.suspected);
  }

  /** The next suspected peer at or after a place in `peers`, which is followed by the first one. */
  nextSuspect(place: number): Peer | undefined {
    const count = this.peers.length;
    for (let i = 0; i < count; i++) {
      const peer = this.peers[(place + i) % count];
      if (peer?.suspected) return peer;
    }
    return undefined;
  }

  /** A node that is known to hold `wanted`: the hub, or one that is not suspected, or any. */
  findHolder(have: Vector, wanted: Vector): Peer | undefined {
    const hub = this.hub;
    if (hub !== undefined && holdsWanted(hub, have, wanted)) return hub;
    const holders = this.peers.filter((peer) => holdsWanted(peer, have, wanted));
    return holders.find((peer) => !peer.suspected) ?? holders[0];
  }

  /**
   * Raises `stable` to what every node is known to hold.
   *
   * Nothing is concluded as long as a node's own events are missing here: it may have appended some
   * of them before it held what it holds now.
   *
   * @returns whether anything became stable.
   */
  raiseStable(stable: Vector, have: Vector): boolean {
    for (const peer of this.peers) {
      if (peer.stream < 0 || seqOf(peer.known, peer.stream) > seqOf(have, peer.stream)) {
        return false;
      }
    }
    let raised = false;
    for (let stream = 0; stream < have.length; stream++) {
      let seq = seqOf(have, stream);
      const before = seqOf(stable, stream);
      for (let i = 0; seq > before && i < this.peers.length; i++) {
        const peer = this.peers[i];
        if (peer !== undefined) seq = Math.min(seq, peer.seq(stream, stable));
      }
      while (stable.length <= stream) stable.push(0);
      if (seq > before) {
        stable[stream] = seq;
        raised = true;
      }
    }
    return raised;
  }
}

function holdsWanted(peer: Peer, have: Vector, wanted: Vector): boolean {
  return !covers(have, peer.known) && covers(peer.known, wanted);
}

/** What is known here of one other node. */
export class Peer {
  readonly name: string;
  /** Its place among all nodes; the first that is not suspected is the hub. */
  readonly index: number;
  /** The tag of its process that was heard from last; empty before the first message. */
  tag = "";
  /** The stream of that process; -1 before the first message. */
  stream = -1;
  /** What it said that it holds; `stable` may say more. */
  readonly known: Vector = [];
  /**
   * Whether it holds what is stable. A process that follows another need not: what others call stable
   * they may have concluded from what the earlier one held.
   */
  #sharesStable = true;
  readonly delay: LinkDelay = new LinkDelay();
  /** How long before this node's messages it sends to it, as it says. */
  leadMs: number | undefined;

  /** When its last message arrived here, and its own clock when it sent that; for the echo. */
  heardAtMs = -Infinity;
  heardSentAtMs = -1;

  /** When the first message was sent that has no echo yet; undefined if each has one. */
  #unechoedFromMs: number | undefined;
  /** How far this node's own stream was then, if the node was not known to hold it; else 0. */
  #unechoedSeq = 0;
  /** By when an echo is expected. */
  echoDueAtMs = Infinity;
  #lastSentMs = 0;
  #patienceMs = 0;
  /** What it holds unless a message to it is lost, and until when that is assumed. */
  #inFlight: Vector = [];
  #inFlightUntilMs = -Infinity;

  /** Since when it seems not to receive this node's messages; undefined while it does. */
  suspectedAtMs: number | undefined;
  /** Whether it takes this node for its hub. */
  subscribed = false;
  /** Whether this node's next regular message has to go to it, to acknowledge its events. */
  awaitsAck = false;
  /** When its events are to be acknowledged, if no other message does so before. */
  ackAtMs = Infinity;
  /** When it was last sent a message that it is to answer at once. */
  askedAtMs = -Infinity;

  constructor(name: string, index: number) {
    this.name = name;
    this.index = index;
  }

  get suspected(): boolean {
    return this.suspectedAtMs !== undefined;
  }

  /** How far into a stream it is known to be. */
  seq(stream: number, stable: Vector): number {
    const own = seqOf(this.known, stream);
    return this.#sharesStable ? Math.max(own, seqOf(stable, stream)) : own;
  }

  /** All of `have` was sent to it, and should be confirmed by `untilMs`. */
  sentAll(have: Vector, untilMs: number): void {
    this.#inFlight = [...have];
    this.#inFlightUntilMs = untilMs;
  }

  /** Whether it holds `have`, or will when what was sent to it arrives. */
  holdsSoon(have: Vector, stable: Vector, nowMs: number): boolean {
    if (nowMs < this.#inFlightUntilMs && covers(this.#inFlight, have)) return true;
    return this.holds(have, stable);
  }

  /** Whether it is known to hold `have`. */
  holds(have: Vector, stable: Vector): boolean {
    for (let stream = 0; stream < have.length; stream++) {
      if (seqOf(have, stream) > this.seq(stream, stable)) return false;
    }
    return true;
  }

  /** It said, or another node said of it, that it holds `have`. */
  learn(have: Vector): void {
    merge(this.known, have);
  }

  /**
   * Another process of this node was heard from: forgets what the one before it held.
   *
   * @returns whether there was one before it.
   */
  restart(tag: string, stream: number): boolean {
    const again = this.tag !== "";
    if (again) {
      this.known.length = 0;
      this.suspectedAtMs = undefined;
      this.subscribed = false;
      this.echoDueAtMs = Infinity;
      this.#unechoedFromMs = undefined;
      this.#inFlightUntilMs = -Infinity;
    }
    this.tag = tag;
    this.stream = stream;
    this.heardSentAtMs = -1;
    if (again || isLater(tag)) this.#sharesStable = false;
    return again;
  }

  /**
   * A message was sent whose echo should come within `patienceMs`.
   *
   * @param heldSeq how far into this node's own stream it was known to be then: what it held before
   * does not show that the message has arrived
   */
  expectEcho(nowMs: number, patienceMs: number, ownSeq: number, heldSeq: number): void {
    this.#lastSentMs = nowMs;
    this.#patienceMs = patienceMs;
    const dueAtMs = nowMs + patienceMs;
    if (this.#unechoedFromMs === undefined) {
      this.#unechoedFromMs = nowMs;
      this.#unechoedSeq = heldSeq < ownSeq ? ownSeq : 0;
      this.echoDueAtMs = dueAtMs;
    } else if (dueAtMs < this.echoDueAtMs) {
      this.echoDueAtMs = dueAtMs;
    }
  }

  /**
   * The message that was sent to it at `sentAtMs`, in whole milliseconds, has arrived.
   *
   * @returns whether it was suspected, and is no longer.
   */
  echoed(sentAtMs: number, nowMs: number, ownSeq: number): boolean {
    if (this.#unechoedFromMs !== undefined && sentAtMs >= Math.floor(this.#unechoedFromMs)) {
      this.#confirm(sentAtMs >= Math.floor(this.#lastSentMs), nowMs, ownSeq);
    }
    if (this.suspectedAtMs === undefined || sentAtMs < Math.floor(this.suspectedAtMs)) return false;
    this.suspectedAtMs = undefined;
    return true;
  }

  /**
   * The time for an echo is over.
   *
   * @param heldSeq how far into this node's own stream it is known to be, if only by other nodes
   * @returns whether nothing shows that messages reach it.
   */
  timesOut(nowMs: number, heldSeq: number, ownSeq: number): boolean {
    if (heldSeq >= this.#unechoedSeq && this.#unechoedSeq > 0) {
      this.#confirm(heldSeq >= ownSeq, nowMs, ownSeq);
      return false;
    }
    this.#unechoedFromMs = undefined;
    this.echoDueAtMs = Infinity;
    return true;
  }

  #confirm(all: boolean, nowMs: number, ownSeq: number): void {
    this.#unechoedFromMs = all ? undefined : nowMs;
    this.#unechoedSeq = ownSeq;
    this.echoDueAtMs = all ? Infinity : nowMs + this.#patienceMs;
  }
}

/** The deviation of a round trip after the first sample, as a share of it. */
const FIRST_DEVIATION = 1 / 32;

/**
 * The delay of one link, from round trips: half their mean, and their mean deviation.
 *
 * A message says when it was sent, which message of the receiver arrived last and how long ago that
 * was; from this the receiver computes the round trip by its own clock alone.
 */
export class LinkDelay {
  readonly #roundTrip = new MeanDeviation();
  #leastMs = Infinity;

  /** Whether there has been a round trip. */
  get known(): boolean {
    return this.#roundTrip.mean !== undefined;
  }

  add(roundTripMs: number): void {
    const sample = Math.max(0, roundTripMs);
    this.#leastMs = Math.min(this.#leastMs, sample);
    this.#roundTrip.add(sample, sample * FIRST_DEVIATION);
  }

  /** How long a message takes on average, or `fallbackMs` while nothing is known. */
  oneWayMs(fallbackMs: number): number {
    const { mean } = this.#roundTrip;
    return mean === undefined ? fallbackMs : mean / 2;
  }

  /** How long the fastest message took; 0 while nothing is known. */
  get leastMs(): number {
    return this.known ? this.#leastMs / 2 : 0;
  }

  /** How long nearly every message takes at most, or `fallbackMs` while nothing is known. */
  safeMs(fallbackMs: number): number {
    const { mean, deviation } = this.#roundTrip;
    return mean === undefined ? fallbackMs : mean / 2 + 2 * deviation;
  }
}
