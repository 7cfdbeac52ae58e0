/**
 * Whether each client sees a key's log in order and without gaps, and sends into it in order.
 *
 * @module
 */

import type { History, Op } from "../../history.ts";
import { killsOf, show, type Warnings, whoAndWhen } from "../checker.ts";
import { type Anomaly, briefly, describe, type Move } from "./anomalies.ts";
import type { DenseLog, Logs } from "./log.ts";
import {
  isTransaction,
  type KafkaHistory,
  type Offset,
  type Operation,
  type Placed,
} from "./operations.ts";

/** Where a process left off in a key's log. */
interface Mark {
  readonly operation: Operation;
  /** The last message; undefined after an empty list. */
  readonly last: Placed | undefined;
  /** What preceded an empty list. */
  readonly before?: Mark | undefined;
}

/**
 * Finds messages that a process skipped, or polled or sent out of order, within operations and from
 * one to the next.
 */
export function* wrongMoves(
  operations: KafkaHistory,
  logs: Logs,
  warnings: Warnings,
): Generator<Anomaly> {
  const order = new OrderChecker(logs, warnings);
  for (const operation of operations) yield* order.take(operation);
}

class OrderChecker {
  readonly #logs: Logs;
  readonly #warnings: Warnings;
  /** Process to key to where its last poll and its last send of the key were. */
  readonly #polled = new Map<unknown, Map<string, Mark>>();
  readonly #sent = new Map<unknown, Map<string, Mark>>();

  constructor(logs: Logs, warnings: Warnings) {
    this.#logs = logs;
    this.#warnings = warnings;
  }

