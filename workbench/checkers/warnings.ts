/**
 * Warnings by kind, so that a thousand of one kind make one line.
 *
 * @module
 */

import { type CheckResult, type Finding, MAX_FINDINGS, type Validity } from "../history.ts";

/** Collects warnings: how many of each kind, and the first as an example. */
export class Warnings {
  readonly #kinds = new Map<string, { example: string; count: number }>();

  /**
   * Notes one more of a kind.
   *
   * @param kind what they have in common: "Completion without an invocation".
   * @param example makes the text that tells this one; called for the first only.
   */
  add(kind: string, example: () => string): void {
    const known = this.#kinds.get(kind);
    if (known !== undefined) known.count += 1;
    else this.#kinds.set(kind, { example: example(), count: 1 });
  }

  /** One line a kind. */
  lines(): string[] {
    return [...this.#kinds].map(([kind, { example, count }]) =>
      count === 1 ? `${kind}: ${example}` : `${kind}: ${example}, and ${count - 1} more`
    );
  }
}

/** Puts a result together: no key for findings or warnings where there are none. */
export function resultOf(
  valid: Validity,
  figures: Readonly<Record<string, unknown>>,
  findings: readonly Finding[] = [],
  warnings?: Warnings,
): CheckResult {
  const lines = warnings?.lines() ?? [];
  return {
    "valid?": valid,
    ...figures,
    ...(findings.length > 0 && { findings: findings.slice(0, MAX_FINDINGS) }),
    ...(lines.length > 0 && { warnings: lines }),
  };
}
