/**
 * Consistency models: what each one implies, and what it forbids by itself.
 *
 * The models and their relations are those of Adya's thesis ("Weak Consistency", 1999), Cerone,
 * Bernardi and Gotsman ("A Framework for Transactional Consistency Models with Atomic
 * Visibility", 2015) and Daudjee and Salem ("Lazy Database Replication with Snapshot Isolation",
 * 2006), in the reading of Elle 0.2.2. A model that forbids nothing a transaction checker can see
 * (`linearizable`, `causal`, ...) is left out: asking for it would check nothing.
 *
 * @module
 */

import { type CheckResult, type Finding, MAX_FINDINGS, type Op } from "../../history.ts";
import { PROCESS, REALTIME, RW, WR, WW } from "../graph.ts";
import type { Case, Cases } from "./txn.ts";

interface Model {
  /** Models that hold wherever this one does. */
  readonly implies: readonly string[];
  /** Phenomena it forbids beyond those of the models it implies. */
  readonly forbids: readonly string[];
  /** Other names for it. */
  readonly aliases?: readonly string[];
}

const models: Readonly<Record<string, Model>> = {
  "read-uncommitted": {
    implies: [],
    forbids: ["G0", "duplicate-elements", "cyclic-versions", "PL-1-cycle-exists"],
    aliases: ["PL-1"],
  },
  "read-committed": {
    implies: ["read-uncommitted"],
    forbids: ["G1", "PL-2-cycle-exists"],
    aliases: ["PL-2"],
  },
  "monotonic-atomic-view": { implies: ["read-committed"], forbids: [] },
  "cursor-stability": {
    implies: ["read-committed"],
    forbids: ["G1", "G-cursor", "lost-update"],
    aliases: ["PL-CS"],
  },
  "monotonic-view": {
    implies: ["read-committed"],
    forbids: ["G1", "G-monotonic"],
    aliases: ["PL-2L"],
  },
  "monotonic-snapshot-read": {
    implies: ["read-committed"],
    forbids: ["G1", "G-MSR"],
    aliases: ["PL-MSR"],
  },
  "consistent-view": {
    implies: ["cursor-stability", "monotonic-view"],
    forbids: ["G1", "G-single"],
    aliases: ["PL-2+"],
  },
  "forward-consistent-view": {
    implies: ["consistent-view"],
    forbids: ["G1", "G-SIb"],
    aliases: ["PL-FCV"],
  },
  "update-serializable": {
    implies: ["forward-consistent-view"],
    forbids: ["G1", "G-update"],
    aliases: ["PL-3U"],
  },
  "read-atomic": {
    implies: ["monotonic-atomic-view"],
    forbids: ["internal", "G1a", "future-read"],
  },
  "update-atomic": { implies: ["read-atomic"], forbids: ["lost-update"] },
  "causal-cerone": { implies: ["read-atomic"], forbids: ["internal", "G1a"] },
  "prefix": { implies: ["causal-cerone"], forbids: ["internal", "G1a"] },
  "parallel-snapshot-isolation": {
    implies: ["causal-cerone", "update-atomic"],
    forbids: ["internal", "G1a"],
  },
  "repeatable-read": {
    implies: ["cursor-stability", "monotonic-atomic-view"],
    forbids: ["G1", "G2-item", "lost-update", "PL-2.99-cycle-exists"],
    aliases: ["PL-2.99"],
  },
  "snapshot-isolation": {
    implies: [
      "forward-consistent-view",
      "monotonic-atomic-view",
      "monotonic-snapshot-read",
      "parallel-snapshot-isolation",
      "prefix",
    ],
    forbids: ["internal", "G1", "G-SI", "G-nonadjacent", "PL-SI-cycle-exists"],
    aliases: ["PL-SI"],
  },
  "serializable": {
    implies: ["repeatable-read", "update-serializable", "snapshot-isolation"],
    forbids: ["internal", "G1", "G2", "predicate-read-miss", "PL-3-cycle-exists"],
    aliases: ["PL-3", "conflict-serializable"],
  },
  "strong-session-read-uncommitted": {
    implies: ["read-uncommitted"],
    forbids: ["G0-process", "strong-session-PL-1-cycle-exists"],
    aliases: ["strong-session-PL-1"],
  },
  "strong-session-read-committed": {
    implies: ["read-committed", "strong-session-read-uncommitted"],
    forbids: ["G1c-process", "strong-session-PL-2-cycle-exists"],
    aliases: ["strong-session-PL-2"],
  },
  "strong-session-snapshot-isolation": {
    implies: ["snapshot-isolation", "strong-session-read-committed"],
    forbids: [
      "internal",
      "G1-process",
      "G-nonadjacent-process",
      "strong-session-snapshot-isolation-cycle-exists",
    ],
  },
  "strong-session-serializable": {
    implies: ["serializable", "strong-session-snapshot-isolation"],
    forbids: ["G1-process", "G2-process", "strong-session-serializable-cycle-exists"],
  },
  "strong-read-uncommitted": {
    implies: ["strong-session-read-uncommitted"],
    forbids: ["G0-realtime", "strong-PL-1-cycle-exists"],
    aliases: ["strong-PL-1"],
  },
  "strong-read-committed": {
    implies: ["strong-session-read-committed", "strong-read-uncommitted"],
    forbids: ["G1c-realtime", "strong-PL-2-cycle-exists"],
    aliases: ["strong-PL-2"],
  },
  "strong-snapshot-isolation": {
    implies: ["strong-session-snapshot-isolation", "strong-read-committed"],
    forbids: [
      "internal",
      "G1-realtime",
      "G-nonadjacent-realtime",
      "strong-snapshot-isolation-cycle-exists",
    ],
  },
  "strict-serializable": {
    implies: ["serializable", "strong-snapshot-isolation", "strong-session-serializable"],
    forbids: ["G1", "G1c-realtime", "G2-realtime", "PL-SS-cycle-exists"],
    aliases: ["strong-serializable", "PL-SS"],
  },
};

