/**
 * Reads without a log entry: a leader asks whether it still leads, once for all that wait.
 *
 * @module
 */

import type { Progress } from "./progress.ts";
import type { Ticket } from "./message.ts";
import type { Rules } from "./rules.ts";

/** A read, or all that a follower has waiting. */
interface PendingRead {
  /** The follower whose clients read; undefined for the leader's own. */
  readonly peer: string | undefined;
  readonly ticket: Ticket;
  /** What must be applied before it is answered. */
  readonly index: number;
  /** A majority must confirm this round, or a later one. */
  readonly round: number;
}

/** A read that may go ahead. */
export type ConfirmedRead = Omit<PendingRead, "round">;

/** How many rounds' times are remembered. */
const MAX_ROUNDS = 1024;

/** The rounds in which a leader asks its followers whether they still follow (dissertation 6.4). */
export class ReadRounds {
  /** The newest round; it travels with every append. */
  round = 0;
  #isUnderWay = true;
  readonly #begunAtMs = new Map<number, number>();
  #pending: PendingRead[] = [];

  /** Adds a read; it shares the newest round if no message has carried that yet. */
  add(peer: string | undefined, ticket: Ticket, index: number): void {
    const repeated = this.#pending.findIndex((read) =>
      read.peer === peer && read.ticket[0] === ticket[0] && read.ticket[1] === ticket[1]
    );
    if (repeated !== -1) return;
    if (this.#isUnderWay) {
      this.round++;
      this.#isUnderWay = false;
    }
    this.#pending.push({ peer, ticket, index, round: this.round });
  }

  /** Notes that a message has carried the newest round: what comes from now on needs another. */
  sent(): void {
    this.#isUnderWay = true;
  }

  /** Starts a round of its own for what is sent now, so that a lease can be counted from it. */
  begin(nowMs: number): void {
    if (this.#isUnderWay) this.round++;
    this.#isUnderWay = false;
    this.#begunAtMs.set(this.round, nowMs);
    this.#begunAtMs.delete(this.round - MAX_ROUNDS);
  }

  /** When a round was sent first, at the earliest; long ago for one that is not remembered. */
  begunAtMs(round: number): number {
    return this.#begunAtMs.get(round) ?? -Infinity;
  }

  /** The round that must be confirmed; 0 if no read waits. */
  get wanted(): number {
    return this.#pending.at(-1)?.round ?? 0;
  }

  /**
   * Takes the reads that a majority has confirmed.
   *
   * A follower that passes on a read says with the same message, sent after the read came, that it
   * still follows: for that read it need not be asked.
   */
  takeConfirmed(
    followers: Iterable<Progress>,
    rules: Rules,
    quorum: number,
    hasLease: boolean,
  ): ConfirmedRead[] {
    if (this.#pending.length === 0) return [];
    const all = [...followers];
    const confirmed: ConfirmedRead[] = [];
    this.#pending = this.#pending.filter((read) => {
      const count = 1 +
        all.filter(({ peer, round }) => peer === read.peer || round >= read.round).length;
      if (!hasLease && !rules.isConfirmed(count, quorum)) return true;
      confirmed.push(read);
      return false;
    });
    return confirmed;
  }
}
