/**
 * Something to be reached, and when to worry if it has not been.
 *
 * @module
 */

import { covers, type Vector } from "./vector.ts";

/** A place in the streams, and a time to look whether it has been reached. */
export class Mark {
  #vector: Vector | undefined;
  /** When to look; never while nothing is marked. */
  dueAtMs = Infinity;

  /** Whether something is marked. */
  get set(): boolean {
    return this.#vector !== undefined;
  }

  /** What is to be reached. */
  get vector(): Vector {
    return this.#vector ?? [];
  }

  /** Marks a place. */
  put(vector: Vector, dueAtMs: number): void {
    this.#vector = [...vector];
    this.dueAtMs = dueAtMs;
  }

  /** Takes the mark away if it has been reached. */
  check(vector: Vector): void {
    if (this.#vector !== undefined && covers(vector, this.#vector)) this.clear();
  }

  /** Takes the mark away. */
  clear(): void {
    this.#vector = undefined;
    this.dueAtMs = Infinity;
  }
}
