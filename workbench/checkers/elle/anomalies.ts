/**
 * The phenomena Elle reports, which of them imply which, and which models forbid them.
 *
 * @module
 */

import { directlyForbidden, impliedModels, impossibleModels, MODEL_NAMES } from "./models.ts";

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
