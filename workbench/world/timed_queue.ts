/**
 * What is due when: a binary heap, with ties in the order given.
 *
 * @module
 */

/** Something with its turn. */
export interface Timed {
  /** When it is due. */
  readonly at: number;
  /** Decides between those due at the same time: lower first. */
  readonly order: number;
}

/**
 * A priority queue of what is due first.
 *
 * Most items come in the order in which they are due, or nearly. Those that do stand in a line,
 * where coming and going cost nothing; the others are in a heap.
 */
export class TimedQueue<T extends Timed> {
  /** Ascending, from `#start` on. */
  #line: T[] = [];
  #start = 0;
  #last: T | undefined;
  #heap: T[] = [];

  /** How many wait. */
  get size(): number {
    return this.#line.length - this.#start + this.#heap.length;
  }

  /** What is due first, left in place. */
  peek(): T | undefined {
    const first = this.#line[this.#start];
    const top = this.#heap[0];
    return first === undefined || (top !== undefined && isBefore(top, first)) ? top : first;
  }

  /** Adds an item. */
  push(item: T): void {
    const last = this.#last;
    if (last !== undefined && isBefore(item, last)) {
      this.#rise(item);
    } else {
      this.#last = item;
      this.#line.push(item);
    }
  }

  /** Takes what is due first. */
  pop(): T | undefined {
    const first = this.peek();
    if (first === undefined) return undefined;
    if (first === this.#heap[0]) this.#popHeap();
    else this.#shiftLine();
    return first;
  }

  /** Leaves out what does not pass; linear. */
  retain(keep: (item: T) => boolean): void {
    this.#setLine(this.#line.slice(this.#start).filter(keep));
    const heap = this.#heap = this.#heap.filter(keep);
    for (let index = (heap.length >> 1) - 1; index >= 0; index--) {
      const item = heap[index];
      if (item !== undefined) this.#sink(item, index);
    }
  }

  /** Takes everything, in order. */
  drain(): T[] {
    const all = this.#line.slice(this.#start).concat(this.#heap);
    this.#setLine([]);
    this.#heap = [];
    return all.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  #setLine(line: T[]): void {
    this.#line = line;
    this.#start = 0;
    this.#last = line.at(-1);
  }

  #shiftLine(): void {
    this.#start++;
    // What was taken is let go when it is at least half.
    if (this.#start === this.#line.length) this.#setLine([]);
    else if (this.#start >= 64 && this.#start * 2 >= this.#line.length) {
      this.#setLine(this.#line.slice(this.#start));
    }
  }

  #rise(item: T): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(item);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isBefore(item, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = item;
  }

  #popHeap(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last, 0);
  }

  #sink(item: T, start: number): void {
    const heap = this.#heap;
    const size = heap.length;
    let index = start;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= size) break;
      let child = heap[childIndex] as T;
      const right = childIndex + 1 < size ? heap[childIndex + 1] as T : undefined;
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex++;
      }
      if (!isBefore(child, item)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = item;
  }
}

function isBefore(a: Timed, b: Timed): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
