/**
 * One node's copy of a replicated state machine, and its clients' requests.
 *
 * Like {@linkcode Raft} it neither waits nor sends: messages, requests and the time go in,
 * messages and outcomes come out.
 *
 * @module
 */

import { drawName, ErrorCode, type Json, RpcError } from "@eddy/maelstrom";
import { type Entry, type Message, type Payload, roughSize } from "./message.ts";
import { type CommandSource, type Grant, type Outgoing, Raft, type RaftOptions } from "./raft.ts";

/** What an operation came to: a reply's keys, or why it did nothing. */
export type Outcome<Reply extends object = object> = Reply | RpcError;

/** A state machine. Everything it does follows from its state and the operation alone. */
export interface Machine<Operation extends Json, Reply extends object> {
  /**
   * Does an operation.
   *
   * @returns makes what it came to: the same whenever it is called, however the state has changed.
   * Few outcomes are asked for: those that a client of this node waits for.
   */
  apply(operation: Operation): () => Outcome<Reply>;
  /** Whether a value, which may come from a peer, is an operation. */
  isOperation(value: unknown): value is Operation;
  /** A copy of the whole state, in pieces. */
  snapshot(): Json[];
  /** Whether a value, which may come from a peer, is a piece of a snapshot. */
  isItem(value: unknown): boolean;
  /** Takes over a state that {@linkcode Machine.snapshot} gave. */
  restore(items: readonly Json[]): void;
}

/** Settings of a {@linkcode Replica}, with those of its {@linkcode Raft}. */
export interface ReplicaOptions<Operation extends Json, Reply extends object>
  extends Omit<RaftOptions, "commands" | "snapshot"> {
  readonly machine: Machine<Operation, Reply>;
  /**
   * How long an operation may wait for others to share a message with, in milliseconds.
   *
   * @default 0
   */
  readonly maxLatencyMs?: number | undefined;
  /**
   * How long an operation may wait for a leader that answers before it is refused, in
   * milliseconds. Where no leader is known for long, it is refused at once.
   *
   * @default 900
   */
  readonly holdMs?: number | undefined;
  readonly sessions?: Sessions | undefined;
  /** @default makes a {@linkcode Raft} */
  readonly makeRaft?: ((options: RaftOptions) => Raft) | undefined;
}

/** One node's copy of a replicated state machine. */
export class Replica<Operation extends Json = Json, Reply extends object = object> {
  readonly raft: Raft;
  readonly #machine: Machine<Operation, Reply>;
  readonly #sessions: Sessions;
  readonly #session: string;
  readonly #commands: Commands<Operation, Reply>;
  readonly #reads: Reads;
  readonly #maxLatencyMs: number;
  #applied: number;
  /** The last leader that was known, and its term. */
  #leadership: string | undefined;
  #isLost = false;

