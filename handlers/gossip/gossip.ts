/**
 * Gossip: every event that a node appends reaches all other nodes, with few messages while nothing
 * fails, and whatever fails.
 *
 * A message says how far its sender is in every stream, and carries the events that its receiver
 * is not known to have, so the next message makes up for a lost one. While nothing fails, the first
 * node of the list is the hub: the others send to it just in time for its next message, in which it
 * sends to each what that node lacks. A node whose messages to the hub have no effect suspects it,
 * and takes the next node of the list for its hub. As long as a node does not know that its events
 * are everywhere it sends from time to time, with growing pauses. When every node is known to have
 * everything, no messages are sent.
 *
 * The core has no timers: the time comes in with each call, messages wait in an outbox, and
 * {@linkcode GossipCore.wakeAtMs} says when to call it again.
 *
 * @module
 */

import type { JsonObject, Random } from "@eddy/maelstrom";
import {
  covers,
  type GossipStore,
  merge,
  seqOf,
  streamName,
  Streams,
  type Vector,
} from "./event_log.ts";
import { Downlink, Prober, type Progress, Uplink } from "./links.ts";
import { Membership, type Peer } from "./membership.ts";
import { ArchiveReader, decodeGossip, type Gossip, type Outgoing, Sender } from "./message.ts";
import { Timing } from "./timing.ts";

/** The least pause between two messages that ask a suspected node which sends for an answer. */
const RETEST_PAUSE_MS = 1000;

/** The pauses between two checks of what is not known to be everywhere, for a node that is no hub. */
const MIN_CHECK_PAUSE_MS = 3000;
const MAX_CHECK_PAUSE_MS = 8000;

/** How many events a part of an archive holds at most. */
const MAX_PART_EVENTS = 5000;

/** What a workload chooses. */
export interface GossipOptions {
  /** How long an event may take to reach every node, in milliseconds; 0 sends at once, to all. */
  readonly maxLatencyMs: number;
  /**
   * Whether every node is to learn at once what is stable.
   *
   * @default false
   */
  readonly eager?: boolean | undefined;
}

/** Options of a {@linkcode GossipCore}. */
interface GossipCoreOptions extends GossipOptions {
  /** This node. */
  readonly id: string;
  readonly nodeIds: readonly string[];
  /** Differs between the processes of a node; see {@linkcode streamName}. */
  readonly tag: string;
  readonly store: GossipStore;
  readonly random: Random;
}

/** One node's part in the gossip. */
export class GossipCore {
  /** The prefixes of streams that every node is known to hold. */
  readonly stable: Vector = [];
  /** The stream of this node's own events. */
  readonly stream: number;
  /** When to call {@linkcode GossipCore.advance}, on the clock of the `nowMs` parameters. */
  wakeAtMs = Infinity;

  readonly #tag: string;
  readonly #streams: Streams;
  readonly #store: GossipStore;
  readonly #random: Random;
  readonly #eager: boolean;
  readonly #membership: Membership;
  readonly #timing: Timing;
  readonly #sender: Sender;
  readonly #uplink: Uplink;
  readonly #downlink: Downlink;
  readonly #prober: Prober;
  readonly #archive: ArchiveReader;
  /** Counts what was appended here and received from others. */
  #version = 1;
  /** What another node holds and this node lacks. */
  readonly #missing = new Deadline();
  /** What this node holds and is not known to be everywhere. */
  readonly #unconfirmed = new Deadline();
  #checkPauseMs = 0;
  /** Whether a time to send new events is set already. */
  #pending = false;
  /** The nodes that are to be asked in turn, and when the next is, until one has answered. */
  #rejoining: Peer[] = [];
  #rejoinAtMs = Infinity;

