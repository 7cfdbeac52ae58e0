/**
 * A line at the bottom of a terminal that changes in place while other lines are printed.
 *
 * @module
 */

const CLEAR = "\r\x1b[K";

/** The status line of a terminal. */
export class StatusLine {
  readonly #write: (text: string) => void;
  #text = "";

  /** @param write where it goes; standard error by default */
  constructor(write: (text: string) => void = writeStderr) {
    this.#write = write;
  }

  /** Shows a text in place of the one before; an empty one takes the line away. */
  show(text: string): void {
    this.#text = text;
    this.#write(CLEAR + text);
  }

  /** Prints a line above. */
  print(line: string): void {
    this.#write(this.#text === "" ? `${line}\n` : `${CLEAR}${line}\n${this.#text}`);
  }
}

const encoder = new TextEncoder();

function writeStderr(text: string): void {
  const bytes = encoder.encode(text);
  for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
}
