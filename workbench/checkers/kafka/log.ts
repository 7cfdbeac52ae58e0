/**
 * What a history of the kafka workload says: its operations, their messages, and each key's log.
 *
 * @module
 */

import { canonical, isJsonObject, isRawNumber, type Json } from "@eddy/maelstrom";
import type { History, Op } from "../../history.ts";
import { readerOf } from "../../op_reader.ts";
import { show, type Warnings, whoAndWhen } from "../checker.ts";

/** A message's place in its key's log. Beyond 2^53 a bigint; the two compare and sort together. */
export type Offset = number | bigint;

/** Everything known of one message of one key. */
export interface LogMessage {
  readonly key: string;
  readonly value: Json;
  /** The last operation that tried to send it. */
  sender?: Operation;
  /** A send of it that certainly did not happen. */
  failed?: Operation;
  /** A send of it that was acknowledged. */
  acked?: Operation;
  /** The first poll, acknowledged, that returned it. */
  reader?: Operation;
  /** The first poll of any outcome that returned it. */
  seenBy?: Operation;
}

/** A message at the offset that an operation gave it; undefined when it gave none, or no offset. */
export interface Placed {
  readonly message: LogMessage;
  readonly offset: Offset | undefined;
}

/** One operation: its completion, and what that says was done. */
export interface Operation {
  /** The completion, or the invocation if none ever came. */
  readonly op: Op;
  readonly invoke: Op | undefined;
  /** Position in the history of the invocation; -1 if it has none. */
  readonly invokedAt: number;
  /** Position in the history of the completion; Infinity if it has none. */
  readonly endedAt: number;
  readonly type: "ok" | "fail" | "info";
  readonly sends: readonly Placed[];
  /** Key to what was returned for it, in order; empty for an empty list. */
  readonly reads: ReadonlyMap<string, readonly Placed[]>;
  /** The keys of an `assign`; undefined for anything else. */
  readonly assigned: readonly string[] | undefined;
}

/** The operations of a history, in the order of their ends, and its messages. */
export interface KafkaHistory {
  readonly operations: readonly Operation[];
  /** Key to every message sent to it or polled from it. */
  readonly messages: ReadonlyMap<string, ReadonlyMap<MessageId, LogMessage>>;
}

/** What identifies a message of a key: a number as it is, the rest by their canonical text. */
type MessageId = number | string;

/** The operations that hold sends and polls. */
const transactions: readonly string[] = ["send", "poll", "txn"];

/** Whether an operation sends or polls, rather than assigns or crashes. */
export function isTransaction({ op }: Operation): boolean {
  return transactions.includes(op.f);
}

/**
 * Reads a history. What is odd in it is left out and warned of.
 *
 * An operation that never came back counts as indefinite.
 */
export function readHistory(history: History, warnings: Warnings): KafkaHistory {
  const reader = new HistoryReader(warnings);
  const operations: Operation[] = [];
  const open = new Map<Op["process"], number>();
  const orphans: number[] = [];
  const ops = readerOf(history);
  for (let position = 0; position < ops.length; position++) {
    if (ops.processAt(position) === "nemesis") continue;
    const op = ops.opAt(position);
    const invokedAt = open.get(op.process);
    if (op.type === "invoke") {
      if (invokedAt !== undefined) orphans.push(invokedAt);
      open.set(op.process, position);
    } else {
      open.delete(op.process);
      const invoke = invokedAt === undefined ? undefined : ops.opAt(invokedAt);
      operations.push(reader.read(op, op.type, invoke, invokedAt ?? -1, position));
    }
  }
  orphans.push(...open.values());
  for (const position of orphans.sort((a, b) => a - b)) {
    const op = ops.opAt(position);
    operations.push(reader.read(op, "info", op, position, Infinity));
  }
  return { operations, messages: reader.messages };
}

class HistoryReader {
  readonly messages = new Map<string, Map<MessageId, LogMessage>>();
  readonly #warnings: Warnings;

  constructor(warnings: Warnings) {
    this.#warnings = warnings;
  }

  read(
    op: Op,
    type: Operation["type"],
    invoke: Op | undefined,
    invokedAt: number,
    endedAt: number,
  ): Operation {
    const sends: Placed[] = [];
    const reads = new Map<string, Placed[]>();
    const assigned = op.f === "assign" || op.f === "subscribe" ? this.#keys(op) : undefined;
    const operation = { op, invoke, invokedAt, endedAt, type, sends, reads, assigned };
    if (!isTransaction(operation)) return operation;
    if (Array.isArray(op.value)) {
      for (const step of op.value) this.#step(operation, step, sends, reads);
    } else this.#odd(op, op.value);
    return operation;
  }

