/**
 * What a Raft leader does: it replicates its log, in few messages, and confirms reads.
 *
 * An entry goes at once to the follower whose client waits for it, and to as many others as a
 * majority needs; all others get it with the next heartbeat.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { lastOfTerm, type Log } from "./log.ts";
import { type Acknowledge, countFitting, type Entry, type Link, type Ticket } from "./message.ts";
import type { Raft } from "./raft.ts";

/** After this long without a command or a read, heartbeats slow down. */
const IDLE_AFTER_MS = 2000;
/** How many times slower they are then. */
const IDLE_SLOWDOWN = 2;
/** The longest time between heartbeats of a busy leader, however slow the links are. */
const MAX_HEARTBEAT_MS = 400;
/** After this long a leader steps down soon; before, since links may flap, it is patient. */
const SETTLED_AFTER_MS = 5000;
/** The part of the time for which followers refuse to vote that a lease lasts. */
const LEASE_PART = 0.9;

/** A node that leads. */
export class Leader {
  readonly name = "leader";
  readonly #raft: Raft;
  readonly #followers: Map<string, Progress>;
  readonly #reads = new ReadRounds();
  /** The first entry of this leader's term, which commits those before (paper 5.4.2, 8). */
  readonly #termStart: number;
  /** Up to here this node must soon know what is committed, because clients wait. */
  #needs: number;
  #readsAsked: number;
  #activeMs: number;
  readonly #beganMs: number;

