/**
 * Whether each key behaves like one register that does one thing at a time: the checker of lin-kv.
 *
 * @module
 */

import { canonical } from "@eddy/maelstrom";
import { type CheckResult, type Finding, type Op, worst } from "../history.ts";
import { nonlinearizable, searchLimit } from "./linearizable_findings.ts";
import { searchOrder } from "./linearizable_search.ts";
import { placedPairs } from "./pairing.ts";
import { registerHistories, type RegisterHistory } from "./register_model.ts";
import { resultOf, Warnings } from "./warnings.ts";
import { plural } from "./wording.ts";

/** How hard to try. */
export interface LinearizableOptions {
  /**
   * How many placings of an operation to try for each key before calling it unknown.
   *
   * @default 5_000_000
   */
  readonly maxSteps?: number;
}

/**
 * Checks that every key's operations can have taken effect one at a time, each between its
 * invocation and its completion, on a register that starts out `null`.
 *
 * What failed did not happen; what ended unknown may have, at any time since, or never. A
 * read of `null` is always right. The search is bounded: a key that takes more is `unknown`.
 */
export function checkLinearizable(
  history: readonly Op[],
  options: LinearizableOptions = {},
): CheckResult {
  const { maxSteps = 5_000_000 } = options;
  const warnings = new Warnings();
  const pairs = placedPairs(history, warnings);
  const { byKey, oddCount } = registerHistories(pairs, warnings);
  const checked = [...byKey.values()].map((key) => checkKey(key, maxSteps));
  const failed = checked.filter(({ result }) => result["valid?"] === false);
  const figures = {
    results: Object.fromEntries(checked.map(({ key, result }) => [canonical(key), result])),
    failures: failed.map(({ key }) => key),
  };
  const findings = checked.flatMap(({ finding }) => finding ?? [])
    .sort((a, b) =>
      Number(a.anomaly !== "nonlinearizable") - Number(b.anomaly !== "nonlinearizable")
    );
  if (oddCount > 0) {
    return resultOf("unknown", figures, [oddOperations(oddCount), ...findings], warnings);
  }
  return resultOf(
    worst(checked.map(({ result }) => result["valid?"])),
    figures,
    findings,
    warnings,
  );
}

interface CheckedKey {
  readonly key: RegisterHistory["key"];
  readonly result: CheckResult;
  readonly finding?: Finding;
}

function checkKey(history: RegisterHistory, maxSteps: number): CheckedKey {
  const { key, known, unknown, values, operationCount } = history;
  const { verdict, configurations, stuck } = searchOrder(known, unknown, maxSteps);
  const figures = { "valid?": verdict, "op-count": operationCount, configurations };
  if (verdict === "unknown") {
    return { key, result: figures, finding: searchLimit(history, maxSteps) };
  }
  if (stuck === undefined) return { key, result: figures };
  const possible = stuck.possible.map((value) => values[value] ?? null);
  const result = { ...figures, op: stuck.call.pair.completion, "possible-values": possible };
  return { key, result, finding: nonlinearizable(history, stuck.call, possible) };
}

function oddOperations(count: number): Finding {
  return {
    anomaly: "unreadable-operation",
    what: `${plural(count, "operation")} make no sense on a register, so the verdict says nothing`,
    ops: [],
  };
}
