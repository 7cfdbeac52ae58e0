/**
 * What may not be wrong with the contents of the logs: every message in one place, every place with
 * one message, nothing lost, nothing from nowhere.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { plural, show, whoAndWhen } from "../wording.ts";
import {
  type Act,
  type Acts,
  isTransaction,
  type Message,
  offsetJson,
  type Placed,
} from "./acts.ts";
import { type Case, type Cases, NO_WRITER } from "./cases.ts";
import { happened, type Log } from "./log.ts";
import { at, nameOf, sentBy } from "./telling.ts";

/** How many values an error lists. */
const MAX_LISTED = 32;

/** How many of them a sentence can bear. */
const MAX_TOLD = 4;

/** Finds offsets with several messages, and messages at several offsets. */
export function checkPlaces(log: Log, cases: Cases): void {
  for (const [index, { offset, messages }] of log.slots.entries()) {
    if (messages.size < 2) continue;
    cases.add("inconsistent-offsets", messages.size, () => ({
      err: { key: log.key, offset: offsetJson(offset), index, values: valuesOf(messages.keys()) },
      what: `Offset ${offset} of key ${show(log.key)} holds ${messages.size} messages: ` +
        some(messages).map(([message, act]) =>
          `${show(message.value)} (${saw(act, message)} by ${whoAndWhen(act.op)})`
        ).join(", ") + (messages.size > MAX_TOLD ? ", ..." : ""),
      ops: some(messages.values()).map((act) => act.op),
    }));
  }
  for (const [message, indexes] of log.places) {
    if (indexes.length < 2) continue;
    cases.add("duplicate", indexes.length, () => {
      const slots = indexes.slice(0, MAX_LISTED).flatMap((index) => log.slots[index] ?? []);
      const acts = some(slots).flatMap(({ messages }) => messages.get(message) ?? []);
      return {
        err: {
          key: log.key,
          value: message.value,
          count: indexes.length,
          offsets: slots.map(({ offset }) => offsetJson(offset)),
        },
        what: `${nameOf(message)} stands at ${indexes.length} offsets: ` +
          acts.map((act, i) =>
            `${slots[i]?.offset} (${saw(act, message)} by ${whoAndWhen(act.op)})`
          ).join(", ") + (indexes.length > MAX_TOLD ? ", ..." : ""),
        ops: acts.map((act) => act.op),
      };
    });
  }
}

function some<T>(all: Iterable<T>): T[] {
  return Array.from(take(all, MAX_TOLD));
}

function* take<T>(all: Iterable<T>, count: number): Generator<T> {
  for (const one of all) {
    if (count-- === 0) return;
    yield one;
  }
}

function saw(act: Act, message: Message): string {
  return act.reads.get(message.key)?.some((read) => read.message === message) ? "polled" : "sent";
}

function valuesOf(messages: Iterable<Message>): Json[] {
  return Array.from(take(messages, MAX_LISTED), ({ value }) => value);
}

/** Finds polls of messages that failed, that the same operation sent, or that nobody sent. */
export function checkReads(
  { acts, messages }: Acts,
  logs: ReadonlyMap<string, Log>,
  cases: Cases,
): void {
  for (const act of acts) {
    if (act.type === "ok") {
      for (const placed of eachRead(act)) {
        const { message } = placed;
        const { failed } = message;
        if (failed === undefined) continue;
        cases.add("G1a", 1, () => ({
          err: { key: message.key, value: message.value, writer: failed.op.index, ...reader(act) },
          what: `${at(placed)} was polled by ${whoAndWhen(act.op)}, though ${
            sentBy(failed)
          } failed`,
          ops: [failed.op, act.op],
        }));
      }
    }
    checkOwnReads(act, cases);
  }
  for (const ofKey of messages.values()) {
    for (const message of ofKey.values()) {
      const { seenBy } = message;
      if (seenBy !== undefined && message.sender === undefined) {
        cases.add(NO_WRITER, 1, () => inventedCase(message, seenBy, logs.get(message.key)));
      }
    }
  }
}

function* eachRead(act: Act): Generator<Placed> {
  for (const list of act.reads.values()) yield* list;
}

function reader(act: Act): { reader: number } {
  return { reader: act.op.index };
}

