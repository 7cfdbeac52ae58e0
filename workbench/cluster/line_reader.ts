/**
 * Lines out of a stream of bytes.
 *
 * @module
 */

import { LineCap } from "@eddy/maelstrom/stdio";

/** Reads a stream line by line, for as long as it is let. */
export class LineReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #onLine: (line: string) => void;
  readonly #isEnough: () => boolean;
  readonly #cap = new LineCap();
  /** The pieces of a line whose end has not come yet. */
  #pieces: string[] = [];
  /** Resolves when the stream has ended, or enough was read. */
  readonly done: Promise<void>;

  /**
   * @param onLine told of each line, without its end; of a last line also if that has none
   * @param isEnough asked before each read; once true the stream is left unread, but open
   */
  constructor(
    stream: ReadableStream<Uint8Array>,
    onLine: (line: string) => void,
    isEnough: () => boolean = () => false,
  ) {
    this.#reader = stream.getReader();
    this.#onLine = onLine;
    this.#isEnough = isEnough;
    this.done = this.#run();
  }

  /** Closes the stream. */
  async cancel(): Promise<void> {
    // One that is broken already is closed, too.
    await this.#reader.cancel().catch(() => {});
  }

  async #run(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      while (!this.#isEnough()) {
        const { value, done } = await this.#reader.read();
        this.#take(this.#cap.cut(decoder.decode(value, { stream: !done })));
        if (!done) continue;
        if (this.#pieces.length > 0) this.#take("\n");
        return;
      }
    } catch {
      // The stream broke, as it does when its process is killed: what came before counts.
    }
  }

  #take(text: string): void {
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      const piece = text.slice(start, end);
      const line = this.#pieces.length === 0 ? piece : this.#pieces.join("") + piece;
      this.#pieces = [];
      start = end + 1;
      this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    }
    if (start < text.length) this.#pieces.push(text.slice(start));
  }
}
