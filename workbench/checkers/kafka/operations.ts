/**
 * What a history of the kafka workload says: its operations, and their messages.
 *
 * @module
 */

import { canonical, isJsonObject, isRawNumber, type Json } from "@eddy/maelstrom";
import type { History, Op } from "../../history.ts";
import { Integers } from "../../number_lists.ts";
import { type OpReader, readerOf } from "../../op_reader.ts";
import { show, type Warnings, whoAndWhen } from "../checker.ts";

/** A message's place in its key's log. Beyond 2^53 a bigint; the two compare and sort together. */
export type Offset = number | bigint;

/** Everything known of one message of one key. */
export class LogMessage {
  readonly id: number;
  readonly key: string;
  readonly value: Json;
  readonly #history: KafkaHistory;

  constructor(history: KafkaHistory, id: number, key: string, value: Json) {
    this.id = id;
    this.key = key;
    this.value = value;
    this.#history = history;
  }

  /** The last operation that tried to send it. */
  get sender(): Operation | undefined {
    return this.#history.roleOf(this.id, SENDER);
  }

  /** A send of it that certainly did not happen. */
  get failed(): Operation | undefined {
    return this.#history.roleOf(this.id, FAILED);
  }

  /** A send of it that was acknowledged. */
  get acked(): Operation | undefined {
    return this.#history.roleOf(this.id, ACKED);
  }

  /** The first poll, acknowledged, that returned it. */
  get reader(): Operation | undefined {
    return this.#history.roleOf(this.id, READER);
  }

  /** The first poll of any outcome that returned it. */
  get seenBy(): Operation | undefined {
    return this.#history.roleOf(this.id, SEEN_BY);
  }
}

/** What an operation is to a message, in the order of the methods above. */
export const [SENDER, FAILED, ACKED, READER, SEEN_BY] = [0, 1, 2, 3, 4] as const;
const ROLES = 5;

/** A message at the offset that an operation gave it; undefined when it gave none, or no offset. */
export interface Placed {
  readonly message: LogMessage;
  readonly offset: Offset | undefined;
}

/** One operation: its completion, and what that says was done. */
export interface Operation {
  /** Its place among the operations. */
  readonly id: number;
  /** The completion, or the invocation if none ever came. */
  readonly op: Op;
  readonly invoke: Op | undefined;
  /** Who did it, where, what, and when it ended. */
  readonly process: Op["process"];
  readonly node: string | undefined;
  readonly f: string;
  readonly time: number;
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

/** What identifies a message of a key: a number as it is, the rest by their canonical text. */
type MessageId = number | string;

/** The operations that hold sends and polls. */
const transactions: readonly string[] = ["send", "poll", "txn"];

/** Whether an operation sends or polls, rather than assigns or crashes. */
export function isTransaction({ f }: Operation): boolean {
  return transactions.includes(f);
}

/** Up to so many operations are made once and kept. */
const MAX_KEPT = 2 ** 16;

const TYPES = ["ok", "fail", "info"] as const;

/** An operation without a completion, among those marked by their type; and one that assigns. */
const OPEN = 4;
const ASSIGNS = 8;

/** In place of an offset: there is none, and it is longer than 31 bits. */
const NO_OFFSET = -1;
const LONG_OFFSET = -2;

/** What an operation is made of. */
export type OperationContent = Pick<Operation, "sends" | "reads" | "assigned">;

/** The operations of a history, in the order of their ends, and its messages. */
export class KafkaHistory {
  /** Key to every message sent to it or polled from it. */
  readonly messages = new Map<string, Map<MessageId, LogMessage>>();
  readonly #ops: OpReader;
  readonly #all: LogMessage[] = [];
  /** For each message the ids, plus 1, of the operations that are something to it. */
  readonly #roles = new Integers();
  readonly #marks = new Integers();
  readonly #ends = new Integers();
  readonly #begins = new Integers();
  /** Where each operation's sends end, its lists by key, and its assigned keys. */
  readonly #sendEnds = new Integers();
  readonly #listEnds = new Integers();
  readonly #assignedEnds = new Integers();
  /** The keys of lists, and where these end among the entries; sends stand before them. */
  readonly #listKeys = new Integers();
  readonly #entryEnds = new Integers();
  readonly #messageIds = new Integers();
  readonly #offsets = new Integers();
  readonly #longOffsets = new Map<number, Offset>();
  readonly #assigned = new Integers();
  readonly #keyNumbers = new Map<string, number>();
  readonly #keys: string[] = [];
  #kept: Operation[] | undefined = [];
  /** What anomalies show, so that the same operation is the same object. */
  readonly #shown = new Map<number, Op>();
  readonly #opAt = (position: number): Op => {
    const known = this.#shown.get(position) ?? this.#ops.opAt(position);
    this.#shown.set(position, known);
    return known;
  };

