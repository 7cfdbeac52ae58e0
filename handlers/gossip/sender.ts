/**
 * Sends messages, and remembers what each should bring about.
 *
 * @module
 */

import type { Body } from "@eddy/maelstrom";
import { Composer, type ComposerContext, type Scope } from "./composer.ts";
import type { Downlink, Progress } from "./downlink.ts";
import type { Plain } from "./message.ts";
import type { Peer } from "./peer.ts";
import type { Timing } from "./timing.ts";
import type { Uplink } from "./uplink.ts";

/** How many events a message carries at most, and how many one that may well be lost. */
const MAX_EVENTS = 2000;
const MAX_PROBE_EVENTS = 100;

/** A message to be sent. */
export interface Outgoing {
  readonly dest: string;
  readonly body: Body;
}

/** What a sender needs of its node. */
export interface SenderContext extends ComposerContext {
  readonly uplink: Uplink;
  readonly downlink: Downlink;
  readonly timing: Timing;
  /** How far the node has come. */
  readonly progress: () => Progress;
}

/** One node's outgoing messages. */
export class Sender {
  readonly #node: SenderContext;
  readonly #composer: Composer;
  #outbox: Outgoing[] = [];

  constructor(node: SenderContext) {
    this.#node = node;
    this.#composer = new Composer(node);
  }

  /** Takes the messages that are to be sent. */
  takeOutbox(): Outgoing[] {
    const outbox = this.#outbox;
    if (outbox.length > 0) this.#outbox = [];
    return outbox;
  }

  /** Sends what a node lacks, and with it that its events have come. */
  send(
    peer: Peer,
    nowMs: number,
    extra: Partial<Plain> = {},
    { limit = MAX_EVENTS, ...scope }: Partial<Scope> = {},
  ): void {
    const { uplink, downlink, timing, progress } = this.#node;
    const { version, ownSeq } = progress();
    const { mode } = downlink;
    const up = peer === uplink.hub && mode === "hub";
    const leads = mode === "hub" && !up && (uplink.hub === undefined || peer.subscribed);
    const rhythm = leads ? { rhythm: downlink.rhythm(nowMs) } : {};
    const full = { ...extra, ...rhythm, up };
    const { body, carries, completes } = this.#composer.compose(
      peer,
      nowMs,
      { limit, ...scope },
      full,
    );
    this.#outbox.push({ dest: peer.name, body });
    peer.ackAtMs = Infinity;
    peer.owed = false;
    if (up) uplink.sent(peer, version, nowMs);
    if (!carries || extra.sign) return;
    if (completes) peer.sentAll(this.#node.store.have, nowMs + timing.roundTripMs(peer));
    const patienceMs = up
      ? timing.hubPatienceMs(peer, uplink.schedule.periodMs) + 2 * timing.answerPatienceMs(peer)
      : timing.ackPatienceMs(peer, mode === "direct");
    peer.expect(nowMs, patienceMs, ownSeq);
  }

  /** Confirms what came from a node, which needs no confirmation but by a hub. */
  sign(peer: Peer, nowMs: number): void {
    const { uplink, downlink } = this.#node;
    const toHub = peer === uplink.hub && downlink.mode === "hub";
    this.send(peer, nowMs, toHub ? {} : { sign: true });
  }

  /** Sends something that is to be answered at once. */
  ask(peer: Peer, nowMs: number, extra: Partial<Plain> = {}, limit = MAX_EVENTS): void {
    peer.askedAtMs = nowMs;
    this.send(peer, nowMs, { ...extra, ask: true }, { limit, sightings: true });
    const { timing, progress } = this.#node;
    peer.expect(nowMs, timing.answerPatienceMs(peer), progress().ownSeq);
  }

  /** Asks someone who may well not hear it. */
  probe(peer: Peer, nowMs: number): void {
    this.ask(peer, nowMs, {}, MAX_PROBE_EVENTS);
  }
}
