/**
 * The lines of a stream of text.
 *
 * @module
 */

import { LineCap } from "@eddy/maelstrom/stdio";

/** Text that comes in pieces, as lines without their ends; what is too long of one is dropped. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #cap = new LineCap();
  // A byte order mark is no JSON, and Maelstrom does not skip it.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The pieces of a line whose end has not come yet. */
  #pieces: string[] = [];

  /** @param onLine called with each line */
  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** What came after the last line end. */
  get unfinished(): string {
    return this.#pieces.join("");
  }

  /** Takes a piece. */
  add(data: Uint8Array | string): void {
    this.#take(typeof data === "string" ? data : this.#decoder.decode(data, { stream: true }));
  }

  /** Takes what is left as a line, if anything is. */
  end(): void {
    this.#take(this.#decoder.decode());
    if (this.#pieces.length > 0) this.#take("\n");
  }

  #take(piece: string): void {
    const text = this.#cap.cut(piece);
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      const last = text.slice(start, end);
      const line = this.#pieces.length === 0 ? last : this.#pieces.join("") + last;
      this.#pieces = [];
      start = end + 1;
      this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    }
    if (start < text.length) this.#pieces.push(text.slice(start));
  }
}