  *take(operation: Operation): Generator<Anomaly> {
    const { process } = operation;
    if (operation.assigned !== undefined) {
      if (operation.type === "fail") return;
      keepOnly(this.#polled.get(process), operation.assigned);
      keepOnly(this.#sent.get(process), operation.assigned);
      return;
    }
    if (operation.reads.size > 0) yield* this.#polls(operation, marksOf(this.#polled, process));
    if (operation.sends.length > 0) yield* this.#sends(operation, marksOf(this.#sent, process));
  }

  *#polls(operation: Operation, marks: Map<string, Mark>): Generator<Anomaly> {
    for (const [key, list] of operation.reads) {
      const log = this.#logs.get(key);
      if (log === undefined) continue;
      yield* within(this.#logs, log, operation, list, "poll");
      const mark = marks.get(key);
      const first = list[0];
      if (mark?.last !== undefined && first !== undefined) {
        yield* skipOrReturn(
          moveOf(this.#logs, log, mark.operation, mark.last, operation, first),
          "poll",
        );
      } else if (mark?.before?.last !== undefined && first !== undefined) {
        this.#overlooked(
          moveOf(this.#logs, log, mark.before.operation, mark.before.last, operation, first),
        );
      }
      // Only an acknowledged poll moves the client's offsets.
      if (operation.type !== "ok") continue;
      const before = first === undefined
        ? (mark?.last === undefined ? mark?.before : mark)
        : undefined;
      marks.set(key, { operation, last: list.at(-1), before });
    }
  }

  *#sends(operation: Operation, marks: Map<string, Mark>): Generator<Anomaly> {
    const ofKey = Map.groupBy(operation.sends, ({ message }) => message.key);
    for (const [key, list] of ofKey) {
      const log = this.#logs.get(key);
      if (log === undefined) continue;
      yield* within(this.#logs, log, operation, list, "send");
      if (operation.type === "fail") continue;
      const mark = marks.get(key);
      const first = list[0];
      if (mark?.last !== undefined && first !== undefined) {
        const move = moveOf(this.#logs, log, mark.operation, mark.last, operation, first);
        // Others send in between, so a gap is no anomaly.
        if (move.delta < 1) yield* skipOrReturn(move, "send");
      }
      marks.set(key, { operation, last: list.at(-1) });
    }
  }

  #overlooked(move: Move): void {
    if (move.delta === 1) return;
    this.#warnings.add(
      "Polls that skip or repeat messages, which Maelstrom overlooks because an empty list came " +
        "in between",
      () => describe({ type: "poll-skip", move }).what,
    );
  }
}

/** What is wrong between neighbours within one operation. */
function* within(
  logs: Logs,
  log: DenseLog,
  operation: Operation,
  list: readonly Placed[],
  kind: "poll" | "send",
): Generator<Anomaly> {
  for (let i = 1; i < list.length; i++) {
    const from = list[i - 1];
    const to = list[i];
    if (from === undefined || to === undefined) continue;
    yield* skipOrReturn(moveOf(logs, log, operation, from, operation, to), kind, "int-");
  }
}

function moveOf(
  logs: Logs,
  log: DenseLog,
  earlier: Operation,
  from: Placed,
  later: Operation,
  to: Placed,
): Move {
  const i = logs.indexOf(from.message);
  const j = logs.indexOf(to.message);
  // A message whose place is unknown is taken to be right.
  const delta = i === undefined || j === undefined ? 1 : j - i;
  return { log, from, to, fromIndex: i ?? 0, earlier, later, delta };
}

/** What is wrong in a move, if anything. */
function* skipOrReturn(
  move: Move,
  kind: "poll" | "send",
  prefix: "" | "int-" = "",
): Generator<Anomaly> {
  if (move.delta > 1) yield { type: `${prefix}${kind}-skip`, move };
  if (move.delta < 1) yield { type: `${prefix}nonmonotonic-${kind}`, move };
}

function marksOf(all: Map<unknown, Map<string, Mark>>, process: unknown): Map<string, Mark> {
  let marks = all.get(process);
  if (marks === undefined) all.set(process, marks = new Map());
  return marks;
}

function keepOnly(marks: Map<string, Mark> | undefined, keys: readonly string[]): void {
  if (marks === undefined || marks.size === 0) return;
  const kept = new Set(keys);
  for (const key of marks.keys()) if (!kept.has(key)) marks.delete(key);
}

/** The poll that lagged most. */
export interface Lag {
  /** When the poll began, in seconds. */
  readonly time: number;
  /** Who polled. */
  readonly process?: Op["process"];
  /** The key that lagged. */
  readonly key?: string;
  /** At least how long the first message it did not see had been there by then, in seconds. */
  readonly lag: number;
}

/** From when on a key's log was known to reach an offset: both grow along the list. */
interface Reach {
  readonly offset: Offset;
  readonly time: number;
}

/** How far a process has read a key, and when more was first known to be there. */
interface Position {
  readonly offset: Offset;
  readonly outdated: number;
}

/**
 * Finds the poll that began longest after something it did not return was known to be in the log.
 *
 * Every key counts that the process is assigned or has polled, whether or not the poll returned it.
 */
export function worstLag(operations: KafkaHistory): Lag {
  let worst: Lag = { time: 0, lag: 0 };
  let longest = -1;
  for (const { poll, begunNs, lags } of pollLags(operations)) {
    for (const [key, lag] of lags) {
      if (lag <= longest) continue;
      longest = lag;
      worst = { time: begunNs / 1e9, process: poll.process, key, lag: lag / 1e9 };
    }
  }
  return worst;
}

/** How far behind its keys' logs a poll was. */
export interface PollLag {
  readonly poll: Operation;
  /** When it began. */
  readonly begunNs: number;
  /** Nanoseconds by key; 0 for a key that was read to its end. */
  readonly lags: ReadonlyMap<string, number>;
}

/** The lags of each acknowledged poll, as {@linkcode worstLag} measures them. */
export function* pollLags(operations: KafkaHistory): Generator<PollLag> {
  const reaches = readReaches(operations);
  const positions = new Map<unknown, Map<string, Position>>();
  for (const operation of operations) {
    if (operation.type !== "ok") continue;
    const { process } = operation;
    let ofProcess = positions.get(process);
    if (ofProcess === undefined) positions.set(process, ofProcess = new Map());
    if (operation.assigned !== undefined) {
      positions.set(process, reassigned(ofProcess, operation.assigned, reaches));
    } else if (
      isTransaction(operation) && operation.f !== "send" && operation.invokedAt >= 0
    ) {
      advance(ofProcess, operation, reaches);
      const begunNs = operations.timeAt(operation.invokedAt);
      const lags = new Map<string, number>();
      for (const [key, { outdated }] of ofProcess) {
        lags.set(key, Math.max(0, begunNs - outdated));
      }
      yield { poll: operation, begunNs, lags };
    }
  }
}

function readReaches(operations: KafkaHistory): Map<string, Reach[]> {
  const reaches = new Map<string, Reach[]>();
  for (const operation of operations) {
    for (const [key, offset] of highest(operation)) {
      const list = reaches.get(key);
      const last = list?.at(-1);
      if (list === undefined) reaches.set(key, [{ offset, time: operation.time }]);
      else if (last === undefined || last.offset < offset) {
        list.push({ offset, time: operation.time });
      }
    }
  }
  return reaches;
}

/** The highest offset of each key in an operation, sent or polled; -1 for an empty list. */
function highest(operation: Operation): Map<string, Offset> {
  const found = new Map<string, Offset>();
  if (operation.type === "fail") return found;
  const note = (key: string, offset: Offset | undefined) => {
    const known = found.get(key);
    if (offset !== undefined && (known === undefined || known < offset)) found.set(key, offset);
  };
  for (const { message, offset } of operation.sends) note(message.key, offset);
  for (const [key, list] of operation.reads) {
    note(key, -1);
    for (const { offset } of list) note(key, offset);
  }
  return found;
}

function advance(
  positions: Map<string, Position>,
  operation: Operation,
  reaches: ReadonlyMap<string, Reach[]>,
): void {
  for (const [key, offset] of highest(operation)) {
    const known = positions.get(key);
    if (known !== undefined && known.offset >= offset) continue;
    positions.set(key, { offset, outdated: outdatedAt(reaches.get(key), offset) });
  }
}

function reassigned(
  positions: ReadonlyMap<string, Position>,
  keys: readonly string[],
  reaches: ReadonlyMap<string, Reach[]>,
): Map<string, Position> {
  const kept = new Map<string, Position>();
  for (const key of keys) {
    const fresh = () => ({ offset: -1, outdated: outdatedAt(reaches.get(key), -1) });
    kept.set(key, positions.get(key) ?? fresh());
  }
  return kept;
}

/** When the log was first known to reach beyond an offset; never, if it was not. */
function outdatedAt(reaches: readonly Reach[] = [], offset: Offset): number {
  let low = 0;
  let high = reaches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const reach = reaches[middle];
    if (reach !== undefined && reach.offset > offset) high = middle;
    else low = middle + 1;
  }
  return reaches[low]?.time ?? Infinity;
}

/** How far a key may have been committed; Infinity when that is unknown. */
type Bound = Offset;

/** What a process reads, and from where. */
type Positions = Map<string, Fresh | undefined>;

/** A key assigned anew and not yet polled. */
interface Fresh {
  readonly assign: Operation;
  /** How far it could have been committed then; -1 if not at all. */
  readonly bound: Bound;
  /** How far the node had acknowledged that it was committed, as far as is known. */
  readonly floor: Floor | undefined;
}

/** A commit that was acknowledged. */
interface Floor {
  readonly offset: Offset;
  readonly poll: Operation;
}

/**
 * Warns of clients that a committed offset sent past messages that were not polled, and of those
 * that began before what their node had acknowledged as committed.
 *
 * For the latter only commits at the same node count, for others may not have heard of them, and
 * only those since a node was last killed. A history without the names of nodes is taken to have one
 * for each process. Assigns after the last send are passed over: those of the final phase begin at 0.
 */
export function warnOfCommits(
  history: History,
  operations: KafkaHistory,
  logs: Logs,
  warnings: Warnings,
): void {
  const checker = new CommitChecker(history, operations, logs, warnings);
  const beginnings = operations.byInvocation();
  let begun = 0;
  for (const operation of operations) {
    if (operation.endedAt === Infinity) continue;
    for (; begun < beginnings.length; begun++) {
      const other = beginnings[begun] ?? 0;
      if (operations.beginOf(other) > operation.endedAt) break;
      checker.begin(operations.at(other));
    }
    checker.end(operation);
  }
}

/** Where an operation was done: its node, or where that is unknown its process. */
function placeOf({ node, process }: Operation): string | Op["process"] {
  return node ?? process;
}

class CommitChecker {
  readonly #logs: Logs;
  readonly #warnings: Warnings;
  readonly #bounds = new Map<string, Bound>();
  readonly #positions = new Map<unknown, Positions>();
  /** Node to key to the highest commit that it acknowledged. */
  readonly #floors = new Map<unknown, Map<string, Floor>>();
  /** What of these was acknowledged before each assign began. */
  readonly #floorsAt = new Map<number, ReadonlyMap<string, Floor>>();
  /** Where nodes were killed, in order; those to come. */
  readonly #kills: number[];
  readonly #lastSend: number;