/** A transaction must not see its own sends; one of Maelstrom's holds either sends or polls. */
function checkOwnReads(act: Act, cases: Cases): void {
  if (act.sends.length === 0 || act.reads.size === 0) return;
  const sent = new Set(act.sends.map(({ message }) => message));
  for (const placed of eachRead(act)) {
    const { message } = placed;
    if (!sent.has(message)) continue;
    cases.add("precommitted-read", 1, () => ({
      err: { key: message.key, value: message.value, op: act.op.index },
      what: `${at(placed)} was polled by the very operation that sends it, ${whoAndWhen(act.op)}`,
      ops: [act.op],
    }));
    return;
  }
}

function inventedCase(message: Message, seenBy: Act, log: Log | undefined): Case {
  const offset = log?.slots[log.places.get(message)?.[0] ?? -1]?.offset;
  return {
    err: { key: message.key, value: message.value, ...reader(seenBy) },
    what: `${at({ message, offset })} was polled by ${whoAndWhen(seenBy.op)}, but nobody sent it`,
    ops: [seenBy.op],
  };
}

/**
 * Finds messages that nobody polled although somebody polled past them.
 *
 * @returns whether any message of the key was polled at a known offset, if the key was polled at all
 */
export function checkLost(log: Log, messages: Iterable<Message>, cases: Cases): boolean {
  let bound = -1;
  let beyond: Message | undefined;
  for (const message of messages) {
    const first = log.places.get(message)?.[0];
    if (message.reader === undefined || first === undefined || first <= bound) continue;
    bound = first;
    beyond = message;
  }
  const reader = beyond?.reader;
  if (beyond === undefined || reader === undefined) return false;
  for (const [message, indexes] of log.places) {
    const { sender } = message;
    const last = indexes.at(-1) ?? Infinity;
    if (last > bound || message.reader !== undefined) continue;
    if (sender === undefined || !happened(sender)) continue;
    const past = { message: beyond, offset: log.slots[bound]?.offset };
    cases.add("lost-write", bound - last, () => ({
      err: {
        key: log.key,
        value: message.value,
        index: indexes[0],
        "max-read-index": bound,
        writer: sender.op.index,
        "max-read": reader.op.index,
      },
      what: `${at({ message, offset: log.slots[last]?.offset })} was never polled, though ` +
        `${sentBy(sender)} ${sender.type === "ok" ? "was acknowledged" : "took effect"} and ` +
        `${whoAndWhen(reader.op)} polled beyond it, to offset ${past.offset}`,
      ops: [sender.op, reader.op],
    }));
  }
  return true;
}

/** What was acknowledged and never polled: how many of each key, and which. */
export interface Unseen {
  /** Nanoseconds into the run of the last acknowledged send or poll. */
  readonly time: number;
  readonly unseen: Readonly<Record<string, number>>;
  readonly messages: Readonly<Record<string, readonly Json[]>>;
}

/** Finds acknowledged messages that no acknowledged poll returned by the end. */
export function checkUnseen(
  { acts, messages }: Acts,
  logs: ReadonlyMap<string, Log>,
  cases: Cases,
): Unseen | undefined {
  const unseen = new Map<string, number>();
  const listed = new Map<string, Json[]>();
  for (const [key, ofKey] of messages) {
    const missing = [...ofKey.values()].filter(({ acked, reader }) =>
      acked !== undefined && reader === undefined
    );
    if (missing.length === 0) continue;
    unseen.set(key, missing.length);
    listed.set(key, valuesOf(missing));
    for (const message of missing) {
      cases.add("unseen", missing.length, () => unseenCase(message, missing.length, logs.get(key)));
    }
  }
  if (unseen.size === 0) return undefined;
  const last = acts.findLast((act) => act.type === "ok" && isTransaction(act));
  return {
    time: last?.op.time ?? 0,
    unseen: Object.fromEntries(unseen),
    messages: Object.fromEntries(listed),
  };
}

function unseenCase(message: Message, count: number, log: Log | undefined): Case {
  const { key, value, acked } = message;
  const offset = log?.slots[log.indexes.get(message) ?? -1]?.offset;
  const others = count === 1 ? "" : `, nor ${plural(count - 1, "other")} of its key`;
  const send = acked === undefined ? "" : `, though ${sentBy(acked)} was acknowledged`;
  return {
    err: { key, value, writer: acked?.op.index },
    what: `${at({ message, offset })} was never polled by the end${send}${others}`,
    ops: [acked?.op],
  };
}
