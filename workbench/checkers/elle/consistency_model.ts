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

import { PROCESS, REALTIME, RW, WR, WW } from "../graph.ts";

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

/** The given models and all that hold wherever they do. */
function impliedModels(names: Iterable<string>): Set<string> {
  return closure([...names].map(canonicalModel), (name) => models[name]?.implies);
}

/** Some names and all that follow from them. */
function closure(
  names: Iterable<string>,
  implied: (name: string) => readonly string[] | undefined,
): Set<string> {
  const all = new Set(names);
  // A set's iteration reaches what is added meanwhile.
  for (const name of all) implied(name)?.forEach((weaker) => all.add(weaker));
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

/** A cycle's type: what its data says, and the order of time that it needs besides. */
export type CycleType = `${"G0" | "G1c" | "G-single-item" | "G-nonadjacent-item" | "G2-item"}${
  | ""
  | "-process"
  | "-realtime"}`;

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
  return closure(names, (name) => implications.get(name));
}

/** Every anomaly that shows one of the given models not to hold. */
export function prohibitedBy(names: Iterable<string>): Set<string> {
  const all = new Set<string>();
  for (const model of impliedModels(names)) {
    models[model]?.forbids.forEach((anomaly) => all.add(anomaly));
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
    MODEL_NAMES.filter((model) => models[model]?.forbids.some((each) => present.has(each))),
  );
}

/** The kind of order, besides that of the data, that the given models speak of; 0 for none. */
export function orderNeeded(models: readonly string[]): number {
  const prohibited = prohibitedBy(models);
  const needs = (suffix: string) =>
    CYCLE_TYPES.some((type) => type.endsWith(suffix) && prohibited.has(type));
  return needs("-realtime") ? REALTIME : needs("-process") ? PROCESS : 0;
}

const dependencies = WW | WR;

/**
 * The models that a cycle alone can break, and the edges that form no cycle where they hold. Where
 * `isNonadjacent` is set, anti-dependencies count too, as long as no two are in a row.
 */
export const existences = [
  { name: "PL-1", kinds: WW, isNonadjacent: false },
  { name: "PL-2", kinds: dependencies, isNonadjacent: false },
  { name: "PL-SI", kinds: dependencies, isNonadjacent: true },
  { name: "PL-2.99", kinds: dependencies | RW, isNonadjacent: false },
  { name: "PL-3", kinds: dependencies | RW, isNonadjacent: false },
  { name: "strong-session-PL-1", kinds: WW | PROCESS, isNonadjacent: false },
  { name: "strong-session-PL-2", kinds: dependencies | PROCESS, isNonadjacent: false },
  { name: "strong-session-snapshot-isolation", kinds: dependencies | PROCESS, isNonadjacent: true },
  { name: "strong-session-serializable", kinds: dependencies | RW | PROCESS, isNonadjacent: false },
  { name: "strong-PL-1", kinds: WW | REALTIME, isNonadjacent: false },
  { name: "strong-PL-2", kinds: dependencies | REALTIME, isNonadjacent: false },
  { name: "strong-snapshot-isolation", kinds: dependencies | REALTIME, isNonadjacent: true },
  { name: "PL-SS", kinds: dependencies | RW | REALTIME, isNonadjacent: false },
] as const;

/** The anomaly that some cycle breaks a model, where it was not found which. */
export type ExistenceType = `${typeof existences[number]["name"]}-cycle-exists`;

/** These anomalies, each with the model it breaks. */
export const EXISTENCE_TYPES: ReadonlyMap<string, string> = new Map(
  existences.map(({ name }) => [`${name}-cycle-exists`, canonicalModel(name)]),
);
