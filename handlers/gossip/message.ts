/**
 * The one message that gossip sends: where the sender is, what the receiver lacks, and what is
 * asked of it.
 *
 * @module
 */

import {
  type Body,
  ErrorCode,
  isJsonObject,
  type Json,
  type JsonObject,
  RpcError,
} from "@eddy/maelstrom";
import type { Peer, Roster } from "./gossip.ts";
import type { Downlink, Progress, Rhythm, Uplink } from "./links.ts";
import {
  type ArchivePart,
  type Batch,
  raise,
  seqOf,
  type Store,
  streamOwner,
  type Streams,
  type Vector,
} from "./event_log.ts";
import type { Timing } from "./timing.ts";

/** A run of one stream's events, as it travels. */
export interface StreamBatch extends Batch {
  readonly stream: number;
}

/** Where another node was when the sender heard from it last. */
export interface Sighting {
  readonly node: string;
  readonly tag: string;
  readonly have: Vector;
}

/** What a message says. */
export interface Gossip {
  /** The sender's process. */
  readonly tag: string;
  /** The sender's clock, in whole milliseconds. */
  readonly sentAtMs: number;
  /** Which message of the receiver's the sender has seen last, and how long it has had it. */
  readonly echo?: { readonly tag: string; readonly sentAtMs: number; readonly heldMs: number };
  /** The prefixes that the sender holds. */
  readonly have: Vector;
  /** The prefixes that everybody holds, as far as the sender knows. */
  readonly stable: Vector;
  readonly batches: readonly StreamBatch[];
  /** What the sender knows of others, sent when not everybody can be reached. */
  readonly seen: readonly Sighting[];
  /** The sender takes the receiver for its hub. */
  readonly up: boolean;
  /** The receiver is to answer at once. */
  readonly ask: boolean;
  /** This confirms what the receiver has sent, and needs no confirmation itself. */
  readonly sign: boolean;
  /** The receiver lacks more than fits in one message: it should ask again. */
  readonly more: boolean;
  /** The receiver lacks what is in the sender's archive only. */
  readonly past: boolean;
  /** When the sender, a hub, sends again. */
  readonly rhythm?: Rhythm;
  /** From where on the sender wants the receiver's archive. */
  readonly wants?: number;
  readonly archive?: ArchivePart;
}

/** A message with nothing in it but where the sender is. */
export type Plain = Pick<Gossip, "tag" | "sentAtMs" | "have"> & Partial<Gossip>;

/** The body of a message. */
export function encodeGossip(gossip: Plain, streams: Streams): Body {
  const { tag, sentAtMs, echo, have, stable, batches, seen, rhythm, wants, archive } = gossip;
  const body: Body = { type: "gossip", tag, t: sentAtMs, have: streams.encode(have) };
  if (echo !== undefined) body.echo = [echo.tag, echo.sentAtMs, echo.heldMs];
  if (stable !== undefined && stable.length > 0) body.stable = streams.encode(stable);
  if (batches !== undefined && batches.length > 0) {
    body.events = batches.map((batch) => encodeBatch(batch, streams));
  }
  if (seen !== undefined && seen.length > 0) {
    body.seen = seen.map(({ node, tag, have }) => [node, tag, streams.encode(have)]);
  }
  for (const flag of ["up", "ask", "sign", "more", "past"] as const) {
    if (gossip[flag]) body[flag] = true;
  }
  if (rhythm !== undefined) body.next = [rhythm.nextMs, rhythm.periodMs];
  if (wants !== undefined) body.wants = wants;
  if (archive !== undefined) {
    body.archive = [archive.from, archive.total, archive.events as Json[]];
  }
  return body;
}

function encodeBatch({ stream, from, to, events }: StreamBatch, streams: Streams): Json {
  return [streams.name(stream), from, to, events as Json[]];
}

/**
 * Reads a body.
 *
 * @param isNode whether a name is a node's; streams of anybody else are left out
 * @throws {RpcError} with code 12 if it is malformed.
 */
export function decodeGossip(
  body: JsonObject,
  streams: Streams,
  isNode: (name: string) => boolean,
): Gossip {
  const vector = (value: Json | undefined) => readVector(value, streams, isNode);
  const echo = readEcho(body.echo);
  const rhythm = readRhythm(body.next);
  const archive = readArchive(body.archive);
  return {
    tag: text(body.tag),
    sentAtMs: count(body.t),
    have: vector(body.have),
    stable: vector(body.stable ?? {}),
    batches: list(body.events).filter((item) => isNode(streamOwner(text(list(item)[0]))))
      .map((item) => readBatch(item, streams)),
    seen: list(body.seen).map((item) => {
      const [node, tag, have] = list(item);
      return { node: text(node), tag: text(tag), have: vector(have) };
    }),
    up: body.up === true,
    ask: body.ask === true,
    sign: body.sign === true,
    more: body.more === true,
    past: body.past === true,
    ...(echo === undefined ? {} : { echo }),
    ...(rhythm === undefined ? {} : { rhythm }),
    ...(body.wants === undefined ? {} : { wants: count(body.wants) }),
    ...(archive === undefined ? {} : { archive }),
  };
}

