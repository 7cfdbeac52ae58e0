/**
 * Whether logs kept what was sent to them, and nothing else.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Warnings } from "../checker.ts";
import { type Anomalies, NO_WRITER, valuesOf } from "./anomalies.ts";
import {
  type Act,
  type Acts,
  happened,
  isTransaction,
  type Log,
  type Message,
  type Placed,
} from "./log.ts";

/** Finds offsets with several messages, and messages at several offsets. */
export function checkPlaces(log: Log, anomalies: Anomalies): void {
  for (const [index, slot] of log.slots.entries()) {
    const { size } = slot.messages;
    if (size > 1) anomalies.add(size, { type: "inconsistent-offsets", log, index, slot });
  }
  for (const [message, indexes] of log.places) {
    if (indexes.length < 2) continue;
    anomalies.add(indexes.length, { type: "duplicate", log, message, indexes });
  }
}

/** Finds polls of messages that failed, that the same operation sent, or that were never sent. */
export function checkReads(
  { acts, messages }: Acts,
  logs: ReadonlyMap<string, Log>,
  anomalies: Anomalies,
): void {
  for (const act of acts) {
    if (act.type === "ok") {
      for (const read of eachRead(act)) {
        const { failed } = read.message;
        if (failed !== undefined) anomalies.add(1, { type: "G1a", read, reader: act, failed });
      }
    }
    checkOwnReads(act, anomalies);
  }
  for (const ofKey of messages.values()) {
    for (const message of ofKey.values()) {
      const { seenBy, sender } = message;
      if (seenBy === undefined || sender !== undefined) continue;
      const log = logs.get(message.key);
      const offset = log?.slots[log.places.get(message)?.[0] ?? -1]?.offset;
      anomalies.add(1, { type: NO_WRITER, read: { message, offset }, reader: seenBy });
    }
  }
}

function* eachRead(act: Act): Generator<Placed> {
  for (const list of act.reads.values()) yield* list;
}

/** A transaction must not see its own sends; one of Maelstrom's holds either sends or polls. */
function checkOwnReads(act: Act, anomalies: Anomalies): void {
  if (act.sends.length === 0 || act.reads.size === 0) return;
  const sent = new Set(act.sends.map(({ message }) => message));
  for (const read of eachRead(act)) {
    if (!sent.has(read.message)) continue;
    anomalies.add(1, { type: "precommitted-read", read, act });
    return;
  }
}

/** Finds messages that no poll returned although one went past them. */
export function checkLost(
  { acts, messages }: Acts,
  logs: ReadonlyMap<string, Log>,
  anomalies: Anomalies,
  warnings: Warnings,
): void {
  const polled = new Set<string>();
  for (const act of acts) {
    if (act.type === "ok") { for (const key of act.reads.keys()) polled.add(key); }
  }
  for (const key of polled) {
    const log = logs.get(key);
    const furthest = log && furthestRead(log, messages.get(key)?.values() ?? []);
    if (log !== undefined && furthest !== undefined) checkPassed(log, furthest, anomalies);
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
  log: Log,
  messages: Iterable<Message>,
): { reader: Act; bound: number } | undefined {
  let furthest: { reader: Act; bound: number } | undefined;
  for (const message of messages) {
    const first = log.places.get(message)?.[0];
    if (message.reader === undefined || first === undefined) continue;
    if (first > (furthest?.bound ?? -1)) furthest = { reader: message.reader, bound: first };
  }
  return furthest;
}

function checkPassed(
  log: Log,
  { reader, bound }: { reader: Act; bound: number },
  anomalies: Anomalies,
): void {
  for (const [message, indexes] of log.places) {
    const { sender } = message;
    const last = indexes.at(-1) ?? Infinity;
    if (last > bound || message.reader !== undefined) continue;
    if (sender === undefined || !happened(sender)) continue;
    const anomaly = { log, message, indexes, sender, reader, bound };
    anomalies.add(bound - last, { type: "lost-write", ...anomaly });
  }
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

/** Finds acknowledged messages that no acknowledged poll returned by the end. */
export function checkUnseen(
  { acts, messages }: Acts,
  logs: ReadonlyMap<string, Log>,
  anomalies: Anomalies,
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
    const log = logs.get(key);
    for (const message of missing) {
      const offset = log?.slots[log.indexes.get(message) ?? -1]?.offset;
      anomalies.add(missing.length, { type: "unseen", message, offset, count: missing.length });
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