  readonly #contentOf = (id: number): OperationContent => ({
    ...this.#entriesOf(id),
    assigned: (this.#marks.at(id) & ASSIGNS) === 0 ? undefined : this.#assignedOf(id),
  });

  constructor(ops: OpReader) {
    this.#ops = ops;
  }

  /** How many operations there are. */
  get length(): number {
    return this.#marks.length;
  }

  /** How many messages there are; their ids count from 0. */
  get messageCount(): number {
    return this.#all.length;
  }

  /** How many sends and polled messages there are. */
  get entryCount(): number {
    return this.#messageIds.length;
  }

  /** The operation that is something to a message. */
  roleOf(message: number, role: number): Operation | undefined {
    const id = this.#roles.at(message * ROLES + role) - 1;
    return id < 0 ? undefined : this.at(id);
  }

  /** Whether some operation is that to a message. */
  hasRole(message: number, role: number): boolean {
    return this.#roles.at(message * ROLES + role) > 0;
  }

  /** The id of the operation that is something to a message; -1 where there is none. */
  roleIdOf(message: number, role: number): number {
    return this.#roles.at(message * ROLES + role) - 1;
  }

  /** Says what an operation is to a message. */
  setRole(message: number, role: number, id: number): void {
    this.#roles.set(message * ROLES + role, id + 1);
  }

  /** The message of a key with some value. */
  messageOf(key: string, value: Json): LogMessage {
    let ofKey = this.messages.get(key);
    if (ofKey === undefined) this.messages.set(key, ofKey = new Map());
    const id = typeof value === "number" ? value : canonical(value);
    let message = ofKey.get(id);
    if (message !== undefined) return message;
    message = new LogMessage(this, this.#all.length, key, value);
    ofKey.set(id, message);
    this.#all.push(message);
    for (let role = 0; role < ROLES; role++) this.#roles.push(0);
    return message;
  }

  /** Adds an operation whose content is known. */
  add(place: Pick<Operation, "type" | "invokedAt" | "endedAt">, content: OperationContent): void {
    const { type, invokedAt, endedAt } = place;
    const isOpen = endedAt === Infinity;
    const mark = TYPES.indexOf(type) | (isOpen ? OPEN : 0);
    const id = this.#marks.push(content.assigned === undefined ? mark : mark | ASSIGNS);
    this.#ends.push(isOpen ? invokedAt : endedAt);
    this.#begins.push(invokedAt);
    for (const placed of content.sends) this.#addEntry(placed);
    this.#sendEnds.push(this.entryCount);
    for (const [key, list] of content.reads) {
      for (const placed of list) this.#addEntry(placed);
      this.#listKeys.push(this.#keyNumber(key));
      this.#entryEnds.push(this.entryCount);
    }
    this.#listEnds.push(this.#listKeys.length);
    for (const key of content.assigned ?? []) this.#assigned.push(this.#keyNumber(key));
    this.#assignedEnds.push(this.#assigned.length);
    if (id >= MAX_KEPT) this.#kept = undefined;
    this.#kept?.push(this.#make(id, content));
  }

  #addEntry({ message, offset }: Placed): void {
    const entry = this.#messageIds.push(message.id);
    if (offset === undefined) this.#offsets.push(NO_OFFSET);
    else if (typeof offset === "number" && offset < 2 ** 31) this.#offsets.push(offset);
    else {
      this.#offsets.push(LONG_OFFSET);
      this.#longOffsets.set(entry, offset);
    }
  }

  #keyNumber(key: string): number {
    const known = this.#keyNumbers.get(key);
    if (known !== undefined) return known;
    this.#keyNumbers.set(key, this.#keys.length);
    return this.#keys.push(key) - 1;
  }

  /** How an operation ended. */
  typeOf(id: number): Operation["type"] {
    return TYPES[this.#marks.at(id) & 3] ?? "info";
  }

  /** How many positions the history has. */
  get positionCount(): number {
    return this.#ops.length;
  }

  /** The time of a position, in nanoseconds. */
  timeAt(position: number): number {
    return this.#ops.timeAt(position);
  }

  /** Where an operation was invoked; -1 if it was not. */
  beginOf(id: number): number {
    return this.#begins.at(id);
  }

  /** Where an operation was completed; Infinity if it was not. */
  endPositionOf(id: number): number {
    return (this.#marks.at(id) & OPEN) === 0 ? this.#ends.at(id) : Infinity;
  }

  /** The ids of all operations in the order of their invocations; those without one come first. */
  byInvocation(): Int32Array {
    const { length } = this;
    const ids = new Int32Array(length);
    // One number for both, so that no function compares them.
    const keys = new Float64Array(length);
    for (let id = 0; id < length; id++) keys[id] = (this.beginOf(id) + 1) * length + id;
    keys.sort();
    for (let i = 0; i < length; i++) ids[i] = (keys[i] ?? 0) % length;
    return ids;
  }

  /** An operation. */
  at(id: number): Operation {
    return this.#kept?.[id] ?? this.#make(id);
  }

  /** All operations in order, each made when it is its turn. */
  [Symbol.iterator](): Iterator<Operation> {
    return this.#kept?.[Symbol.iterator]() ?? this.#each();
  }

  *#each(): Generator<Operation> {
    for (let id = 0; id < this.length; id++) yield this.at(id);
  }

  #make(id: number, content?: OperationContent): Operation {
    const place = {
      id,
      type: this.typeOf(id),
      invokedAt: this.#begins.at(id),
      endedAt: this.endPositionOf(id),
    };
    const source = { ops: this.#ops, opAt: this.#opAt, contentOf: this.#contentOf };
    return new LazyOperation(source, place, content);
  }

  #entriesOf(id: number): Pick<OperationContent, "sends" | "reads"> {
    const [firstList, endList] = [this.#listEnds.at(id - 1), this.#listEnds.at(id)];
    // An operation's entries begin where those of the one before end.
    const begin = this.#entriesEnd(id - 1);
    const sends = this.#entries(begin, this.#sendEnds.at(id));
    const reads = new Map<string, Placed[]>();
    let from = this.#sendEnds.at(id);
    for (let list = firstList; list < endList; list++) {
      const to = this.#entryEnds.at(list);
      reads.set(this.#keys[this.#listKeys.at(list)] ?? "", this.#entries(from, to));
      from = to;
    }
    return { sends, reads };
  }

  /** Where an operation's entries end among all. */
  #entriesEnd(id: number): number {
    if (id < 0) return 0;
    const list = this.#listEnds.at(id);
    return list > this.#listEnds.at(id - 1) ? this.#entryEnds.at(list - 1) : this.#sendEnds.at(id);
  }

  #entries(from: number, to: number): Placed[] {
    const list: Placed[] = [];
    for (let entry = from; entry < to; entry++) {
      const message = this.#all[this.#messageIds.at(entry)];
      if (message !== undefined) list.push({ message, offset: this.#offsetOf(entry) });
    }
    return list;
  }

  #offsetOf(entry: number): Offset | undefined {
    const offset = this.#offsets.at(entry);
    if (offset >= 0) return offset;
    return offset === NO_OFFSET ? undefined : this.#longOffsets.get(entry);
  }

  #assignedOf(id: number): string[] {
    const keys: string[] = [];
    for (let i = this.#assignedEnds.at(id - 1); i < this.#assignedEnds.at(id); i++) {
      keys.push(this.#keys[this.#assigned.at(i)] ?? "");
    }
    return keys;
  }
}

