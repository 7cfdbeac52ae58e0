/**
 * A node with everything at hand, for tests beside these files.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { Node } from "./node.ts";
import type { NodeOptions } from "./options.ts";

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; callback: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  /** Timers that have neither run nor been cancelled. */
  get timers(): number {
    return this.#timers.length;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets `ms` milliseconds pass, running what falls due in order, and promises in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    while (true) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settle();
    }
    this.#nowMs = endMs;
  }
}

/** Lets pending promises run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What {@linkcode testNode} gives. */
export interface TestNode {
  node: Node;
  clock: ManualClock;
  /** Messages sent so far, parsed. */
  sent: { src: string; dest: string; body: Record<string, unknown> }[];
  /** Lines sent so far. */
  lines: string[];
  logs: string[];
  /** Hands a message to the node. */
  receive(src: string, body: Record<string, unknown>): void;
}

/** A node `n1` of three, initialized unless told otherwise, whose output is kept. */
export async function testNode(
  options: NodeOptions = {},
  { init = true }: { init?: boolean } = {},
): Promise<TestNode> {
  const clock = new ManualClock();
  const sent: TestNode["sent"] = [];
  const lines: string[] = [];
  const logs: string[] = [];
  const node = new Node({
    clock,
    random: { next: () => 0.5 },
    log: (text) => void logs.push(text),
    output: {
      write(line) {
        lines.push(line);
        sent.push(JSON.parse(line));
      },
    },
    ...options,
  });
  const receive = (src: string, body: Record<string, unknown>) =>
    node.receive(JSON.stringify({ src, dest: "n1", body }));
  if (init) {
    receive("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1", "n2", "n3"] });
    await settle();
    sent.length = lines.length = 0;
  }
  return { node, clock, sent, lines, logs, receive };
}
