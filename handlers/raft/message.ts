/**
 * The messages of Raft, and the link that they take.
 *
 * Between elections there are two: what a leader has for a follower is in `append_entries`, what a
 * follower has for its leader in `acknowledge`. A field `term` is the sender's term.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { MeanDeviation } from "../mean_deviation.ts";

/** One entry of the log: the term of the leader that made it, and a command; `null` does nothing. */
export type Entry = readonly [term: number, command: Json];

/**
 * What a message says about its link: its own number, the number of the newest message that came
 * the other way, and how long ago that was. The link's delay is measured with it, and whether the
 * other node receives what this one sends.
 */
type Stamp = readonly [number: number, echo: number, heldMs: number];

/** A read that waits for the leader: the life of its node that asked, and its number there. */
export type Ticket = readonly [life: number, number: number];

/** Asks for a vote (paper 5.2), or whether one would be given (dissertation 9.6). */
export interface RequestVote {
  readonly type: "request_vote";
  /** The term of the election; with `pre` the term that an election would have. */
  readonly term: number;
  readonly pre: boolean;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/** Answers {@linkcode RequestVote}; when granted, `term` is the one asked for. */
export interface Vote {
  readonly type: "vote";
  readonly term: number;
  readonly pre: boolean;
  readonly granted: boolean;
}

/** What a leader sends a follower (paper 5.3): entries, or none, as a heartbeat. */
export interface AppendEntries {
  readonly type: "append_entries";
  readonly term: number;
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
  /** The newest leadership round (dissertation 6.4); an acknowledgement repeats it. */
  readonly round: number;
  /** Whether the acknowledgement is needed at once; otherwise it may wait for another reason. */
  readonly prompt: boolean;
  /** The next message will come within this time. */
  readonly heartbeatMs: number;
  /** Reads up to this ticket may go ahead once this index is applied. */
  readonly granted?: readonly [ticket: Ticket, index: number] | undefined;
}

/** A piece of a snapshot (paper 7), for a follower that needs entries the leader has no more. */
export interface InstallSnapshot {
  readonly type: "install_snapshot";
  readonly term: number;
  /** The last entry that the snapshot covers, and its term. */
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** How many items came before these. */
  readonly offset: number;
  readonly items: readonly Json[];
  readonly done: boolean;
  readonly heartbeatMs: number;
}

/** What a follower sends its leader: what it has, and what its clients want. */
export interface Acknowledge {
  readonly type: "acknowledge";
  readonly term: number;
  /** Up to here the follower's log is known to be the leader's. */
  readonly match: number;
  readonly round: number;
  /** The entry before an append was another or missing: which, and where to try (paper 5.3). */
  readonly reject?: readonly [prevIndex: number, hintIndex: number, hintTerm: number] | undefined;
  /** Commands of the follower's clients. */
  readonly commands?: readonly Json[] | undefined;
  /** Reads up to this ticket wait for the leader. */
  readonly reads?: Ticket | undefined;
  /** How many items of the snapshot at this index have come. */
  readonly installed?: readonly [lastIndex: number, offset: number] | undefined;
}

/** Says that a node does not lead: to all when it steps down, later to those that acknowledge. */
interface Resigned {
  readonly type: "resigned";
  readonly term: number;
}

/** Any message, before its link adds a stamp. */
export type Content =
  | RequestVote
  | Vote
  | AppendEntries
  | InstallSnapshot
  | Acknowledge
  | Resigned;

/** Any message as it travels. */
export type Message = Content & { readonly link: Stamp };

/** What a replicated state machine puts into messages, as it checks it. */
export interface Payload {
  /** Whether a value is a command. */
  isCommand(value: unknown): boolean;
  /** Whether a value is a snapshot's item at a position. */
  isItem(value: unknown, position: number): boolean;
}

type Check = (value: unknown, payload: Payload) => boolean;

/** The longest time between two heartbeats that is believed, in milliseconds. */
const MAX_HEARTBEAT_MS = 60_000;

const isBoolean: Check = (value) => typeof value === "boolean";
const isNumber: Check = (value) => typeof value === "number" && value >= 0;
const isInteger: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isHeartbeat: Check = (value) =>
  typeof value === "number" && value >= 0 && value <= MAX_HEARTBEAT_MS;
const isList: Check = (value) => Array.isArray(value);
const isTupleOf = (...checks: Check[]): Check => (value, payload) =>
  Array.isArray(value) && value.length === checks.length &&
  checks.every((check, index) => check(value[index], payload));
const isListOf = (check: Check): Check => (value, payload) =>
  Array.isArray(value) && value.every((item) => check(item, payload));
const isOptional = (check: Check): Check => (value, payload) =>
  value === undefined || check(value, payload);

const isTicket = isTupleOf(isInteger, isInteger);
const isCommand: Check = (value, payload) => payload.isCommand(value);
// Written out: there are many entries to a message.
const isEntry: Check = (value, payload) =>
  Array.isArray(value) && value.length === 2 && isInteger(value[0], payload) &&
  (value[1] === null || payload.isCommand(value[1]));

/** Of every type of message, its fields. */
const fields: { [M in Content as M["type"]]: { [F in Exclude<keyof M, "type">]-?: Check } } = {
  request_vote: { term: isInteger, pre: isBoolean, lastIndex: isInteger, lastTerm: isInteger },
  vote: { term: isInteger, pre: isBoolean, granted: isBoolean },
  append_entries: {
    term: isInteger,
    prevIndex: isInteger,
    prevTerm: isInteger,
    entries: isListOf(isEntry),
    commit: isInteger,
    round: isInteger,
    prompt: isBoolean,
    heartbeatMs: isHeartbeat,
    granted: isOptional(isTupleOf(isTicket, isInteger)),
  },
  install_snapshot: {
    term: isInteger,
    lastIndex: isInteger,
    lastTerm: isInteger,
    offset: isInteger,
    items: isList,
    done: isBoolean,
    heartbeatMs: isHeartbeat,
  },
  acknowledge: {
    term: isInteger,
    match: isInteger,
    round: isInteger,
    reject: isOptional(isTupleOf(isInteger, isInteger, isInteger)),
    commands: isOptional(isListOf(isCommand)),
    reads: isOptional(isTicket),
    installed: isOptional(isTupleOf(isInteger, isInteger)),
  },
  resigned: { term: isInteger },
};

/** The types of all messages. */
export const MESSAGE_TYPES = Object.keys(fields) as (keyof typeof fields)[];

const isStamp = isTupleOf(isInteger, isInteger, isNumber);

/**
 * Whether a peer's message has all fields of its type, and each is what it should be: an entry's
 * command and a snapshot's item, too, since nothing else looks at them before they are executed.
 */
export function isMessage(body: object, payload: Payload): body is Message {
  const values = body as Readonly<Record<string, unknown>>;
  const type = MESSAGE_TYPES.find((known) => known === values["type"]);
  return type !== undefined && isStamp(values["link"], payload) &&
    Object.entries(fields[type]).every(([field, check]) => check(values[field], payload)) &&
    isConsistent(body as Message, payload);
}

/** Whether what depends on several fields of a message is right, too. */
function isConsistent(message: Message, payload: Payload): boolean {
  if (message.type === "install_snapshot") {
    const { items, offset } = message;
    return items.every((item, index) => payload.isItem(item, offset + index));
  }
  if (message.type !== "append_entries") return true;
  // Terms never decrease along a log, and a leader has no entry of a later term than its own.
  let lastTerm = message.prevTerm;
  for (const { 0: term } of message.entries) {
    if (term < lastTerm) return false;
    lastTerm = term;
  }
  return lastTerm <= message.term;
}

/** How deep {@linkcode roughSize} looks; below, a value counts as small. */
const MAX_DEPTH = 8;

/** About how many characters a value takes as JSON; cheap, and good enough to bound a message. */
export function roughSize(value: Json | Entry, depth: number = MAX_DEPTH): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null || depth === 0) return 8;
  let size = 2;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) size += roughSize(item, depth - 1) + 1;
    return size;
  }
  for (const [key, item] of Object.entries(value)) {
    size += key.length + 4 + roughSize(item, depth - 1);
  }
  return size;
}

