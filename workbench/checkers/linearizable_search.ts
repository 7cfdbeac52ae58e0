/**
 * The search for an order in which one register's operations can have taken effect.
 *
 * Wing and Gong's search (Testing and verifying concurrent objects, 1993) with Lowe's cache of
 * configurations (Testing for linearizability, 2017), over a linked list of events. Three things
 * keep it small:
 *
 * - A read of the value that stands there is placed at once: it changes nothing, so whatever
 *   works without it works after it.
 * - Operations that may never have happened are placed only where they explain something; see
 *   `linearizable_unknowns.ts`. Of two ways to the same point, the one that used no more of them is
 *   as good as the other.
 * - The cache knows a configuration by the first completion still ahead, the operations already
 *   placed among those open there, and the value: what lies behind is the same for all.
 *
 * @module
 */

import type { Validity } from "../history.ts";
import { LinkedEvents } from "./linearizable_events.ts";
import { NONE_USED, UnknownOperations, type Used } from "./linearizable_unknowns.ts";
import { ANY, INITIAL, type RegisterCall } from "./register_model.ts";

/** How many dead ends are kept to tell what the register can have held there. */
const MAX_STUCK_POINTS = 256;

/** What a search found. */
export interface SearchOutcome {
  /** Whether there is an order; `unknown` when the search was cut short. */
  readonly verdict: Validity;
  /** How many configurations it took. */
  readonly configurations: number;
  /** Without an order: the first operation whose completion no order can account for. */
  readonly stuck?: { readonly call: RegisterCall; readonly possible: readonly number[] };
}

/** One operation placed, and what else could be placed there instead. */
interface Frame {
  /** The operation whose placing led here; none at the root. */
  readonly placed?: number;
  readonly stateBefore: number;
  readonly usedBefore: Used;
  /** Whether the moves by way of unknown operations have been added to the rest. */
  explained: boolean;
  /** Next moves: an operation and what of the unknown ones is used after it. */
  moves: readonly Move[];
  next: number;
}

interface Move {
  readonly call: number;
  readonly used: Used;
}

/**
 * Looks for an order of all the known operations and any of the unknown ones in which each finds what
 * it requires, and none comes before one that had completed when it was invoked.
 *
 * @param maxSteps how many placings to try before giving up, on the exact question and
 * then once more on a looser one, which can still show that there is no order.
 */
export function searchOrder(
  known: readonly RegisterCall[],
  unknown: readonly RegisterCall[],
  maxSteps: number,
): SearchOutcome {
  const needed = known.map(({ requires }) => requires);
  const exact = new Search(known, new UnknownOperations(unknown, needed), maxSteps).run();
  if (exact.verdict !== "unknown") return exact;
  const looser = new UnknownOperations(unknown, needed, true);
  const loose = new Search(known, looser, maxSteps).run();
  const configurations = exact.configurations + loose.configurations;
  return { ...loose.verdict === false ? loose : exact, configurations };
}

class Search {
  readonly #calls: readonly RegisterCall[];
  readonly #unknowns: UnknownOperations;
  readonly #events: LinkedEvents;
  readonly #maxSteps: number;
  /** By the operation whose completion is next: how little of the unknown ones got there. */
  readonly #seen: (Map<number | string, Used | Used[]> | undefined)[] = [];
  /** Where the furthest completion ever next was not reached from: value and what is used. */
  readonly #stuckPoints = new Map<string, [number, Used]>();
  #stuckAt: number | undefined;
  #state = INITIAL;
  #used: Used = NONE_USED;
  #steps = 0;
  #configurations = 0;

  constructor(calls: readonly RegisterCall[], unknowns: UnknownOperations, maxSteps: number) {
    this.#calls = calls;
    this.#unknowns = unknowns;
    this.#events = new LinkedEvents(calls);
    this.#maxSteps = maxSteps;
  }

