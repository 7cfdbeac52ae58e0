/**
 * Leading: one log for all, in as few messages as that takes.
 *
 * An entry goes at once to the follower whose client waits for it, and to as many others as a
 * majority needs; everybody else gets it with the next heartbeat.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Context, Role } from "./context.ts";
import { type Acknowledge, countFitting, type Entry } from "./message.ts";
import { Progress } from "./progress.ts";
import { ReadRounds } from "./read_rounds.ts";
import { lastOfTerm } from "./storage.ts";

/** After this long without a command or a read, heartbeats slow down. */
const IDLE_AFTER_MS = 2000;
/** However long the links are, a busy leader is heard this often. */
const MAX_HEARTBEAT_MS = 400;
/** How many times slower they are then. */
const IDLE_SLOWDOWN = 2;
/** The part of the time for which followers refuse to vote that a lease lasts. */
const LEASE_PART = 0.9;

/** A node that leads. */
export class Leader implements Role {
  readonly name = "leader";
  readonly #context: Context;
  readonly #followers: Map<string, Progress>;
  readonly #reads = new ReadRounds();
  /** The first entry of this leader's term, which commits those before (paper 5.4.2, 8). */
  readonly #termStart: number;
  /** Up to here this node must soon know what is committed, because clients wait. */
  #needs: number;
  #readsAsked: number;
  #activeMs: number;