  constructor(
    history: History,
    operations: KafkaHistory,
    logs: Logs,
    warnings: Warnings,
  ) {
    this.#logs = logs;
    this.#warnings = warnings;
    this.#kills = killsOf(history);
    let lastSend = -1;
    for (const { sends, invokedAt } of operations) {
      if (sends.length > 0) lastSend = Math.max(lastSend, invokedAt);
    }
    this.#lastSend = lastSend;
  }

  /** From here on, what a poll reads may be committed. */
  begin(operation: Operation): void {
    this.#forgetBefore(operation.invokedAt);
    if (operation.f === "assign" && operation.invokedAt < this.#lastSend) {
      const floors = new Map<string, Floor>();
      for (const key of operation.assigned ?? []) {
        const floor = this.#floors.get(placeOf(operation))?.get(key);
        if (floor !== undefined) floors.set(key, floor);
      }
      this.#floorsAt.set(operation.id, floors);
    }
    if (!isTransaction(operation)) return;
    for (const [key, list] of operation.reads) {
      for (const { offset } of list) if (offset !== undefined) this.#raise(key, offset);
    }
    // What an indefinite poll read and committed is not in the history.
    if (operation.type === "info" && operation.f !== "send") {
      for (const key of this.#of(operation).keys()) this.#raise(key, Infinity);
    }
  }

  end(operation: Operation): void {
    this.#forgetBefore(operation.endedAt);
    if (operation.type !== "ok") return;
    const positions = this.#of(operation);
    if (operation.assigned !== undefined) {
      const kept: Positions = new Map();
      for (const key of operation.assigned) {
        const bound = this.#bounds.get(key) ?? -1;
        const floor = this.#floorsAt.get(operation.id)?.get(key);
        const fresh = { assign: operation, bound, floor };
        kept.set(key, positions.has(key) ? positions.get(key) : fresh);
      }
      this.#positions.set(operation.process, kept);
      return;
    }
    for (const [key, list] of operation.reads) {
      const fresh = positions.get(key);
      if (list.length === 0 && fresh !== undefined) continue;
      if (fresh !== undefined) this.#check(operation, key, fresh);
      positions.set(key, undefined);
      this.#acknowledge(operation, key, list);
    }
  }

  /** Notes what a poll committed at its node. */
  #acknowledge(poll: Operation, key: string, list: readonly Placed[]): void {
    let floors = this.#floors.get(placeOf(poll));
    if (floors === undefined) this.#floors.set(placeOf(poll), floors = new Map());
    for (const { offset } of list) {
      const known = floors.get(key);
      if (offset !== undefined && (known === undefined || known.offset < offset)) {
        floors.set(key, { offset, poll });
      }
    }
  }

