/**
 * The messages of a run as its report has them: each with its way, its body, and what became of it.
 *
 * @module
 */

import * as v from "valibot";
import { isJsonObject, type JsonObject, ROUTED } from "@eddy/maelstrom";
import type { NetEvent } from "./journal.ts";
import { BodyBound } from "./report_bounds.ts";
import { type PackedTexts, packTexts, type UnjoinedText, unpackEach } from "./packed_texts.ts";

/** A message. Times are milliseconds since the history began; negative before. */
export interface ReportMessage {
  /** The network's own number for it. */
  readonly id: number;
  /** Who sent it. */
  readonly src: string;
  /** Whom it is for. */
  readonly dest: string;
  /** When it was sent. */
  readonly sentMs: number;
  /** The body's type; empty where it has none. */
  readonly type: string;
  /** The body as JSON. */
  readonly body: string;
  /** When it arrived: once, but for lost messages and for doubled ones. */
  readonly deliveries: readonly Delivery[];
  /** When it, or a copy of it, was lost, and why. */
  readonly drops: readonly Drop[];
}

/** The arrival of a message. */
export interface Delivery {
  readonly atMs: number;
  /** The id of the message that was sent next, by whomever: it tells what came before what. */
  readonly nextId: number;
}

/** The loss of a message. */
export interface Drop {
  readonly atMs: number;
  /** The fault that took it; or `closed`, `restart`, `queue full`. */
  readonly why: string;
}

/** Something that happened to a message, as a line of `messages.jsonl` has it. */
export interface MessageEvent {
  readonly type: "send" | "recv" | "drop";
  /** By the world's clock. */
  readonly timeMs: number;
  readonly id: number;
  readonly src: string;
  readonly dest: string;
  /** The body as JSON, where it is sent. */
  readonly body?: string | undefined;
  readonly why?: string | undefined;
}

/** What a network's event is in a line. */
export function messageEvent({ type, timeMs, message, why }: NetEvent): MessageEvent {
  const { id, src, dest, text } = message;
  return { type, timeMs, id, src, dest, body: type === "send" ? text : undefined, why };
}

/** How many messages a report has at most. */
export const MAX_MESSAGES = 200_000;

/** Which messages of a run are in its report. */
export interface ShownMessages {
  readonly messages: readonly ReportMessage[];
  /** How many were sent in the whole run. */
  readonly sentCount: number;
}

type Growing = ReportMessage & { readonly deliveries: Delivery[]; readonly drops: Drop[] };

/** Puts the events of a run together to messages, in the order in which they were sent. */
export class MessageCollector {
  readonly #startMs: number;
  readonly #max: number;
  readonly #bound: BodyBound;
  readonly #byId = new Map<number, Growing>();
  #nextId = 0;
  #sentCount = 0;

  /**
   * @param startMs when the history begins, by the world's clock
   * @param nearMs a moment near which long bodies are kept, by the history's time
   * @param max how many messages are kept: the first
   */
  constructor(startMs: number, nearMs: number = Infinity, max: number = MAX_MESSAGES) {
    this.#startMs = startMs;
    this.#bound = new BodyBound(nearMs);
    this.#max = max;
  }