  constructor(context: Context) {
    this.#context = context;
    const { storage, nowMs } = context;
    const next = storage.lastIndex + 1;
    this.#followers = new Map(
      context.peers.map((peer) => [peer, new Progress(peer, context.link(peer), next, nowMs)]),
    );
    storage.append([[storage.term, null]]);
    this.#termStart = next;
    this.#needs = next;
    this.#readsAsked = context.readsGranted;
    this.#activeMs = nowMs;
    context.heartbeatMs = this.#heartbeatMs();
  }

  /** Takes a follower's word. */
  step(from: string, message: Acknowledge): void {
    const follower = this.#followers.get(from);
    if (follower === undefined) return;
    follower.answered(this.#context.nowMs);
    follower.round = Math.max(follower.round, message.round);
    follower.probing &&= message.reject !== undefined;
    this.#match(follower, message.match);
    if (message.reject !== undefined) this.#back(follower, message.reject);
    if (message.installed !== undefined) this.#installed(follower, message.installed);
    if (message.commands !== undefined) {
      this.#append(message.commands);
      follower.wants = this.#context.storage.lastIndex;
      if (this.#context.quorum > 2) this.#need(follower.wants);
    }
    if (message.reads !== undefined) {
      const index = this.#readIndex();
      this.#reads.add(from, message.reads, index);
      if (this.#context.quorum > 2) this.#need(index);
    }
  }

  /** Whether a majority has not been heard for so long that another may lead (dissertation 6.2). */
  get isCutOff(): boolean {
    const { nowMs, electionMs, quorum } = this.#context;
    let heard = 1;
    for (const { heardMs } of this.#followers.values()) {
      if (nowMs - heardMs <= electionMs) heard++;
    }
    return heard < quorum;
  }

  healthy(): boolean {
    const { nowMs, quorum } = this.#context;
    let inTime = 1;
    for (const { link } of this.#followers.values()) if (!link.overdue(nowMs)) inTime++;
    return inTime >= quorum;
  }

  flush(): void {
    this.#settle();
    if (this.#isDue()) {
      this.#takeOwn();
      this.#settle();
    }
    const { nowMs, leaseReads } = this.#context;
    if (leaseReads) this.#reads.begin(nowMs);
    for (const follower of this.#followers.values()) {
      if (this.#dueMs(follower) <= nowMs) this.#send(follower);
    }
  }

  wakeAtMs(): number {
    let wakeMs = this.#ownDueMs();
    for (const follower of this.#followers.values()) {
      wakeMs = Math.min(wakeMs, this.#dueMs(follower));
    }
    return wakeMs;
  }

  /** Draws the conclusions from what came: what is committed, who may read, who is to be asked. */
  #settle(): void {
    this.#commit();
    this.#confirmReads();
    this.#recruit();
  }

  /** Whether something is to be sent, or this node's own clients want something. */
  #isDue(): boolean {
    const { nowMs } = this.#context;
    if (this.#ownDueMs() <= nowMs) return true;
    for (const follower of this.#followers.values()) {
      if (this.#dueMs(follower) <= nowMs) return true;
    }
    return false;
  }

  #ownDueMs(): number {
    const { commands, readsWanted, readsDueMs } = this.#context;
    return Math.min(commands.dueMs, readsWanted > this.#readsAsked ? readsDueMs : Infinity);
  }

  /** Takes the commands and reads of this node's clients. */
  #takeOwn(): void {
    const { commands, timing, storage, openTicket, readsWanted } = this.#context;
    const taken = commands.take(timing.maxEntries, timing.maxChars);
    if (taken.length > 0) {
      this.#append(taken);
      this.#need(storage.lastIndex);
    }
    if (openTicket === undefined || readsWanted === this.#readsAsked) return;
    this.#readsAsked = readsWanted;
    const index = this.#readIndex();
    this.#reads.add(undefined, openTicket, index);
    this.#need(index);
  }

  #append(commands: readonly Json[]): void {
    const { storage } = this.#context;
    const { term } = storage;
    this.#activeMs = this.#context.nowMs;
    storage.append(commands.map((command): Entry => [term, command]));
  }

  #need(index: number): void {
    this.#needs = Math.max(this.#needs, index);
  }

  #readIndex(): number {
    const { quorum, commit, storage, rules, nowMs } = this.#context;
    this.#activeMs = nowMs;
    const termStart = this.#termStart;
    return rules.readIndex({ quorum, commit, lastIndex: storage.lastIndex, termStart });
  }

  #match(follower: Progress, match: number): void {
    follower.match = Math.max(follower.match, match);
    follower.next = Math.max(follower.next, match + 1);
    if (match >= (follower.departing?.lastIndex ?? Infinity)) follower.departing = undefined;
  }

  /**
   * Tries further back, past all that cannot agree (paper 5.3, end): even before what the follower
   * has acknowledged, should it have lost its memory. What counts for a commit stays as it is.
   */
  #back(
    follower: Progress,
    [prevIndex, hintIndex, hintTerm]: readonly [number, number, number],
  ): void {
    if (follower.probing && prevIndex !== follower.next - 1) return;
    const hint = Math.min(hintIndex, prevIndex - 1);
    follower.next = lastOfTerm(this.#context.storage, hint, hintTerm) + 1;
    follower.probing = true;
    follower.enlisted = true;
  }

  #installed(follower: Progress, [lastIndex, offset]: readonly [number, number]): void {
    if (follower.departing?.lastIndex !== lastIndex) return;
    follower.departing.offset = offset;
    follower.enlisted = true;
  }

  #commit(): void {
    const context = this.#context;
    const { storage, quorum, commit } = context;
    const matches = [storage.lastIndex];
    for (const { match } of this.#followers.values()) matches.push(match);
    const { term } = storage;
    context.commit = context.rules.leaderCommit(storage, { term, quorum, commit, matches });
  }

  #confirmReads(): void {
    const { rules, quorum } = this.#context;
    const followers = this.#followers.values();
    for (
      const { peer, ticket, index } of this.#reads.takeConfirmed(
        followers,
        rules,
        quorum,
        this.#hasLease(),
      )
    ) {
      const follower = peer === undefined ? undefined : this.#followers.get(peer);
      if (follower === undefined) this.#context.grant(ticket[1], index);
      else follower.grant = [ticket, index];
    }
  }

  #hasLease(): boolean {
    const { leaseReads, quorum, nowMs, timing } = this.#context;
    if (!leaseReads || this.#context.commit < this.#termStart) return false;
    const rounds = [...this.#followers.values()].map(({ round }) => round).sort((a, b) => b - a);
    const sinceMs = quorum === 1 ? nowMs : this.#reads.begunAtMs(rounds[quorum - 2] ?? 0);
    return nowMs - sinceMs < 2 * timing.heartbeatMs * LEASE_PART;
  }

  /** Sees to it that as many followers as a majority needs are asked for what clients wait for. */
  #recruit(): void {
    const { commit, nowMs, quorum } = this.#context;
    const index = this.#needs > commit ? this.#needs : 0;
    const round = this.#reads.wanted;
    if (index === 0 && round === 0) return;
    const idle: Progress[] = [];
    let missing = quorum - 1;
    for (const follower of this.#followers.values()) {
      if (follower.isOnTheWay(index, round, nowMs)) missing--;
      else if (follower.isFree(nowMs)) idle.push(follower);
    }
    if (missing <= 0) return;
    const urgency = (follower: Progress) => Math.min(nowMs, this.#dueMs(follower));
    idle.sort((a, b) => urgency(a) - urgency(b) || b.heardMs - a.heardMs);
    for (const follower of idle.slice(0, missing)) follower.enlisted = true;
  }

  /** When a follower is to be sent something. */
  #dueMs(follower: Progress): number {
    const { link, peer } = follower;
    const urgent = follower.enlisted || follower.grant !== undefined || this.#owes(follower);
    const regularMs = Math.min(link.sentMs + this.#context.heartbeatMs, follower.resendAtMs);
    return this.#context.spaced(peer, urgent ? link.sentMs : regularMs);
  }

  /** Whether a follower's clients wait for something that could be sent. */
  #owes(follower: Progress): boolean {
    const { commit, quorum, storage } = this.#context;
    const { wants, sentCommit, next } = follower;
    if (follower.more && next <= storage.lastIndex && this.#mayCarry(follower)) return true;
    if (quorum > 2) return commit > sentCommit && wants > sentCommit;
    return wants >= next && this.#mayCarry(follower);
  }

  #mayCarry({ probing, link, next, match, silent }: Progress): boolean {
    if (probing && link.awaitingSinceMs !== undefined) return false;
    return !silent && next - match <= this.#context.timing.maxLag;
  }

  #send(follower: Progress): void {
    const context = this.#context;
    const { storage, nowMs, commit } = context;
    const again = nowMs >= follower.resendAtMs;
    if (again) follower.rewind();
    context.heartbeatMs = this.#heartbeatMs();
    if (follower.next <= storage.baseIndex) return this.#sendSnapshot(follower);
    const carries = this.#mayCarry(follower) || (again && !follower.silent);
    const entries = carries ? this.#entriesFrom(follower.next) : [];
    const prevIndex = follower.next - 1;
    const last = prevIndex + entries.length;
    follower.more = carries && last < storage.lastIndex;
    const prompt = follower.enlisted || follower.probing || follower.more ||
      last - follower.match > context.timing.maxLag / 2;
    context.send(follower.peer, {
      type: "append_entries",
      term: storage.term,
      prevIndex,
      prevTerm: storage.termAt(prevIndex) ?? 0,
      entries,
      commit,
      round: this.#reads.round,
      prompt,
      heartbeatMs: context.heartbeatMs,
      granted: follower.grant,
    }, prompt);
    if (!follower.probing) follower.next = last + 1;
    this.#sent(follower, last, prompt);
  }

  #sent(follower: Progress, last: number, prompt: boolean): void {
    follower.grant = undefined;
    follower.sentCommit = this.#context.commit;
    follower.enlisted = false;
    this.#reads.sent();
    if (!prompt) return;
    follower.askedIndex = last;
    follower.askedRound = this.#reads.round;
    follower.asked(this.#context.nowMs);
  }

  #sendSnapshot(follower: Progress): void {
    const { storage, applied, snapshot, timing, heartbeatMs } = this.#context;
    follower.probing = true;
    follower.departing ??= {
      lastIndex: applied,
      lastTerm: storage.termAt(applied) ?? 0,
      items: snapshot(),
      offset: 0,
    };
    const { lastIndex, lastTerm, items, offset } = follower.departing;
    const count = countFitting(items, offset, timing.maxEntries, timing.maxChars);
    this.#context.send(follower.peer, {
      type: "install_snapshot",
      term: storage.term,
      lastIndex,
      lastTerm,
      offset,
      items: items.slice(offset, offset + count),
      done: offset + count === items.length,
      heartbeatMs,
    }, true);
    this.#sent(follower, 0, true);
  }

  #entriesFrom(from: number): Entry[] {
    const { storage, timing: { maxEntries, maxChars } } = this.#context;
    const entries = storage.slice(from, Math.min(storage.lastIndex, from + maxEntries - 1));
    const count = countFitting(entries, 0, maxEntries, maxChars);
    return count === entries.length ? entries : entries.slice(0, count);
  }

  /** Slower than the link, so that a heartbeat has an answer before the next; slower when idle. */
  #heartbeatMs(): number {
    const { links, quorum, timing, nowMs } = this.#context;
    const trips = [...links.values()].map(({ roundTripMs }) => roundTripMs).sort((a, b) => a - b);
    const isIdle = nowMs - this.#activeMs > IDLE_AFTER_MS;
    const tripMs = Math.min(trips[quorum - 2] ?? 0, MAX_HEARTBEAT_MS);
    return Math.max(timing.heartbeatMs, tripMs) * (isIdle ? IDLE_SLOWDOWN : 1);
  }
}