/** Every model's name, aliases aside. */
export const MODEL_NAMES: readonly string[] = Object.keys(models);

const byName = new Map<string, string>();
for (const [name, { aliases = [] }] of Object.entries(models)) {
  for (const each of [name, ...aliases]) byName.set(each.toLowerCase(), name);
}

/**
 * Reads a list of consistency models, separated by commas with or without spaces around them.
 *
 * @param text what followed `--consistency-models`.
 * @returns the models' names, aliases resolved, without repeats.
 * @throws {Error} if a name is unknown, or there is none; it lists what is accepted.
 *
 * @example
 * ```ts
 * import { parseConsistencyModels } from "./consistency_model.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseConsistencyModels("read-committed, PL-SI"), [
 *   "read-committed",
 *   "snapshot-isolation",
 * ]);
 * ```
 */
export function parseConsistencyModels(text: string): string[] {
  const names = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (names.length === 0) {
    throw new Error(`Expected a consistency model; accepted are ${accepted()}`);
  }
  return [...new Set(names.map(canonicalModel))];
}

function accepted(): string {
  return Object.entries(models)
    .map(([name, { aliases = [] }]) => aliases.length ? `${name} (${aliases.join(", ")})` : name)
    .join(", ");
}

/**
 * The one name under which this project knows a model.
 *
 * @throws {Error} if there is no such model.
 */
export function canonicalModel(name: string): string {
  const model = byName.get(name.toLowerCase());
  if (model === undefined) {
    throw new Error(`Unknown consistency model "${name}"; accepted are ${accepted()}`);
  }
  return model;
}

/** What a model forbids by itself. */
export function directlyForbidden(model: string): readonly string[] {
  return models[model]?.forbids ?? [];
}

/** The given models and all that hold wherever they do. */
export function impliedModels(names: Iterable<string>): Set<string> {
  const all = new Set([...names].map(canonicalModel));
  // A set's iteration reaches what is added meanwhile.
  for (const name of all) models[name]?.implies.forEach((weaker) => all.add(weaker));
  return all;
}

const implied = new Map(MODEL_NAMES.map((name) => [name, impliedModels([name])]));

/** The given models and all that cannot hold when these do not. */
export function impossibleModels(names: Iterable<string>): Set<string> {
  const broken = [...names].map(canonicalModel);
  return new Set(
    MODEL_NAMES.filter((model) => broken.some((each) => implied.get(model)?.has(each))),
  );
}

/** Those of the given models that imply none of the others. */
export function weakestModels(names: ReadonlySet<string>): string[] {
  return [...names].filter((name) =>
    ![...names].some((other) => other !== name && implied.get(name)?.has(other))
  );
}

/** Anomalies that leave a verdict open rather than settle it. */
export const INCONCLUSIVE: ReadonlySet<string> = new Set([
  "empty-transaction-graph",
  "cycle-search-timeout",
]);

/**
 * Cycles in the order in which they are looked for: one that implies another comes before it,
 * and data alone before sessions before real time.
 */
export const CYCLE_TYPES: readonly string[] = [
  "G-single-item",
  "G0",
  "G-nonadjacent-item",
  "G-single-item-process",
  "G1c",
  "G-nonadjacent-item-process",
  "G-single-item-realtime",
  "G2-item",
  "G-nonadjacent-item-realtime",
  "G0-process",
  "G1c-process",
  "G2-item-process",
  "G0-realtime",
  "G1c-realtime",
  "G2-item-realtime",
];

/** Cycle phenomena, each with those that it is a special case of. */
const cyclic: Readonly<Record<string, readonly string[]>> = {
  "G0": ["G1c"],
  "G1c": ["G1"],
  "G1": [],
  "G-single-item": ["G-single", "G-nonadjacent-item"],
  "G-single": ["G-nonadjacent"],
  "G-nonadjacent-item": ["G-nonadjacent", "G2-item"],
  "G-nonadjacent": ["G2"],
  "G2-item": ["G2"],
  "G2": [],
};

const others: Readonly<Record<string, readonly string[]>> = {
  "G1a": ["G1"],
  "G1b": ["G1"],
  "incompatible-order": ["G1a"],
  "dirty-update": ["G1a"],
  "future-read": ["G1c"],
  "lost-update": ["write-skew", "G2-item"],
  "write-skew": ["G2"],
};

