/**
 * Many integers in little memory: lists that grow, and lists of lists.
 *
 * @module
 */

/** How many integers stand in one array. */
const BITS = 16;
const SIZE = 2 ** BITS;

/** How many at first: most histories are short. */
const FEW = 2 ** 6;

/** A list of 32-bit integers that grows without being copied. */
export class Integers {
  /** The first of them, in an array that grows up to the size of the others. */
  #first = new Int32Array(FEW);
  readonly #parts: Int32Array[] = [this.#first];
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds one at the end, and returns its place. */
  push(integer: number): number {
    const place = this.#length++;
    if (place >= SIZE) {
      if (place % SIZE === 0) this.#parts.push(new Int32Array(SIZE));
    } else if (place === this.#first.length) this.#growFirst();
    this.set(place, integer);
    return place;
  }

  #growFirst(): void {
    const grown = new Int32Array(4 * this.#first.length);
    grown.set(this.#first);
    this.#parts[0] = this.#first = grown;
  }

  /** The one at a place; 0 where there is none. */
  at(place: number): number {
    return this.#parts[place >>> BITS]?.[place % SIZE] ?? 0;
  }

  /** Replaces the one at a place. */
  set(place: number, integer: number): void {
    const part = this.#parts[place >>> BITS];
    if (part !== undefined) part[place % SIZE] = integer;
  }

  /** All of them in order. */
  *[Symbol.iterator](): Generator<number> {
    for (let place = 0; place < this.#length; place++) yield this.at(place);
  }
}

/** A list of integers for each number below some size; all are added before any is read. */
export class NumberLists {
  /** To which list each integer was added, and which. */
  #lists = new Integers();
  #integers = new Integers();
  /** The last integer of each list, plus 1; 0 for an empty list. Once built, where each list ends. */
  readonly #last: Int32Array;
  readonly #isSet: boolean;
  /** The lists that are not empty, in the order of their first integers. */
  readonly #order = new Integers();
  #built:
    | { readonly starts: Int32Array; readonly ends: Int32Array; readonly all: Int32Array }
    | undefined;

  /**
   * @param size how many lists there are
   * @param isSet whether an integer stands in a list once at most; else only not twice in a row
   */
  constructor(size: number, isSet = false) {
    this.#last = new Int32Array(size);
    this.#isSet = isSet;
  }

  /** Adds an integer from 0 up to a list. */
  add(list: number, integer: number): void {
    const last = this.#last[list];
    if (last === integer + 1) return;
    if (last === 0) this.#order.push(list);
    this.#last[list] = integer + 1;
    this.#lists.push(list);
    this.#integers.push(integer);
  }

  /** The numbers of the lists that are not empty, in the order of their first integers. */
  keys(): Iterable<number> {
    return this.#order;
  }

  /** A list; empty where nothing was added. */
  of(list: number): Int32Array {
    const { starts, ends, all } = this.#built ??= this.#build();
    return all.subarray(starts[list] ?? 0, ends[list] ?? 0);
  }

  /** Puts the integers of each list side by side, in the order in which they were added. */
  #build() {
    const [size, count] = [this.#last.length, this.#lists.length];
    const starts = new Int32Array(size + 1);
    for (let i = 0; i < count; i++) {
      starts[this.#lists.at(i) + 1] = (starts[this.#lists.at(i) + 1] ?? 0) + 1;
    }
    for (let list = 0; list < size; list++) {
      starts[list + 1] = (starts[list + 1] ?? 0) + (starts[list] ?? 0);
    }
    const ends = this.#last;
    ends.set(starts.subarray(0, size));
    const all = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const list = this.#lists.at(i);
      const end = ends[list] ?? 0;
      all[end] = this.#integers.at(i);
      ends[list] = end + 1;
    }
    [this.#lists, this.#integers] = [new Integers(), new Integers()];
    if (this.#isSet) takeOutRepeats(all, starts, ends);
    return { starts, ends, all };
  }
}

/** Leaves of each list's integers the first of equals. */
function takeOutRepeats(all: Int32Array, starts: Int32Array, ends: Int32Array): void {
  /** For each integer the list that it was met in last, plus 1. */
  const met = new Int32Array(all.reduce((max, integer) => Math.max(max, integer), -1) + 1);
  for (let list = 0; list < ends.length; list++) {
    const [start, end] = [starts[list] ?? 0, ends[list] ?? 0];
    let kept = start;
    for (let i = start; i < end; i++) {
      const integer = all[i] ?? 0;
      if (met[integer] === list + 1) continue;
      met[integer] = list + 1;
      all[kept++] = integer;
    }
    ends[list] = kept;
  }
}
