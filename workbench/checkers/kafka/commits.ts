/**
 * Committed offsets that run ahead of what anybody polled, as far as a history shows them.
 *
 * A client that assigns a key anew starts at the key's committed offset, or at 0. It can have been
 * committed only after a poll that had begun by then, and no further than that poll read. So when
 * the client's first poll begins beyond every such poll, and the log holds messages in between, the
 * node told it to skip what may never have been processed. Maelstrom lets that pass.
 *
 * @module
 */

import { show, whoAndWhen } from "../wording.ts";
import type { Warnings } from "../warnings.ts";
import { type Act, isTransaction, type Offset } from "./acts.ts";
import type { Log } from "./log.ts";
import { briefly } from "./telling.ts";

/** How far a key may have been committed; Infinity when nobody knows. */
type Bound = Offset;

/** What a process reads, and from where. */
type Positions = Map<string, Fresh | undefined>;

/** A key assigned anew and not yet polled. */
interface Fresh {
  readonly assign: Act;
  /** How far it could have been committed then; -1 if not at all. */
  readonly bound: Bound;
}

/** Warns of clients that a committed offset sent past messages nobody had polled. */
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
      if (fresh !== undefined) this.#judge(act, key, fresh);
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

  #judge(act: Act, key: string, { assign, bound }: Fresh): void {
    const first = act.reads.get(key)?.[0];
    const log = this.#logs.get(key);
    const index = first === undefined ? undefined : log?.indexes.get(first.message);
    const skipped = index === undefined ? undefined : log?.slots[index - 1];
    if (first === undefined || skipped === undefined || skipped.offset <= bound) return;
    this.#warnings.add(
      "Poll after an assign from beyond what could be committed, which Maelstrom does not notice",
      () =>
        `key ${show(key)}, assigned by ${whoAndWhen(assign.op)}, was first polled from ` +
        `${briefly(first)}, past offset ${skipped.offset}, but nobody had polled ` +
        (bound < 0 ? "any of it" : `beyond offset ${bound}`),
    );
  }
}