  run(): SearchOutcome {
    const root = this.#enter();
    const frames = root === undefined ? [] : [root];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const move = this.#nextMove(frame);
      if (move === undefined) {
        frames.pop();
        this.#undo(frame);
        continue;
      }
      if (this.#steps++ + this.#unknowns.work > this.#maxSteps) return this.#outcome("unknown");
      const before = { placed: move.call, stateBefore: this.#state, usedBefore: this.#used };
      this.#place(move);
      if (this.#events.isEmpty) return this.#outcome(true);
      const entered = this.#enter(before);
      if (entered === undefined) this.#undo(before);
      else frames.push(entered);
    }
    if (this.#calls.length === 0) return this.#outcome(true);
    return this.#outcome(this.#unknowns.truncated ? "unknown" : false);
  }

  #outcome(verdict: Validity): SearchOutcome {
    const configurations = this.#configurations;
    const call = this.#calls[this.#stuckAt ?? -1];
    if (verdict !== false || call === undefined) return { verdict, configurations };
    const possible = new Set<number>();
    for (const [state, used] of this.#stuckPoints.values()) {
      for (const value of this.#unknowns.reachable(state, used, call.completedAt)) {
        possible.add(value);
      }
    }
    return { verdict, configurations, stuck: { call, possible: [...possible] } };
  }

  #place({ call, used }: Move): void {
    this.#events.take(call);
    this.#state = this.#calls[call]?.leaves ?? this.#state;
    this.#used = used;
  }

  #undo({ placed, stateBefore, usedBefore }: Pick<Frame, "placed" | "stateBefore" | "usedBefore">) {
    if (placed !== undefined) this.#events.putBack(placed);
    this.#state = stateBefore;
    this.#used = usedBefore;
  }

  /** Opens the configuration just reached, unless one at least as good has been there before. */
  #enter(
    before: Pick<Frame, "placed" | "stateBefore" | "usedBefore"> = {
      stateBefore: INITIAL,
      usedBefore: NONE_USED,
    },
  ): Frame | undefined {
    const candidates = this.#events.candidates();
    this.#steps += candidates.length >> 5;
    const used = this.#used;
    const moves: Move[] = [];
    for (const call of candidates) {
      const { requires, leaves } = this.#calls[call] ?? { requires: ANY, leaves: ANY };
      if (requires !== ANY && requires !== this.#state) continue;
      if (requires === leaves) {
        return { ...before, explained: true, moves: [{ call, used }], next: 0 };
      }
      moves.push({ call, used });
    }
    if (this.#isKnown()) return undefined;
    this.#configurations += 1;
    this.#noteStuck();
    return { ...before, explained: this.#unknowns.isEmpty, moves, next: 0 };
  }

  #nextMove(frame: Frame): Move | undefined {
    if (frame.next >= frame.moves.length && !frame.explained) {
      frame.moves = this.#explainedMoves();
      frame.next = 0;
      frame.explained = true;
    }
    return frame.moves[frame.next++];
  }

  /** The candidates that could come next after some of the unknown operations. */
  #explainedMoves(): Move[] {
    const before = this.#calls[this.#events.nextCompletion]?.completedAt ?? Infinity;
    const moves: Move[] = [];
    for (const call of this.#events.candidates()) {
      const requires = this.#calls[call]?.requires ?? ANY;
      if (requires === ANY || requires === this.#state) continue;
      for (const used of this.#unknowns.chains(this.#state, requires, this.#used, before)) {
        moves.push({ call, used });
      }
    }
    return moves;
  }

  /** Whether this configuration, or one that can do all that it can, was searched already. */
  #isKnown(): boolean {
    const seen = this.#seen[this.#events.nextCompletion] ??= new Map<number | string, Used>();
    const key = this.#events.placedKey(this.#state);
    const known = seen.get(key);
    if (known === undefined) {
      seen.set(key, this.#used);
      return false;
    }
    const all = typeof known === "number" ? [known] : known;
    if (all.some((used) => this.#unknowns.leavesNoLess(used, this.#used))) return true;
    const kept = all.filter((used) => !this.#unknowns.leavesNoLess(this.#used, used));
    seen.set(key, [...kept, this.#used]);
    return false;
  }

  /** Remembers the furthest completion that was ever next, and what stood there before it. */
  #noteStuck(): void {
    const at = this.#events.nextCompletion;
    if (at !== this.#stuckAt) {
      const before = this.#calls[at]?.completedAt ?? Infinity;
      if (before < (this.#calls[this.#stuckAt ?? -1]?.completedAt ?? -1)) return;
      this.#stuckAt = at;
      this.#stuckPoints.clear();
    }
    if (this.#stuckPoints.size === MAX_STUCK_POINTS) return;
    this.#stuckPoints.set(`${this.#state} ${this.#used}`, [this.#state, this.#used]);
  }
}
