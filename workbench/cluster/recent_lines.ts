/**
 * The end of a log.
 *
 * @module
 */

/** How many lines are kept, as under Maelstrom. */
const MAX_LINES = 32;

/** The last lines of something that may be long. */
export class RecentLines {
  readonly #ring: string[] = [];
  #count = 0;

  /** Adds a line. */
  add(line: string): void {
    this.#ring[this.#count++ % MAX_LINES] = line;
  }

  /** The last lines, oldest first. */
  get lines(): string[] {
    if (this.#count <= MAX_LINES) return [...this.#ring];
    const start = this.#count % MAX_LINES;
    return [...this.#ring.slice(start), ...this.#ring.slice(0, start)];
  }
}
