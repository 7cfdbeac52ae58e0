/**
 * What clients of the `kafka` workload do: send, poll, change what they read, and crash.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";
import type { RunOptions } from "../types.ts";
import { randomBelow } from "../world/random.ts";
import { drawInterval } from "./draw.ts";
import { atLeast } from "./integers.ts";
import { finalPolls } from "./kafka_final.ts";
import { type Offsets, polledOffsets, raise, sentOffsets } from "./kafka_offsets.ts";
import type { CompletedOp, FinalPhase, Invocation, MainGenerator, Next, Threads } from "./spec.ts";
import { TxnGenerator } from "./txns.ts";

/** How often an `assign` comes in place of another operation. */
const ASSIGN_CHANCE = 1 / 64;

/** How often an `assign` takes in all keys with messages that nobody has polled. */
const UNSEEN_CHANCE = 1 / 3;

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
  /** The highest offset of each key that anybody has seen. */
  readonly #seen: Offsets = new Map();
  /** Of keys with messages that nobody has polled: how far they were sent, and polled. */
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

  final(): FinalPhase {
    return finalPolls(this.#seen, this.#random);
  }

  #draw(): Invocation {
    const { op, key } = this.#coming ??= this.#drawTxn();
    if (this.#random.next() >= ASSIGN_CHANCE) {
      this.#coming = undefined;
      return op;
    }
    const keys = new Set([key]);
    if (this.#random.next() < UNSEEN_CHANCE) {
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
