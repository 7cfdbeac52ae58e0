/**
 * Whether logs kept what was sent to them, and nothing else.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Warnings } from "../checker.ts";
import { type Anomaly, NO_WRITER, valuesOf } from "./anomalies.ts";
import {
  type DenseLog,
  happened,
  isTransaction,
  type KafkaHistory,
  type LogMessage,
  type Operation,
  type Placed,
} from "./log.ts";

/** Finds offsets with several messages, and messages at several offsets. */
export function* misplacedMessages(log: DenseLog): Generator<Anomaly> {
  for (const [index, slot] of log.slots.entries()) {
    if (slot.messages.size > 1) yield { type: "inconsistent-offsets", log, index, slot };
  }
  for (const [message, indexes] of log.places) {
    if (indexes.length > 1) yield { type: "duplicate", log, message, indexes };
  }
}

/** Finds polls of messages that failed, that the same operation sent, or that were never sent. */
export function* dirtyReads(
  { operations, messages }: KafkaHistory,
  logs: ReadonlyMap<string, DenseLog>,
): Generator<Anomaly> {
  for (const operation of operations) {
    if (operation.type === "ok") {
      for (const read of eachRead(operation)) {
        const { failed } = read.message;
        if (failed !== undefined) yield { type: "G1a", read, reader: operation, failed };
      }
    }
    const own = ownRead(operation);
    if (own !== undefined) yield { type: "precommitted-read", read: own, operation };
  }
  for (const ofKey of messages.values()) {
    for (const message of ofKey.values()) {
      const { seenBy, sender } = message;
      if (seenBy === undefined || sender !== undefined) continue;
      const log = logs.get(message.key);
      const offset = log?.slots[log.places.get(message)?.[0] ?? -1]?.offset;
      yield { type: NO_WRITER, read: { message, offset }, reader: seenBy };
    }
  }
}

function* eachRead(operation: Operation): Generator<Placed> {
  for (const list of operation.reads.values()) yield* list;
}

/** A transaction must not see its own sends; one of Maelstrom's holds either sends or polls. */
function ownRead(operation: Operation): Placed | undefined {
  if (operation.sends.length === 0 || operation.reads.size === 0) return undefined;
  const sent = new Set(operation.sends.map(({ message }) => message));
  return eachRead(operation).find(({ message }) => sent.has(message));
}

/** Finds messages that no poll returned although one went past them. */
export function* lostWrites(
  { operations, messages }: KafkaHistory,
  logs: ReadonlyMap<string, DenseLog>,
  warnings: Warnings,
): Generator<Anomaly> {
  const polled = new Set<string>();
  for (const operation of operations) {
    if (operation.type === "ok") { for (const key of operation.reads.keys()) polled.add(key); }
  }
  for (const key of polled) {
    const log = logs.get(key);
    const furthest = log && furthestRead(log, messages.get(key)?.values() ?? []);
    if (log !== undefined && furthest !== undefined) yield* passedOver(log, furthest);
    else {
      warnings.add(
        "Key polled but never with a message at an offset, at which Maelstrom's checker stops with an " +
          "IndexOutOfBoundsException and leaves the run without a verdict",
        () => JSON.stringify(key),
      );
    }
  }
}

/** The message of the highest index that was polled, by its reader, and the index. */
function furthestRead(
  log: DenseLog,
  messages: Iterable<LogMessage>,
): { reader: Operation; bound: number } | undefined {
  let furthest: { reader: Operation; bound: number } | undefined;
  for (const message of messages) {
    const first = log.places.get(message)?.[0];
    if (message.reader === undefined || first === undefined) continue;
    if (first > (furthest?.bound ?? -1)) furthest = { reader: message.reader, bound: first };
  }
  return furthest;
}

function* passedOver(
  log: DenseLog,
  { reader, bound }: { reader: Operation; bound: number },
): Generator<Anomaly> {
  for (const [message, indexes] of log.places) {
    const { sender } = message;
    const last = indexes.at(-1) ?? Infinity;
    if (last > bound || message.reader !== undefined) continue;
    if (sender === undefined || !happened(sender)) continue;
    yield { type: "lost-write", log, message, indexes, sender, reader, bound };
  }
}

/** Finds acknowledged messages that no acknowledged poll returned by the end. */
export function* unseenMessages(
  history: KafkaHistory,
  logs: ReadonlyMap<string, DenseLog>,
): Generator<Anomaly> {
  for (const [key, missing] of unseenByKey(history)) {
    const log = logs.get(key);
    for (const message of missing) {
      const offset = log?.slots[log.indexes.get(message) ?? -1]?.offset;
      yield { type: "unseen", message, offset, count: missing.length };
    }
  }
}

function unseenByKey({ messages }: KafkaHistory): [string, LogMessage[]][] {
  return [...messages].map(([key, ofKey]): [string, LogMessage[]] => {
    const missing = [...ofKey.values()].filter(({ acked, reader }) =>
      acked !== undefined && reader === undefined
    );
    return [key, missing];
  }).filter(([, missing]) => missing.length > 0);
}

/** What was acknowledged and never polled: how many of each key, and which. */
export interface Unseen {
  /** Nanoseconds into the run of the last acknowledged send or poll. */
  readonly time: number;
  /** How many of each key. */
  readonly unseen: Readonly<Record<string, number>>;
  /** The first values of each key. */
  readonly messages: Readonly<Record<string, readonly Json[]>>;
}

/** The figures of {@linkcode unseenMessages}; nothing where there are none. */
export function unseenFigures(history: KafkaHistory): Unseen | undefined {
  const unseen = unseenByKey(history);
  if (unseen.length === 0) return undefined;
  const last = history.operations.findLast((each) => each.type === "ok" && isTransaction(each));
  return {
    time: last?.op.time ?? 0,
    unseen: Object.fromEntries(unseen.map(([key, missing]) => [key, missing.length])),
    messages: Object.fromEntries(unseen.map(([key, missing]) => [key, valuesOf(missing)])),
  };
}
