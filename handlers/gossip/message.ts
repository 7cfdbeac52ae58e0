/**
 * The one type of message of gossip: what the sender holds, what the receiver lacks, and what the
 * receiver is to do.
 *
 * @module
 */

import { type Body, ErrorCode, type Json, type JsonObject, RpcError } from "@eddy/maelstrom";
import {
  type ArchivePart,
  type Batch,
  type GossipStore,
  raise,
  seqOf,
  type Streams,
  type Vector,
} from "./event_log.ts";
import type { Downlink, Progress, Rhythm, Uplink, Urgency } from "./links.ts";
import type { Membership, Peer } from "./membership.ts";
import type { Timing } from "./timing.ts";

/** A run of one stream's events, with the stream's number. */
interface StreamBatch extends Batch {
  readonly stream: number;
}

/** A message. */
export interface Gossip {
  /** The sender's process. */
  readonly tag: string;
  /** The sender's clock, in whole milliseconds. */
  readonly sentAtMs: number;
  /** The last message that the sender got from the receiver, and how long ago that was. */
  readonly echo?:
    | { readonly tag: string; readonly sentAtMs: number; readonly heldMs: number }
    | undefined;
  /** The prefixes that the sender holds. */
  readonly have: Vector;
  /** The prefixes that every node holds, as far as the sender knows. */
  readonly stable: Vector;
  readonly batches: readonly StreamBatch[];
  /** What other nodes hold, as far as the sender knows; sent while a node is suspected. */
  readonly seen: readonly { readonly node: string; readonly tag: string; readonly have: Vector }[];
  /** The sender takes the receiver for its hub. */
  readonly up: boolean;
  /** The receiver is to answer at once. */
  readonly ask: boolean;
  /** This acknowledges the receiver's events, and is not to be acknowledged itself. */
  readonly ack: boolean;
  /** The receiver lacks more than fits in one message: it should ask again. */
  readonly more: boolean;
  /** The receiver lacks events that the sender has in its archive only. */
  readonly past: boolean;
  /** When the sender, a hub, sends again. */
  readonly rhythm?: Rhythm | undefined;
  /** How soon the receiver, a hub, has to pass on the events. */
  readonly urgency?: Urgency | undefined;
  /** The place from which on the sender wants the receiver's archive. */
  readonly wants?: number | undefined;
  readonly archive?: ArchivePart | undefined;
}

/** The body of a message, which leaves out what is empty. */
export function encodeGossip(
  gossip: Pick<Gossip, "tag" | "sentAtMs" | "have"> & Partial<Gossip>,
  streams: Streams,
): Body {
  const { tag, sentAtMs, echo, have, stable, batches, seen, rhythm, urgency, wants, archive } =
    gossip;
  const body: Body = { type: "gossip", tag, t: sentAtMs, streams: streams.list, have: [...have] };
  if (echo !== undefined) body.echo = [echo.tag, echo.sentAtMs, echo.heldMs];
  if (stable !== undefined && stable.length > 0) body.stable = [...stable];
  if (batches !== undefined && batches.length > 0) {
    body.events = batches.map(({ stream, from, to, events }) => [
      streams.name(stream),
      from,
      to,
      events as Json[],
    ]);
  }
  if (seen !== undefined && seen.length > 0) {
    body.seen = seen.map(({ node, tag, have }) => [node, tag, [...have]]);
  }
  for (const flag of ["up", "ask", "ack", "more", "past"] as const) {
    if (gossip[flag]) body[flag === "ack" ? "sign" : flag] = true;
  }
  if (rhythm !== undefined) body.next = [rhythm.nextMs, rhythm.periodMs];
  if (urgency !== undefined) body.due = [urgency.leftMs, urgency.leadMs];
  if (wants !== undefined) body.wants = wants;
  if (archive !== undefined) {
    body.archive = [archive.from, archive.total, archive.events as Json[]];
  }
  return body;
}

/**
 * Reads a body; what it says of streams whose owners are no nodes is left out.
 *
 * @throws {RpcError} with code 12 if it is malformed.
 */
export function decodeGossip(body: JsonObject, streams: Streams): Gossip {
  const numbers = readStreams(body.streams, streams);
  const vector = (value: Json | undefined) => readVector(list(value), numbers);
  return {
    tag: text(body.tag),
    sentAtMs: count(body.t),
    have: vector(body.have ?? null),
    stable: vector(body.stable),
    batches: list(body.events).map((item) => readBatch(item, streams))
      .filter(({ stream }) => stream >= 0),
    seen: list(body.seen).map((item) => {
      const [node, tag, have] = list(item);
      return { node: text(node), tag: text(tag), have: vector(have) };
    }),
    up: body.up === true,
    ask: body.ask === true,
    ack: body.sign === true,
    more: body.more === true,
    past: body.past === true,
    echo: readEcho(body.echo),
    rhythm: readRhythm(body.next),
    urgency: readUrgency(body.due),
    wants: body.wants === undefined ? undefined : count(body.wants),
    archive: readArchive(body.archive),
  };
}

