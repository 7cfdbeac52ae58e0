/**
 * The anomalies of the kafka workload as data, the worst of them, and how they are described.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { type Finding, MAX_FINDINGS, type Op } from "../../history.ts";
import { inOrder, integerJson, plural, seconds, show, whoAndWhen } from "../checker.ts";
import type { DenseLog, Slot } from "./log.ts";
import type { LogMessage, Operation, Placed } from "./operations.ts";

/** Something wrong in what clients sent and polled. */
export type Anomaly =
  /** A slot that holds several messages. */
  | {
    readonly type: "inconsistent-offsets";
    readonly log: DenseLog;
    readonly index: number;
    readonly slot: Slot;
  }
  /** A message at several indexes of its log. */
  | {
    readonly type: "duplicate";
    readonly log: DenseLog;
    readonly message: LogMessage;
    readonly indexes: readonly number[];
  }
  /** A poll of a message whose send failed. */
  | {
    readonly type: "G1a";
    readonly read: Placed;
    readonly reader: Operation;
    readonly failed: Operation;
  }
  /** A poll of a message that the same operation sent. */
  | { readonly type: "precommitted-read"; readonly read: Placed; readonly operation: Operation }
  /** A poll of a message that was never sent. */
  | { readonly type: typeof NO_WRITER; readonly read: Placed; readonly reader: Operation }
  /** A message that no poll returned although one went past it. */
  | {
    readonly type: "lost-write";
    readonly log: DenseLog;
    readonly message: LogMessage;
    readonly indexes: readonly number[];
    readonly sender: Operation;
    /** The poll that went furthest, and the index that it reached. */
    readonly reader: Operation;
    readonly bound: number;
  }
  /** A message that was acknowledged and not polled by the end. */
  | {
    readonly type: "unseen";
    readonly message: LogMessage;
    readonly offset: Placed["offset"];
    /** How many there are of its key. */
    readonly count: number;
  }
  | { readonly type: MoveType; readonly move: Move }
  /** Operations that depend on themselves. */
  | { readonly type: "G1c" | "G1c-realtime"; readonly steps: readonly Step[] }
  | { readonly type: "empty-transaction-graph" };

/** Messages skipped, or not in the log's order; `int-` within one operation. */
type MoveType = `${"" | "int-"}${
  | `${"poll" | "send"}-skip`
  | `nonmonotonic-${"poll" | "send"}`}`;

/** Two successive messages of a key as one process polled or sent them. */
export interface Move {
  readonly log: DenseLog;
  readonly from: Placed;
  readonly to: Placed;
  /** Where the first stands; 0 where that is not known. */
  readonly fromIndex: number;
  readonly earlier: Operation;
  readonly later: Operation;
  /** How many messages the log holds from one to the other; 1 is right. */
  readonly delta: number;
}

/** One dependency of a cycle; by real time, when no message is given. */
export interface Step {
  readonly from: Operation;
  readonly to: Operation;
  readonly message: LogMessage | undefined;
}

/** How many anomalies of a type are kept. */
const MAX_KEPT = 8;

/** How many of them become findings; more of the same teach nothing. */
const MAX_FOUND = 3;

/** What Maelstrom reports without calling the run invalid. */
const allowed: readonly string[] = [
  "int-send-skip",
  "G0",
  "G0-process",
  "G0-realtime",
  "PL-1-cycle-exists",
  "strong-PL-1-cycle-exists",
];

/** What Maelstrom's own checker trips over, leaving the run without a verdict. */
export const NO_WRITER = "no-writer-of-value";

/** The order of findings, causes before their consequences. */
const severity: readonly string[] = [
  "inconsistent-offsets",
  "duplicate",
  "lost-write",
  "unseen",
  "G1a",
  "G1c",
  "G1c-realtime",
  "precommitted-read",
  NO_WRITER,
  "int-nonmonotonic-poll",
  "int-poll-skip",
  "nonmonotonic-poll",
  "poll-skip",
  "int-nonmonotonic-send",
  "nonmonotonic-send",
  "empty-transaction-graph",
];

