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
 * import { parseConsistencyModels } from "./models.ts";
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
