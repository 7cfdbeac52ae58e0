/**
 * Gossip: what one node knows reaches all others, with few messages while nothing fails and
 * correctly whatever fails.
 *
 * Every message says where its sender is in every stream and carries what the receiver is not
 * known to have, so that a lost one is made good by the next. While nothing fails, the first node
 * of the list is the hub: the others send to it just in time for its next message, in which it
 * sends everyone what they lack. Who gets no sign of having been heard turns to the next node of
 * the list; what stays unconfirmed is looked after with growing pauses. When everyone is known to
 * have everything, nobody sends.
 *
 * The core has no timers: it is told the time, leaves messages in its outbox, and says when it
 * wants to be called again.
 *
 * @module
 */

import type { JsonObject, Random } from "@eddy/maelstrom";
import { CatchUp, decodeGossip, type Gossip, type Outgoing, Sender } from "./message.ts";
import { LinkDelay, Timing } from "./timing.ts";
import { Downlink, Prober, type Progress, Uplink } from "./links.ts";
import {
  covers,
  merge,
  seqOf,
  type Store,
  streamName,
  type Streams,
  type Vector,
} from "./event_log.ts";

/** How long a suspected node that is heard from is left before it is asked whether it hears us. */
const TEST_PAUSE_MS = 1000;

/** The longest pause between two looks at what stays unconfirmed, for a node that is no hub. */
const MAX_LOOK_PAUSE_MS = 8000;

/** Settings of a {@linkcode GossipCore}. */
export interface GossipOptions {
  /** This node. */
  readonly id: string;
  readonly nodeIds: readonly string[];
  /** This process; see {@linkcode streamName}. */
  readonly tag: string;
  readonly streams: Streams;
  readonly store: Store;
  readonly random: Random;
  /** What an event may take to reach everyone, in milliseconds; 0 sends at once, to everyone. */
  readonly maxLatencyMs: number;
  /**
   * Whether everyone wants to know at once what everybody has.
   *
   * @default false
   */
  readonly eager?: boolean;
}

/** One node's part in the gossip. */
export class GossipCore {
  /** The prefixes that everybody holds, as far as is known here. */
  readonly stable: Vector = [];
  /** The stream of this node's own events. */
  readonly stream: number;
  /** When to call {@linkcode GossipCore.advance}, by the clock that is handed in. */
  wakeAtMs = Infinity;

  readonly #options: GossipOptions;
  readonly #store: Store;
  readonly #roster: Roster;
  readonly #timing: Timing;
  readonly #sender: Sender;
  readonly #uplink: Uplink;
  readonly #downlink: Downlink;
  readonly #prober: Prober;
  readonly #catchUp: CatchUp;
  readonly #isNode: (name: string) => boolean;
  /** Counts what has come from anywhere. */
  #version = 1;
  /** What others have and this node lacks. */
  readonly #behind = new Mark();
  /** What this node has and others may lack. */
  readonly #unconfirmed = new Mark();
  #lookPauseMs = 0;
  /** Whether the last plan counts already with news that wait to be sent. */
  #pending = false;

