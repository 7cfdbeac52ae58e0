/**
 * Lines into a stream of bytes.
 *
 * @module
 */

/** What may be on its way to a process, in characters, before more waits on the network. */
const MAX_PENDING_CHARS = 1 << 16;

/**
 * Writes lines in batches, one a turn of the event loop, and asks for a rest when the reader does
 * not keep up.
 */
export class LineWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #hold: () => () => void;
  readonly #onError: (error: unknown) => void;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #pendingChars = 0;
  #release: (() => void) | undefined;
  #running = false;
  #broken = false;

  /**
   * @param hold stops what calls `write`, and returns what lets it go on
   * @param onError told once, when nothing can be written any more
   */
  constructor(
    stream: WritableStream<Uint8Array>,
    hold: () => () => void,
    onError: (error: unknown) => void,
  ) {
    this.#writer = stream.getWriter();
    // Whatever breaks it is met by a write, too.
    this.#writer.closed.catch(() => {});
    this.#hold = hold;
    this.#onError = onError;
  }

  /** Takes one line, without its end. */
  write(line: string): void {
    if (this.#broken) return;
    this.#lines.push(line);
    this.#pendingChars += line.length + 1;
    if (this.#pendingChars > MAX_PENDING_CHARS) this.#release ??= this.#hold();
    if (!this.#running) this.#run();
  }

  /** Gives up what was not written, and closes the stream. */
  async abort(): Promise<void> {
    this.#broken = true;
    this.#lines = [];
    await this.#writer.abort().catch(() => {});
  }

  async #run(): Promise<void> {
    this.#running = true;
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#lines.length > 0) {
        const text = this.#lines.join("\n") + "\n";
        this.#lines = [];
        await this.#writer.write(this.#encoder.encode(text));
        this.#pendingChars -= text.length;
        if (this.#pendingChars <= MAX_PENDING_CHARS) this.#letGo();
      }
    } catch (error) {
      if (!this.#broken) this.#onError(error);
      this.#broken = true;
      this.#letGo();
    }
    this.#running = false;
  }

  #letGo(): void {
    this.#release?.();
    this.#release = undefined;
  }
}
