/**
 * The end of a log.
 *
 * @module
 */

/** How many lines are kept, as under Maelstrom. */
const MAX_LINES = 32;

/** How much of a line is kept; what is read by people need not be longer. */
const MAX_CHARS = 1000;

/** The last lines of something that may be long. */
export class RecentLines {
  readonly #ring: string[] = [];
  #count = 0;

  /** Adds a line. */
  add(line: string): void {
    this.#ring[this.#count++ % MAX_LINES] = line.length <= MAX_CHARS
      ? line
      : `${line.slice(0, MAX_CHARS)}... (${line.length} characters)`;
  }

  /** The last lines, oldest first. */
  get lines(): string[] {
    if (this.#count <= MAX_LINES) return [...this.#ring];
    const start = this.#count % MAX_LINES;
    return [...this.#ring.slice(start), ...this.#ring.slice(0, start)];
  }
}
