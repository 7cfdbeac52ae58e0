/**
 * Each key's log as everybody's sends and polls together tell it.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { plural, show, whoAndWhen } from "../checker.ts";
import {
  type Act,
  type Acts,
  at,
  type Case,
  type Cases,
  isTransaction,
  type Message,
  nameOf,
  NO_WRITER,
  type Offset,
  offsetJson,
  type Placed,
  sentBy,
} from "./kafka.ts";

/** One offset of a log, and who first put each of its messages there. */
export interface Slot {
  readonly offset: Offset;
  /** One message, unless the log contradicts itself. */
  readonly messages: ReadonlyMap<Message, Act>;
}

/** A key's log with its gaps squeezed out: an index counts offsets that hold something. */
export interface Log {
  readonly key: string;
  readonly slots: readonly Slot[];
  /** Message to the index where it stands; where several claim an offset, the first alone does. */
  readonly indexes: ReadonlyMap<Message, number>;
  /** Message to every index where it was seen, lowest first. */
  readonly places: ReadonlyMap<Message, readonly number[]>;
}

/**
 * Gathers the logs from all polls, and from sends that happened: acknowledged ones, and indefinite
 * ones of which a poll returned something.
 *
 * Offsets may leave gaps of any size; time and space go by how many are used.
 */
export function readLogs({ acts, messages }: Acts): Map<string, Log> {
  const slots = new Map<string, Map<Offset, Map<Message, Act>>>();
  for (const key of messages.keys()) slots.set(key, new Map());
  for (const act of acts) {
    if (happened(act)) { for (const placed of act.sends) place(slots, placed, act); }
    for (const list of act.reads.values()) for (const placed of list) place(slots, placed, act);
  }
  const logs = new Map<string, Log>();
  for (const [key, ofKey] of slots) logs.set(key, logOf(key, ofKey));
  return logs;
}

/** Whether a send took place: it was acknowledged, or somebody polled something of it. */
export function happened(act: Act): boolean {
  if (act.type === "ok") return true;
  return act.type === "info" && act.sends.some(({ message }) => message.reader !== undefined);
}

function place(
  slots: Map<string, Map<Offset, Map<Message, Act>>>,
  { message, offset }: Placed,
  act: Act,
): void {
  if (offset === undefined) return;
  const ofKey = slots.get(message.key);
  const there = ofKey?.get(offset);
  if (there === undefined) ofKey?.set(offset, new Map([[message, act]]));
  else if (!there.has(message)) there.set(message, act);
}

function logOf(key: string, ofKey: Map<Offset, Map<Message, Act>>): Log {
  const offsets = [...ofKey.keys()].sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
  const slots: Slot[] = [];
  const indexes = new Map<Message, number>();
  const places = new Map<Message, number[]>();
  for (const [index, offset] of offsets.entries()) {
    const messages = ofKey.get(offset) ?? new Map<Message, Act>();
    slots.push({ offset, messages });
    let isFirst = true;
    for (const message of messages.keys()) {
      if (isFirst) indexes.set(message, index);
      isFirst = false;
      const known = places.get(message);
      if (known === undefined) places.set(message, [index]);
      else known.push(index);
    }
  }
  return { key, slots, indexes, places };
}

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
        maxReadIndex: bound,
        writer: sender.op.index,
        maxRead: reader.op.index,
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
