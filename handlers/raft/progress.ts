/**
 * What a leader knows of one follower, and what it owes it.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Link } from "./link.ts";
import type { Ticket } from "./message.ts";

/** A snapshot on its way to a follower. */
export interface Departing {
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly items: readonly Json[];
  /** How many of them have arrived. */
  offset: number;
}

/** How often a resend may be put off by doubling. */
const MAX_DOUBLINGS = 4;

/** One follower, as its leader sees it. */
export class Progress {
  readonly peer: string;
  readonly link: Link;
  /** Up to here its log is known to be the leader's. */
  match = 0;
  /** The next entry to send it. */
  next: number;
  /** Whether it is not known where its log ends: one append at a time then. */
  probing = false;
  /** When it was last heard as a follower of this leader. */
  heardMs: number;
  /** The newest leadership round that it has confirmed. */
  round = 0;
  /** The commit index that it was last told. */
  sentCommit = 0;
  /** Its own clients wait for this entry. */
  wants = 0;
  /** Whether it is to be sent something now, and to acknowledge that at once. */
  enlisted = true;
  /** Up to where, and for which round, it was asked to acknowledge at once. */
  askedIndex = 0;
  askedRound = 0;
  /** Whether an append had to leave out entries. */
  more = false;
  grant: readonly [ticket: Ticket, index: number] | undefined;
  departing: Departing | undefined;
  #resends = 0;
  #resendAtMs = Infinity;

  constructor(peer: string, link: Link, next: number, nowMs: number) {
    this.peer = peer;
    this.link = link;
    this.next = next;
    this.heardMs = nowMs;
  }

  /** Notes that an answer came. */
  answered(nowMs: number): void {
    this.heardMs = nowMs;
    this.#resends = 0;
  }

  /** Notes that something was sent that asks for an answer. */
  asked(nowMs: number): void {
    const doublings = Math.min(this.#resends, MAX_DOUBLINGS);
    this.#resendAtMs = nowMs + this.link.patienceMs * 2 ** doublings;
  }

  /** When to send again what was not answered. */
  get resendAtMs(): number {
    return this.link.awaitingSinceMs === undefined ? Infinity : this.#resendAtMs;
  }

  /** Goes back to what is known to have arrived; entries are repeated once, then only asked for. */
  rewind(): void {
    this.#resends++;
    this.next = this.match + 1;
    this.probing = true;
  }

  /** Whether entries may be lost on it: it did not answer when it was sent some again. */
  get silent(): boolean {
    return this.#resends > 1;
  }

  /** Whether it has acknowledged an index and a round, or was asked to and may yet in time. */
  isOnTheWay(index: number, round: number, nowMs: number): boolean {
    if (this.match >= index && this.round >= round) return true;
    if (this.enlisted) return true;
    return this.askedIndex >= index && this.askedRound >= round && !this.link.overdue(nowMs);
  }

  /** Whether it may be asked now: it neither fails to answer nor is waited for already. */
  isFree(nowMs: number): boolean {
    if (this.probing && this.link.awaitingSinceMs !== undefined) return false;
    return !this.link.overdue(nowMs);
  }
}
