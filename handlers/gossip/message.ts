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
import type { Rhythm } from "./hub_schedule.ts";
import type { ArchivePart, Batch } from "./store.ts";
import { raise, streamOwner, type Streams, type Vector } from "./vector.ts";

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