function readVector(
  value: Json | undefined,
  streams: Streams,
  isNode: (name: string) => boolean,
): Vector {
  if (!isJsonObject(value)) throw malformed("a version vector must be an object");
  const vector: Vector = [];
  for (const name in value) {
    if (isNode(streamOwner(name))) raise(vector, streams.number(name), count(value[name]));
  }
  return vector;
}

function readBatch(item: Json, streams: Streams): StreamBatch {
  const [name, from, to, events] = list(item);
  return {
    stream: streams.number(text(name)),
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

/** Which of the events that the receiver lacks go into a message. */
export interface Scope {
  /** How many at most. */
  readonly limit: number;
  /** Only those of this stream. */
  readonly stream?: number | undefined;
  /** Whether to tell of third nodes, where not everybody reaches everybody. */
  readonly sightings?: boolean;
}

/** What a composer needs of its node. */
export interface ComposerContext {
  readonly tag: string;
  readonly store: Store;
  readonly streams: Streams;
  readonly roster: Roster;
  readonly stable: Vector;
}

/** A message ready to go. */
export interface Composed {
  readonly body: Body;
  /** Whether it carries events. */
  readonly carries: boolean;
  /** Whether it carries all that the receiver lacks. */
  readonly completes: boolean;
}

/** Composes one node's messages. */
export class Composer {
  readonly #node: ComposerContext;

  constructor(node: ComposerContext) {
    this.#node = node;
  }

  /** A message to `peer` with the events in `scope`, and with `extra` as it is. */
  compose(peer: Peer, nowMs: number, scope: Scope, extra: Partial<Plain>): Composed {
    const { tag, store, streams, stable } = this.#node;
    const { batches, more, past } = this.#lacking(peer, scope);
    const echo = peer.heardSentAtMs < 0 ? undefined : {
      tag: peer.tag,
      sentAtMs: peer.heardSentAtMs,
      heldMs: Math.max(0, Math.round(nowMs - peer.heardAtMs)),
    };
    const body = encodeGossip({
      tag,
      sentAtMs: Math.floor(nowMs),
      have: store.have,
      stable,
      batches,
      more,
      past,
      seen: scope.sightings ? this.#sightings(peer) : [],
      ...(echo === undefined ? {} : { echo }),
      ...extra,
    }, streams);
    const completes = !more && !past && scope.stream === undefined;
    return { body, carries: batches.length > 0, completes };
  }

  #lacking(peer: Peer, { limit, stream: only }: Scope) {
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

  #sightings(peer: Peer): Sighting[] {
    const { roster } = this.#node;
    if (!roster.hasSuspects) return [];
    return roster.list.filter((other) => other !== peer && other.known.length > 0)
      .map(({ name, tag, known }) => ({ node: name, tag, have: known }));
  }
}

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

/** How many events an archive's part holds at most. */
const MAX_PART_EVENTS = 5000;

/** Reads one node's archive, part by part. */
export class CatchUp {
  readonly #store: Store;
  /** Whose archive is read: the process's tag, for another has its own order. */
  #tag = "";
  #next = 0;
  /** Until when an answer is waited for. */
  #untilMs = -Infinity;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Whether nothing is being waited for. */
  isDue(nowMs: number): boolean {
    return nowMs >= this.#untilMs;
  }

  /** From where on this node's archive is wanted; an answer is waited for until then. */
  want({ tag }: Peer, untilMs: number): number {
    if (tag !== this.#tag) {
      this.#tag = tag;
      this.#next = 0;
    }
    this.#untilMs = untilMs;
    return this.#next;
  }

  /** The part of this node's archive that another wants. */
  part(from: number): ArchivePart {
    return this.#store.archive(from, MAX_PART_EVENTS);
  }

  /**
   * Takes a part.
   *
   * @returns whether more is to come; undefined if the part is not the next one.
   */
  take({ tag, archive, have }: Gossip): boolean | undefined {
    if (archive === undefined || tag !== this.#tag || archive.from !== this.#next) return undefined;
    const next = archive.from + archive.events.length;
    const more = next < archive.total && archive.events.length > 0;
    this.#store.restore(archive, more ? undefined : have);
    this.#next = next;
    this.#untilMs = -Infinity;
    return more;
  }
}