function readStreams(value: Json | undefined, streams: Streams): readonly number[] {
  try {
    return streams.read(text(value));
  } catch (error) {
    throw error instanceof URIError ? malformed("a stream's name has a lone %") : error;
  }
}

/** @param numbers the numbers here of the sender's streams */
function readVector(value: readonly Json[], numbers: readonly number[]): Vector {
  const vector: Vector = [];
  for (let i = 0; i < value.length; i++) {
    const stream = numbers[i];
    if (stream === undefined) throw malformed("a vector is longer than the list of streams");
    const seq = count(value[i]);
    if (stream >= 0 && seq > 0) raise(vector, stream, seq);
  }
  return vector;
}

function readBatch(item: Json, streams: Streams): StreamBatch {
  const [name, from, to, events] = list(item);
  return {
    stream: streams.numberOf(text(name)),
    from: count(from),
    to: count(to),
    events: list(events),
  };
}

function readEcho(value: Json | undefined): Gossip["echo"] {
  if (value === undefined) return undefined;
  const [tag, sentAtMs, heldMs] = list(value);
  return { tag: text(tag), sentAtMs: count(sentAtMs), heldMs: count(heldMs) };
}

function readRhythm(value: Json | undefined): Rhythm | undefined {
  if (value === undefined) return undefined;
  const [nextMs, periodMs] = list(value);
  return { nextMs: count(nextMs), periodMs: count(periodMs) };
}

function readUrgency(value: Json | undefined): Urgency | undefined {
  if (value === undefined) return undefined;
  const [leftMs, leadMs] = list(value);
  return { leftMs: count(leftMs), leadMs: count(leadMs) };
}

function readArchive(value: Json | undefined): ArchivePart | undefined {
  if (value === undefined) return undefined;
  const [from, total, events] = list(value);
  return { from: count(from), total: count(total), events: list(events) };
}

function list(value: Json | undefined): Json[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw malformed("expected a list");
  return value;
}

function text(value: Json | undefined): string {
  if (typeof value !== "string") throw malformed("expected a text");
  return value;
}

function count(value: Json | undefined): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw malformed("expected an integer of 0 or more");
  }
  return value;
}

function malformed(problem: string): RpcError {
  return new RpcError(ErrorCode.malformedRequest, `Malformed gossip: ${problem}`);
}

/** How many events a message carries at most, and how many one to a suspected node. */
const MAX_EVENTS = 2000;
const MAX_PROBE_EVENTS = 100;

/** A message to be sent. */
export interface Outgoing {
  readonly dest: string;
  readonly body: Body;
}

/** What a message carries of what the receiver lacks. */
interface Scope {
  /** How many events at most. */
  readonly limit?: number;
  /** Only events of this stream. */
  readonly stream?: number | undefined;
  /** Whether it says what other nodes hold, if a node is suspected. */
  readonly seen?: boolean;
}

/** The parts of a node's gossip that its messages depend on. */
interface SenderOptions {
  readonly tag: string;
  /** The stream of this node's own events. */
  readonly stream: number;
  readonly store: GossipStore;
  readonly streams: Streams;
  readonly membership: Membership;
  readonly stable: Vector;
  readonly uplink: Uplink;
  readonly downlink: Downlink;
  readonly timing: Timing;
  readonly progress: () => Progress;
}

/** Composes a node's messages, and notes which answers they should bring. */
export class Sender {
  readonly #node: SenderOptions;
  #outbox: Outgoing[] = [];

  constructor(node: SenderOptions) {
    this.#node = node;
  }

  /** Takes the messages that are to be sent. */
  takeOutbox(): Outgoing[] {
    const outbox = this.#outbox;
    if (outbox.length > 0) this.#outbox = [];
    return outbox;
  }

