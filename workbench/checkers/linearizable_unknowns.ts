/**
 * The operations of one register that may have happened: what they could explain, and at what cost.
 *
 * An unknown operation is worth placing only right before one that needs the value it leaves:
 * anywhere else it could be left out. So the search never places one on its own account;
 * it asks for the chains of them that lead to a value. Alike operations are counted, not told apart.
 *
 * @module
 */

import { ANY, type RegisterCall } from "./register_model.ts";

/** How many links of chains are followed for one question. */
const MAX_LINKS = 2000;

/** Unknown operations used so far: a number that stands for how many of each kind. */
export type Used = number;

/** No unknown operation used. */
export const NONE_USED: Used = 0;

/** Unknown operations that require and leave the same. */
interface Kind {
  readonly requires: number;
  readonly leaves: number;
  /** Where each was invoked, in order: the first one invoked is the first one used. */
  readonly invokedAt: number[];
}

/** A chain's way back from the value it leads to. */
interface Link {
  readonly value: number;
  readonly used: Used;
  readonly next?: Link;
}

/** A store of unknown operations, and of what the search has used of it. */
export class UnknownOperations {
  readonly #kinds: Kind[] = [];
  readonly #leaving = new Map<number, number[]>();
  readonly #counts: Int32Array[];
  readonly #numbers = new Map<string, Used>();
  readonly #inexhaustible: boolean;
  /** Links followed so far, and kinds compared or copied: what all this has cost. */
  work = 0;
  /** Whether an answer was cut short, so that a search that fails has not seen everything. */
  truncated = false;

  /**
   * @param needed the values that known operations require; what no chain to one of
   * these can use is dropped.
   * @param inexhaustible pretends that each operation can take effect again and again: what
   * cannot be explained even so cannot be explained at all.
   */
  constructor(
    operations: readonly RegisterCall[],
    needed: Iterable<number>,
    inexhaustible = false,
  ) {
    const kinds = new Map<string, Kind>();
    for (const { requires, leaves, invokedAt } of operations) {
      const name = `${requires} ${leaves}`;
      const kind = kinds.get(name) ?? { requires, leaves, invokedAt: [] };
      kind.invokedAt.push(invokedAt);
      kinds.set(name, kind);
    }
    this.#keepUseful([...kinds.values()], needed);
    this.#inexhaustible = inexhaustible;
    this.#counts = [new Int32Array(this.#kinds.length)];
    this.#numbers.set(this.#counts.join(), NONE_USED);
  }

  /** Walks back from what is needed, along the kinds that lead there. */
  #keepUseful(kinds: readonly Kind[], needed: Iterable<number>): void {
    const leaving = Map.groupBy(kinds, ({ leaves }) => leaves);
    const wanted = new Set(needed);
    for (const value of wanted) {
      for (const kind of leaving.get(value) ?? []) {
        const same = this.#leaving.get(value) ?? [];
        same.push(this.#kinds.length);
        this.#leaving.set(value, same);
        this.#kinds.push(kind);
        if (kind.requires !== ANY) wanted.add(kind.requires);
      }
    }
  }

  /** Whether any could ever be of use. */
  get isEmpty(): boolean {
    return this.#kinds.length === 0;
  }

  /**
   * Every way to get from one value to another by unknown operations alone, shortest first.
   *
   * @param before only what was invoked before this place can be used.
   * @returns what is used in all after each.
   */
  chains(from: number, to: number, used: Used, before: number): Used[] {
    const found = new Set<Used>();
    const links: Link[] = [{ value: to, used }];
    for (const link of links) {
      for (const kind of this.#leaving.get(link.value) ?? []) {
        if (!this.#isLeft(kind, link.used, before)) continue;
        const requires = this.#kinds[kind]?.requires ?? ANY;
        if (requires === ANY || requires === from) found.add(this.#use(kind, link.used));
        else if (!isOn(link, requires)) {
          links.push({ value: requires, used: this.#use(kind, link.used), next: link });
        }
      }
      if (links.length > MAX_LINKS) {
        this.truncated = true;
        break;
      }
      if (this.#inexhaustible && found.size > 0) break;
    }
    this.work += links.length;
    return [...found];
  }

  /** Every value that unknown operations alone can lead to, the first one included. */
  reachable(from: number, used: Used, before: number): number[] {
    const values = new Set([from]);
    for (const { requires, leaves } of this.#leftKinds(used, before)) {
      if (requires === ANY) values.add(leaves);
    }
    for (const value of values) {
      for (const { requires, leaves } of this.#leftKinds(used, before)) {
        if (requires === value) values.add(leaves);
      }
    }
    return [...values];
  }

  *#leftKinds(used: Used, before: number): Generator<Kind> {
    for (const [number, kind] of this.#kinds.entries()) {
      if (this.#isLeft(number, used, before)) yield kind;
    }
  }

  /** Whether whoever has used `a` can do all that one who has used `b` can: no kind more often. */
  leavesNoLess(a: Used, b: Used): boolean {
    if (a === b || a === NONE_USED) return true;
    const [x, y] = [this.#counts[a], this.#counts[b]];
    if (x === undefined || y === undefined) return false;
    this.work += x.length >> 4;
    return x.every((count, kind) => count <= (y[kind] ?? 0));
  }

  #isLeft(kind: number, used: Used, before: number): boolean {
    const count = this.#counts[used]?.[kind] ?? 0;
    return (this.#kinds[kind]?.invokedAt[count] ?? Infinity) < before;
  }

  #use(kind: number, used: Used): Used {
    if (this.#inexhaustible) return NONE_USED;
    const counts = Int32Array.from(this.#counts[used] ?? []);
    this.work += counts.length >> 3;
    counts[kind] = (counts[kind] ?? 0) + 1;
    const name = counts.join();
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#counts.push(counts);
    this.#numbers.set(name, this.#counts.length - 1);
    return this.#counts.length - 1;
  }
}

function isOn(link: Link, value: number): boolean {
  for (let at: Link | undefined = link; at !== undefined; at = at.next) {
    if (at.value === value) return true;
  }
  return false;
}