  constructor(options: ReplicaOptions<Operation, Reply>) {
    const { id, random, machine, maxLatencyMs = 0, holdMs = 900 } = options;
    this.#machine = machine;
    this.#sessions = options.sessions ?? new Sessions();
    // A restarted node must not go on with the numbers of its earlier life.
    this.#session = `${id}:${drawName(random, 40)}`;
    this.#commands = new Commands({ session: this.#session, maxLatencyMs, holdMs });
    this.#reads = new Reads(holdMs);
    this.#maxLatencyMs = maxLatencyMs;
    this.#applied = options.applied ?? 0;
    const { makeRaft = (raftOptions) => new Raft(raftOptions) } = options;
    const snapshot = () => [this.#sessions.snapshot(), ...machine.snapshot()];
    this.raft = makeRaft({ ...options, commands: this.#commands, snapshot });
  }

  /** The last entry that the state machine has. */
  get applied(): number {
    return this.#applied;
  }

  /** Takes a message. */
  step(from: string, message: Message, nowMs: number): void {
    this.raft.step(from, message, nowMs);
  }

  /** Has an operation executed once by all nodes; `settle` is called with what it came to. */
  execute(operation: Operation, nowMs: number, settle: (outcome: Outcome<Reply>) => void): void {
    if (this.#isLost) return settle(unavailable("No leader is known"));
    this.#commands.add(operation, nowMs, settle);
  }

  /** Calls `read` when the state machine's state is no older than now, and settles with it. */
  query<Value extends object>(
    read: () => Outcome<Value>,
    nowMs: number,
    settle: (outcome: Outcome<Value>) => void,
  ): void {
    if (this.#isLost) return settle(unavailable("No leader is known"));
    this.#reads.add(this.raft.read(nowMs + this.#maxLatencyMs), read, nowMs, settle);
  }

  /**
   * Ends a turn.
   *
   * @returns what is to be sent.
   */
  turn(nowMs: number): readonly Outgoing[] {
    this.#commands.nowMs = nowMs;
    this.#commands.isOpen = this.raft.isHealthyAt(nowMs);
    const { messages, restore, first, entries, grants } = this.raft.flush(nowMs);
    if (restore !== undefined) {
      const [sessions, ...items] = restore.items;
      if (Sessions.isSnapshot(sessions)) this.#sessions.restore(sessions);
      this.#machine.restore(items);
      this.#applied = restore.index;
      this.#commands.settle((number) =>
        this.#sessions.outcome(this.#session, number) as Outcome<Reply> | undefined
      );
    }
    this.#apply(first, entries);
    this.#reads.granted(grants);
    this.#watchLeader(nowMs);
    this.#reads.serve(this.#applied);
    return messages;
  }

  /** When the next turn must come at the latest. */
  get wakeAtMs(): number {
    const lostAtMs = this.#commands.isOpen || this.#isLost ? Infinity : this.raft.lostAtMs;
    return Math.min(
      this.raft.wakeAtMs,
      this.#commands.wakeAtMs,
      this.#reads.wakeAtMs,
      lostAtMs,
    );
  }

  #apply(first: number, entries: readonly Entry[]): void {
    for (const [position, [, command]] of entries.entries()) {
      this.#applied = first + position;
      if (command !== null) this.#execute(command as Request<Operation>);
    }
    if (entries.length > 0) this.raft.advance(this.#applied);
  }

  #execute(request: Request<Operation>): void {
    if (!this.#sessions.admit(request)) return;
    const outcome = this.#machine.apply(request[3]);
    this.#sessions.keep(request, outcome);
    this.#commands.executed(request)?.(outcome());
  }

  #watchLeader(nowMs: number): void {
    const { leader, term, lostAtMs, electionMs } = this.raft;
    const leadership = leader === undefined ? this.#leadership : `${term} ${leader}`;
    if (leadership !== this.#leadership) {
      this.#leadership = leadership;
      this.#commands.repeat();
      this.#reads.renew(() => this.raft.read(nowMs));
    }
    this.#isLost = nowMs >= lostAtMs;
    this.#commands.tick(nowMs, this.#isLost, electionMs);
    this.#reads.tick(nowMs, this.#isLost);
  }
}

/** A request that has no outcome yet. */
interface Pending<Operation extends Json, Reply extends object> {
  readonly number: number;
  readonly operation: Operation;
  readonly arrivedMs: number;
  readonly settle: (outcome: Outcome<Reply>) => void;
  /** When it was last handed to consensus; from the first time on it may happen. */
  sentMs: number | undefined;
}

/** Settings of {@linkcode Commands}. */
interface CommandsOptions {
  /** A name that no other life of any node has. */
  readonly session: string;
  /** How long a request may wait for others to share a message with. */
  readonly maxLatencyMs: number;
  /** How long a request may wait for a leader that answers, before it is refused. */
  readonly holdMs: number;
}

/** How many requests may be pending; more are refused. */
const MAX_PENDING = 16384;
/** When a request that may or may not happen is given up: no client waits any longer. */
const GIVE_UP_MS = 4500;

/** The requests of this node's clients that change something. */
export class Commands<Operation extends Json = Json, Reply extends object = object>
  implements CommandSource {
  /** Whether new requests may go out: a request that stays here can still be refused. */
  isOpen = false;
  /** The time of this turn. */
  nowMs = 0;

  readonly #options: CommandsOptions;
  readonly #pending = new Map<number, Pending<Operation, Reply>>();
  #fresh: Pending<Operation, Reply>[] = [];
  #again: Pending<Operation, Reply>[] = [];
  #nextNumber = 0;
  #lowest = 0;
  #checkAtMs = Infinity;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Takes a request; `settle` is called with what it came to. */
  add(operation: Operation, nowMs: number, settle: (outcome: Outcome<Reply>) => void): void {
    if (this.#pending.size >= MAX_PENDING) {
      return settle(unavailable(`${MAX_PENDING} requests wait already`));
    }
    const number = this.#nextNumber++;
    const pending: Pending<Operation, Reply> = {
      number,
      operation,
      arrivedMs: nowMs,
      settle,
      sentMs: undefined,
    };
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
  executed(
    [session, number]: Request<Operation>,
  ): ((outcome: Outcome<Reply>) => void) | undefined {
    if (session !== this.#options.session) return undefined;
    const pending = this.#pending.get(number);
    if (pending === undefined) return undefined;
    this.#pending.delete(number);
    return pending.settle;
  }

  /** Settles what was executed unseen, before the snapshot that this node has just taken over. */
  settle(outcomeOf: (number: number) => Outcome<Reply> | undefined): void {
    for (const { number, settle } of this.#pending.values()) {
      const outcome = outcomeOf(number);
      if (outcome === undefined) continue;
      this.#pending.delete(number);
      settle(outcome);
    }
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
  tick(nowMs: number, isLost: boolean, retryMs: number): void {
    const holdMs = isLost ? -Infinity : this.#options.holdMs;
    this.#refuse(nowMs - holdMs);
    if (this.#checkAtMs === Infinity && this.#pending.size > 0) this.#checkAtMs = nowMs + retryMs;
    if (nowMs < this.#checkAtMs) return;
    this.#checkAtMs = Infinity;
    this.#giveUp(nowMs - GIVE_UP_MS);
    this.#repeatSentBefore(nowMs - retryMs);
    if (this.#pending.size > 0) this.#checkAtMs = nowMs + retryMs / 2;
  }

  /** When {@linkcode Commands.tick} has something to do at the latest. */
  get wakeAtMs(): number {
    const [first] = this.#fresh;
    const holdEndMs = first === undefined ? Infinity : first.arrivedMs + this.#options.holdMs;
    return Math.min(this.#checkAtMs, holdEndMs);
  }

  #take(
    from: Pending<Operation, Reply>[],
    room: { count: number; chars: number },
    taken: Json[],
  ): Pending<Operation, Reply>[] {
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

  #request({ number, operation }: Pending<Operation, Reply>): Request<Operation> {
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
      settle(RpcError.answer(ErrorCode.timeout, "It is not known whether this happened, or will"));
    }
  }

  #repeatSentBefore(beforeMs: number): void {
    this.#again = [...this.#pending.values()].filter(({ sentMs }) =>
      sentMs !== undefined && sentMs <= beforeMs
    );
  }
}

/** The error for what certainly did not happen and may be tried again. */
function unavailable(text: string): RpcError {
  return RpcError.answer(ErrorCode.temporarilyUnavailable, text);
}

/** A read that has no answer yet. */
interface PendingRead {
  ticket: number;
  readonly arrivedMs: number;
  readonly answer: () => void;
  readonly refuse: (error: RpcError) => void;
}

/** The reads of this node's clients. They change nothing, so they may be refused at any time. */
export class Reads {
  readonly #holdMs: number;
  #pending: PendingRead[] = [];
  #grants: Grant[] = [];

  /** @param holdMs how long a read may wait, before it is refused */
  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** Takes a read, with the ticket under which it will be granted. */
  add<Value extends object>(
    ticket: number,
    read: () => Outcome<Value>,
    nowMs: number,
    settle: (outcome: Outcome<Value>) => void,
  ): void {
    if (this.#pending.length >= MAX_PENDING) {
      return settle(unavailable(`${MAX_PENDING} reads wait already`));
    }
    const answer = () => settle(read());
    this.#pending.push({ ticket, arrivedMs: nowMs, answer, refuse: settle });
  }

  /** Notes that reads may go ahead. */
  granted(grants: readonly Grant[]): void {
    for (const grant of grants) this.#grants.push(grant);
  }

  /** Answers what was granted and whose index is applied. */
  serve(applied: number): void {
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
      read.answer();
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

  /** Refuses what has waited for too long, or everything if there is no leader. */
  tick(nowMs: number, isLost: boolean): void {
    const beforeMs = nowMs - (isLost ? -Infinity : this.#holdMs);
    let refused = 0;
    for (const { arrivedMs, refuse } of this.#pending) {
      if (arrivedMs > beforeMs) break;
      refused++;
      refuse(unavailable("No leader is known"));
    }
    if (refused > 0) this.#pending = this.#pending.slice(refused);
  }

  /** When {@linkcode Reads.tick} has something to do at the latest. */
  get wakeAtMs(): number {
    const [first] = this.#pending;
    return first === undefined ? Infinity : first.arrivedMs + this.#holdMs;
  }
}

/**
 * A request as it stands in the log: the session that it belongs to, its number there, the lowest
 * number that the session still waits for, and what to do.
 */
export type Request<Operation extends Json = Json> = [
  session: string,
  number: number,
  lowest: number,
  operation: Operation,
];

/** What a machine's operations and snapshots look like in the messages of peers. */
export function payloadOf(machine: Machine<Json, object>): Payload {
  return {
    isCommand: (value) => isRequest(value) && machine.isOperation(value[3]),
    // The sessions come first; see Replica.turn.
    isItem: (value, position) =>
      position === 0 ? Sessions.isSnapshot(value) : machine.isItem(value),
  };
}

function isRequest(value: unknown): value is Request {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const { 0: session, 1: number, 2: lowest } = value;
  return typeof session === "string" && isCount(number) && isCount(lowest) && lowest <= number;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The requests of one life of a node (paper 8, dissertation 6.3). */
interface Session {
  /** What is below is over: its outcome is known, or it was given up and will never be executed. */
  lowest: number;
  /** Those executed from there on, with what they came to; no more than the node waits for. */
  readonly executed: Map<number, (() => Outcome) | undefined>;
  /** When it was last used, counted in requests. */
  usedAt: number;
}

/** A request that was executed, and if it is known its reply, or its error's code and text. */
type Executed =
  | number
  | [number: number, reply: Json]
  | [number: number, code: number, text: string];

/** The count of requests, and the sessions. */
type SessionsSnapshot = [
  count: number,
  sessions: [name: string, lowest: number, executed: Executed[], usedAt: number][],
];

/** How many sessions are kept. Each start of a node begins one. */
const MAX_SESSIONS = 128;

/** The requests that the state machine has executed; part of its state. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  #count = 0;

  /** How many executed requests are remembered one by one. */
  get size(): number {
    let size = 0;
    for (const { executed } of this.#sessions.values()) size += executed.size;
    return size;
  }

  /** Whether a request is to be executed; it is noted as executed then. */
  admit([name, number, lowest]: Request): boolean {
    const session = this.#session(name);
    session.usedAt = ++this.#count;
    const isNew = number >= session.lowest && !session.executed.has(number);
    if (isNew) session.executed.set(number, undefined);
    this.#forgetBelow(session, lowest);
    return isNew;
  }

  /** Keeps what an admitted request came to, until its node waits for it no more. */
  keep([name, number]: Request, outcome: () => Outcome): void {
    this.#sessions.get(name)?.executed.set(number, outcome);
  }

  /** What a request came to; undefined if it was not executed, or is over. */
  outcome(name: string, number: number): Outcome | undefined {
    return this.#sessions.get(name)?.executed.get(number)?.();
  }

  /** A copy of all this, as one value. */
  snapshot(): SessionsSnapshot {
    return [
      this.#count,
      Array.from(this.#sessions, ([name, { lowest, executed, usedAt }]) => {
        return [name, lowest, Array.from(executed, packExecuted), usedAt];
      }),
    ];
  }

  /** Whether a value, which may come from a peer, is what {@linkcode Sessions.snapshot} gives. */
  static isSnapshot(value: unknown): value is SessionsSnapshot {
    if (!Array.isArray(value) || value.length !== 2) return false;
    const [count, sessions] = value;
    return isCount(count) && Array.isArray(sessions) && sessions.every((session) => {
      if (!Array.isArray(session) || session.length !== 4) return false;
      const [name, lowest, executed, usedAt] = session;
      return typeof name === "string" && isCount(lowest) && isCount(usedAt) &&
        Array.isArray(executed) && executed.every(isExecuted);
    });
  }

  /** Takes over what {@linkcode Sessions.snapshot} gave. */
  restore([count, sessions]: SessionsSnapshot): void {
    this.#count = count;
    this.#sessions.clear();
    for (const [name, lowest, executed, usedAt] of sessions) {
      this.#sessions.set(name, { lowest, executed: new Map(executed.map(unpackExecuted)), usedAt });
    }
  }

  /** Forgets what is over, in time that does not depend on the numbers: a peer may have sent any. */
  #forgetBelow(session: Session, lowest: number): void {
    const { executed } = session;
    if (lowest - session.lowest > executed.size) {
      for (const number of executed.keys()) if (number < lowest) executed.delete(number);
      session.lowest = lowest;
    }
    while (session.lowest < lowest) executed.delete(session.lowest++);
  }

  #session(name: string): Session {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const session: Session = { lowest: 0, executed: new Map(), usedAt: 0 };
    this.#sessions.set(name, session);
    if (this.#sessions.size > MAX_SESSIONS) this.#forgetOldest(name);
    return session;
  }

  #forgetOldest(newest: string): void {
    let oldest: string | undefined;
    let usedAt = Infinity;
    for (const [name, session] of this.#sessions) {
      if (name === newest || session.usedAt >= usedAt) continue;
      oldest = name;
      usedAt = session.usedAt;
    }
    if (oldest !== undefined) this.#sessions.delete(oldest);
  }
}

function isExecuted(value: unknown): value is Executed {
  if (!Array.isArray(value)) return isCount(value);
  const { 0: number, 1: replyOrCode, 2: text, length } = value;
  if (!isCount(number)) return false;
  if (length === 2) return typeof replyOrCode === "object" && replyOrCode !== null;
  return length === 3 && isCount(replyOrCode) && typeof text === "string";
}

function packExecuted([number, outcomeOf]: [number, (() => Outcome) | undefined]): Executed {
  if (outcomeOf === undefined) return number;
  const outcome = outcomeOf();
  if (outcome instanceof RpcError) return [number, outcome.code, outcome.message];
  return [number, outcome as Json];
}

function unpackExecuted(executed: Executed): [number, (() => Outcome) | undefined] {
  if (typeof executed === "number") return [executed, undefined];
  if (executed.length === 2) return [executed[0], () => executed[1] as object];
  const [number, code, text] = executed;
  return [number, () => RpcError.answer(code, text)];
}