  constructor(raft: Raft) {
    this.#raft = raft;
    const { storage, nowMs } = raft;
    this.#beganMs = nowMs;
    const next = storage.lastIndex + 1;
    this.#followers = new Map(
      raft.peers.map((peer) => [peer, new Progress(peer, raft.link(peer), next, nowMs)]),
    );
    storage.append([[storage.term, null]]);
    this.#termStart = next;
    this.#needs = next;
    this.#readsAsked = raft.readsGranted;
    this.#activeMs = nowMs;
    raft.heartbeatMs = this.#heartbeatMs();
  }

  /** Takes what a follower acknowledges, and what its clients want. */
  step(from: string, message: Acknowledge): void {
    const follower = this.#followers.get(from);
    if (follower === undefined) return;
    follower.acknowledged(message, this.#raft.storage, this.#raft.nowMs);
    if (message.commands !== undefined) {
      this.#append(message.commands);
      follower.wants = this.#raft.storage.lastIndex;
      if (this.#raft.quorum > 2) this.#need(follower.wants);
    }
    if (message.reads !== undefined) {
      const index = this.#readIndex();
      this.#reads.add(from, message.reads, index);
      if (this.#raft.quorum > 2) this.#need(index);
    }
  }

  /**
   * Whether no majority answers (dissertation 6.2): the others have not been heard for so long that
   * another may lead. A leader that has led for long does not wait for that, but until they were
   * asked twice and did not answer: where links flap, its successor would fare no better.
   */
  get isCutOff(): boolean {
    const { nowMs, electionMs, quorum } = this.#raft;
    const isSettled = nowMs - this.#beganMs > SETTLED_AFTER_MS;
    let heard = 1;
    for (const { heardMs, link } of this.#followers.values()) {
      const isSilent = nowMs - heardMs > electionMs || (isSettled && link.isSilentAt(nowMs));
      if (!isSilent) heard++;
    }
    return heard < quorum;
  }

  /** When a majority was last heard. */
  get heardMs(): number {
    const { nowMs, quorum } = this.#raft;
    const times = [...this.#followers.values()].map(({ heardMs }) => heardMs);
    return [nowMs, ...times.toSorted((a, b) => b - a)][quorum - 1] ?? nowMs;
  }

  isHealthy(): boolean {
    const { nowMs, quorum } = this.#raft;
    let inTime = 1;
    for (const { link } of this.#followers.values()) if (!link.overdue(nowMs)) inTime++;
    return inTime >= quorum;
  }

  flush(): void {
    this.#followUp();
    if (this.wakeAtMs() <= this.#raft.nowMs) {
      this.#takeOwn();
      this.#followUp();
    }
    const { nowMs, leaseReads } = this.#raft;
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

  /** Follows up what came: commits, confirms reads, and decides which followers to ask. */
  #followUp(): void {
    this.#commit();
    this.#confirmReads();
    this.#askMajority();
  }

  /** When this node's own clients want something. */
  #ownDueMs(): number {
    const { commands, readsWanted, readsDueMs } = this.#raft;
    return Math.min(commands.dueMs, readsWanted > this.#readsAsked ? readsDueMs : Infinity);
  }

  /** Takes the commands and reads of this node's clients. */
  #takeOwn(): void {
    const { commands, timing, storage, openTicket, readsWanted } = this.#raft;
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
    const { storage } = this.#raft;
    const { term } = storage;
    this.#activeMs = this.#raft.nowMs;
    storage.append(commands.map((command): Entry => [term, command]));
  }

  #need(index: number): void {
    this.#needs = Math.max(this.#needs, index);
  }

  #readIndex(): number {
    this.#activeMs = this.#raft.nowMs;
    return this.#raft.readIndex(this.#termStart);
  }

  #commit(): void {
    const matches = [this.#raft.storage.lastIndex];
    for (const { match } of this.#followers.values()) matches.push(match);
    this.#raft.commit = this.#raft.leaderCommit(matches);
  }

  #confirmReads(): void {
    const hasLease = this.#hasLease();
    const isConfirmed = (read: WaitingRead) =>
      hasLease || this.#raft.isConfirmedBy(this.#countFor(read));
    for (const { peer, ticket, index } of this.#reads.take(isConfirmed)) {
      const follower = peer === undefined ? undefined : this.#followers.get(peer);
      if (follower === undefined) this.#raft.grant(ticket[1], index);
      else follower.grant = [ticket, index];
    }
  }

  /**
   * How many nodes, this one included, have said after a read came that they follow. A follower
   * that passes on a read says so with the same message: for that read it need not be asked.
   */
  #countFor({ peer, round }: WaitingRead): number {
    let count = 1;
    for (const follower of this.#followers.values()) {
      if (follower.peer === peer || follower.round >= round) count++;
    }
    return count;
  }

  #hasLease(): boolean {
    const { leaseReads, quorum, nowMs, timing } = this.#raft;
    if (!leaseReads || this.#raft.commit < this.#termStart) return false;
    const rounds = [...this.#followers.values()].map(({ round }) => round).sort((a, b) => b - a);
    const sinceMs = quorum === 1 ? nowMs : this.#reads.begunAtMs(rounds[quorum - 2] ?? 0);
    return nowMs - sinceMs < 2 * timing.heartbeatMs * LEASE_PART;
  }

  /** Asks as many followers as a majority needs for what clients wait for. */
  #askMajority(): void {
    const { commit, nowMs, quorum } = this.#raft;
    const index = this.#needs > commit ? this.#needs : 0;
    const round = this.#reads.wanted;
    if (index === 0 && round === 0) return;
    const free: Progress[] = [];
    let missing = quorum - 1;
    for (const follower of this.#followers.values()) {
      if (follower.isOnTheWay(index, round, nowMs)) missing--;
      else if (follower.isFree(nowMs)) free.push(follower);
    }
    if (missing <= 0) return;
    const dueMs = (follower: Progress) => Math.min(nowMs, this.#dueMs(follower));
    free.sort((a, b) => dueMs(a) - dueMs(b) || b.heardMs - a.heardMs);
    for (const follower of free.slice(0, missing)) follower.askNow = true;
  }

  /** When a follower is to be sent something. */
  #dueMs(follower: Progress): number {
    const { link, peer } = follower;
    const isUrgent = follower.askNow || follower.grant !== undefined || this.#isAwaited(follower);
    const regularMs = Math.min(link.sentMs + this.#raft.heartbeatMs, this.#raft.repeatAtMs(peer));
    return this.#raft.spaced(peer, isUrgent ? link.sentMs : regularMs);
  }

  /** Whether a follower waits for something that could be sent. */
  #isAwaited(follower: Progress): boolean {
    const { commit, quorum, storage, timing } = this.#raft;
    const { wants, sentCommit, next } = follower;
    const mayCarry = follower.mayCarry(timing.maxLag);
    if (follower.hasMore && next <= storage.lastIndex && mayCarry) return true;
    if (quorum > 2) return commit > sentCommit && wants > sentCommit;
    return wants >= next && mayCarry;
  }

  #send(follower: Progress): void {
    const raft = this.#raft;
    const isRepeat = raft.nowMs >= raft.repeatAtMs(follower.peer);
    if (isRepeat) follower.rewind();
    raft.heartbeatMs = this.#heartbeatMs();
    const { snapshot } = follower;
    if (snapshot !== undefined) this.#sendSnapshot(follower, snapshot);
    else if (follower.next > raft.storage.baseIndex) this.#sendEntries(follower, isRepeat);
    else this.#sendSnapshot(follower, this.#takeSnapshot(follower));
  }

  #sendEntries(follower: Progress, isRepeat: boolean): void {
    const raft = this.#raft;
    const { storage, commit, heartbeatMs, timing } = raft;
    const carries = follower.mayCarry(timing.maxLag) || (isRepeat && follower.link.repeats === 0);
    const entries = carries ? this.#entriesFrom(follower.next) : [];
    const prevIndex = follower.next - 1;
    const last = prevIndex + entries.length;
    follower.hasMore = carries && last < storage.lastIndex;
    const prompt = follower.askNow || follower.state === "probe" || follower.hasMore ||
      last - follower.match > timing.maxLag / 2;
    raft.send(follower.peer, {
      type: "append_entries",
      term: storage.term,
      prevIndex,
      prevTerm: storage.termAt(prevIndex) ?? 0,
      entries,
      commit,
      round: this.#reads.round,
      prompt,
      heartbeatMs,
      granted: follower.grant,
    }, prompt ? 0 : heartbeatMs);
    if (follower.state === "replicate") follower.next = last + 1;
    this.#sent(follower, last, prompt);
  }

  /** Makes a snapshot for a follower that needs entries which this node no longer holds. */
  #takeSnapshot(follower: Progress): SentSnapshot {
    const { storage, applied, snapshot } = this.#raft;
    return follower.becomeSnapshot({
      lastIndex: applied,
      lastTerm: storage.termAt(applied) ?? 0,
      items: snapshot(),
      offset: 0,
    });
  }

  #sendSnapshot(follower: Progress, { lastIndex, lastTerm, items, offset }: SentSnapshot): void {
    const { term, timing, heartbeatMs } = this.#raft;
    const count = countFitting(items, offset, timing.maxEntries, timing.maxChars);
    this.#raft.send(follower.peer, {
      type: "install_snapshot",
      term,
      lastIndex,
      lastTerm,
      offset,
      items: items.slice(offset, offset + count),
      done: offset + count === items.length,
      heartbeatMs,
    }, 0);
    this.#sent(follower, 0, true);
  }

  #sent(follower: Progress, last: number, prompt: boolean): void {
    follower.grant = undefined;
    follower.sentCommit = this.#raft.commit;
    follower.askNow = false;
    this.#reads.sent();
    if (prompt) follower.asked(last, this.#reads.round);
  }

  #entriesFrom(from: number): Entry[] {
    const { storage, timing: { maxEntries, maxChars } } = this.#raft;
    const entries = storage.slice(from, Math.min(storage.lastIndex, from + maxEntries - 1));
    const count = countFitting(entries, 0, maxEntries, maxChars);
    return count === entries.length ? entries : entries.slice(0, count);
  }

  /** Slower than the link, so that a heartbeat has an answer before the next; slower when idle. */
  #heartbeatMs(): number {
    const { links, quorum, timing, nowMs } = this.#raft;
    const trips = [...links.values()].map(({ roundTripMs }) => roundTripMs).sort((a, b) => a - b);
    const isIdle = nowMs - this.#activeMs > IDLE_AFTER_MS;
    const tripMs = Math.min(trips[quorum - 2] ?? 0, MAX_HEARTBEAT_MS);
    return Math.max(timing.heartbeatMs, tripMs) * (isIdle ? IDLE_SLOWDOWN : 1);
  }
}