/** How many items from `offset` on fit a message: one at least, if there is one. */
export function countFitting(
  items: readonly (Json | Entry)[],
  offset: number,
  maxCount: number,
  maxChars: number,
): number {
  const end = Math.min(items.length, offset + maxCount);
  let chars = 0;
  for (let at = offset; at < end; at++) {
    chars += roughSize(items[at] ?? null);
    if (chars > maxChars && at > offset) return at - offset;
  }
  return end - offset;
}

/** What a round trip is taken to be before one was measured, in milliseconds. */
const ASSUMED_ROUND_TRIP_MS = 100;
/** A round trip is never taken to be longer: a longer one comes from a fault, not from the link. */
const MAX_ROUND_TRIP_MS = 1000;
/** What an answer may take beyond the round trip: turns, spacing, a busy machine. */
export const SLACK_MS = 50;
/** How often the time between two repeats may double. */
const MAX_DOUBLINGS = 4;

/** The link to one other node. */
export class Link {
  /** When something was last sent. */
  sentMs = -Infinity;
  /** When something last came. */
  heardMs = -Infinity;
  /** Since when an answer is awaited that has not come; in the future if it may wait till then. */
  awaitingSinceMs: number | undefined;
  /** How often this node has asked again since the last answer. */
  repeats = 0;

