/**
 * Whether each client sees a key's log in order and without gaps, and sends into it in order.
 *
 * @module
 */

import type { Op } from "../../history.ts";
import { show, type Warnings, whoAndWhen } from "../checker.ts";
import { type Anomalies, briefly, describe, type Move } from "./anomalies.ts";
import { type Act, isTransaction, type Log, type Offset, type Placed } from "./log.ts";

/** Where a process left off in a key's log. */
interface Mark {
  readonly act: Act;
  /** The last message; undefined after an empty list. */
  readonly last: Placed | undefined;
  /** What preceded an empty list. */
  readonly before?: Mark | undefined;
}

/** Checks what each process polls and sends, within operations and from one to the next. */
export function checkOrder(
  acts: readonly Act[],
  logs: ReadonlyMap<string, Log>,
  anomalies: Anomalies,
  warnings: Warnings,
): void {
  const order = new OrderChecker(logs, anomalies, warnings);
  for (const act of acts) order.take(act);
}

class OrderChecker {
  readonly #logs: ReadonlyMap<string, Log>;
  readonly #anomalies: Anomalies;
  readonly #warnings: Warnings;
  /** Process to key to where its last poll and its last send of the key were. */
  readonly #polled = new Map<unknown, Map<string, Mark>>();
  readonly #sent = new Map<unknown, Map<string, Mark>>();

  constructor(logs: ReadonlyMap<string, Log>, anomalies: Anomalies, warnings: Warnings) {
    this.#logs = logs;
    this.#anomalies = anomalies;
    this.#warnings = warnings;
  }

  take(act: Act): void {
    const { process } = act.op;
    if (act.assigned !== undefined) {
      if (act.type === "fail") return;
      keepOnly(this.#polled.get(process), act.assigned);
      keepOnly(this.#sent.get(process), act.assigned);
      return;
    }
    if (act.reads.size > 0) this.#polls(act, marksOf(this.#polled, process));
    if (act.sends.length > 0) this.#sends(act, marksOf(this.#sent, process));
  }

  #polls(act: Act, marks: Map<string, Mark>): void {
    for (const [key, list] of act.reads) {
      const log = this.#logs.get(key);
      if (log === undefined) continue;
      this.#within(log, act, list, "poll");
      const mark = marks.get(key);
      const first = list[0];
      if (mark?.last !== undefined && first !== undefined) {
        this.#check(this.#move(log, mark.act, mark.last, act, first), "", "poll");
      } else if (mark?.before?.last !== undefined && first !== undefined) {
        this.#overlooked(this.#move(log, mark.before.act, mark.before.last, act, first));
      }
      // Only an acknowledged poll moves the client's offsets.
      if (act.type !== "ok") continue;
      const before = first === undefined
        ? (mark?.last === undefined ? mark?.before : mark)
        : undefined;
      marks.set(key, { act, last: list.at(-1), before });
    }
  }

  #sends(act: Act, marks: Map<string, Mark>): void {
    const ofKey = Map.groupBy(act.sends, ({ message }) => message.key);
    for (const [key, list] of ofKey) {
      const log = this.#logs.get(key);
      if (log === undefined) continue;
      this.#within(log, act, list, "send");
      if (act.type === "fail") continue;
      const mark = marks.get(key);
      const first = list[0];
      if (mark?.last !== undefined && first !== undefined) {
        const move = this.#move(log, mark.act, mark.last, act, first);
        // Others send in between, so a gap is no anomaly.
        if (move.delta < 1) this.#check(move, "", "send");
      }
      marks.set(key, { act, last: list.at(-1) });
    }
  }

  /** Neighbours within one operation. */
  #within(log: Log, act: Act, list: readonly Placed[], kind: "poll" | "send"): void {
    for (let i = 1; i < list.length; i++) {
      const from = list[i - 1];
      const to = list[i];
      if (from === undefined || to === undefined) continue;
      this.#check(this.#move(log, act, from, act, to), "int-", kind);
    }
  }

  #move(log: Log, fromAct: Act, from: Placed, toAct: Act, to: Placed): Move {
    const i = log.indexes.get(from.message);
    const j = log.indexes.get(to.message);
    // A message whose place is unknown is taken to be right.
    const delta = i === undefined || j === undefined ? 1 : j - i;
    return { log, from, to, fromAct, toAct, delta };
  }

  #check(move: Move, prefix: "" | "int-", kind: "poll" | "send"): void {
    const { delta } = move;
    if (delta > 1) this.#anomalies.add(delta, { type: `${prefix}${kind}-skip`, move });
    if (delta < 1) this.#anomalies.add(-delta, { type: `${prefix}nonmonotonic-${kind}`, move });
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
export function worstLag(acts: readonly Act[]): Lag {
  const reaches = readReaches(acts);
  const positions = new Map<unknown, Map<string, Position>>();
  let worst: Lag = { time: 0, lag: 0 };
  let longest = -1;
  for (const act of acts) {
    if (act.type !== "ok") continue;
    const { process } = act.op;
    let ofProcess = positions.get(process);
    if (ofProcess === undefined) positions.set(process, ofProcess = new Map());
    if (act.assigned !== undefined) {
      positions.set(process, reassigned(ofProcess, act.assigned, reaches));
    } else if (isTransaction(act) && act.op.f !== "send" && act.invoke !== undefined) {
      advance(ofProcess, act, reaches);
      const began = act.invoke.time;
      for (const [key, { outdated }] of ofProcess) {
        const lag = Math.max(0, began - outdated);
        if (lag <= longest) continue;
        longest = lag;
        worst = { time: began / 1e9, process, key, lag: lag / 1e9 };
      }
    }
  }
  return worst;
}