/** A snapshot on its way to a follower. */
interface SentSnapshot {
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly items: readonly Json[];
  /** How many of them have arrived. */
  offset: number;
}

/** How far a follower is, as its leader knows it. */
class Progress {
  readonly peer: string;
  readonly link: Link;
  /** Up to here its log is known to be the leader's. */
  match = 0;
  /** The next entry to send it. */
  next: number;
  /** When it was last heard as a follower of this leader. */
  heardMs: number;
  /** The newest leadership round that it has confirmed. */
  round = 0;
  /** The commit index that was last sent to it. */
  sentCommit = 0;
  /** Its own clients wait for this entry. */
  wants = 0;
  /** Whether to send it something now, which it is to acknowledge at once. */
  askNow = true;
  /** Whether an append had to leave out entries. */
  hasMore = false;
  grant: readonly [ticket: Ticket, index: number] | undefined;
  #state: "probe" | "replicate" | "snapshot" = "replicate";
  #snapshot: SentSnapshot | undefined;
  /** Up to where, and for which round, it was asked to acknowledge at once. */
  #askedIndex = 0;
  #askedRound = 0;
  /** Where to begin while nothing is known to agree. */
  #start: number;

  constructor(peer: string, link: Link, next: number, nowMs: number) {
    this.peer = peer;
    this.link = link;
    this.next = next;
    this.#start = next;
    this.heardMs = nowMs;
  }

