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

/** A priority queue of what is due first. */
export class TimedQueue<T extends Timed> {
  #heap: T[] = [];

  /** How many wait. */
  get size(): number {
    return this.#heap.length;
  }

  /** What is due first, left in place. */
  peek(): T | undefined {
    return this.#heap[0];
  }

  /** Adds an item. */
  push(item: T): void {
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

  /** Takes what is due first. */
  pop(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last, 0);
    return first;
  }

  /** Leaves out what does not pass; linear. */
  retain(keep: (item: T) => boolean): void {
    const heap = this.#heap = this.#heap.filter(keep);
    for (let index = (heap.length >> 1) - 1; index >= 0; index--) {
      const item = heap[index];
      if (item !== undefined) this.#sink(item, index);
    }
  }

  /** Takes everything, in order. */
  drain(): T[] {
    const all = this.#heap;
    this.#heap = [];
    return all.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  #sink(item: T, start: number): void {
    const heap = this.#heap;
    const size = heap.length;
    let index = start;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = childIndex + 1 < size ? heap[childIndex + 1] : undefined;
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