/** Where operations have what they are asked for. */
interface OperationSource {
  readonly ops: OpReader;
  readonly opAt: (position: number) => Op;
  readonly contentOf: (id: number) => OperationContent;
}

/** An operation whose ends and content are made when they are asked for. */
class LazyOperation implements Operation {
  readonly id: number;
  readonly type: Operation["type"];
  readonly invokedAt: number;
  readonly endedAt: number;
  readonly #source: OperationSource;
  #content: OperationContent | undefined;

  constructor(
    source: OperationSource,
    place: Pick<Operation, "id" | "type" | "invokedAt" | "endedAt">,
    content: OperationContent | undefined,
  ) {
    this.#source = source;
    this.#content = content;
    this.id = place.id;
    this.type = place.type;
    this.invokedAt = place.invokedAt;
    this.endedAt = place.endedAt;
  }

  get sends(): Operation["sends"] {
    return (this.#content ??= this.#source.contentOf(this.id)).sends;
  }

  get reads(): Operation["reads"] {
    return (this.#content ??= this.#source.contentOf(this.id)).reads;
  }

  get assigned(): Operation["assigned"] {
    return (this.#content ??= this.#source.contentOf(this.id)).assigned;
  }

  get #position(): number {
    return this.endedAt === Infinity ? this.invokedAt : this.endedAt;
  }

  get op(): Op {
    return this.#source.opAt(this.#position);
  }

  get invoke(): Op | undefined {
    if (this.endedAt === Infinity) return this.op;
    return this.invokedAt < 0 ? undefined : this.#source.opAt(this.invokedAt);
  }

  get process(): Op["process"] {
    return this.#source.ops.processAt(this.#position);
  }

  get node(): string | undefined {
    return this.#source.ops.nodeAt(this.#position);
  }

  get f(): string {
    return this.#source.ops.fAt(this.#position);
  }

  get time(): number {
    return this.#source.ops.timeAt(this.#position);
  }
}

/**
 * Reads a history. What is odd in it is left out and warned of.
 *
 * An operation that never came back counts as indefinite.
 */
export function readHistory(history: History, warnings: Warnings): KafkaHistory {
  const ops = readerOf(history);
  const reader = new OperationReader(ops, warnings);
  const open = new Map<Op["process"], number>();
  const orphans: number[] = [];
  for (let position = 0; position < ops.length; position++) {
    const process = ops.processAt(position);
    if (process === "nemesis") continue;
    const invokedAt = open.get(process) ?? -1;
    const type = ops.typeAt(position);
    if (type === "invoke") {
      if (invokedAt >= 0) orphans.push(invokedAt);
      open.set(process, position);
    } else {
      open.delete(process);
      reader.read(type, invokedAt, position);
    }
  }
  orphans.push(...open.values());
  for (const position of orphans.sort((a, b) => a - b)) reader.read("info", position, Infinity);
  return reader.history;
}

class OperationReader {
  readonly history: KafkaHistory;
  readonly #ops: OpReader;
  readonly #warnings: Warnings;
  /** Where the operation that is being read stands, and what came of it. */
  #position = 0;
  #type: Operation["type"] = "info";
  #isOpen = false;

  constructor(ops: OpReader, warnings: Warnings) {
    this.#ops = ops;
    this.#warnings = warnings;
    this.history = new KafkaHistory(ops);
  }

  read(type: Operation["type"], invokedAt: number, endedAt: number): void {
    this.#isOpen = endedAt === Infinity;
    this.#position = this.#isOpen ? invokedAt : endedAt;
    this.#type = type;
    const f = this.#ops.fAt(this.#position);
    const sends: Placed[] = [];
    const reads = new Map<string, Placed[]>();
    const isAssign = f === "assign" || f === "subscribe";
    if (transactions.includes(f)) {
      const value = this.#ops.valueAt(this.#position);
      if (Array.isArray(value)) { for (const step of value) this.#step(step, sends, reads); }
      else this.#odd(value);
    }
    const assigned = isAssign ? this.#keys(this.#ops.valueAt(this.#position)) : undefined;
    this.history.add({ type, invokedAt, endedAt }, { sends, reads, assigned });
  }

  #keys(value: Json): string[] {
    const keys = new Set<string>();
    for (const name of Array.isArray(value) ? value : [value]) {
      const key = keyOf(name);
      if (key === undefined) this.#odd(name);
      else keys.add(key);
    }
    return [...keys];
  }

  /** One micro-operation: `["send", k, v]`, `["send", k, [offset, v]]`, `["poll", {k: [...]}]`. */
  #step(step: Json, sends: Placed[], reads: Map<string, Placed[]>): void {
    const [kind, first, second] = Array.isArray(step) ? step : [];
    if (kind === "send") {
      const key = keyOf(first);
      if (key === undefined || second === undefined) this.#odd(step);
      else sends.push(this.#sent(key, second));
    } else if (kind === "poll" && isJsonObject(first)) {
      for (const [key, list] of Object.entries(first)) this.#polled(key, list, reads);
    } else if (kind !== "poll" || (first ?? null) !== null) this.#odd(step);
  }

  #sent(key: string, sent: Json): Placed {
    const [offset, value] = Array.isArray(sent) ? sent : [undefined, sent];
    const { history } = this;
    const message = history.messageOf(key, value ?? null);
    const { id } = message;
    const role = this.#type === "ok" ? ACKED : this.#type === "fail" ? FAILED : SENDER;
    if (!history.hasRole(id, SENDER) || !this.#isOpen) history.setRole(id, SENDER, history.length);
    if (!history.hasRole(id, role)) history.setRole(id, role, history.length);
    return { message, offset: this.#offset(key, offset) };
  }

  #polled(key: string, list: Json, reads: Map<string, Placed[]>): void {
    const placed = reads.get(key) ?? [];
    reads.set(key, placed);
    if (!Array.isArray(list)) {
      if (list !== null) this.#odd(list);
      return;
    }
    const { history } = this;
    for (const pair of list) {
      if (!Array.isArray(pair) || pair[1] === undefined) {
        this.#odd(pair);
        continue;
      }
      const message = history.messageOf(key, pair[1]);
      const { id } = message;
      if (!history.hasRole(id, SEEN_BY)) history.setRole(id, SEEN_BY, history.length);
      if (this.#type === "ok" && !history.hasRole(id, READER)) {
        history.setRole(id, READER, history.length);
      }
      placed.push({ message, offset: this.#offset(key, pair[0]) });
    }
  }

  #offset(key: string, offset: Json | undefined): Offset | undefined {
    if (typeof offset === "number" && Number.isInteger(offset) && offset >= 0) return offset;
    if (isRawNumber(offset) && /^\d+$/.test(offset.rawJSON)) return BigInt(offset.rawJSON);
    // Only what was acknowledged must have an offset.
    if (offset !== undefined || this.#type === "ok") {
      this.#warnings.add(
        "Offset that is no integer from 0 up, not looked at",
        () => `${show(offset)} for key ${show(key)}, ${this.#whoAndWhen()}`,
      );
    }
    return undefined;
  }

  #odd(value: Json | undefined): void {
    this.#warnings.add(
      `Odd value in ${this.#ops.fAt(this.#position)}, not looked at`,
      () => `${show(value)}, ${this.#whoAndWhen()}`,
    );
  }

  #whoAndWhen(): string {
    return whoAndWhen(this.#ops.opAt(this.#position));
  }
}

/** Keys are strings on the wire; Jepsen's own histories may hold integers. */
function keyOf(key: Json | undefined): string | undefined {
  if (typeof key === "string") return key;
  if (typeof key === "number") return String(key);
  return isRawNumber(key) ? key.rawJSON : undefined;
}