  /** What was collected. */
  get shown(): ShownMessages {
    return { messages: [...this.#byId.values()], sentCount: this.#sentCount };
  }

  add({ type, timeMs, id, src, dest, body = "{}", why = "" }: MessageEvent): void {
    const atMs = timeMs - this.#startMs;
    if (type === "send") {
      this.#nextId = id + 1;
      this.#sentCount++;
      if (this.#byId.size >= this.#max) return;
      const kept = copyOf(this.#bound.shorten(body, { src, dest }, atMs));
      const type = typeOfBody(kept);
      const message = { id, src, dest, sentMs: atMs, type, body: kept, deliveries: [], drops: [] };
      this.#byId.set(id, message);
      return;
    }
    const message = this.#byId.get(id);
    if (type === "recv") message?.deliveries.push({ atMs, nextId: this.#nextId });
    else message?.drops.push({ atMs, why });
  }
}

/** A text of its own: V8 keeps the whole text that another is a part of, here much of a file. */
function copyOf(text: string): string {
  return ` ${text}`.slice(1);
}

/** The `type` of a body; empty where it has none. */
export function typeOfBody(body: string): string {
  const quick = TYPE_AT_FIRST.exec(body)?.[1];
  if (quick !== undefined) return quick;
  try {
    const { type } = JSON.parse(body);
    return typeof type === "string" ? type : "";
  } catch {
    return "";
  }
}

/** The body of the message that a node sent through another one, where a body has one in it. */
export function routedBody({ type, body }: JsonObject): JsonObject | undefined {
  return type === ROUTED && isJsonObject(body) && typeof body.type === "string" ? body : undefined;
}

const TYPE_AT_FIRST = /^\{"type":"([^"\\]*)"/;

/** Made when it is first asked for: a page reads no lines, and so has nothing of this in it. */
const makeEventHead = () =>
  v.looseObject({
    type: v.picklist(["send", "recv", "drop"]),
    time: v.number(),
    id: v.number(),
    src: v.string(),
    dest: v.string(),
    why: v.optional(v.string()),
  });

let eventHead: ReturnType<typeof makeEventHead> | undefined;

/**
 * Reads a line of `messages.jsonl`; undefined for what is no JSON.
 *
 * The body stays the text that it is.
 *
 * @throws {RangeError} if it is no event of a message, naming the field.
 */
export function parseMessageEvent(line: string): MessageEvent | undefined {
  const at = line.indexOf(BODY);
  const head = at === -1 ? line : `${line.slice(0, at)}}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(head);
  } catch {
    // The last line of a run that was killed may be cut short.
    return undefined;
  }
  const { time, type, id, src, dest, why } = checkShape(eventHead ??= makeEventHead(), parsed);
  const body = at === -1 ? undefined : line.slice(at + BODY.length, -1);
  return { type, timeMs: time, id, src, dest, body, why };
}

/**
 * Checks a value that was read from a file.
 *
 * @throws {RangeError} if it has not the shape, naming the first field that is wrong.
 */
export function checkShape<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): v.InferOutput<Schema> {
  const { success, output, issues } = v.safeParse(schema, value, { abortEarly: true });
  if (success) return output;
  const [issue] = issues;
  const path = v.getDotPath(issue) ?? "";
  throw new RangeError(path === "" ? issue.message : `${path}: ${issue.message}`);
}

/** Names of endpoints have no quotes, so that this cannot stand in one. */
const BODY = ',"body":';

/** Messages in little space, as plain data. */
export interface PackedMessages {
  /** The names of endpoints, which columns name by their place. */
  readonly names: readonly string[];
  readonly ids: readonly number[];
  readonly srcs: readonly number[];
  readonly dests: readonly number[];
  /** Microseconds, as differences. */
  readonly sent: readonly number[];
  /** Microseconds after it was sent, of the first delivery; -1 where there is none. */
  readonly took: readonly number[];
  /** The next message's id then, less this one's. */
  readonly next: readonly number[];
  /** Further deliveries, by the message's place. */
  readonly twice: readonly (readonly [place: number, tookUs: number, next: number])[];
  readonly drops: readonly (readonly [place: number, afterUs: number, why: string])[];
  readonly bodies: PackedTexts;
}

/** Packs messages; times are rounded to microseconds. */
export function packMessages(messages: readonly ReportMessage[]): PackedMessages {
  const names = new Map<string, number>();
  const place = (name: string) => {
    const known = names.get(name) ?? names.size;
    names.set(name, known);
    return known;
  };
  const sent = messages.map(({ sentMs }) => Math.round(sentMs * 1000));
  const after = (i: number, atMs: number) => Math.round(atMs * 1000) - (sent[i] ?? 0);
  return {
    ids: differences(messages.map(({ id }) => id)),
    srcs: messages.map(({ src }) => place(src)),
    dests: messages.map(({ dest }) => place(dest)),
    names: [...names.keys()],
    sent: differences(sent),
    took: messages.map(({ deliveries: [first] }, i) => first ? after(i, first.atMs) : -1),
    next: messages.map(({ id, deliveries: [first] }) => first ? first.nextId - id : 0),
    twice: messages.flatMap(({ id, deliveries }, i) =>
      deliveries.slice(1).map(({ atMs, nextId }) => [i, after(i, atMs), nextId - id] as const)
    ),
    drops: messages.flatMap(({ drops }, i) =>
      drops.map(({ atMs, why }) => [i, after(i, atMs), why] as const)
    ),
    bodies: packTexts(messages.map(({ body }) => body), linkOf(messages)),
  };
}

/** A message whose body is put together when it is asked for: of most it never is. */
class UnpackedMessage implements ReportMessage {
  deliveries: readonly Delivery[] = NONE;
  drops: readonly Drop[] = NONE;
  readonly #body: UnjoinedText;

  constructor(
    readonly id: number,
    readonly src: string,
    readonly dest: string,
    readonly sentMs: number,
    body: UnjoinedText,
  ) {
    this.#body = body;
  }

  get type(): string {
    return TYPE_AT_FIRST.exec(this.#body.head)?.[1] ?? typeOfBody(this.body);
  }

  get body(): string {
    return this.#body.join();
  }
}

const NONE: readonly never[] = [];

/** What {@linkcode packMessages} was given. */
export function unpackMessages(packed: PackedMessages): ReportMessage[] {
  const name = (places: readonly number[], i: number) => packed.names[places[i] ?? -1] ?? "";
  const links = packed.srcs.map((_, i) => {
    return { src: name(packed.srcs, i), dest: name(packed.dests, i) };
  });
  const ids = sums(packed.ids);
  const sent = sums(packed.sent);
  const messages = unpackEach(packed.bodies, (body, i) => {
    const { src = "", dest = "" } = links[i] ?? {};
    return new UnpackedMessage(ids[i] ?? 0, src, dest, (sent[i] ?? 0) / 1000, body);
  }, linkOf(links));
  const after = (i: number, us: number) => ((sent[i] ?? 0) + us) / 1000;
  const deliver = (i: number, tookUs: number, next: number) => {
    const message = messages[i];
    if (message === undefined) return;
    const delivery = { atMs: after(i, tookUs), nextId: message.id + next };
    message.deliveries = message.deliveries === NONE
      ? [delivery]
      : [...message.deliveries, delivery];
  };
  for (const [i, tookUs] of packed.took.entries()) {
    if (tookUs >= 0) deliver(i, tookUs, packed.next[i] ?? 0);
  }
  for (const [i, tookUs, next] of packed.twice) deliver(i, tookUs, next);
  for (const [i, afterUs, why] of packed.drops) {
    const message = messages[i];
    if (message !== undefined) message.drops = [...message.drops, { atMs: after(i, afterUs), why }];
  }
  return messages;
}

/** The link of a message, by a number that is the same wherever the links are. */
function linkOf(messages: readonly { src: string; dest: string }[]): (index: number) => number {
  const links = new Map<string, Map<string, number>>();
  let count = 0;
  const numbers = messages.map(({ src, dest }) => {
    const bySrc = links.get(src) ?? new Map<string, number>();
    links.set(src, bySrc);
    const link = bySrc.get(dest) ?? count++;
    bySrc.set(dest, link);
    return link;
  });
  return (i) => numbers[i] ?? 0;
}

function differences(numbers: readonly number[]): number[] {
  return numbers.map((number, i) => number - (numbers[i - 1] ?? 0));
}

function sums(numbers: readonly number[]): number[] {
  let sum = 0;
  return numbers.map((number) => sum += number);
}