  /** Sends the events that a node lacks, which acknowledges its own at the same time. */
  send(peer: Peer, nowMs: number, extra: Partial<Gossip> = {}, scope: Scope = {}): void {
    const { tag, store, streams, stable, uplink, downlink, timing, progress } = this.#node;
    const { version, ownSeq } = progress();
    const { mode } = downlink;
    const up = peer === uplink.hub && mode === "hub";
    const leads = mode === "hub" && !up && (uplink.hub === undefined || peer.subscribed);
    const { batches, more, past } = this.#lacking(peer, scope);
    const body = encodeGossip({
      tag,
      sentAtMs: Math.floor(nowMs),
      echo: echoOf(peer, nowMs),
      have: store.have,
      stable,
      batches,
      seen: scope.seen ? this.#seen(peer) : [],
      up,
      more,
      past,
      rhythm: leads ? downlink.rhythm(nowMs) : undefined,
      urgency: up && batches.length > 0 ? uplink.urgency(peer, nowMs) : undefined,
      ...extra,
    }, streams);
    this.#outbox.push({ dest: peer.name, body });
    peer.ackAtMs = Infinity;
    peer.awaitsAck = false;
    if (up) uplink.sent(peer, version, nowMs);
    if (batches.length === 0 || extra.ack) return;
    if (!more && !past && scope.stream === undefined) {
      peer.sentAll(store.have, nowMs + timing.roundTripMs(peer));
    }
    const patienceMs = up
      ? timing.hubPatienceMs(peer, uplink.schedule.periodMs) + 2 * timing.answerPatienceMs(peer)
      : timing.ackPatienceMs(peer, mode === "direct");
    peer.expectEcho(nowMs, patienceMs, ownSeq, peer.seq(this.#node.stream, stable));
  }

  /** Acknowledges a node's events; only a hub acknowledges such a message in turn. */
  ack(peer: Peer, nowMs: number): void {
    const { uplink, downlink } = this.#node;
    const toHub = peer === uplink.hub && downlink.mode === "hub";
    this.send(peer, nowMs, toHub ? {} : { ack: true });
  }

  /** Sends a message that is to be answered at once. */
  ask(peer: Peer, nowMs: number, extra: Partial<Gossip> = {}, limit: number = MAX_EVENTS): void {
    peer.askedAtMs = nowMs;
    this.send(peer, nowMs, { ...extra, ask: true }, { limit, seen: true });
    const { timing, progress, stream, stable } = this.#node;
    const heldSeq = peer.seq(stream, stable);
    peer.expectEcho(nowMs, timing.answerPatienceMs(peer), progress().ownSeq, heldSeq);
  }

  /** Asks a node that messages may not reach. */
  probe(peer: Peer, nowMs: number): void {
    this.ask(peer, nowMs, {}, MAX_PROBE_EVENTS);
  }

  #lacking(peer: Peer, { limit = MAX_EVENTS, stream: only }: Scope) {
    const { store, stable } = this.#node;
    const batches: StreamBatch[] = [];
    let left = limit;
    let more = false;
    let past = false;
    const first = only ?? 0;
    const end = only === undefined ? store.have.length : only + 1;
    for (let stream = first; stream < end; stream++) {
      const from = peer.seq(stream, stable);
      const to = seqOf(store.have, stream);
      if (to <= from) continue;
      const batch = left > 0 ? store.since(stream, from, left) : undefined;
      if (left <= 0) more = true;
      else if (batch === undefined) past = true;
      else {
        batches.push({ stream, ...batch });
        left -= batch.events.length;
        if (batch.to < to) more = true;
      }
    }
    return { batches, more, past };
  }

  #seen(peer: Peer): Gossip["seen"] {
    const { membership } = this.#node;
    if (!membership.hasSuspects) return [];
    return membership.peers.filter((other) => other !== peer && other.known.length > 0)
      .map(({ name, tag, known }) => ({ node: name, tag, have: known }));
  }
}

function echoOf(peer: Peer, nowMs: number): Gossip["echo"] {
  const { tag, heardSentAtMs: sentAtMs } = peer;
  if (sentAtMs < 0) return undefined;
  return { tag, sentAtMs, heldMs: Math.max(0, Math.round(nowMs - peer.heardAtMs)) };
}

/** Reads another node's archive, part by part. */
export class ArchiveReader {
  readonly #store: GossipStore;
  /** The process whose archive is read: another one has an order of its own. */
  #tag = "";
  #next = 0;
  /** Until when an answer is waited for. */
  #untilMs = -Infinity;

  constructor(store: GossipStore) {
    this.#store = store;
  }

  /** Whether no answer is waited for. */
  isDue(nowMs: number): boolean {
    return nowMs >= this.#untilMs;
  }

  /** The place from which on a node's archive is wanted; waits for the answer until then. */
  want({ tag }: Peer, untilMs: number): number {
    if (tag !== this.#tag) {
      this.#tag = tag;
      this.#next = 0;
    }
    this.#untilMs = untilMs;
    return this.#next;
  }

  /**
   * Takes a part.
   *
   * @returns whether there is more; undefined if the part is not the next one.
   */
  take({ tag, archive, have }: Gossip): boolean | undefined {
    if (archive === undefined || tag !== this.#tag || archive.from !== this.#next) return undefined;
    const next = Math.min(archive.from + archive.events.length, archive.total);
    const more = next < archive.total && archive.events.length > 0;
    this.#store.restore(archive, more ? undefined : have);
    this.#next = next;
    this.#untilMs = -Infinity;
    return more;
  }
}