/** How often an anomaly occurred, and the worst cases as figures. */
export interface AnomalyFigures {
  /** How many cases there are. */
  readonly count: number;
  /** The worst of them. */
  readonly errs: readonly Readonly<Record<string, unknown>>[];
}

/** The cases of one type. */
interface Tally {
  count: number;
  /** The worst so far, worst first; of equals the earlier. */
  readonly worst: Anomaly[];
}

/** Anomalies by type, however many there are: a count, and the worst cases. */
export class Anomalies {
  readonly #tallies = new Map<string, Tally>();

  constructor(found: Iterable<Anomaly>) {
    for (const anomaly of found) this.#add(anomaly);
  }

  #add(anomaly: Anomaly): void {
    let tally = this.#tallies.get(anomaly.type);
    if (tally === undefined) this.#tallies.set(anomaly.type, tally = { count: 0, worst: [] });
    tally.count++;
    const { worst } = tally;
    const badness = badnessOf(anomaly);
    const place = worst.findIndex((other) => badnessOf(other) < badness);
    worst.splice(place < 0 ? worst.length : place, 0, anomaly);
    worst.length = Math.min(worst.length, MAX_KEPT);
  }

  /** The types that occurred, in alphabetical order. */
  types(): string[] {
    return [...this.#tallies.keys()].sort();
  }

  /** Those of them that make a run invalid. */
  badTypes(): string[] {
    return this.types().filter((type) => !allowed.includes(type) && type !== NO_WRITER);
  }

  /** For each type its count, and the worst cases as figures. */
  figures(): Record<string, AnomalyFigures> {
    const entries = this.types().map((type) => {
      const { count, worst } = this.#tallies.get(type) ?? { count: 0, worst: [] };
      return [type, { count, errs: worst.map((anomaly) => describe(anomaly).err) }] as const;
    });
    return Object.fromEntries(entries);
  }

  /** The worst case of each type that is not allowed, then the second worst of each, and so on. */
  worst(): Anomaly[] {
    const bad = this.types().filter((type) => !allowed.includes(type))
      .sort((a, b) => severity.indexOf(a) - severity.indexOf(b));
    const turns = Array.from(
      { length: MAX_FOUND },
      (_, rank) => bad.flatMap((type) => this.#tallies.get(type)?.worst[rank] ?? []),
    );
    return turns.flat().slice(0, MAX_FINDINGS);
  }

  /** What {@linkcode worst} has, as findings. */
  findings(): Finding[] {
    return this.worst().map((anomaly) => {
      const { what, ops } = describe(anomaly);
      return { anomaly: anomaly.type, what, ops: inOrder(ops) };
    });
  }
}

/** How bad an anomaly is among those of its type; the higher the worse. */
function badnessOf(anomaly: Anomaly): number {
  switch (anomaly.type) {
    case "inconsistent-offsets":
      return anomaly.slot.messages.size;
    case "duplicate":
      return anomaly.indexes.length;
    case "lost-write":
      return anomaly.bound - (anomaly.indexes.at(-1) ?? 0);
    case "unseen":
      return anomaly.count;
    case "G1c":
    case "G1c-realtime":
      return -anomaly.steps.length;
    default:
      return "move" in anomaly ? Math.abs(anomaly.move.delta) : 0;
  }
}

/** An anomaly as figures, as a sentence, and by the operations that show it. */
interface Description {
  readonly err: Readonly<Record<string, unknown>>;
  readonly what: string;
  readonly ops: Iterable<Op | undefined>;
}

/** Describes an anomaly; operations in the figures go by their index. */
export function describe(anomaly: Anomaly): Description {
  switch (anomaly.type) {
    case "inconsistent-offsets":
      return inconsistentOffsets(anomaly);
    case "duplicate":
      return duplicate(anomaly);
    case "G1a": {
      const { read, reader, failed } = anomaly;
      return {
        err: { ...keyAndValue(read.message), writer: failed.op.index, reader: reader.op.index },
        what: `${at(read)} was polled by ${whoAndWhen(reader.op)}, though ${sentBy(failed)} failed`,
        ops: [failed.op, reader.op],
      };
    }
    case "precommitted-read": {
      const { read, operation: { op } } = anomaly;
      return {
        err: { ...keyAndValue(read.message), op: op.index },
        what: `${at(read)} was polled by the very operation that sends it, ${whoAndWhen(op)}`,
        ops: [op],
      };
    }
    case NO_WRITER: {
      const { read, reader: { op } } = anomaly;
      return {
        err: { ...keyAndValue(read.message), reader: op.index },
        what: `${at(read)} was polled by ${whoAndWhen(op)}, but no operation sent it`,
        ops: [op],
      };
    }
    case "lost-write":
      return lostWrite(anomaly);
    case "unseen": {
      const { message, offset, count } = anomaly;
      const { acked } = message;
      const others = count === 1 ? "" : `, nor ${plural(count - 1, "other")} of its key`;
      const send = acked === undefined ? "" : `, though ${sentBy(acked)} was acknowledged`;
      return {
        err: { ...keyAndValue(message), writer: acked?.op.index },
        what: `${at({ message, offset })} was never polled by the end${send}${others}`,
        ops: [acked?.op],
      };
    }
    case "G1c":
    case "G1c-realtime":
      return cycle(anomaly.steps.slice(0, MAX_STEPS));
    case "empty-transaction-graph":
      return {
        err: {},
        what: "No send or poll came after another or returned its message, so nothing is ordered",
        ops: [],
      };
    default:
      return wrongMove(anomaly);
  }
}

/** How many values an error lists. */
const MAX_LISTED = 32;

/** How many operations a sentence names. */
const MAX_NAMED = 4;

/** How many steps of a cycle an error or a sentence lists. */
const MAX_STEPS = 16;

function inconsistentOffsets(
  { log, index, slot }: Extract<Anomaly, { type: "inconsistent-offsets" }>,
): Description {
  const { offset, messages } = slot;
  const some = [...messages].slice(0, MAX_NAMED);
  return {
    err: { key: log.key, offset: integerJson(offset), index, values: valuesOf(messages.keys()) },
    what: `Offset ${offset} of key ${show(log.key)} holds ${messages.size} messages: ` +
      some.map(([message, operation]) => `${show(message.value)} (${placedBy(operation, message)})`)
        .join(", ") +
      (messages.size > MAX_NAMED ? ", ..." : ""),
    ops: some.map(([, operation]) => operation.op),
  };
}

function duplicate(
  { log, message, indexes }: Extract<Anomaly, { type: "duplicate" }>,
): Description {
  const slots = indexes.slice(0, MAX_LISTED).flatMap((index) => log.slotAt(index) ?? []);
  const some = slots.slice(0, MAX_NAMED).flatMap(({ offset, messages }) => {
    const operation = messages.get(message);
    return operation === undefined ? [] : [{ offset, operation }];
  });
  return {
    err: {
      ...keyAndValue(message),
      count: indexes.length,
      offsets: slots.map(({ offset }) => integerJson(offset)),
    },
    what: `${nameOf(message)} stands at ${indexes.length} offsets: ` +
      some.map(({ offset, operation }) => `${offset} (${placedBy(operation, message)})`).join(
        ", ",
      ) +
      (indexes.length > MAX_NAMED ? ", ..." : ""),
    ops: some.map(({ operation }) => operation.op),
  };
}

/** `polled by process 3 on n1 at 1.234 s`, for an operation that put a message at an offset. */
function placedBy(operation: Operation, message: LogMessage): string {
  const polled = operation.reads.get(message.key)?.some((read) => read.message === message);
  return `${polled ? "polled" : "sent"} by ${whoAndWhen(operation.op)}`;
}

function lostWrite(
  { log, message, indexes, sender, reader, bound }: Extract<Anomaly, { type: "lost-write" }>,
): Description {
  const offset = log.offsetAt(indexes.at(-1) ?? -1);
  return {
    err: {
      ...keyAndValue(message),
      index: indexes[0],
      maxReadIndex: bound,
      writer: sender.op.index,
      maxRead: reader.op.index,
    },
    what: `${at({ message, offset })} was never polled, though ` +
      `${sentBy(sender)} ${sender.type === "ok" ? "was acknowledged" : "took effect"} and ` +
      `${whoAndWhen(reader.op)} polled beyond it, to offset ${log.offsetAt(bound)}`,
    ops: [sender.op, reader.op],
  };
}

function wrongMove({ type, move }: Extract<Anomaly, { type: MoveType }>): Description {
  const { log, from, to, earlier, later, delta } = move;
  const one = earlier.id === later.id;
  const skipped = delta > 1 ? skippedOf(move) : undefined;
  const done = type.includes("poll") ? "polled" : "sent";
  const then = one ? `${done} ${briefly(from)} and next` : `${done} ${briefly(from)}, then`;
  return {
    err: {
      key: log.key,
      values: [from.message.value, to.message.value],
      delta,
      ...(skipped !== undefined && { skipped: skipped.map(({ message }) => message.value) }),
      ops: one ? [later.op.index] : [earlier.op.index, later.op.index],
    },
    what: `Key ${show(log.key)}: ${whoAndWhen(earlier.op)} ${then} ${briefly(to)}` +
      (one ? "" : ` at ${seconds(later.op)}`) + consequence(move, skipped),
    ops: [earlier.op, skipped?.[0]?.message.sender?.op, later.op],
  };
}

function consequence({ delta }: Move, skipped: readonly Placed[] | undefined): string {
  const first = skipped?.[0];
  if (first !== undefined) {
    return `, skipping ${briefly(first)}${delta > 2 ? ` and ${delta - 2} more` : ""}`;
  }
  return delta === 0 ? ", the same again" : `, ${-delta} back in the log`;
}

function skippedOf({ log, fromIndex, delta }: Move): Placed[] {
  return Array.from({ length: Math.min(delta - 1, MAX_LISTED) }).flatMap((_, i) => {
    const { offset, messages } = log.slotAt(fromIndex + 1 + i) ?? {};
    const [message] = messages?.keys() ?? [];
    return message === undefined ? [] : [{ message, offset }];
  });
}

function cycle(steps: readonly Step[]): Description {
  return {
    err: {
      cycle: steps.map(({ from }) => from.op.index),
      steps: steps.map(({ message }) =>
        message === undefined ? { type: "realtime" } : { type: "wr", ...keyAndValue(message) }
      ),
    },
    what: steps.map(stepText).join("; "),
    ops: steps.flatMap(({ from }) => [from.invoke, from.op]),
  };
}

function stepText({ from, to, message }: Step, i: number): string {
  if (message === undefined) {
    const begun = to.invoke ?? to.op;
    return `the ${from.op.f} of ${whoAndWhen(from.op)} ended before the ${to.op.f} of ` +
      `${whoAndWhen(begun)} began`;
  }
  const name = briefly({ message, offset: undefined });
  return `${i === 0 ? "Key" : "key"} ${show(message.key)}: ${name}, sent by ` +
    `${whoAndWhen(from.op)}, was polled by ${whoAndWhen(to.op)}`;
}

/** The first values of some messages. */
export function valuesOf(messages: Iterable<LogMessage>): Json[] {
  return Iterator.from(messages).take(MAX_LISTED).map(({ value }) => value).toArray();
}

function keyAndValue({ key, value }: LogMessage): { key: string; value: Json } {
  return { key, value };
}

/** `Message 5 of key "1"`. */
function nameOf({ key, value }: LogMessage): string {
  return `Message ${show(value)} of key ${show(key)}`;
}

/** `Message 5 of key "1" at offset 4`. */
function at({ message, offset }: Placed): string {
  return offset === undefined ? nameOf(message) : `${nameOf(message)} at offset ${offset}`;
}

/** `message 5 at offset 4`, where the key is known. */
export function briefly({ message, offset }: Placed): string {
  const name = `message ${show(message.value)}`;
  return offset === undefined ? name : `${name} at offset ${offset}`;
}

/** `its send by process 3 on n1 at 1.234 s`. */
function sentBy(operation: Operation): string {
  return `its send by ${whoAndWhen(operation.op)}`;
}