  #keys(op: Op): string[] {
    const keys = new Set<string>();
    for (const name of Array.isArray(op.value) ? op.value : [op.value]) {
      const key = keyOf(name);
      if (key === undefined) this.#odd(op, name);
      else keys.add(key);
    }
    return [...keys];
  }

  /** One micro-operation: `["send", k, v]`, `["send", k, [offset, v]]`, `["poll", {k: [...]}]`. */
  #step(operation: Operation, step: Json, sends: Placed[], reads: Map<string, Placed[]>): void {
    const [kind, first, second] = Array.isArray(step) ? step : [];
    if (kind === "send") {
      const key = keyOf(first);
      if (key === undefined || second === undefined) this.#odd(operation.op, step);
      else sends.push(this.#sent(operation, key, second));
    } else if (kind === "poll" && isJsonObject(first)) {
      for (const [key, list] of Object.entries(first)) this.#polled(operation, key, list, reads);
    } else if (kind !== "poll" || (first ?? null) !== null) this.#odd(operation.op, step);
  }

  #sent(operation: Operation, key: string, sent: Json): Placed {
    const [offset, value] = Array.isArray(sent) ? sent : [undefined, sent];
    const message = this.#message(key, value ?? null);
    if (message.sender === undefined || operation.endedAt < Infinity) message.sender = operation;
    if (operation.type === "ok") message.acked ??= operation;
    if (operation.type === "fail") message.failed ??= operation;
    return { message, offset: this.#offset(operation, key, offset) };
  }

  #polled(operation: Operation, key: string, list: Json, reads: Map<string, Placed[]>): void {
    const placed = reads.get(key) ?? [];
    reads.set(key, placed);
    if (!Array.isArray(list)) {
      if (list !== null) this.#odd(operation.op, list);
      return;
    }
    for (const pair of list) {
      if (!Array.isArray(pair) || pair[1] === undefined) {
        this.#odd(operation.op, pair);
        continue;
      }
      const message = this.#message(key, pair[1]);
      message.seenBy ??= operation;
      if (operation.type === "ok") message.reader ??= operation;
      placed.push({ message, offset: this.#offset(operation, key, pair[0]) });
    }
  }

  #message(key: string, value: Json): LogMessage {
    let ofKey = this.messages.get(key);
    if (ofKey === undefined) this.messages.set(key, ofKey = new Map());
    const id = typeof value === "number" ? value : canonical(value);
    let message = ofKey.get(id);
    if (message === undefined) ofKey.set(id, message = { key, value });
    return message;
  }

  #offset(operation: Operation, key: string, offset: Json | undefined): Offset | undefined {
    if (typeof offset === "number" && Number.isInteger(offset) && offset >= 0) return offset;
    if (isRawNumber(offset) && /^\d+$/.test(offset.rawJSON)) return BigInt(offset.rawJSON);
    // Only what was acknowledged must have an offset.
    if (offset !== undefined || operation.type === "ok") {
      this.#warnings.add(
        "Offset that is no integer from 0 up, not looked at",
        () => `${show(offset)} for key ${show(key)}, ${whoAndWhen(operation.op)}`,
      );
    }
    return undefined;
  }

  #odd(op: Op, value: Json | undefined): void {
    this.#warnings.add(
      `Odd value in ${op.f}, not looked at`,
      () => `${show(value)}, ${whoAndWhen(op)}`,
    );
  }
}

/** Keys are strings on the wire; Jepsen's own histories may hold integers. */
function keyOf(key: Json | undefined): string | undefined {
  if (typeof key === "string") return key;
  if (typeof key === "number") return String(key);
  return isRawNumber(key) ? key.rawJSON : undefined;
}

/** One offset of a log, and who first put each of its messages there. */
export interface Slot {
  readonly offset: Offset;
  /** One message, unless the log contradicts itself. */
  readonly messages: ReadonlyMap<LogMessage, Operation>;
}

/** A key's log with its gaps squeezed out: an index counts offsets that hold something. */
export interface DenseLog {
  readonly key: string;
  readonly slots: readonly Slot[];
  /** Message to the index where it stands; where several claim an offset, the first alone does. */
  readonly indexes: ReadonlyMap<LogMessage, number>;
  /** Message to every index where it was seen, lowest first. */
  readonly places: ReadonlyMap<LogMessage, readonly number[]>;
}

/**
 * Gathers the logs from all polls, and from sends that happened: acknowledged ones, and indefinite
 * ones of which a poll returned something.
 *
 * Offsets may leave gaps of any size; time and space go by how many are used.
 */
export function readLogs({ operations, messages }: KafkaHistory): Map<string, DenseLog> {
  const slots = new Map<string, Map<Offset, Map<LogMessage, Operation>>>();
  for (const key of messages.keys()) slots.set(key, new Map());
  for (const operation of operations) {
    if (happened(operation)) {
      for (const placed of operation.sends) place(slots, placed, operation);
    }
    for (const list of operation.reads.values()) {
      for (const placed of list) place(slots, placed, operation);
    }
  }
  const logs = new Map<string, DenseLog>();
  for (const [key, ofKey] of slots) logs.set(key, logOf(key, ofKey));
  return logs;
}

/** Whether a send took place: it was acknowledged, or a poll returned something of it. */
export function happened(operation: Operation): boolean {
  if (operation.type === "ok") return true;
  return operation.type === "info" &&
    operation.sends.some(({ message }) => message.reader !== undefined);
}

function place(
  slots: Map<string, Map<Offset, Map<LogMessage, Operation>>>,
  { message, offset }: Placed,
  operation: Operation,
): void {
  if (offset === undefined) return;
  const ofKey = slots.get(message.key);
  const there = ofKey?.get(offset);
  if (there === undefined) ofKey?.set(offset, new Map([[message, operation]]));
  else if (!there.has(message)) there.set(message, operation);
}

function logOf(key: string, ofKey: Map<Offset, Map<LogMessage, Operation>>): DenseLog {
  const offsets = [...ofKey.keys()].sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
  const slots: Slot[] = [];
  const indexes = new Map<LogMessage, number>();
  const places = new Map<LogMessage, number[]>();
  for (const [index, offset] of offsets.entries()) {
    const messages = ofKey.get(offset) ?? new Map<LogMessage, Operation>();
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
