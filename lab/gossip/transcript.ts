/**
 * Golden transcripts, for tests: what goes into a node and what comes out, line by line, each with
 * its time.
 *
 * @module
 */

import { type Clock, Node } from "@eddy/maelstrom";

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; callback: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves to a time, with all timers on the way. */
  moveTo(endMs: number): void {
    while (true) {
      const [first] = this.#timers.toSorted((a, b) => a.atMs - b.atMs);
      if (first === undefined || first.atMs > endMs) break;
      this.#timers = this.#timers.filter((other) => other !== first);
      this.#nowMs = Math.max(this.#nowMs, first.atMs);
      first.callback();
    }
    this.#nowMs = endMs;
  }
}

/**
 * Plays the incoming lines of a transcript to a node, and returns the transcript with the lines
 * that came out.
 *
 * An incoming line is `<ms> <src> -> <body>`, an outgoing one `<ms> <dest> <- <body>`; lines that
 * begin with `#` are for the reader. A line with a time alone lets time pass.
 *
 * @param serve registers the handlers of node `id`
 */
export async function play(
  transcript: string,
  id: string,
  serve: (node: Node) => void,
): Promise<string> {
  const clock = new ManualClock();
  const lines: string[] = [];
  const node = new Node({
    clock,
    random: { next: () => 0.5 },
    log: (text) => lines.push(`${clock.now()} says ${text}`),
    output: {
      write(line) {
        const { dest, body } = JSON.parse(line);
        lines.push(`${clock.now()} ${dest} <- ${JSON.stringify(body)}`);
      },
    },
  });
  serve(node);
  for (const line of transcript.trim().split("\n")) {
    const [, time, src, body] = /^(\d+)(?: (\w+) -> (.*))?$/.exec(line) ?? [];
    if (time === undefined) {
      if (line.startsWith("#")) lines.push(line);
      continue;
    }
    clock.moveTo(Number(time));
    lines.push(line);
    if (src === undefined || body === undefined) continue;
    node.receive(`{"src":"${src}","dest":"${id}","body":${body}}`);
    // Lets handlers that wait go on, init's among them.
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
  return lines.join("\n");
}