  /** A node that was killed may have lost what it acknowledged. */
  #forgetBefore(position: number): void {
    while ((this.#kills[0] ?? Infinity) < position) {
      this.#kills.shift();
      this.#floors.clear();
    }
  }

  #of({ process }: Operation): Positions {
    let positions = this.#positions.get(process);
    if (positions === undefined) this.#positions.set(process, positions = new Map());
    return positions;
  }

  #raise(key: string, offset: Bound): void {
    const known = this.#bounds.get(key);
    if (known === undefined || known < offset) this.#bounds.set(key, offset);
  }

  #check(operation: Operation, key: string, { assign, bound, floor }: Fresh): void {
    const first = operation.reads.get(key)?.[0];
    if (first?.offset !== undefined && floor !== undefined && first.offset < floor.offset) {
      this.#warnings.add(
        "Poll after an assign from before what was committed at the same node, which Maelstrom " +
          "does not notice",
        () =>
          `key ${show(key)}, assigned by ${whoAndWhen(assign.op)}, was first polled from ` +
          `${briefly(first)}, but offset ${floor.offset} had been committed by ` +
          whoAndWhen(floor.poll.op),
      );
    }
    const index = first === undefined ? undefined : this.#logs.indexOf(first.message);
    const skipped = index === undefined ? undefined : this.#logs.get(key)?.offsetAt(index - 1);
    if (first === undefined || skipped === undefined || skipped <= bound) return;
    this.#warnings.add(
      "Poll after an assign from beyond what could be committed, which Maelstrom does not notice",
      () =>
        `key ${show(key)}, assigned by ${whoAndWhen(assign.op)}, was first polled from ` +
        `${briefly(first)}, past offset ${skipped}, but no process had polled ` +
        (bound < 0 ? "any of it" : `beyond offset ${bound}`),
    );
  }
}
