/**
 * What a node remembers of another one.
 *
 * @module
 */

import { LinkDelay } from "./delay.ts";
import { covers, merge, seqOf, type Vector } from "./vector.ts";

/** One other node, as seen from here. */
export class Peer {
  readonly name: string;
  /** Its place among all nodes; the first that is not suspected is the hub. */
  readonly index: number;
  /** Which of its processes was heard from last; empty before the first message. */
  tag = "";
  /** The stream of that process; -1 before the first message. */
  stream = -1;
  /** What it certainly holds; `stable` may say more. */
  readonly known: Vector = [];
  /** Whether what everybody holds goes for this process, too: not for one that lost its memory. */
  sharesStable = true;
  readonly delay: LinkDelay = new LinkDelay();

  /** When the last message came, and its sender's clock then; for the echo. */
  heardAtMs = -Infinity;
  heardSentAtMs = -1;

  /** When that was sent of which no echo has come, if anything was; see {@linkcode Peer.expect}. */
  #expectedFromMs: number | undefined;
  #lastSentMs = 0;
  #patienceMs = 0;
  #onItsWay: Vector = [];
  #onItsWayUntilMs = -Infinity;
  /** By when the echo should have come. */
  dueAtMs = Infinity;
  /** How far the own stream was when that was sent. */
  #expectedSeq = 0;

  /** Since when this peer seems not to hear us; undefined while it does. */
  suspectedAtMs: number | undefined;
  /** Whether it takes this node for its hub. */
  subscribed = false;
  /** Whether it waits for a sign that its events have come. */
  owed = false;
  /** When it is to be told that its events have come, if nothing else is sent before. */
  ackAtMs = Infinity;
  /** When it was asked something last. */
  askedAtMs = -Infinity;

  constructor(name: string, index: number) {
    this.name = name;
    this.index = index;
  }

  get suspected(): boolean {
    return this.suspectedAtMs !== undefined;
  }

  /** How far it is into a stream, at least. */
  seq(stream: number, stable: Vector): number {
    const own = seqOf(this.known, stream);
    return this.sharesStable ? Math.max(own, seqOf(stable, stream)) : own;
  }

  /** Everything is on its way to it, and should be known to have come by then. */
  sentAll(have: Vector, untilMs: number): void {
    this.#onItsWay = [...have];
    this.#onItsWayUntilMs = untilMs;
  }

  /** Whether it holds `have`, or soon will. */
  holdsSoon(have: Vector, stable: Vector, nowMs: number): boolean {
    if (nowMs < this.#onItsWayUntilMs && covers(this.#onItsWay, have)) return true;
    return this.holds(have, stable);
  }

  /** Whether it is known to hold `have`. */
  holds(have: Vector, stable: Vector): boolean {
    for (let stream = 0; stream < have.length; stream++) {
      if (seqOf(have, stream) > this.seq(stream, stable)) return false;
    }
    return true;
  }

  /** Takes its own word on what it holds. */
  learn(have: Vector, stable: Vector): void {
    merge(this.known, have);
    if (!this.sharesStable) this.sharesStable = covers(this.known, stable);
  }

  /**
   * Another process of this node has been heard from: forgets what the one before it held.
   *
   * @returns whether there was one before it.
   */
  restart(tag: string, stream: number): boolean {
    const again = this.tag !== "";
    if (again) {
      this.known.length = 0;
      this.sharesStable = false;
      this.suspectedAtMs = undefined;
      this.subscribed = false;
      this.dueAtMs = Infinity;
      this.#expectedFromMs = undefined;
      this.#onItsWayUntilMs = -Infinity;
    }
    this.tag = tag;
    this.stream = stream;
    this.heardSentAtMs = -1;
    return again;
  }

  /** Something was sent of which an echo should come within `patienceMs`. */
  expect(nowMs: number, patienceMs: number, ownSeq: number): void {
    this.#lastSentMs = nowMs;
    this.#patienceMs = patienceMs;
    const dueAtMs = nowMs + patienceMs;
    if (this.#expectedFromMs === undefined) {
      this.#expectedFromMs = nowMs;
      this.#expectedSeq = ownSeq;
      this.dueAtMs = dueAtMs;
    } else if (dueAtMs < this.dueAtMs) {
      this.dueAtMs = dueAtMs;
    }
  }

  /**
   * It has seen what was sent at `sentAtMs`, by the whole millisecond.
   *
   * @returns whether it was suspected, and is no longer.
   */
  hears(sentAtMs: number, nowMs: number, ownSeq: number): boolean {
    if (this.#expectedFromMs !== undefined && sentAtMs >= Math.floor(this.#expectedFromMs)) {
      this.#settle(sentAtMs >= Math.floor(this.#lastSentMs), nowMs, ownSeq);
    }
    if (this.suspectedAtMs === undefined || sentAtMs < Math.floor(this.suspectedAtMs)) return false;
    this.suspectedAtMs = undefined;
    return true;
  }

  /**
   * Time is up: whether no sign has come, by an echo or by others' word that it holds what was
   * appended here by then.
   */
  lapses(nowMs: number, heldSeq: number, ownSeq: number): boolean {
    if (heldSeq >= this.#expectedSeq && this.#expectedSeq > 0) {
      this.#settle(heldSeq >= ownSeq, nowMs, ownSeq);
      return false;
    }
    this.#expectedFromMs = undefined;
    this.dueAtMs = Infinity;
    return true;
  }

  #settle(all: boolean, nowMs: number, ownSeq: number): void {
    this.#expectedFromMs = all ? undefined : nowMs;
    this.#expectedSeq = ownSeq;
    this.dueAtMs = all ? Infinity : nowMs + this.#patienceMs;
  }
}
