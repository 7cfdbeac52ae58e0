/**
 * The `kafka` workload: is every acknowledged message there, once, and read in order?
 *
 * @module
 */

import { type Integer, kafkaSchema, type List } from "@eddy/handlers";
import { isJsonObject, type Json, type JsonObject, parseJson, type Random } from "@eddy/maelstrom";
import { checkKafka } from "../checkers/kafka/kafka.ts";
import {
  anyValue,
  type ClientCall,
  type ClientSession,
  type CompletedOp,
  CRASHED,
  type FinalPhase,
  type Generator,
  type Invocation,
  type MainGenerator,
  mappedErrors,
  type Next,
  type Threads,
  type Workload,
} from "../generator.ts";
import type { RunOptions } from "../options.ts";
import { drawInterval, randomBelow, shuffled } from "../random.ts";
import { TxnGenerator } from "./txn.ts";

/** The `kafka` workload. */
export const kafka: Workload = {
  // Clients do the first four; histories of Jepsen may have the others.
  operations: {
    send: isSendsAndPolls,
    poll: isSendsAndPolls,
    assign: anyValue,
    crash: anyValue,
    txn: isSendsAndPolls,
    subscribe: anyValue,
    "debug-topic-partitions": anyValue,
  },
  takesLoneCompletions: true,
  errors: mappedErrors("assign"),
  reusableClients: false,
  session: kafkaSession,
  generator: (options, random) => new KafkaGenerator(options, random),
  check: (history) => checkKafka(history),
  lasting: ["inconsistent-offsets", "duplicate", "nonmonotonic-send", "int-nonmonotonic-send"],
};

function isSendsAndPolls(value: Json): boolean {
  return list(value).some((step) => ["send", "poll"].some((kind) => kind === list(step)[0]));
}

/** What a poll returned: each key's messages with their offsets. */
type Messages = Record<string, List<[offset: Integer, msg: Json]>>;

/** A new client, which is assigned nothing yet. */
export function kafkaSession(call: ClientCall): ClientSession {
  const client = new KafkaClient(call);
  return (op) => client.invoke(op);
}

class KafkaClient {
  readonly #call: ClientCall;
  /** From where the next poll reads each key. */
  #offsets = new Map<string, Integer>();

  constructor(call: ClientCall) {
    this.#call = call;
  }

  async invoke({ f, value, seekToBeginning }: Invocation): Promise<Json | typeof CRASHED> {
    const list = Array.isArray(value) ? value : [];
    switch (f) {
      case "crash":
        return CRASHED;
      case "assign":
        await this.#assign(list.map(String), seekToBeginning === true);
        return value;
      case "poll":
        return [["poll", await this.#poll()]];
      default:
        return [await this.#send(list[0] ?? null)];
    }
  }

  /**
   * Takes on some keys and drops all others.
   *
   * A key that was assigned before goes on from there, another from its committed offset.
   */
  async #assign(keys: string[], seekToBeginning: boolean): Promise<void> {
    if (seekToBeginning) {
      this.#offsets = new Map(keys.map((key) => [key, 0]));
      return;
    }
    const { offsets: committed } = await this.#call(
      { type: "list_committed_offsets", keys },
      kafkaSchema.list_committed_offsets.reply,
    );
    this.#offsets = new Map(
      keys.map((key) => [
        key,
        this.#offsets.get(key) ?? (Object.hasOwn(committed, key) ? committed[key] : undefined) ?? 0,
      ]),
    );
  }

  /** Reads on, and commits what it read; a failed commit fails the whole poll. */
  async #poll(): Promise<Messages> {
    const offsets = Object.fromEntries(this.#offsets);
    const { msgs } = await this.#call({ type: "poll", offsets }, kafkaSchema.poll.reply);
    const read: JsonObject = {};
    for (const [key, messages] of Object.entries(msgs)) {
      const highest = (messages ?? []).reduce(
        (max: Integer, [offset]) => greater(max, offset),
        -1,
      );
      this.#offsets.set(key, greater(this.#offsets.get(key) ?? 0, successor(highest)));
      // Maelstrom commits no less than 0, wherever a negative offset may have come from.
      if (messages !== null && messages.length > 0) read[key] = greater(highest, 0);
    }
    if (Object.keys(read).length > 0) {
      await this.#call(
        { type: "commit_offsets", offsets: read },
        kafkaSchema.commit_offsets.reply,
      );
    }
    return msgs;
  }

  async #send(microOp: Json): Promise<Json> {
    const [, key = null, msg = null] = Array.isArray(microOp) ? microOp : [];
    const { offset } = await this.#call({ type: "send", key, msg }, kafkaSchema.send.reply);
    return ["send", key, [offset, msg]];
  }
}