  /**
   * What it is sent. In `probe` it is not known where its log ends: one append at a time. In
   * `replicate` it is: appends follow each other without waiting for answers. In `snapshot` the
   * leader no longer holds the entries that it needs: one piece of a snapshot at a time.
   */
  get state(): "probe" | "replicate" | "snapshot" {
    return this.#state;
  }

  /** The snapshot that is under way, in state `snapshot`. */
  get snapshot(): SentSnapshot | undefined {
    return this.#snapshot;
  }

  #becomeProbe(next: number): void {
    this.#state = "probe";
    this.next = next;
  }

  #becomeReplicate(): void {
    this.#state = "replicate";
    this.#snapshot = undefined;
  }

  becomeSnapshot(snapshot: SentSnapshot): SentSnapshot {
    this.#state = "snapshot";
    this.#snapshot = snapshot;
    return snapshot;
  }

  /** Takes what it says about its log. */
  acknowledged({ match, round, reject, installed }: Acknowledge, log: Log, nowMs: number): void {
    this.heardMs = nowMs;
    this.round = Math.max(this.round, round);
    this.match = Math.max(this.match, match);
    this.next = Math.max(this.next, match + 1);
    const snapshot = this.#snapshot;
    if (snapshot === undefined) {
      if (reject === undefined) this.#becomeReplicate();
      else this.#rejected(reject, log);
    } else if (match >= Math.min(snapshot.lastIndex, log.baseIndex)) {
      this.#becomeReplicate();
    } else if (installed !== undefined && installed[0] === snapshot.lastIndex) {
      snapshot.offset = installed[1];
      this.askNow = true;
    }
  }

  /**
   * Goes further back, past all that cannot agree (paper 5.3, end): even before what the follower
   * has acknowledged, should it have lost its memory. What counts for a commit stays as it is.
   */
  #rejected([prevIndex, hintIndex, hintTerm]: NonNullable<Acknowledge["reject"]>, log: Log): void {
    // An answer to an earlier append.
    if (this.#state === "probe" && prevIndex !== this.next - 1) return;
    this.#start = lastOfTerm(log, Math.min(hintIndex, prevIndex - 1), hintTerm) + 1;
    this.#becomeProbe(this.#start);
    this.askNow = true;
  }

  /** Notes that it was asked to acknowledge an index and a round at once. */
  asked(index: number, round: number): void {
    this.#askedIndex = index;
    this.#askedRound = round;
  }

  /** Goes back to what is known to have arrived. */
  rewind(): void {
    if (this.#state !== "snapshot") this.#becomeProbe(Math.max(this.match + 1, this.#start));
  }

  /** Whether to wait for an answer before anything else is sent but heartbeats. */
  get #isPaused(): boolean {
    return this.#state !== "replicate" && this.link.awaitingSinceMs !== undefined;
  }

  /** Whether entries may be sent; to one that does not answer none are sent more than twice. */
  mayCarry(maxLag: number): boolean {
    return !this.#isPaused && this.link.repeats < 2 && this.next - this.match <= maxLag;
  }

  /** Whether it has acknowledged an index and a round, or was asked to and may yet in time. */
  isOnTheWay(index: number, round: number, nowMs: number): boolean {
    if (this.match >= index && this.round >= round) return true;
    if (this.askNow) return true;
    return this.#askedIndex >= index && this.#askedRound >= round && !this.link.overdue(nowMs);
  }

  /** Whether it may be asked now: it answers, and is not waited for already. */
  isFree(nowMs: number): boolean {
    return !this.#isPaused && !this.link.overdue(nowMs);
  }
}

/** A read of this node, or all that wait at a follower. */
interface WaitingRead {
  /** The follower whose clients read; undefined for the leader's own. */
  readonly peer: string | undefined;
  readonly ticket: Ticket;
  /** What must be applied before it is answered. */
  readonly index: number;
  /** A majority must confirm this round, or a later one. */
  readonly round: number;
}

/** How many rounds' times are remembered. */
const MAX_ROUNDS = 1024;

/** The rounds in which a leader asks its followers whether they still follow (dissertation 6.4). */
class ReadRounds {
  /** The newest round; it travels with every append. */
  round = 0;
  #isUnderWay = true;
  readonly #begunAtMs = new Map<number, number>();
  #pending: WaitingRead[] = [];

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

  /** Takes the reads that are confirmed. */
  take(isConfirmed: (read: WaitingRead) => boolean): WaitingRead[] {
    if (this.#pending.length === 0) return [];
    const { yes = [], no = [] } = Object.groupBy(
      this.#pending,
      (read) => isConfirmed(read) ? "yes" : "no",
    );
    this.#pending = no;
    return yes;
  }
}
