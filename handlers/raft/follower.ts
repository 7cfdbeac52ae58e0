/**
 * Following: keeping the leader's log, and passing on what this node's clients want.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Context, Role } from "./context.ts";
import type { Acknowledge, AppendEntries, Entry, InstallSnapshot } from "./message.ts";
import { lastOfTerm } from "./storage.ts";

/** The part of a snapshot that has come. */
interface Arriving {
  readonly lastIndex: number;
  readonly items: Json[];
}

/** A node that follows, whether or not it knows whom. */
export class Follower implements Role {
  readonly name = "follower";
  /** When this node stands for election, unless it hears from a leader (paper 5.2). */
  electionDueMs: number;

  readonly #context: Context;
  /** Up to here the log is the leader's; a leader has all that is committed (paper 5.4). */
  #verified: number;
  #round = 0;
  #ackDueMs = Infinity;
  #reject: Acknowledge["reject"];
  #arriving: Arriving | undefined;
  #installed: Acknowledge["installed"];
  /** The newest read that the leader was asked about, and when to ask again. */
  #asked = 0;
  #askAgainMs = Infinity;
  #hasGivenWay = false;

  constructor(context: Context, electionDueMs: number) {
    this.#context = context;
    this.#verified = context.commit;
    this.electionDueMs = electionDueMs;
  }

  /** Takes what the leader of this term sends (paper 5.3). */
  append(message: AppendEntries): void {
    const context = this.#context;
    this.#hear(message.heartbeatMs);
    this.#round = Math.max(this.#round, message.round);
    if (message.granted !== undefined) {
      const [[life, ticket], index] = message.granted;
      if (life === context.life) context.grant(ticket, index);
    }
    const { prevIndex, prevTerm } = message;
    const covered = context.storage.baseIndex - prevIndex;
    if (covered > 0) {
      // A snapshot covers the beginning, which is committed and thus the same here and there.
      const rest = message.entries.slice(covered);
      if (rest.length > 0) this.#accept(context.storage.baseIndex, rest, message.commit);
    } else if (context.rules.fits(context.storage, prevIndex, prevTerm)) {
      this.#accept(prevIndex, message.entries, message.commit);
    } else {
      const hint = lastOfTerm(context.storage, prevIndex, prevTerm);
      this.#reject = [prevIndex, hint, context.storage.termAt(hint) ?? 0];
      this.#ackDueMs = context.nowMs;
    }
    const delayMs = message.prompt ? 0 : context.heartbeatMs;
    this.#ackDueMs = Math.min(this.#ackDueMs, context.nowMs + delayMs);
  }

  /** Takes a piece of a snapshot (paper 7). */
  install(message: InstallSnapshot): void {
    const context = this.#context;
    const { lastIndex, lastTerm, offset, items, done } = message;
    this.#hear(message.heartbeatMs);
    this.#ackDueMs = context.nowMs;
    if (!context.rules.isNews(lastIndex, context.commit)) return;
    if (this.#arriving?.lastIndex !== lastIndex) this.#arriving = { lastIndex, items: [] };
    const arriving = this.#arriving;
    const fits = offset === arriving.items.length;
    if (fits) { for (const item of items) arriving.items.push(item); }
    this.#installed = [lastIndex, arriving.items.length];
    if (!fits || !done) return;
    const { storage, rules } = context;
    if (rules.keepsSuffix(storage, lastIndex, lastTerm)) storage.compact(lastIndex);
    else storage.reset(lastIndex, lastTerm);
    context.commit = lastIndex;
    context.applied = lastIndex;
    context.restore = { index: lastIndex, items: arriving.items };
    this.#arriving = undefined;
    this.#installed = undefined;
    this.#verified = Math.max(this.#verified, lastIndex);
  }

  /**
   * Lets another stand first. One who only asks whether to stand is let first once: who hears
   * no answers asks for ever.
   */
  giveWay(isVote: boolean): void {
    if (!isVote && this.#hasGivenWay) return;
    this.#hasGivenWay = !isVote;
    this.electionDueMs = this.#context.drawElection();
  }

  /** The leader leads no more. */
  abandon(electionDueMs: number): void {
    this.#context.leader = undefined;
    this.#context.leaderlessSinceMs = this.#context.nowMs;
    this.electionDueMs = Math.min(this.electionDueMs, electionDueMs);
  }

  healthy(): boolean {
    const { leader, nowMs } = this.#context;
    return leader !== undefined && !this.#context.link(leader).overdue(nowMs);
  }

  flush(): void {
    const context = this.#context;
    const { leader, nowMs, commands, timing } = context;
    if (leader === undefined || this.#wordDueMs(leader) > nowMs) return;
    const taken = commands.take(timing.maxEntries, timing.maxChars);
    const reads = context.openTicket;
    const prompt = taken.length > 0 || reads !== undefined;
    context.send(leader, {
      type: "acknowledge",
      term: context.storage.term,
      match: this.#verified,
      round: this.#round,
      reject: this.#reject,
      commands: taken.length > 0 ? taken : undefined,
      reads,
      installed: this.#installed,
    }, prompt);
    this.#reject = undefined;
    this.#installed = undefined;
    this.#ackDueMs = Infinity;
    this.#asked = context.readsWanted;
    this.#askAgainMs = nowMs + context.link(leader).patienceMs;
  }

  wakeAtMs(): number {
    const { leader } = this.#context;
    if (leader === undefined) return this.electionDueMs;
    return Math.min(this.electionDueMs, this.#wordDueMs(leader));
  }

  /** When the leader is to hear from this node. */
  #wordDueMs(leader: string): number {
    const { commands, readsWanted, readsGranted, readsDueMs } = this.#context;
    let readsMs = Infinity;
    if (readsWanted > readsGranted) {
      readsMs = readsWanted > this.#asked ? readsDueMs : this.#askAgainMs;
    }
    return this.#context.spaced(leader, Math.min(this.#ackDueMs, readsMs, commands.dueMs));
  }

  #hear(heartbeatMs: number): void {
    this.#context.heartbeatMs = heartbeatMs;
    this.#context.leaderHeardMs = this.#context.nowMs;
    this.#hasGivenWay = false;
    this.electionDueMs = this.#context.drawElection();
  }

  /** Adds entries that follow `prevIndex`, where the logs agree. */
  #accept(prevIndex: number, entries: readonly Entry[], leaderCommit: number): void {
    const { storage, rules, quorum, commit } = this.#context;
    const position = rules.firstNew(storage, prevIndex, entries);
    if (position < entries.length) {
      const index = prevIndex + 1 + position;
      if (index <= commit) throw new Error(`Cannot drop entry ${index}: it is committed`);
      if (index <= storage.lastIndex) storage.truncate(index);
      storage.append(position === 0 ? entries : entries.slice(position));
    }
    const verified = Math.max(this.#verified, prevIndex + entries.length);
    this.#verified = verified;
    const { term } = storage;
    const accepted = { term, quorum, commit, leaderCommit, verified };
    this.#context.commit = rules.followerCommit(storage, accepted);
  }
}
