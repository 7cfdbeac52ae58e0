/**
 * What comes in for a node while it is busy: kept up to a bound, and dropped beyond it.
 *
 * @module
 */

/** What takes messages as lines: a node, or a service. */
export interface Receiver {
  /** Takes one line; never throws, and does not wait. */
  receive(line: string): void;
  /** Whether input should pause until {@linkcode Receiver.ready} resolves. */
  readonly busy: boolean;
  /** Resolves when it can take more input. */
  ready(): Promise<void>;
}

/** How many messages may wait, and how many characters they may have together. */
const MAX_LINES = 4096;
const MAX_CHARS = 16 << 20;

/**
 * Hands lines to a receiver, in order. A subscription cannot be paused as standard input can: the
 * server would see a slow consumer, and end the connection with all that is on its way.
 */
export class InputQueue {
  readonly #receiver: Receiver;
  readonly #onDrop: () => void;
  #lines: string[] = [];
  #chars = 0;
  #isPaused = false;
  #isClosed = false;

  /** @param onDrop called for each line for which there is no room */
  constructor(receiver: Receiver, onDrop: () => void) {
    this.#receiver = receiver;
    this.#onDrop = onDrop;
  }

  /** Takes a line, or drops it; returns whether there was room. */
  push(line: string): boolean {
    if (this.#isClosed) return false;
    if (!this.#isPaused) {
      this.#receiver.receive(line);
      if (this.#receiver.busy) this.#pause();
      return true;
    }
    if (this.#lines.length >= MAX_LINES || this.#chars + line.length > MAX_CHARS) {
      this.#onDrop();
      return false;
    }
    this.#lines.push(line);
    this.#chars += line.length;
    return true;
  }

  /** Drops what waits, and takes nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#lines = [];
    this.#chars = 0;
  }

  async #pause(): Promise<void> {
    this.#isPaused = true;
    await this.#receiver.ready();
    // What comes while this waits stands behind the others.
    for (let line = this.#shift(); line !== undefined; line = this.#shift()) {
      this.#receiver.receive(line);
      if (this.#receiver.busy) await this.#receiver.ready();
    }
    this.#isPaused = false;
  }

  #shift(): string | undefined {
    const line = this.#lines.shift();
    this.#chars -= line?.length ?? 0;
    return line;
  }
}
