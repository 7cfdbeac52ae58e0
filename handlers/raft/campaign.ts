/**
 * Standing for election: first asking whether it would be won, then in earnest.
 *
 * @module
 */

import type { Context, Role } from "./context.ts";
import type { Vote } from "./message.ts";

/** A node that stands for election (paper 5.2), or with `pre` asks first (dissertation 9.6). */
export class Campaign implements Role {
  readonly name = "candidate";
  readonly pre: boolean;
  readonly #context: Context;
  readonly #term: number;
  readonly #voters: Set<string>;
  readonly #deadlineMs: number;

  constructor(context: Context, pre: boolean) {
    this.pre = pre;
    this.#context = context;
    const { storage } = context;
    // A pre-vote changes nothing: a node that cannot win must not make others change their term.
    if (!pre) storage.setTerm(storage.term + 1, context.id);
    this.#term = pre ? storage.term + 1 : storage.term;
    this.#voters = new Set([context.id]);
    const { electionMs, nowMs } = context;
    this.#deadlineMs = nowMs + context.between(electionMs / 2, electionMs);
    const request = {
      type: "request_vote",
      term: this.#term,
      pre,
      ...context.logEnd,
    } as const;
    for (const peer of context.peers) context.send(peer, request, false);
  }

  /** Counts a vote. */
  step(from: string, { term, pre, granted }: Vote): void {
    if (granted && pre === this.pre && term === this.#term) this.#voters.add(from);
  }

  /** Whether a majority is for this node. */
  get won(): boolean {
    return this.#context.rules.isElected(this.#voters, this.#context.quorum);
  }

  /** Whether it is time to try again. */
  get lost(): boolean {
    return this.#context.nowMs >= this.#deadlineMs;
  }

  healthy(): boolean {
    return false;
  }

  flush(): void {}

  wakeAtMs(): number {
    return this.won ? this.#context.nowMs : this.#deadlineMs;
  }
}
