/**
 * Promises that a node rejects and nobody catches: they must not end the process that simulates it.
 *
 * @module
 */

/** Keeps what nobody catches from ending the process, as `main.ts` does for a node on its own. */
export class Uncaught {
  #count = 0;
  #first = "";

  /** One sentence, if there was anything. */
  get warnings(): string[] {
    if (this.#count === 0) return [];
    const more = this.#count === 1 ? "" : `, and ${this.#count - 1} more`;
    return [`Nodes rejected promises that nobody caught: ${this.#first}${more}`];
  }

  /** Runs `main`, and takes note of all that is rejected meanwhile and not caught. */
  async during<T>(main: () => Promise<T>): Promise<T> {
    const note = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      if (this.#count++ === 0) this.#first = describe(event.reason);
    };
    globalThis.addEventListener("unhandledrejection", note);
    try {
      return await main();
    } finally {
      // What was rejected last is told of when the event loop gets its turn.
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.removeEventListener("unhandledrejection", note);
    }
  }
}

/** An error with the line it came from. */
function describe(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  const place = reason.stack?.split("\n").find((line) => /^\s+at /.test(line));
  return place === undefined ? String(reason) : `${reason} ${place.trim()}`;
}
