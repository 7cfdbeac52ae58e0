/**
 * The reads of this node's clients, from arrival to answer.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { unavailable } from "./commands.ts";
import type { Grant } from "./context.ts";
import type { Outcome } from "./machine.ts";

/** A read that has no answer yet. */
interface PendingRead {
  ticket: number;
  readonly operation: Json;
  readonly arrivedMs: number;
  readonly settle: (outcome: Outcome) => void;
}

/** How many reads may be pending; more are refused. */
const MAX_PENDING = 16384;

/** The reads of this node's clients; they may always be refused, for nothing came of them. */
export class Reads {
  readonly #holdMs: number;
  #pending: PendingRead[] = [];
  #grants: Grant[] = [];

  /** @param holdMs how long a read may wait, before it is refused */
  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** Takes a read, with the ticket under which it will be granted. */
  add(
    ticket: number,
    operation: Json,
    nowMs: number,
    settle: (outcome: Outcome) => void,
  ): void {
    if (this.#pending.length >= MAX_PENDING) {
      return settle(unavailable(`${MAX_PENDING} reads wait already`));
    }
    this.#pending.push({ ticket, operation, arrivedMs: nowMs, settle });
  }

  /** Notes that reads may go ahead. */
  granted(grants: readonly Grant[]): void {
    for (const grant of grants) this.#grants.push(grant);
  }

  /** Answers what was granted and whose index is applied. */
  serve(applied: number, query: (operation: Json) => Outcome): void {
    let ticket = -1;
    let served = 0;
    for (const grant of this.#grants) {
      if (grant.index > applied) break;
      ticket = grant.ticket;
      served++;
    }
    if (served === 0) return;
    this.#grants = this.#grants.slice(served);
    let answered = 0;
    for (const read of this.#pending) {
      if (read.ticket > ticket) break;
      answered++;
      read.settle(query(read.operation));
    }
    this.#pending = this.#pending.slice(answered);
  }

  /** Gives a new ticket to what was granted by a leader whose log may never come. */
  renew(take: () => number): void {
    const last = this.#grants.at(-1);
    if (last === undefined) return;
    this.#grants = [];
    if (this.#pending.length === 0) return;
    const ticket = take();
    for (const read of this.#pending) read.ticket = ticket;
  }

  /** Refuses what has waited for too long, or everything where no leader is to be had. */
  attend(nowMs: number, isLost: boolean): void {
    const beforeMs = nowMs - (isLost ? -Infinity : this.#holdMs);
    let refused = 0;
    for (const { arrivedMs, settle } of this.#pending) {
      if (arrivedMs > beforeMs) break;
      refused++;
      settle(unavailable("No leader is known"));
    }
    if (refused > 0) this.#pending = this.#pending.slice(refused);
  }

  /** When {@linkcode Reads.attend} has something to do at the latest. */
  get wakeAtMs(): number {
    const [first] = this.#pending;
    return first === undefined ? Infinity : first.arrivedMs + this.#holdMs;
  }
}