function readReaches(acts: readonly Act[]): Map<string, Reach[]> {
  const reaches = new Map<string, Reach[]>();
  for (const act of acts) {
    for (const [key, offset] of highest(act)) {
      const list = reaches.get(key);
      const last = list?.at(-1);
      if (list === undefined) reaches.set(key, [{ offset, time: act.op.time }]);
      else if (last === undefined || last.offset < offset) list.push({ offset, time: act.op.time });
    }
  }
  return reaches;
}

/** The highest offset of each key in an operation, sent or polled; -1 for an empty list. */
function highest(act: Act): Map<string, Offset> {
  const found = new Map<string, Offset>();
  if (act.type === "fail") return found;
  const note = (key: string, offset: Offset | undefined) => {
    const known = found.get(key);
    if (offset !== undefined && (known === undefined || known < offset)) found.set(key, offset);
  };
  for (const { message, offset } of act.sends) note(message.key, offset);
  for (const [key, list] of act.reads) {
    note(key, -1);
    for (const { offset } of list) note(key, offset);
  }
  return found;
}

function advance(
  positions: Map<string, Position>,
  act: Act,
  reaches: ReadonlyMap<string, Reach[]>,
): void {
  for (const [key, offset] of highest(act)) {
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
  readonly assign: Act;
  /** How far it could have been committed then; -1 if not at all. */
  readonly bound: Bound;
}

/** Warns of clients that a committed offset sent past messages that were not polled. */
export function checkCommits(
  acts: readonly Act[],
  logs: ReadonlyMap<string, Log>,
  warnings: Warnings,
): void {
  const checker = new CommitChecker(logs, warnings);
  const beginnings = acts.toSorted((a, b) => a.invokedAt - b.invokedAt);
  let begun = 0;
  for (const act of acts) {
    if (act.endedAt === Infinity) continue;
    for (; begun < beginnings.length; begun++) {
      const other = beginnings[begun];
      if (other === undefined || other.invokedAt > act.endedAt) break;
      checker.begin(other);
    }
    checker.end(act);
  }
}

class CommitChecker {
  readonly #logs: ReadonlyMap<string, Log>;
  readonly #warnings: Warnings;
  readonly #bounds = new Map<string, Bound>();
  readonly #positions = new Map<unknown, Positions>();

  constructor(logs: ReadonlyMap<string, Log>, warnings: Warnings) {
    this.#logs = logs;
    this.#warnings = warnings;
  }

  /** From here on, what a poll reads may be committed. */
  begin(act: Act): void {
    if (!isTransaction(act)) return;
    for (const [key, list] of act.reads) {
      for (const { offset } of list) if (offset !== undefined) this.#raise(key, offset);
    }
    // What an indefinite poll read and committed is not in the history.
    if (act.type === "info" && act.op.f !== "send") {
      for (const key of this.#of(act).keys()) this.#raise(key, Infinity);
    }
  }

  end(act: Act): void {
    if (act.type !== "ok") return;
    const positions = this.#of(act);
    if (act.assigned !== undefined) {
      const kept: Positions = new Map();
      for (const key of act.assigned) {
        const fresh = { assign: act, bound: this.#bounds.get(key) ?? -1 };
        kept.set(key, positions.has(key) ? positions.get(key) : fresh);
      }
      this.#positions.set(act.op.process, kept);
      return;
    }
    for (const [key, list] of act.reads) {
      const fresh = positions.get(key);
      if (list.length === 0 && fresh !== undefined) continue;
      if (fresh !== undefined) this.#check(act, key, fresh);
      positions.set(key, undefined);
    }
  }

  #of({ op }: Act): Positions {
    let positions = this.#positions.get(op.process);
    if (positions === undefined) this.#positions.set(op.process, positions = new Map());
    return positions;
  }

  #raise(key: string, offset: Bound): void {
    const known = this.#bounds.get(key);
    if (known === undefined || known < offset) this.#bounds.set(key, offset);
  }

  #check(act: Act, key: string, { assign, bound }: Fresh): void {
    const first = act.reads.get(key)?.[0];
    const log = this.#logs.get(key);
    const index = first === undefined ? undefined : log?.indexes.get(first.message);
    const skipped = index === undefined ? undefined : log?.slots[index - 1];
    if (first === undefined || skipped === undefined || skipped.offset <= bound) return;
    this.#warnings.add(
      "Poll after an assign from beyond what could be committed, which Maelstrom does not notice",
      () =>
        `key ${show(key)}, assigned by ${whoAndWhen(assign.op)}, was first polled from ` +
        `${briefly(first)}, past offset ${skipped.offset}, but no process had polled ` +
        (bound < 0 ? "any of it" : `beyond offset ${bound}`),
    );
  }
}
