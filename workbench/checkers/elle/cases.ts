/**
 * Anomalies as they are found: counted all, kept a few of each.
 *
 * @module
 */

import { MAX_FINDINGS, type Op } from "../../history.ts";

/** One anomaly. */
export interface Case {
  /** What happened, in words. */
  readonly what: string;
  readonly ops: readonly Op[];
  /** The same for programs, under Elle's names; operations by their index. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The anomalies of a history, by name. */
export class Cases {
  readonly #kept = new Map<string, Case[]>();
  readonly #counts = new Map<string, number>();

  /**
   * Counts an anomaly.
   *
   * @param make describes it; not called once there are enough of its name.
   */
  add(name: string, make: () => Case): void {
    const kept = this.#kept.get(name) ?? [];
    this.#kept.set(name, kept);
    this.#counts.set(name, this.count(name) + 1);
    if (kept.length < MAX_FINDINGS) kept.push(make());
  }

  /** The names of what was found, in the order of finding. */
  names(): string[] {
    return [...this.#counts.keys()];
  }

  /** How many of a name there are. */
  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** The first few of a name. */
  get(name: string): readonly Case[] {
    return this.#kept.get(name) ?? [];
  }
}
