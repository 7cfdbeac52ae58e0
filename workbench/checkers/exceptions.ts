/**
 * Replies that did not fit their schema.
 *
 * @module
 */

import type { CheckResult, Op } from "../history.ts";
import { resultOf, Warnings } from "./warnings.ts";
import { whoAndWhen } from "./wording.ts";

/**
 * Lists malformed replies by what was asked, most frequent first.
 *
 * Always valid, as in Maelstrom, where such an operation just ends unknown; here each kind
 * is warned of besides. A malformed reply is an `info` whose error has no code.
 */
export function checkExceptions(history: readonly Op[]): CheckResult {
  const byF = new Map<string, { count: number; example: Op }>();
  for (const op of history) {
    if (op.process === "nemesis" || op.type !== "info" || op.error === undefined) continue;
    if (op.error.code !== undefined) continue;
    const known = byF.get(op.f);
    if (known === undefined) byF.set(op.f, { count: 1, example: op });
    else known.count += 1;
  }
  if (byF.size === 0) return resultOf(true, {});
  const warnings = new Warnings();
  const exceptions = [...byF].sort(([, a], [, b]) => b.count - a.count)
    .map(([f, { count, example }]) => {
      warnings.add(
        `Malformed replies to ${f}, taken as unknown (${count} in all)`,
        () => `to ${whoAndWhen(example)}, ${example.error?.text ?? "no text"}`,
      );
      return { count, class: "malformed-rpc-response", example };
    });
  return resultOf(true, { exceptions }, [], warnings);
}