  constructor(options: GossipOptions) {
    const { id, nodeIds, tag, streams, store, maxLatencyMs, eager = false } = options;
    this.#options = options;
    this.#store = store;
    this.#roster = new Roster(id, nodeIds);
    this.#timing = new Timing({ maxLatencyMs, eager });
    this.#uplink = new Uplink(this.#roster, this.#timing, maxLatencyMs);
    this.#downlink = new Downlink(this.#roster, this.#timing);
    this.#prober = new Prober(this.#roster, this.#timing);
    this.#catchUp = new CatchUp(store);
    this.#isNode = (name) => name === id || this.#roster.get(name) !== undefined;
    this.stream = streams.number(streamName(id, tag));
    this.#sender = new Sender({
      tag,
      store,
      streams,
      roster: this.#roster,
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
   * @param hops how many such steps lead to the farthest node
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
   * Takes a message from another node.
   *
   * @throws {RpcError} with code 12 if it is malformed.
   */
  receive(src: string, body: JsonObject, nowMs: number): void {
    const peer = this.#roster.get(src);
    if (peer === undefined) return;
    const gossip = decodeGossip(body, this.#options.streams, this.#isNode);
    const reachedAgain = this.#meet(peer, gossip, nowMs);
    if (reachedAgain) this.#uplink.choose();
    const news = this.#apply(peer, gossip);
    if (gossip.rhythm !== undefined && peer === this.#uplink.hub) {
      this.#uplink.heard(peer, gossip.rhythm, nowMs);
    }
    if (gossip.batches.length > 0 && !gossip.sign) this.#oweSign(peer, gossip.up, nowMs);
    if (covers(this.#store.have, gossip.have) && merge(this.stable, gossip.stable)) {
      this.#store.settle(this.stable);
    }
    if (this.#options.eager || !this.#pending) this.#settle(nowMs);
    if (reachedAgain) this.#reunite(peer, nowMs);
    this.#answer(peer, gossip, news, nowMs);
    this.#plan(nowMs);
  }

  /** Does what is due. */
  advance(nowMs: number): void {
    for (const peer of this.#roster.list) if (peer.dueAtMs <= nowMs) this.#lapse(peer, nowMs);
    if (this.#downlink.dueMs(this.#progress) <= nowMs) this.#flush(nowMs);
    const { hub, dueAtMs } = this.#uplink;
    if (hub !== undefined && dueAtMs <= nowMs) {
      this.#sender.send(hub, nowMs, this.#uplink.isSent(this.#version) ? { ask: true } : {});
    }
    for (const peer of this.#roster.list) if (peer.ackAtMs <= nowMs) this.#sender.sign(peer, nowMs);
    if (this.#behind.dueAtMs <= nowMs) this.#askForMissing(nowMs);
    if (this.#unconfirmed.dueAtMs <= nowMs) this.#look(nowMs);
    if (this.#probes) {
      const peer = this.#prober.take(nowMs);
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

  /** Whether others rely on this node to reach everyone. */
  get #sendsToAll(): boolean {
    return this.#uplink.hub === undefined || this.#downlink.mode !== "hub";
  }

  /** Whether to try those that cannot be reached: somebody relies on it, and they lack something. */
  get #probes(): boolean {
    return this.#sendsToAll && !covers(this.stable, this.#store.have);
  }

  /** Takes what a message says of its sender; returns whether that is back. */
  #meet(peer: Peer, gossip: Gossip, nowMs: number): boolean {
    const { streams, tag } = this.#options;
    const back = gossip.tag !== peer.tag &&
      peer.restart(gossip.tag, streams.number(streamName(peer.name, gossip.tag)));
    if (gossip.sentAtMs > peer.heardSentAtMs) {
      peer.heardSentAtMs = gossip.sentAtMs;
      peer.heardAtMs = nowMs;
    }
    peer.learn(gossip.have, this.stable);
    peer.subscribed = gossip.up;
    const { echo } = gossip;
    if (echo === undefined || echo.tag !== tag) return back;
    peer.delay.add(nowMs - echo.sentAtMs - echo.heldMs);
    return peer.hears(echo.sentAtMs, nowMs, this.#ownSeq) || back;
  }

  /** Takes a message's events; returns whether any were new. */
  #apply(peer: Peer, gossip: Gossip): boolean {
    let news = false;
    for (const batch of gossip.batches) {
      if (this.#store.receive(batch.stream, batch)) news = true;
    }
    for (const { node, tag, have } of gossip.seen) {
      const other = this.#roster.get(node);
      if (other === undefined) continue;
      if (other.tag === "") other.restart(tag, this.#options.streams.number(streamName(node, tag)));
      if (other.tag === tag) other.learn(have, this.stable);
    }
    if (news) this.#grow(peer);
    return news;
  }

  #grow(from: Peer): void {
    const { hub } = this.#uplink;
    const sent = this.#uplink.isSent(this.#version);
    this.#version++;
    if (from === hub && sent) this.#uplink.skip(this.#version);
  }

  /** Sees to it that whoever sent events is told that they have come. */
  #oweSign(peer: Peer, up: boolean, nowMs: number): void {
    if (up) {
      peer.owed = true;
      return;
    }
    const { hub } = this.#uplink;
    const whom = this.#downlink.mode === "direct" ? hub : peer;
    if (whom === undefined) return;
    const atMs = this.#options.eager && whom === hub
      ? this.#uplink.justInTimeMs(whom, nowMs)
      : nowMs + this.#timing.ackMs;
    whom.ackAtMs = Math.min(whom.ackAtMs, atMs);
  }

  /** Concludes what everybody has. */
  #settle(nowMs: number): void {
    if (!this.#options.eager && !this.#sendsToAll) return;
    if (!this.#roster.settle(this.stable, this.#store.have)) return;
    this.#store.settle(this.stable);
    if (this.#uplink.hub !== undefined || this.#roster.list.length === 0) return;
    // Who sends to everyone himself hears little from those with nothing to say, but by the hub.
    const tells = this.#options.eager === true || this.#downlink.mode !== "hub" ||
      covers(this.stable, this.#store.have);
    if (tells) this.#downlink.settledAtMs = Math.min(this.#downlink.settledAtMs, nowMs);
  }

  /** Someone who seemed not to hear us does. */
  #reunite(peer: Peer, nowMs: number): void {
    peer.owed = true;
    if (!this.#sendsToAll) return;
    for (const other of this.#prober.takeAll(nowMs)) {
      this.#sender.probe(other, nowMs);
    }
  }

  /** Answers what is asked, and asks for what is missing. */
  #answer(peer: Peer, gossip: Gossip, news: boolean, nowMs: number): void {
    const more = gossip.archive === undefined ? undefined : this.#restore(peer, gossip, nowMs);
    const lacks = !covers(this.#store.have, gossip.have);
    if (gossip.wants !== undefined) {
      this.#sender.send(peer, nowMs, { archive: this.#catchUp.part(gossip.wants) });
    } else if (more || (lacks && gossip.past && this.#catchUp.isDue(nowMs))) {
      const wants = this.#catchUp.want(peer, nowMs + this.#timing.answerPatienceMs(peer));
      this.#sender.ask(peer, nowMs, { wants });
    } else if (gossip.ask && lacks && (news || gossip.batches.length === 0)) {
      this.#sender.ask(peer, nowMs);
    } else if (gossip.ask) {
      this.#sender.send(peer, nowMs, {}, { sightings: true });
    } else if (lacks && gossip.more && news) {
      this.#sender.ask(peer, nowMs);
    } else if (peer.suspected && nowMs >= peer.askedAtMs + TEST_PAUSE_MS) {
      this.#sender.probe(peer, nowMs);
    }
    if (!lacks) this.#behind.check(this.#store.have);
    else if (!this.#behind.set) {
      this.#behind.put(gossip.have, nowMs + this.#timing.gapPatienceMs(peer));
    }
  }

  /** Takes a part of another node's archive; returns whether to ask for the next. */
  #restore(peer: Peer, gossip: Gossip, nowMs: number): boolean {
    const more = this.#catchUp.take(gossip);
    if (more === false) {
      this.#grow(peer);
      this.#oweSign(peer, false, nowMs);
    }
    return more === true;
  }

  /** Sends what is new to all who rely on this node, and a sign to all who wait for one. */
  #flush(nowMs: number): void {
    this.#settle(nowMs);
    const progress = this.#progress;
    const { mode, settledAtMs } = this.#downlink;
    const tells = settledAtMs < Infinity;
    this.#downlink.sent(progress, nowMs);
    for (const peer of this.#roster.list) {
      const serves = this.#downlink.serves(peer, progress.isHub, mode);
      if (!serves && !peer.owed) continue;
      const own = mode === "direct" && !peer.subscribed;
      const lacks = own
        ? peer.seq(this.stream, this.stable) < progress.ownSeq
        : !peer.holdsSoon(this.#store.have, this.stable, nowMs);
      if (!lacks && !peer.owed && !tells) continue;
      const stream = own ? this.stream : undefined;
      this.#sender.send(peer, nowMs, {}, { stream });
    }
  }

  /** Nothing was heard from someone in time. */
  #lapse(peer: Peer, nowMs: number): void {
    const held = peer.seq(this.stream, this.stable);
    if (!peer.lapses(nowMs, held, this.#ownSeq) || peer.suspected) return;
    peer.suspectedAtMs = nowMs;
    this.#prober.suspect(peer, nowMs);
    this.#uplink.choose();
  }

  #askForMissing(nowMs: number): void {
    const { have } = this.#store;
    this.#behind.check(have);
    if (!this.#behind.set) return;
    const peer = this.#roster.holderOfMore(have, this.#behind.vector);
    this.#behind.clear();
    if (peer !== undefined) this.#sender.ask(peer, nowMs);
  }

  /** Looks after what has stayed unconfirmed for long: by way of the hub first, then of anyone. */
  #look(nowMs: number): void {
    this.#unconfirmed.check(this.stable);
    if (!this.#unconfirmed.set) return;
    const { list } = this.#roster;
    const first = this.#lookPauseMs === 0 ? this.#uplink.hub : undefined;
    const peer = first ?? list[Math.floor(this.#options.random.next() * list.length)];
    this.#lookPauseMs = Math.min(MAX_LOOK_PAUSE_MS, Math.max(3000, 1.5 * this.#lookPauseMs));
    this.#unconfirmed.dueAtMs = nowMs + this.#lookPauseMs;
    if (this.#uplink.hub === undefined && this.#roster.hasSuspects) return;
    if (peer !== undefined) this.#sender.probe(peer, nowMs);
  }

  /** Finds out when to be called next. */
  #plan(nowMs: number): void {
    const { have } = this.#store;
    const { list } = this.#roster;
    if (list.length === 0) this.#settle(nowMs);
    this.#unconfirmed.check(this.stable);
    if (!this.#unconfirmed.set && !covers(this.stable, have)) {
      this.#lookPauseMs = 0;
      this.#unconfirmed.put(have, nowMs + this.#timing.unconfirmedMs);
    }
    if (this.#downlink.mode === "hub") this.#uplink.plan(this.#version, have, this.stable, nowMs);
    else this.#uplink.dueAtMs = Infinity;
    const progress = this.#progress;
    const upAtMs = this.#uplink.dueAtMs;
    this.#pending = this.#downlink.newsDueMs(progress) < Infinity ||
      (upAtMs < Infinity && !this.#uplink.isSent(this.#version));
    const newsAtMs = Math.min(upAtMs, this.#downlink.dueMs(progress));
    let wakeAtMs = Math.min(newsAtMs, this.#behind.dueAtMs, this.#unconfirmed.dueAtMs);
    if (this.#probes) wakeAtMs = Math.min(wakeAtMs, this.#prober.dueAtMs);
    for (const peer of list) wakeAtMs = Math.min(wakeAtMs, peer.dueAtMs, peer.ackAtMs);
    this.wakeAtMs = wakeAtMs;
  }
}

/** All other nodes, in the order of the cluster's list. */
export class Roster {
  readonly list: readonly Peer[];
  readonly #byName: ReadonlyMap<string, Peer>;
  readonly #index: number;

  constructor(id: string, nodeIds: readonly string[]) {
    this.#index = nodeIds.indexOf(id);
    this.list = nodeIds.map((name, index) => new Peer(name, index)).filter(({ name }) =>
      name !== id
    );
    this.#byName = new Map(this.list.map((peer) => [peer.name, peer]));
  }

  /** A node by its name. */
  get(name: string): Peer | undefined {
    return this.#byName.get(name);
  }

  /** The first node of the list that is not suspected; undefined if that is this one. */
  get hub(): Peer | undefined {
    for (const peer of this.list) {
      if (peer.index > this.#index) return undefined;
      if (!peer.suspected) return peer;
    }
    return undefined;
  }

  /** Whether anybody seems not to hear this node. */
  get hasSuspects(): boolean {
    return this.list.some((peer) => peer.suspected);
  }

  /** The next suspected node at or after a place in the list, from the front again at its end. */
  suspectFrom(place: number): Peer | undefined {
    const count = this.list.length;
    for (let i = 0; i < count; i++) {
      const peer = this.list[(place + i) % count];
      if (peer?.suspected) return peer;
    }
    return undefined;
  }

  /** Someone who is known to have what `have` lacks: the hub, or one who hears us, or anyone. */
  holderOfMore(have: Vector, wanted: Vector): Peer | undefined {
    const hub = this.hub;
    if (hub !== undefined && hasMore(hub, have, wanted)) return hub;
    const holders = this.list.filter((peer) => hasMore(peer, have, wanted));
    return holders.find((peer) => !peer.suspected) ?? holders[0];
  }

  /**
   * Raises `stable` to what everyone is known to hold.
   *
   * Nothing is concluded from what a node holds as long as events of its own are missing here:
   * among them might be some that it appended before it held what it holds.
   *
   * @returns whether anything became stable.
   */
  settle(stable: Vector, have: Vector): boolean {
    for (const peer of this.list) {
      if (peer.stream < 0 || seqOf(peer.known, peer.stream) > seqOf(have, peer.stream)) {
        return false;
      }
    }
    let grown = false;
    for (let stream = 0; stream < have.length; stream++) {
      let seq = seqOf(have, stream);
      const before = seqOf(stable, stream);
      for (let i = 0; seq > before && i < this.list.length; i++) {
        const peer = this.list[i];
        if (peer !== undefined) seq = Math.min(seq, peer.seq(stream, stable));
      }
      while (stable.length <= stream) stable.push(0);
      if (seq > before) {
        stable[stream] = seq;
        grown = true;
      }
    }
    return grown;
  }
}

function hasMore(peer: Peer, have: Vector, wanted: Vector): boolean {
  return !covers(have, peer.known) && covers(peer.known, wanted);
}

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

/** A place in the streams, and a time to look whether it has been reached. */
export class Mark {
  #vector: Vector | undefined;
  /** When to look; never while nothing is marked. */
  dueAtMs = Infinity;

  /** Whether something is marked. */
  get set(): boolean {
    return this.#vector !== undefined;
  }

  /** What is to be reached. */
  get vector(): Vector {
    return this.#vector ?? [];
  }

  /** Marks a place. */
  put(vector: Vector, dueAtMs: number): void {
    this.#vector = [...vector];
    this.dueAtMs = dueAtMs;
  }

  /** Takes the mark away if it has been reached. */
  check(vector: Vector): void {
    if (this.#vector !== undefined && covers(vector, this.#vector)) this.clear();
  }

  /** Takes the mark away. */
  clear(): void {
    this.#vector = undefined;
    this.dueAtMs = Infinity;
  }
}
