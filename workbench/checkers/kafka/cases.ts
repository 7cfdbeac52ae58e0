/**
 * Anomalies by name: how many of each, and the worst few told in full.
 *
 * @module
 */

import { type Finding, MAX_FINDINGS, type Op } from "../../history.ts";
import { inOrder } from "../wording.ts";

/** One anomaly: as figures for machines, as a sentence for people, and the operations showing it. */
export interface Case {
  readonly err: Readonly<Record<string, unknown>>;
  readonly what: string;
  readonly ops: Iterable<Op | undefined>;
}

/** How many cases of an anomaly are told as figures. */
const MAX_CASES = 8;

/** How many of them are told as findings; more of the same teach nothing. */
const MAX_TOLD = 3;

/** What Maelstrom reports without calling the run invalid. */
const allowed: readonly string[] = [
  "int-send-skip",
  "G0",
  "G0-process",
  "G0-realtime",
  "PL-1-cycle-exists",
  "strong-PL-1-cycle-exists",
];

/** What Maelstrom's own checker trips over, leaving the run without a verdict. */
export const NO_WRITER = "no-writer-of-value";

/** The order in which anomalies are told, causes before their consequences. */
const severity: readonly string[] = [
  "inconsistent-offsets",
  "duplicate",
  "lost-write",
  "unseen",
  "G1a",
  "G1c",
  "G1c-realtime",
  "precommitted-read",
  NO_WRITER,
  "int-nonmonotonic-poll",
  "int-poll-skip",
  "nonmonotonic-poll",
  "poll-skip",
  "int-nonmonotonic-send",
  "nonmonotonic-send",
  "empty-transaction-graph",
];

interface Tally {
  count: number;
  /** The worst so far, worst first. */
  readonly worst: { readonly badness: number; readonly told: Case }[];
}

/** Collects cases, however many there are, and keeps the worst of each anomaly. */
export class Cases {
  readonly #tallies = new Map<string, Tally>();

  /**
   * Notes a case.
   *
   * @param badness the higher the worse; of equals the earlier is kept
   * @param tell makes the case; called only if it is among the worst so far
   */
  add(anomaly: string, badness: number, tell: () => Case): void {
    let tally = this.#tallies.get(anomaly);
    if (tally === undefined) this.#tallies.set(anomaly, tally = { count: 0, worst: [] });
    tally.count++;
    const { worst } = tally;
    const last = worst[MAX_CASES - 1];
    if (last !== undefined && last.badness >= badness) return;
    const place = worst.findIndex((other) => other.badness < badness);
    worst.splice(place < 0 ? worst.length : place, 0, { badness, told: tell() });
    worst.length = Math.min(worst.length, MAX_CASES);
  }

  /** The anomalies that occurred, in alphabetical order. */
  names(): string[] {
    return [...this.#tallies.keys()].sort();
  }

  /** Those of them that make a run invalid. */
  badNames(): string[] {
    return this.names().filter((name) => !allowed.includes(name) && name !== NO_WRITER);
  }

  /** For each anomaly its count, and the worst cases as figures. */
  figures(): Record<string, { count: number; errs: Case["err"][] }> {
    const entries = this.names().map((name) => {
      const tally = this.#tallies.get(name);
      const errs = tally?.worst.map(({ told }) => told.err) ?? [];
      return [name, { count: tally?.count ?? 0, errs }] as const;
    });
    return Object.fromEntries(entries);
  }

  /** The worst case of each anomaly that is not allowed, then the second worst of each, and so on. */
  findings(): Finding[] {
    const bad = this.names().filter((name) => !allowed.includes(name))
      .sort((a, b) => severity.indexOf(a) - severity.indexOf(b));
    const findings: Finding[] = [];
    for (let rank = 0; rank < MAX_TOLD; rank++) {
      for (const anomaly of bad) {
        const told = this.#tallies.get(anomaly)?.worst[rank]?.told;
        if (told === undefined) continue;
        findings.push({ anomaly, what: told.what, ops: inOrder(told.ops) });
        if (findings.length === MAX_FINDINGS) return findings;
      }
    }
    return findings;
  }
}