/** How often an `assign` comes in place of another operation. */
const ASSIGN_PROBABILITY = 1 / 64;

/** How often an `assign` includes all keys with messages that no client has polled. */
const UNSEEN_PROBABILITY = 1 / 3;

/** How long a client lives on average before it crashes. */
const CRASH_INTERVAL_MS = 30_000;

const poll: Invocation = { f: "poll", value: [["poll"]] };
const crash: Invocation = { f: "crash", value: null };

/** The workload's main phase. */
export class KafkaGenerator implements MainGenerator {
  readonly #random: Random;
  readonly #concurrency: number;
  readonly #txns: TxnGenerator;
  /** The operation to do next, and its key. */
  #coming: { readonly op: Invocation; readonly key: string } | undefined;
  #crashAtMs: number | undefined;
  /** The highest offset of each key that any client has seen. */
  readonly #seen: Offsets = new Map();
  /** Of keys with messages that no client has polled: how far they were sent, and polled. */
  readonly #sent: Offsets = new Map();
  readonly #polled: Offsets = new Map();

  constructor(options: RunOptions, random: Random) {
    this.#random = random;
    this.#concurrency = options.concurrency;
    this.#txns = new TxnGenerator({ ...options, maxTxnLength: 1 }, random);
  }

  next(threads: Threads, nowMs: number): Next {
    const thread = threads.nextFree();
    if (thread === undefined) return "pending";
    // The first crash is due at once, as in Maelstrom; one that is due competes for each turn.
    this.#crashAtMs ??= nowMs;
    if (nowMs >= this.#crashAtMs && randomBelow(this.#random, 2) === 0) {
      const meanMs = CRASH_INTERVAL_MS / this.#concurrency;
      this.#crashAtMs = nowMs + drawInterval(this.#random, meanMs);
      return { thread, op: crash };
    }
    return { thread, op: this.#draw() };
  }

  update(_thread: number, completion: CompletedOp): void {
    if (completion.type !== "ok") return;
    for (const [key, offset] of sentOffsets(completion)) {
      raise(this.#seen, key, offset);
      raise(this.#sent, key, offset);
      this.#forgetIfPolled(key);
    }
    for (const [key, offset] of polledOffsets(completion)) {
      raise(this.#seen, key, offset);
      raise(this.#polled, key, offset);
      this.#forgetIfPolled(key);
    }
  }

  final(random: Random): FinalPhase {
    return { generator: new FinalPolls(this.#seen, random), limitMs: FINAL_LIMIT_MS };
  }

  #draw(): Invocation {
    const { op, key } = this.#coming ??= this.#drawTxn();
    if (this.#random.next() >= ASSIGN_PROBABILITY) {
      this.#coming = undefined;
      return op;
    }
    const keys = new Set([key]);
    if (this.#random.next() < UNSEEN_PROBABILITY) {
      for (const unseen of this.#sent.keys()) keys.add(unseen);
    }
    return { f: "assign", value: [...keys] };
  }

  #drawTxn(): { op: Invocation; key: string } {
    const [microOp] = this.#txns.draw();
    const key = String(microOp?.key ?? 0);
    const value = microOp?.value;
    const op = value === undefined ? poll : { f: "send", value: [["send", key, value]] };
    return { op, key };
  }

  /** A key is forgotten once it was polled as far as it was sent. */
  #forgetIfPolled(key: string): void {
    const sent = this.#sent.get(key) ?? -1;
    if (!atLeast(this.#polled.get(key) ?? -1, sent)) return;
    this.#sent.delete(key);
    this.#polled.delete(key);
  }
}

/** How long the final phase may take, since messages may have been lost. */
const FINAL_LIMIT_MS = 10_000;

/** How long a thread rests between polls, on average. */
const POLL_INTERVAL_MS = 200;

/** How far one thread has come. */
interface Reader {
  /** Operations to do before it polls. */
  readonly before: Invocation[];
  /** The offsets it has yet to reach. */
  readonly targets: Offsets;
  nextPollMs: number;
}

/**
 * The workload's final phase: each thread crashes its client, assigns all keys from the beginning,
 * and polls until it has seen the highest offset that any client saw of each key.
 */
class FinalPolls implements Generator {
  /** The highest offset seen of each key; -1 for keys that turned out empty. */
  readonly #seen: Offsets;
  readonly #random: Random;
  /** The threads that are not done, in the order in which they are asked. */
  #readers: Map<number, Reader> | undefined;

  constructor(seen: Offsets, random: Random) {
    this.#seen = seen;
    this.#random = random;
  }

  next(threads: Threads, nowMs: number): Next {
    this.#readers ??= this.#start(threads.count);
    if (this.#readers.size === 0) return "done";
    let untilMs = Infinity;
    for (const [thread, reader] of this.#readers) {
      if (threads.nextFree(thread, thread + 1) === undefined) continue;
      const first = reader.before.shift();
      if (first !== undefined) return { thread, op: first };
      if (reader.nextPollMs <= nowMs) {
        reader.nextPollMs = nowMs + drawInterval(this.#random, POLL_INTERVAL_MS);
        return { thread, op: poll };
      }
      untilMs = Math.min(untilMs, reader.nextPollMs);
    }
    return untilMs === Infinity ? "pending" : { untilMs };
  }

  update(thread: number, completion: CompletedOp): void {
    const targets = this.#readers?.get(thread)?.targets;
    if (targets === undefined) return;
    for (const [key, offset] of polledOffsets(completion)) {
      const target = targets.get(key);
      if (target !== undefined && atLeast(offset, target)) targets.delete(key);
    }
    if (targets.size === 0) this.#readers?.delete(thread);
  }

  #start(threads: number): Map<number, Reader> {
    const keys = [...this.#seen.keys()].sort((a, b) => Number(a) - Number(b));
    const targets = [...this.#seen].filter(([, offset]) => atLeast(offset, 0));
    if (targets.length === 0) return new Map();
    const before = [crash, { f: "assign", value: keys, seekToBeginning: true } as const];
    const order = shuffled(this.#random, Array.from({ length: threads }, (_, thread) => thread));
    return new Map(order.map((thread) => [
      thread,
      { before: [...before], targets: new Map(targets), nextPollMs: 0 },
    ]));
  }
}

/** The highest offset of each key. */
type Offsets = Map<string, Integer>;

/** Raises what is known of a key's highest offset. */
function raise(offsets: Offsets, key: string, offset: Integer): void {
  offsets.set(key, greater(offsets.get(key) ?? offset, offset));
}

/** The offset at which each key was sent to, in a successful `send`. */
function sentOffsets({ f, type, value }: CompletedOp): Offsets {
  const offsets: Offsets = new Map();
  if (f !== "send" || type !== "ok") return offsets;
  for (const [, key, sent] of list(value).map(list)) {
    const offset = list(sent)[0];
    if (typeof key === "string" && isInteger(offset)) raise(offsets, key, offset);
  }
  return offsets;
}

/** The highest offset that a successful `poll` returned of each key; -1 where it returned none. */
function polledOffsets({ f, type, value }: CompletedOp): Offsets {
  const offsets: Offsets = new Map();
  if (f !== "poll" || type !== "ok") return offsets;
  for (const [, messages] of list(value).map(list)) {
    if (!isJsonObject(messages)) continue;
    for (const [key, pairs] of Object.entries(messages)) {
      raise(offsets, key, -1);
      for (const [offset] of list(pairs).map(list)) {
        if (isInteger(offset)) raise(offsets, key, offset);
      }
    }
  }
  return offsets;
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** An integer's exact value. */
function exact(integer: Integer): bigint {
  return BigInt(typeof integer === "number" ? integer : integer.rawJSON);
}

/** The greater of two integers. */
function greater(a: Integer, b: Integer): Integer {
  if (typeof a === "number" && typeof b === "number") return a < b ? b : a;
  return exact(a) < exact(b) ? b : a;
}

/** The integer after one. */
function successor(integer: Integer): Integer {
  if (typeof integer === "number" && integer < Number.MAX_SAFE_INTEGER) return integer + 1;
  return parseJson(String(exact(integer) + 1n)) as Integer;
}

/** Whether `a` is at least `b`. */
function atLeast(a: Integer, b: Integer): boolean {
  if (typeof a === "number" && typeof b === "number") return a >= b;
  return exact(a) >= exact(b);
}

/** Whether a JSON value that is known to be an offset or a message is an integer. */
function isInteger(value: Json | undefined): value is Integer {
  return typeof value === "number" ||
    (typeof value === "object" && value !== null && "rawJSON" in value &&
      typeof value.rawJSON === "string" && /^-?\d+$/.test(value.rawJSON));
}
