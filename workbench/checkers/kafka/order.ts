/**
 * Whether each client sees a key's log in order and without gaps, and sends into it in order.
 *
 * @module
 */

import { seconds, show, whoAndWhen } from "../wording.ts";
import type { Warnings } from "../warnings.ts";
import type { Act, Placed } from "./acts.ts";
import type { Case, Cases } from "./cases.ts";
import type { Log } from "./log.ts";
import { briefly } from "./telling.ts";

/** How many skipped messages an error lists. */
const MAX_LISTED = 32;

/** Where a process left off in a key's log. */
interface Mark {
  readonly act: Act;
  /** The last message; undefined after an empty list. */
  readonly last: Placed | undefined;
  /** What preceded an empty list. */
  readonly before?: Mark | undefined;
}

/** Two successive messages of a key as one process polled or sent them. */
interface Move {
  readonly log: Log;
  readonly from: Placed;
  readonly to: Placed;
  readonly fromAct: Act;
  readonly toAct: Act;
  /** How many messages the log holds from one to the other; 1 is right. */
  readonly delta: number;
}

/** Checks what each process polls and sends, within operations and from one to the next. */
export function checkOrder(
  acts: readonly Act[],
  logs: ReadonlyMap<string, Log>,
  cases: Cases,
  warnings: Warnings,
): void {
  const order = new OrderChecker(logs, cases, warnings);
  for (const act of acts) order.take(act);
}

class OrderChecker {
  readonly #logs: ReadonlyMap<string, Log>;
  readonly #cases: Cases;
  readonly #warnings: Warnings;
  /** Process to key to where its last poll and its last send of the key were. */
  readonly #polled = new Map<unknown, Map<string, Mark>>();
  readonly #sent = new Map<unknown, Map<string, Mark>>();

  constructor(logs: ReadonlyMap<string, Log>, cases: Cases, warnings: Warnings) {
    this.#logs = logs;
    this.#cases = cases;
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
        this.#judge(this.#move(log, mark.act, mark.last, act, first), "", "poll");
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
        if (move.delta < 1) this.#judge(move, "", "send");
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
      this.#judge(this.#move(log, act, from, act, to), "int-", kind);
    }
  }

  #move(log: Log, fromAct: Act, from: Placed, toAct: Act, to: Placed): Move {
    const i = log.indexes.get(from.message);
    const j = log.indexes.get(to.message);
    // A message whose place nobody knows is given the benefit of the doubt.
    const delta = i === undefined || j === undefined ? 1 : j - i;
    return { log, from, to, fromAct, toAct, delta };
  }

  #judge(move: Move, prefix: "" | "int-", kind: "poll" | "send"): void {
    const { delta } = move;
    if (delta > 1) this.#cases.add(`${prefix}${kind}-skip`, delta, () => tell(move, kind));
    if (delta < 1) this.#cases.add(`${prefix}nonmonotonic-${kind}`, -delta, () => tell(move, kind));
  }

  #overlooked(move: Move): void {
    if (move.delta === 1) return;
    this.#warnings.add(
      "Polls that skip or repeat messages, which Maelstrom overlooks because an empty list came " +
        "in between",
      () => tell(move, "poll").what,
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

function tell(move: Move, kind: "poll" | "send"): Case {
  const { log, from, to, fromAct, toAct, delta } = move;
  const one = fromAct === toAct;
  const skipped = delta > 1 ? skippedOf(move) : undefined;
  const done = kind === "poll" ? "polled" : "sent";
  const then = one ? `${done} ${briefly(from)} and next` : `${done} ${briefly(from)}, then`;
  return {
    err: {
      key: log.key,
      values: [from.message.value, to.message.value],
      delta,
      ...(skipped !== undefined && { skipped: skipped.map(({ message }) => message.value) }),
      ops: one ? [toAct.op.index] : [fromAct.op.index, toAct.op.index],
    },
    what: `Key ${show(log.key)}: ${whoAndWhen(fromAct.op)} ${then} ${briefly(to)}` +
      (one ? "" : ` at ${seconds(toAct.op)}`) + consequence(move, skipped),
    ops: [fromAct.op, skipped?.[0]?.message.sender?.op, toAct.op],
  };
}

function consequence({ delta }: Move, skipped: readonly Placed[] | undefined): string {
  const first = skipped?.[0];
  if (first !== undefined) {
    return `, skipping ${briefly(first)}${delta > 2 ? ` and ${delta - 2} more` : ""}`;
  }
  return delta === 0 ? ", the same again" : `, ${-delta} back in the log`;
}

function skippedOf({ log, from, delta }: Move): Placed[] {
  const start = (log.indexes.get(from.message) ?? 0) + 1;
  const end = start + Math.min(delta - 1, MAX_LISTED);
  return log.slots.slice(start, end).flatMap(({ offset, messages }) => {
    const [message] = messages.keys();
    return message === undefined ? [] : [{ message, offset }];
  });
}