const implications = buildImplications();

function buildImplications(): Map<string, string[]> {
  const edges = new Map<string, string[]>();
  const suffixes = ["", "-process", "-realtime"];
  suffixes.forEach((suffix, i) => {
    const next = suffixes[i + 1];
    for (const [name, weaker] of Object.entries(cyclic)) {
      const to = weaker.map((each) => each + suffix);
      // A process does one thing at a time, so what breaks without its order breaks with it, and
      // its order is part of real time's.
      if (next !== undefined) to.push(name + next);
      edges.set(name + suffix, to);
    }
  });
  for (const [name, weaker] of Object.entries(others)) edges.set(name, [...weaker]);
  return edges;
}

/** The given anomalies and all that are present wherever they are. */
export function impliedAnomalies(names: Iterable<string>): Set<string> {
  const all = new Set(names);
  // A set's iteration reaches what is added meanwhile.
  for (const name of all) implications.get(name)?.forEach((weaker) => all.add(weaker));
  return all;
}

/** Every anomaly that shows one of the given models not to hold. */
export function prohibitedBy(models: Iterable<string>): Set<string> {
  const all = new Set<string>();
  for (const model of impliedModels(models)) {
    directlyForbidden(model).forEach((anomaly) => all.add(anomaly));
  }
  for (const anomaly of implications.keys()) {
    if ([...impliedAnomalies([anomaly])].some((weaker) => all.has(weaker))) all.add(anomaly);
  }
  return all;
}

/** Every model that cannot hold when the given anomalies are present. */
export function modelsRuledOut(anomalies: Iterable<string>): Set<string> {
  const present = impliedAnomalies(anomalies);
  return impossibleModels(
    MODEL_NAMES.filter((model) => directlyForbidden(model).some((each) => present.has(each))),
  );
}

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

/** The verdict on transactions. */
export interface ElleResult extends CheckResult {
  /** The types of anomalies that were found, sorted. */
  readonly anomalyTypes: readonly string[];
  /** The facts of the cases of each type that are kept. */
  readonly anomalies: Readonly<Record<string, readonly unknown[]>>;
  /** How many cases there are of each type. */
  readonly anomalyCounts?: Readonly<Record<string, number>> | undefined;
  /** The weakest models that do not hold. */
  readonly not?: readonly string[] | undefined;
  /** The stronger models that do not hold either. */
  readonly alsoNot?: readonly string[] | undefined;
  /** Why nothing can be said. */
  readonly error?: string | undefined;
}

/** The verdict on a history. */
export function verdict({ models, cases, refusals, warnings, registers }: Report): ElleResult {
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
    valid,
    anomalyTypes: types,
    anomalies: Object.fromEntries(
      types.map((type) => [type, cases.get(type).map(({ facts }) => facts)]),
    ),
    anomalyCounts: Object.fromEntries(types.map((type) => [type, cases.count(type)])),
    not: weakest,
    alsoNot: [...ruledOut].filter((model) => !weakest.includes(model)),
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
export function guarded(check: () => ElleResult): ElleResult {
  try {
    return check();
  } catch (error) {
    const what = `Cannot check the history: ${error instanceof Error ? error.message : error}`;
    return {
      valid: "unknown",
      anomalyTypes: [],
      anomalies: {},
      error: what,
      findings: [{ anomaly: "checker-error", what, ops: [] }],
    };
  }
}

/** A model, and the edges that form no cycle where it holds. */
export interface Existence {
  /** The model's name in the anomaly's, `PL-2` in `PL-2-cycle-exists`. */
  readonly name: string;
  readonly kinds: number;
  /** Whether anti-dependencies count too, as long as no two are in a row. */
  readonly apart?: boolean;
}

const dependencies = WW | WR;

/** The models that a cycle alone can break. */
export const existences: readonly Existence[] = [
  { name: "PL-1", kinds: WW },
  { name: "PL-2", kinds: dependencies },
  { name: "PL-SI", kinds: dependencies, apart: true },
  { name: "PL-2.99", kinds: dependencies | RW },
  { name: "PL-3", kinds: dependencies | RW },
  { name: "strong-session-PL-1", kinds: WW | PROCESS },
  { name: "strong-session-PL-2", kinds: dependencies | PROCESS },
  { name: "strong-session-snapshot-isolation", kinds: dependencies | PROCESS, apart: true },
  { name: "strong-session-serializable", kinds: dependencies | RW | PROCESS },
  { name: "strong-PL-1", kinds: WW | REALTIME },
  { name: "strong-PL-2", kinds: dependencies | REALTIME },
  { name: "strong-snapshot-isolation", kinds: dependencies | REALTIME, apart: true },
  { name: "PL-SS", kinds: dependencies | RW | REALTIME },
];

/** How the name of such an anomaly ends. */
export const EXISTS = "-cycle-exists";

/** The anomalies that say no more than that some cycle exists, each with the model it breaks. */
export const EXISTENCE_TYPES: ReadonlyMap<string, string> = new Map(
  existences.map(({ name }) => [name + EXISTS, canonicalModel(name)]),
);