  #sent = 0;
  #received = 0;
  #lastAsked = 0;
  #firstAsked = 0;
  #lastAskedMs = 0;
  #repeatedMs = -Infinity;
  #sample: { readonly number: number; readonly atMs: number } | undefined;
  readonly #roundTrip = new MeanDeviation();

  /**
   * The stamp of the next message.
   *
   * @param answerMs how long the other node may put off an answer; `Infinity` if it need not answer
   */
  stamp(nowMs: number, answerMs: number): Stamp {
    const number = ++this.#sent;
    this.sentMs = nowMs;
    const isFirst = this.awaitingSinceMs === undefined;
    // While another answer is awaited, one that may wait tells nothing more.
    if (answerMs === 0 || (isFirst && answerMs < Infinity)) this.#ask(number, nowMs + answerMs);
    this.#sample ??= { number, atMs: nowMs };
    const heldMs = this.#received === 0 ? 0 : Math.max(0, nowMs - this.heardMs);
    return [number, this.#received, Math.round(heldMs * 100) / 100];
  }

  /** Takes note of a message's stamp. */
  receive([number, echo, heldMs]: Stamp, nowMs: number): void {
    this.#received = number;
    this.heardMs = nowMs;
    // A restarted node counts from 1 again: an echo of a number not yet given is of its past life.
    if (echo > this.#sent) return;
    if (this.#sample !== undefined && echo >= this.#sample.number) {
      if (echo === this.#sample.number) this.#measure(nowMs - this.#sample.atMs - heldMs);
      this.#sample = undefined;
    }
    if (this.awaitingSinceMs === undefined || echo < this.#firstAsked) return;
    this.#firstAsked = this.#lastAsked;
    this.awaitingSinceMs = echo >= this.#lastAsked ? undefined : this.#lastAskedMs;
    this.repeats = 0;
    this.#repeatedMs = -Infinity;
  }

  /** Notes that this node asks again. */
  repeated(nowMs: number): void {
    this.repeats++;
    this.#repeatedMs = nowMs;
  }

  /** When to ask again: after this link's patience twice, then after twice as long each time. */
  get repeatAtMs(): number {
    if (this.awaitingSinceMs === undefined) return Infinity;
    const doublings = Math.min(Math.max(0, this.repeats - 1), MAX_DOUBLINGS);
    return Math.max(this.awaitingSinceMs, this.#repeatedMs) + this.patienceMs * 2 ** doublings;
  }

  /** The smoothed round trip with four deviations on top (RFC 6298), in milliseconds. */
  get roundTripMs(): number {
    const { mean = ASSUMED_ROUND_TRIP_MS, deviation } = this.#roundTrip;
    return Math.min(mean + 4 * deviation, MAX_ROUND_TRIP_MS);
  }

  /** How long to wait for an answer before the link is taken to be broken; it may take two trips. */
  get patienceMs(): number {
    return SLACK_MS + 2 * this.roundTripMs;
  }

  /** Whether an answer has not come in time. */
  overdue(nowMs: number): boolean {
    return this.awaitingSinceMs !== undefined && nowMs - this.awaitingSinceMs > this.patienceMs;
  }

  /** Whether no answer came in time when this node asked again, either. */
  isSilentAt(nowMs: number): boolean {
    return this.repeats > 1 || (this.repeats === 1 && nowMs >= this.repeatAtMs);
  }

  #ask(number: number, awaitedMs: number): void {
    this.#lastAsked = number;
    this.#lastAskedMs = awaitedMs;
    if (this.awaitingSinceMs === undefined) this.#firstAsked = number;
    this.awaitingSinceMs = Math.min(this.awaitingSinceMs ?? Infinity, awaitedMs);
  }

  #measure(sampleMs: number): void {
    // One delayed message changes the estimate little; several in a row change it much.
    const sample = Math.min(Math.max(0, sampleMs), SLACK_MS + 2 * this.roundTripMs);
    this.#roundTrip.add(sample, sample / 4);
  }
}
