/**
 * What led to a message, and what came of it: Lamport's happened-before, and the messages next to
 * it in that order.
 *
 * @module
 */

import type { ReportMessage } from "../../report_messages.ts";
import { readBody } from "./labels.ts";
import type { MessageEvents } from "./scene.ts";

/** How a message is related to the selected one. */
export const RELATION = {
  concurrent: 0,
  before: 1,
  after: 2,
  cause: 3,
  effect: 4,
  self: 5,
} as const;

/** How many messages a chain of causes, or of effects, has at most. */
export const MAX_CHAIN = 1000;

/** All that is related to a message. */
export interface Relations {
  /** One of {@linkcode RELATION} for each message, by its place. */
  readonly of: Uint8Array;
  /** How many happened before it, after it, and neither. */
  readonly before: number;
  readonly after: number;
  readonly concurrent: number;
  /** The message that it replies to. */
  readonly request: number | undefined;
  /** The last message that its sender had received. */
  readonly received: number | undefined;
  /** What its receiver sent until it received the next one. */
  readonly effects: readonly number[];
  /** Its reply. */
  readonly reply: number | undefined;
  /** Whether the chains of causes and effects are longer than they may be. */
  readonly isCut: boolean;
}

/** Answers what happened before what, by the order of the events at each endpoint. */
export class HappenedBefore {
  readonly #messages: readonly ReportMessage[];
  readonly #events: MessageEvents;
  /** The last message that the sender of each one had received; -1 for none. */
  readonly #received: Int32Array;
  /** What was sent after each message arrived and before the next one did. */
  readonly #sentAfter = new Map<number, number[]>();

  constructor(messages: readonly ReportMessage[], events: MessageEvents) {
    this.#messages = messages;
    this.#events = events;
    this.#received = new Int32Array(messages.length).fill(-1);
    const last = new Map<string, number>();
    for (let i = 0; i < events.count; i++) {
      const place = events.message[i] ?? 0;
      const { src = "", dest = "" } = messages[place] ?? {};
      if (events.isSend[i] === 0) last.set(dest, place);
      else {
        const before = last.get(src);
        if (before === undefined) continue;
        this.#received[place] = before;
        const sent = this.#sentAfter.get(before);
        if (sent === undefined) this.#sentAfter.set(before, [place]);
        else sent.push(place);
      }
    }
  }

  /** What is related to a message. */
  relations(place: number): Relations {
    const of = new Uint8Array(this.#messages.length);
    this.#markBefore(place, of);
    this.#markAfter(place, of);
    const count = (relation: number) =>
      of.reduce((sum, each) => sum + Number(each === relation), 0);
    const [before, after] = [count(RELATION.before), count(RELATION.after)];
    const causes = this.#chain(place, (each) => this.#causesOf(each));
    const effects = this.#chain(place, (each) => this.#effectsOf(each));
    for (const each of causes.places) of[each] = RELATION.cause;
    for (const each of effects.places) of[each] = RELATION.effect;
    of[place] = RELATION.self;
    return {
      of,
      before,
      after,
      concurrent: of.length - 1 - before - after,
      request: this.#requestOf(place),
      received: this.#receivedBefore(place),
      effects: this.#effectsOf(place),
      reply: this.#replyTo(place),
      isCut: causes.isCut || effects.isCut,
    };
  }

  /** Goes back in time: what arrives where it can matter was sent before. */
  #markBefore(place: number, of: Uint8Array): void {
    const { count, message, isSend } = this.#events;
    const reached = new Set<string>();
    for (let i = count - 1; i >= 0; i--) {
      const each = message[i] ?? 0;
      const { src = "", dest = "" } = this.#messages[each] ?? {};
      if (isSend[i] === 0) {
        if (reached.has(dest)) of[each] = RELATION.before;
      } else if (each === place || of[each] === RELATION.before) reached.add(src);
    }
    of[place] = RELATION.concurrent;
  }

  /** Goes on in time: what is sent where it has arrived comes after. */
  #markAfter(place: number, of: Uint8Array): void {
    const { count, message, isSend } = this.#events;
    const reached = new Set<string>();
    for (let i = 0; i < count; i++) {
      const each = message[i] ?? 0;
      const { src = "", dest = "" } = this.#messages[each] ?? {};
      if (isSend[i] === 0) {
        if (each === place || of[each] === RELATION.after) reached.add(dest);
      } else if (reached.has(src) && each !== place) of[each] = RELATION.after;
    }
  }

  /** Nearest first: a set is gone through with what is added on the way. */
  #chain(from: number, next: (place: number) => readonly number[]) {
    const places = new Set([from]);
    for (const place of places) {
      for (const each of next(place)) places.add(each);
      if (places.size > MAX_CHAIN) return { places, isCut: true };
    }
    return { places, isCut: false };
  }

  #causesOf(place: number): number[] {
    return [this.#requestOf(place), this.#receivedBefore(place)].filter((each) =>
      each !== undefined
    );
  }

  #effectsOf(place: number): readonly number[] {
    return this.#sentAfter.get(place) ?? [];
  }

  #receivedBefore(place: number): number | undefined {
    const before = this.#received[place] ?? -1;
    return before === -1 ? undefined : before;
  }

  #requestOf(place: number): number | undefined {
    const { src, dest, body = "" } = this.#messages[place] ?? {};
    if (!body.includes('"in_reply_to"')) return undefined;
    const { in_reply_to: wanted } = readBody(body);
    for (let i = place - 1; i >= Math.max(0, place - MAX_SEARCHED); i--) {
      const each = this.#messages[i];
      if (each === undefined || each.src !== dest || each.dest !== src) continue;
      if (has(each.body, "msg_id", wanted)) return i;
    }
    return undefined;
  }

  #replyTo(place: number): number | undefined {
    const { src, dest, body = "" } = this.#messages[place] ?? {};
    if (!body.includes('"msg_id"')) return undefined;
    const { msg_id: wanted } = readBody(body);
    for (let i = place + 1; i < Math.min(this.#messages.length, place + MAX_SEARCHED); i++) {
      const each = this.#messages[i];
      if (each === undefined || each.src !== dest || each.dest !== src) continue;
      if (has(each.body, "in_reply_to", wanted)) return i;
    }
    return undefined;
  }
}

/** How far a request or a reply is looked for, in messages. */
const MAX_SEARCHED = 20_000;

function has(body: string, field: "msg_id" | "in_reply_to", value: unknown): boolean {
  return body.includes(`"${field}":${value}`) && readBody(body)[field] === value;
}
