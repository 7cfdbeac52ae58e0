/**
 * Whether logs kept what was sent to them, and nothing else.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Warnings } from "../checker.ts";
import { type Anomaly, NO_WRITER, valuesOf } from "./anomalies.ts";
import { type DenseLog, happened, type Logs } from "./log.ts";
import {
  ACKED,
  FAILED,
  isTransaction,
  type KafkaHistory,
  type LogMessage,
  type Operation,
  type Placed,
  READER,
  SEEN_BY,
  SENDER,
} from "./operations.ts";

/** Finds offsets with several messages, and messages at several offsets. */
export function* misplacedMessages(log: DenseLog, logs: Logs): Generator<Anomaly> {
  for (let index = 0; index < log.length; index++) {
    const slot = log.countAt(index) > 1 ? log.slotAt(index) : undefined;
    if (slot !== undefined) yield { type: "inconsistent-offsets", log, index, slot };
  }
  for (const message of logs.messagesOf(log)) {
    const indexes = logs.placesOf(message);
    if (indexes.length > 1) yield { type: "duplicate", log, message, indexes };
  }
}

/** Finds polls of messages that failed, that the same operation sent, or that were never sent. */
export function* dirtyReads(history: KafkaHistory, logs: Logs): Generator<Anomaly> {
  for (const operation of history) {
    if (operation.type === "ok") {
      for (const read of eachRead(operation)) {
        if (!history.hasRole(read.message.id, FAILED)) continue;
        const { failed } = read.message;
        if (failed !== undefined) yield { type: "G1a", read, reader: operation, failed };
      }
    }
    const own = ownRead(operation);
    if (own !== undefined) yield { type: "precommitted-read", read: own, operation };
  }
  for (const ofKey of history.messages.values()) {
    for (const message of ofKey.values()) {
      const { id } = message;
      if (!history.hasRole(id, SEEN_BY) || history.hasRole(id, SENDER)) continue;
      const { seenBy } = message;
      if (seenBy === undefined) continue;
      const offset = logs.get(message.key)?.offsetAt(logs.lowestOf(message) ?? -1);
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
  history: KafkaHistory,
  logs: Logs,
  warnings: Warnings,
): Generator<Anomaly> {
  const polled = new Set<string>();
  for (const { type, reads } of history) {
    if (type === "ok") { for (const key of reads.keys()) polled.add(key); }
  }
  for (const key of polled) {
    const log = logs.get(key);
    const furthest = log && furthestRead(history, logs, log);
    if (log !== undefined && furthest !== undefined) {
      yield* passedOver(history, logs, log, furthest);
    } else {
      warnings.add(
        "Key polled but never with a message at an offset, at which Maelstrom's checker stops with an " +
          "IndexOutOfBoundsException and leaves the run without a verdict",
        () => JSON.stringify(key),
      );
    }
  }
}

/** The message of the highest index that was polled, and the index. */
function furthestRead(
  history: KafkaHistory,
  logs: Logs,
  { key }: DenseLog,
): { message: LogMessage; bound: number } | undefined {
  let furthest: { message: LogMessage; bound: number } | undefined;
  for (const message of history.messages.get(key)?.values() ?? []) {
    const first = logs.lowestOf(message);
    if (first === undefined || !history.hasRole(message.id, READER)) continue;
    if (first > (furthest?.bound ?? -1)) furthest = { message, bound: first };
  }
  return furthest;
}

function* passedOver(
  history: KafkaHistory,
  logs: Logs,
  log: DenseLog,
  { message: { reader }, bound }: { message: LogMessage; bound: number },
): Generator<Anomaly> {
  if (reader === undefined) return;
  for (const message of logs.messagesOf(log)) {
    if (history.hasRole(message.id, READER)) continue;
    const indexes = logs.placesOf(message);
    const last = indexes.at(-1) ?? Infinity;
    const { sender } = message;
    if (last > bound || sender === undefined || !happened(sender, history)) continue;
    yield { type: "lost-write", log, message, indexes, sender, reader, bound };
  }
}

/** Finds acknowledged messages that no acknowledged poll returned by the end. */
export function* unseenMessages(history: KafkaHistory, logs: Logs): Generator<Anomaly> {
  for (const [key, missing] of unseenByKey(history)) {
    const log = logs.get(key);
    for (const message of missing) {
      const offset = log?.offsetAt(logs.indexOf(message) ?? -1);
      yield { type: "unseen", message, offset, count: missing.length };
    }
  }
}

function unseenByKey(history: KafkaHistory): [string, LogMessage[]][] {
  const unseen: [string, LogMessage[]][] = [];
  for (const [key, ofKey] of history.messages) {
    const missing = [...ofKey.values()].filter(({ id }) =>
      history.hasRole(id, ACKED) && !history.hasRole(id, READER)
    );
    if (missing.length > 0) unseen.push([key, missing]);
  }
  return unseen;
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
  let last = history.length - 1;
  while (last >= 0 && !(history.typeOf(last) === "ok" && isTransaction(history.at(last)))) last--;
  return {
    time: last < 0 ? 0 : history.at(last).op.time,
    unseen: Object.fromEntries(unseen.map(([key, missing]) => [key, missing.length])),
    messages: Object.fromEntries(unseen.map(([key, missing]) => [key, valuesOf(missing)])),
  };
}
