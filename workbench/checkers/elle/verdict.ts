/**
 * From anomalies to a verdict.
 *
 * @module
 */

import { type CheckResult, type Finding, MAX_FINDINGS, type Op } from "../../history.ts";
import { CYCLE_TYPES, INCONCLUSIVE, modelsRuledOut, prohibitedBy } from "./anomalies.ts";
import type { Case, Cases } from "./cases.ts";
import { EXISTENCE_TYPES } from "./cycle_anomalies.ts";
import { PROCESS, REALTIME } from "./graph.ts";
import { canonicalModel, weakestModels } from "./models.ts";

/** What a checker is told. */
export interface ElleOptions {
  /** The models that the history should obey, by any of their names. */
  readonly consistencyModels: readonly string[];
}

/** Why nothing can be said about a history. */
export interface Refusal {
  /** Its name among findings: `malformed-txn`, `duplicate-appends`, ... */
  readonly anomaly: string;
  readonly what: string;
  readonly ops: readonly Op[];
}

/** The kind of order, besides that of the data, that the given models speak of; 0 for none. */
export function orderNeeded(models: readonly string[]): number {
  const prohibited = prohibitedBy(models);
  const needs = (suffix: string) =>
    CYCLE_TYPES.some((type) => type.endsWith(suffix) && prohibited.has(type));
  return needs("-realtime") ? REALTIME : needs("-process") ? PROCESS : 0;
}

/** What a checker found. */
export interface Report {
  readonly models: readonly string[];
  readonly cases: Cases;
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
  /** Whether Maelstrom takes any anomaly at all as a failure, but forgives a search cut short. */
  readonly registers: boolean;
}

/** The verdict on a history. */
export function verdict({ models, cases, refusals, warnings, registers }: Report): CheckResult {
  const prohibited = prohibitedBy(models);
  const types = reportable(cases, prohibited)
    .filter((type) => !(registers && type === "cycle-search-timeout"));
  const bad = types.some((type) => registers || prohibited.has(type));
  const valid = refusals.length > 0 ? "unknown" : bad ? false : types.length === 0 || "unknown";
  const findings = [...refusals, ...findingsOf(cases, types)].slice(0, MAX_FINDINGS);
  const ruledOut = types.length > 0 ? modelsRuledOut(cases.names()) : new Set<string>();
  const weakest = weakestModels(ruledOut);
  const [refusal] = refusals;
  return {
    "valid?": valid,
    "anomaly-types": types,
    "anomalies": Object.fromEntries(
      types.map((type) => [type, cases.get(type).map(({ facts }) => facts)]),
    ),
    "anomaly-counts": Object.fromEntries(types.map((type) => [type, cases.count(type)])),
    "not": weakest,
    "also-not": [...ruledOut].filter((model) => !weakest.includes(model)),
    ...(refusal && { error: refusal.what }),
    ...(findings.length > 0 && { findings }),
    ...(warnings.length > 0 && { warnings }),
  };
}

/** What is worth telling, sorted: no more `-cycle-exists` than says something new. */
function reportable(cases: Cases, prohibited: ReadonlySet<string>): string[] {
  const types = cases.names().filter((type) => prohibited.has(type) || INCONCLUSIVE.has(type));
  const shown = modelsRuledOut(types.filter((type) => !EXISTENCE_TYPES.has(type)));
  return types.filter((type) => {
    const model = EXISTENCE_TYPES.get(type);
    return model === undefined || !shown.has(canonicalModel(model));
  }).sort();
}

/** One finding of each anomaly, then second ones, and so on; what was looked for first leads. */
function findingsOf(cases: Cases, types: readonly string[]): Finding[] {
  const ordered = [...types].sort((a, b) => rank(a) - rank(b));
  const findings: Finding[] = [];
  for (let i = 0; i < MAX_FINDINGS; i++) {
    for (const anomaly of ordered) {
      const each: Case | undefined = cases.get(anomaly)[i];
      if (each !== undefined) findings.push({ anomaly, what: each.what, ops: each.ops });
    }
  }
  return findings;
}

function rank(type: string): number {
  if (INCONCLUSIVE.has(type)) return 2 * CYCLE_TYPES.length;
  if (EXISTENCE_TYPES.has(type)) return CYCLE_TYPES.length;
  return CYCLE_TYPES.indexOf(type);
}

/**
 * Runs a checker so that whatever goes wrong makes its verdict unknown.
 *
 * @param check the checker.
 */
export function guarded(check: () => CheckResult): CheckResult {
  try {
    return check();
  } catch (error) {
    const what = `Cannot check the history: ${error instanceof Error ? error.message : error}`;
    return {
      "valid?": "unknown",
      "anomaly-types": [],
      "anomalies": {},
      "error": what,
      "findings": [{ anomaly: "checker-error", what, ops: [] }],
    };
  }
}
