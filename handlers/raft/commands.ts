/**
 * The requests of this node's clients that change something, from arrival to outcome.
 *
 * @module
 */

import { ErrorCode, type Json, RpcError } from "@eddy/maelstrom";
import type { CommandSource } from "./context.ts";
import type { Outcome } from "./machine.ts";
import { roughSize } from "./message.ts";
import type { Request } from "./sessions.ts";

/** A request that has no outcome yet. */
interface Pending {
  readonly number: number;
  readonly operation: Json;
  readonly arrivedMs: number;
  readonly settle: (outcome: Outcome) => void;
  /** When it was last handed to consensus; from the first time on its fate is unknown. */
  sentMs: number | undefined;
}

/** Settings of {@linkcode Commands}. */
export interface CommandsOptions {
  /** A name that no other life of any node has. */
  readonly session: string;
  /** How long a request may wait for others to share a message with. */
  readonly maxLatencyMs: number;
  /** How long a request may wait for a leader that answers, before it is refused. */
  readonly holdMs: number;
}

/** How many requests may be pending; more are refused. */
const MAX_PENDING = 16384;
/** When a request whose fate is unknown is given up: no client waits any longer. */
const GIVE_UP_MS = 4500;

/** The requests of this node's clients that change something. */
export class Commands implements CommandSource {
  /** Whether new requests may go out: a request that stays here can still be refused. */
  isOpen = false;
  /** The time of this turn. */
  nowMs = 0;

  readonly #options: CommandsOptions;
  readonly #pending = new Map<number, Pending>();
  #fresh: Pending[] = [];
  #again: Pending[] = [];
  #nextNumber = 0;
  #lowest = 0;
  #checkAtMs = Infinity;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** How many requests have no outcome yet. */
  get size(): number {
    return this.#pending.size;
  }

  /** Takes a request; `settle` is told what it came to. */
  add(operation: Json, nowMs: number, settle: (outcome: Outcome) => void): void {
    if (this.#pending.size >= MAX_PENDING) {
      return settle(unavailable(`${MAX_PENDING} requests wait already`));
    }
    const number = this.#nextNumber++;
    const pending: Pending = { number, operation, arrivedMs: nowMs, settle, sentMs: undefined };
    this.#pending.set(number, pending);
    this.#fresh.push(pending);
  }

  get dueMs(): number {
    if (this.#again.length > 0) return this.nowMs;
    const [first] = this.#fresh;
    if (first === undefined || !this.isOpen) return Infinity;
    return first.arrivedMs + this.#options.maxLatencyMs;
  }

  take(maxCount: number, maxChars: number): Json[] {
    const taken: Json[] = [];
    const room = { count: maxCount, chars: maxChars };
    this.#again = this.#take(this.#again, room, taken);
    if (this.isOpen) this.#fresh = this.#take(this.#fresh, room, taken);
    return taken;
  }

  /** Takes the request that was just executed, if it is one of ours and has no outcome yet. */
  executed([session, number]: Request): ((outcome: Outcome) => void) | undefined {
    if (session !== this.#options.session) return undefined;
    const pending = this.#pending.get(number);
    if (pending === undefined) return undefined;
    this.#pending.delete(number);
    return pending.settle;
  }

  /** Hands out once more, to a new leader, what may have been lost with the old one. */
  repeat(): void {
    this.#repeatSentBefore(Infinity);
  }

  /**
   * Ends what has waited for too long, and repeats what should have been answered.
   *
   * @param isLost whether there is no leader, nor soon will be
   * @param retryMs how long to wait before repeating
   */
  attend(nowMs: number, isLost: boolean, retryMs: number): void {
    const holdMs = isLost ? -Infinity : this.#options.holdMs;
    this.#refuse(nowMs - holdMs);
    if (this.#checkAtMs === Infinity && this.#pending.size > 0) this.#checkAtMs = nowMs + retryMs;
    if (nowMs < this.#checkAtMs) return;
    this.#checkAtMs = Infinity;
    this.#giveUp(nowMs - GIVE_UP_MS);
    this.#repeatSentBefore(nowMs - retryMs);
    if (this.#pending.size > 0) this.#checkAtMs = nowMs + retryMs / 2;
  }

  /** When {@linkcode Commands.attend} has something to do at the latest. */
  get wakeAtMs(): number {
    const [first] = this.#fresh;
    const holdEndMs = first === undefined ? Infinity : first.arrivedMs + this.#options.holdMs;
    return Math.min(this.#checkAtMs, holdEndMs);
  }

  #take(from: Pending[], room: { count: number; chars: number }, taken: Json[]): Pending[] {
    let at = 0;
    for (const pending of from) {
      if (room.count <= 0 || room.chars <= 0) break;
      at++;
      if (this.#pending.get(pending.number) !== pending) continue;
      room.count--;
      room.chars -= roughSize(pending.operation);
      pending.sentMs = this.nowMs;
      taken.push(this.#request(pending));
    }
    return at === from.length ? [] : from.slice(at);
  }

  #request({ number, operation }: Pending): Request {
    while (this.#lowest < this.#nextNumber && !this.#pending.has(this.#lowest)) this.#lowest++;
    return [this.#options.session, number, this.#lowest, operation];
  }

  /** Refuses what came up to a moment and was never handed out: it certainly did not happen. */
  #refuse(beforeMs: number): void {
    let at = 0;
    for (const { arrivedMs, number, settle } of this.#fresh) {
      if (arrivedMs > beforeMs) break;
      at++;
      this.#pending.delete(number);
      settle(unavailable("No leader is known"));
    }
    if (at > 0) this.#fresh = this.#fresh.slice(at);
  }

  #giveUp(beforeMs: number): void {
    for (const { number, arrivedMs, settle } of this.#pending.values()) {
      if (arrivedMs > beforeMs) break;
      this.#pending.delete(number);
      settle(new RpcError(ErrorCode.timeout, "Nobody knows whether this happened, or will"));
    }
  }

  #repeatSentBefore(beforeMs: number): void {
    this.#again = [...this.#pending.values()].filter(({ sentMs }) =>
      sentMs !== undefined && sentMs <= beforeMs
    );
  }
}

/** The error for what certainly did not happen and may be tried again. */
export function unavailable(text: string): RpcError {
  return new RpcError(ErrorCode.temporarilyUnavailable, text);
}