  constructor({ id, nodeIds, tag, store, random, maxLatencyMs, eager = false }: GossipCoreOptions) {
    this.#tag = tag;
    this.#store = store;
    this.#random = random;
    this.#eager = eager;
    this.#membership = new Membership(id, nodeIds);
    this.#timing = new Timing(maxLatencyMs, eager);
    this.#uplink = new Uplink(this.#membership, this.#timing, maxLatencyMs);
    this.#downlink = new Downlink(this.#membership, this.#timing);
    this.#prober = new Prober(this.#membership, this.#timing);
    this.#archive = new ArchiveReader(store);
    this.#streams = new Streams((name) => name === id || this.#membership.get(name) !== undefined);
    this.stream = this.#streams.number(streamName(id, tag));
    this.#sender = new Sender({
      tag,
      stream: this.stream,
      store,
      streams: this.#streams,
      membership: this.#membership,
      stable: this.stable,
      uplink: this.#uplink,
      downlink: this.#downlink,
      timing: this.#timing,
      progress: () => this.#progress,
    });
  }

  /** Takes the messages that are to be sent. */
  takeOutbox(): Outgoing[] {
    return this.#sender.takeOutbox();
  }

  /**
   * Sends to these nodes only, while nothing fails.
   *
   * @param hops how many links there are to the farthest node
   */
  follow(neighbours: readonly string[], hops: number, nowMs: number): void {
    this.#downlink.follow(neighbours, hops);
    this.#plan(nowMs);
  }

  /** This node has appended to its stream. */
  appended(nowMs: number): void {
    this.#version++;
    if (!this.#pending) this.#plan(nowMs);
  }

  /**
   * This process follows another of the same node, and holds no more of others' events than what
   * it has kept: asks for them.
   */
  rejoin(nowMs: number): void {
    this.#rejoining = [...this.#membership.peers];
    this.#rejoinAtMs = nowMs;
    this.advance(nowMs);
  }

  /**
   * Takes a message from another node.
   *
   * @throws {RpcError} with code 12 if it is malformed.
   */
  receive(src: string, body: JsonObject, nowMs: number): void {
    const peer = this.#membership.get(src);
    if (peer === undefined) return;
    const gossip = decodeGossip(body, this.#streams);
    const recovered = this.#updatePeer(peer, gossip, nowMs);
    if (this.#rejoining.length > 0) this.#rejoined(peer);
    if (recovered) this.#uplink.chooseHub();
    const news = this.#takeEvents(peer, gossip);
    if (gossip.rhythm !== undefined && peer === this.#uplink.hub) {
      const { rhythm, echo } = gossip;
      this.#uplink.heard(peer, rhythm, echo?.tag === this.#tag ? echo : undefined, nowMs);
    }
    if (news && gossip.urgency !== undefined) {
      this.#downlink.hurry(peer, gossip.urgency, nowMs);
    }
    if (gossip.batches.length > 0 && !gossip.ack) this.#scheduleAck(peer, gossip.up, nowMs);
    // A message to it was lost, if it should hold by now what this node has sent.
    if (gossip.up && !peer.holdsSoon(this.#store.have, this.stable, nowMs)) peer.awaitsAck = true;
    if (covers(this.#store.have, gossip.have) && merge(this.stable, gossip.stable)) {
      this.#store.settle(this.stable);
    }
    if (this.#eager || !this.#pending) this.#raiseStable(nowMs);
    if (recovered) this.#afterRecovery(peer, nowMs);
    this.#answer(peer, gossip, news, nowMs);
    this.#plan(nowMs);
  }

  /** Does what is due. */
  advance(nowMs: number): void {
    const { peers } = this.#membership;
    for (const peer of peers) if (peer.echoDueAtMs <= nowMs) this.#timeOut(peer, nowMs);
    if (this.#downlink.dueMs(this.#progress) <= nowMs) this.#sendRound(nowMs);
    const { hub, dueAtMs } = this.#uplink;
    if (hub !== undefined && dueAtMs <= nowMs) {
      this.#sender.send(hub, nowMs, this.#uplink.isSent(this.#version) ? { ask: true } : {});
    }
    for (const peer of peers) if (peer.ackAtMs <= nowMs) this.#sender.ack(peer, nowMs);
    if (this.#missing.dueAtMs <= nowMs) this.#askForMissing(nowMs);
    if (this.#unconfirmed.dueAtMs <= nowMs) this.#checkUnconfirmed(nowMs);
    if (this.#rejoinAtMs <= nowMs) this.#askNext(nowMs);
    if (this.#probes) {
      const peer = this.#prober.next(nowMs);
      if (peer !== undefined) this.#sender.probe(peer, nowMs);
    }
    this.#plan(nowMs);
  }

  get #ownSeq(): number {
    return seqOf(this.#store.have, this.stream);
  }

  get #progress(): Progress {
    const isHub = this.#uplink.hub === undefined;
    return { version: this.#version, ownSeq: this.#ownSeq, isHub };
  }

  /** Whether others depend on this node's messages to all. */
  get #sendsToAll(): boolean {
    return this.#uplink.hub === undefined || this.#downlink.mode !== "hub";
  }

  /** Whether to send to suspected nodes: others depend on it, and not everything is stable. */
  get #probes(): boolean {
    return this.#sendsToAll && !covers(this.stable, this.#store.have);
  }

  /** Notes what a message says of its sender; returns whether the sender has recovered. */
  #updatePeer(peer: Peer, gossip: Gossip, nowMs: number): boolean {
    const restarted = gossip.tag !== peer.tag &&
      peer.restart(gossip.tag, this.#streams.number(streamName(peer.name, gossip.tag)));
    if (gossip.sentAtMs > peer.heardSentAtMs) {
      peer.heardSentAtMs = gossip.sentAtMs;
      peer.heardAtMs = nowMs;
    }
    peer.learn(gossip.have);
    peer.subscribed = gossip.up;
    const { echo } = gossip;
    if (echo === undefined || echo.tag !== this.#tag) return restarted;
    peer.delay.add(nowMs - echo.sentAtMs - echo.heldMs);
    return peer.echoed(echo.sentAtMs, nowMs, this.#ownSeq) || restarted;
  }

  /** Takes a message's events, and what it says of other nodes; returns whether events were new. */
  #takeEvents(peer: Peer, gossip: Gossip): boolean {
    let news = false;
    for (const batch of gossip.batches) {
      if (this.#store.receive(batch.stream, batch)) news = true;
    }
    for (const { node, tag, have } of gossip.seen) {
      const other = this.#membership.get(node);
      if (other === undefined) continue;
      if (other.tag === "") other.restart(tag, this.#streams.number(streamName(node, tag)));
      if (other.tag === tag) other.learn(have);
    }
    if (news) this.#received(peer);
    return news;
  }

  /** New events have come from a node. */
  #received(from: Peer): void {
    const { hub } = this.#uplink;
    const sent = this.#uplink.isSent(this.#version);
    this.#version++;
    if (from === hub && sent) this.#uplink.skip(this.#version);
  }

  /** Sees that a node's events are acknowledged. */
  #scheduleAck(peer: Peer, up: boolean, nowMs: number): void {
    if (up) {
      peer.awaitsAck = true;
      return;
    }
    const { hub } = this.#uplink;
    const receiver = this.#downlink.mode === "direct" ? hub : peer;
    if (receiver === undefined) return;
    const atMs = this.#eager && receiver === hub
      ? this.#uplink.justInTimeMs(receiver, nowMs)
      : nowMs + this.#timing.ackDelayMs;
    receiver.ackAtMs = Math.min(receiver.ackAtMs, atMs);
  }

  /** Concludes what every node holds. */
  #raiseStable(nowMs: number): void {
    if (!this.#eager && !this.#sendsToAll) return;
    if (!this.#membership.raiseStable(this.stable, this.#store.have)) return;
    this.#store.settle(this.stable);
    if (this.#uplink.hub !== undefined || this.#membership.peers.length === 0) return;
    // Without a hub, nodes that have nothing to send acknowledge to the first node only: it has to
    // say what is stable.
    const says = this.#eager || this.#downlink.mode !== "hub" ||
      covers(this.stable, this.#store.have);
    if (says) this.#downlink.stableAtMs = Math.min(this.#downlink.stableAtMs, nowMs);
  }

  /** A suspected node answers again, and so may others. */
  #afterRecovery(peer: Peer, nowMs: number): void {
    peer.awaitsAck = true;
    if (!this.#sendsToAll) return;
    for (const other of this.#prober.all(nowMs)) this.#sender.probe(other, nowMs);
  }

  /** Answers a message at once if it asks for that, and asks for what is missing. */
  #answer(peer: Peer, gossip: Gossip, news: boolean, nowMs: number): void {
    const more = gossip.archive !== undefined && this.#takeArchive(peer, gossip, nowMs);
    const lacks = !covers(this.#store.have, gossip.have);
    if (gossip.wants !== undefined) {
      const archive = this.#store.archive(gossip.wants, MAX_PART_EVENTS);
      this.#sender.send(peer, nowMs, { archive });
    } else if (more || (lacks && gossip.past && this.#archive.isDue(nowMs))) {
      const wants = this.#archive.want(peer, nowMs + this.#timing.answerPatienceMs(peer));
      this.#sender.ask(peer, nowMs, { wants });
    } else if (gossip.ask && lacks && (news || gossip.batches.length === 0)) {
      this.#sender.ask(peer, nowMs);
    } else if (gossip.ask) {
      this.#sender.send(peer, nowMs, {}, { seen: true });
    } else if (lacks && gossip.more && news) {
      this.#sender.ask(peer, nowMs);
    } else if (peer.suspected && nowMs >= peer.askedAtMs + RETEST_PAUSE_MS) {
      this.#sender.probe(peer, nowMs);
    }
    if (!lacks) this.#missing.clearIfCovered(this.#store.have);
    else if (!this.#missing.isSet) {
      this.#missing.set(gossip.have, nowMs + this.#timing.gapPatienceMs(peer));
    }
  }

  /** Takes a part of another node's archive; returns whether to ask for the next. */
  #takeArchive(peer: Peer, gossip: Gossip, nowMs: number): boolean {
    const more = this.#archive.take(gossip);
    if (more === false) {
      this.#received(peer);
      this.#scheduleAck(peer, false, nowMs);
    }
    return more === true;
  }

  /** Sends new events to the nodes that get them from this one, and acknowledgements that are due. */
  #sendRound(nowMs: number): void {
    this.#raiseStable(nowMs);
    const progress = this.#progress;
    const { mode, stableAtMs } = this.#downlink;
    const saysStable = stableAtMs < Infinity;
    this.#downlink.sent(progress, nowMs);
    for (const peer of this.#membership.peers) {
      const serves = this.#downlink.serves(peer, progress.isHub, mode);
      if (!serves && !peer.awaitsAck) continue;
      const ownOnly = mode === "direct" && !peer.subscribed;
      const lacks = ownOnly
        ? peer.seq(this.stream, this.stable) < progress.ownSeq
        : !peer.holdsSoon(this.#store.have, this.stable, nowMs);
      if (!lacks && !peer.awaitsAck && !saysStable) continue;
      this.#sender.send(peer, nowMs, {}, { stream: ownOnly ? this.stream : undefined });
    }
  }

  /** The time for a node's echo is over: suspects it, unless other nodes show that it is not cut off. */
  #timeOut(peer: Peer, nowMs: number): void {
    const held = peer.seq(this.stream, this.stable);
    if (!peer.timesOut(nowMs, held, this.#ownSeq) || peer.suspected) return;
    peer.suspectedAtMs = nowMs;
    this.#prober.suspect(peer, nowMs);
    this.#uplink.chooseHub();
  }

  /** Asks a node for what this one has lost, and the next if it does not answer. */
  #askNext(nowMs: number): void {
    const peer = this.#rejoining.shift();
    this.#rejoinAtMs = Infinity;
    if (peer === undefined) return;
    const isFirstRound = peer.askedAtMs === -Infinity;
    this.#rejoining.push(peer);
    this.#sender.probe(peer, nowMs);
    const pauseMs = this.#timing.answerPatienceMs(peer);
    this.#rejoinAtMs = nowMs + (isFirstRound ? pauseMs : Math.max(pauseMs, MIN_CHECK_PAUSE_MS));
  }

  /** A node has answered; one that holds nothing, as after a restart of all, does not suffice. */
  #rejoined(peer: Peer): void {
    const holdsAny = peer.known.some((seq, stream) => seq > 0 && stream !== this.stream);
    this.#rejoining = holdsAny ? [] : this.#rejoining.filter((other) => other !== peer);
    if (this.#rejoining.length > 0) return;
    this.#rejoinAtMs = Infinity;
    // What others are not known to hold is sent, now that something is known of them.
    this.#version++;
  }

  #askForMissing(nowMs: number): void {
    const { have } = this.#store;
    this.#missing.clearIfCovered(have);
    if (!this.#missing.isSet) return;
    const peer = this.#membership.findHolder(have, this.#missing.vector);
    this.#missing.clear();
    if (peer !== undefined) this.#sender.ask(peer, nowMs);
  }

  /** Asks about what is not known to be everywhere: the hub first, then one node or another. */
  #checkUnconfirmed(nowMs: number): void {
    this.#unconfirmed.clearIfCovered(this.stable);
    if (!this.#unconfirmed.isSet) return;
    const { peers } = this.#membership;
    const first = this.#checkPauseMs === 0 ? this.#uplink.hub : undefined;
    const peer = first ?? peers[Math.floor(this.#random.next() * peers.length)];
    const pauseMs = Math.max(MIN_CHECK_PAUSE_MS, 1.5 * this.#checkPauseMs);
    this.#checkPauseMs = Math.min(MAX_CHECK_PAUSE_MS, pauseMs);
    this.#unconfirmed.dueAtMs = nowMs + this.#checkPauseMs;
    if (this.#uplink.hub === undefined && this.#membership.hasSuspects) return;
    if (peer !== undefined) this.#sender.probe(peer, nowMs);
  }

  /** Sets the time of the next call. */
  #plan(nowMs: number): void {
    const { have } = this.#store;
    const { peers } = this.#membership;
    if (peers.length === 0) this.#raiseStable(nowMs);
    this.#unconfirmed.clearIfCovered(this.stable);
    if (!this.#unconfirmed.isSet && !covers(this.stable, have)) {
      this.#checkPauseMs = 0;
      this.#unconfirmed.set(have, nowMs + this.#timing.unconfirmedMs);
    }
    if (this.#downlink.mode === "hub") this.#uplink.plan(this.#version, have, this.stable, nowMs);
    else this.#uplink.dueAtMs = Infinity;
    const progress = this.#progress;
    const upAtMs = this.#uplink.dueAtMs;
    this.#pending = this.#downlink.newsDueMs(progress) < Infinity ||
      (upAtMs < Infinity && !this.#uplink.isSent(this.#version));
    const sendAtMs = Math.min(upAtMs, this.#downlink.dueMs(progress));
    let wakeAtMs = Math.min(
      sendAtMs,
      this.#missing.dueAtMs,
      this.#unconfirmed.dueAtMs,
      this.#rejoinAtMs,
    );
    if (this.#probes) wakeAtMs = Math.min(wakeAtMs, this.#prober.dueAtMs);
    for (const peer of peers) wakeAtMs = Math.min(wakeAtMs, peer.echoDueAtMs, peer.ackAtMs);
    this.wakeAtMs = wakeAtMs;
  }
}

/** A vector that is to be covered, and when to act if it is not. */
class Deadline {
  #vector: Vector | undefined;
  /** Infinite while no vector is set. */
  dueAtMs = Infinity;

  get isSet(): boolean {
    return this.#vector !== undefined;
  }

  get vector(): Vector {
    return this.#vector ?? [];
  }

  set(vector: Vector, dueAtMs: number): void {
    this.#vector = [...vector];
    this.dueAtMs = dueAtMs;
  }

  clearIfCovered(vector: Vector): void {
    if (this.#vector !== undefined && covers(vector, this.#vector)) this.clear();
  }

  clear(): void {
    this.#vector = undefined;
    this.dueAtMs = Infinity;
  }
}
