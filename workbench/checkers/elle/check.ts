/**
 * The check of a history of transactions, from its operations to a verdict.
 *
 * @module
 */

import {
  type CheckResult,
  type Finding,
  type History,
  MAX_FINDINGS,
  type Validity,
  worst,
} from "../../history.ts";
import { GraphBuilder } from "../graph.ts";
import {
  type Anomaly,
  describe,
  describeWarning,
  type Difference,
  type Explain,
  explainCycle,
  type ExplainedCycle,
  opsOf,
  type Refusal,
  type Warning,
} from "./anomaly.ts";
import {
  canonicalModel,
  CYCLE_TYPES,
  EXISTENCE_TYPES,
  modelsRuledOut,
  orderNeeded,
  prohibitedBy,
  weakestModels,
} from "./consistency_model.ts";
import { dependencyCycles, type Effort } from "./cycles.ts";
import { Hashes, hashOf, repeated } from "../repeated.ts";
import { type Mop, readTransactions, type Transactions, type Txn } from "./txn.ts";

/** What to check a history for. */
export interface ElleOptions {
  /** The models that the history should obey, by any of their names. */
  readonly consistencyModels: readonly string[];
}

/** The verdict on transactions. */
export interface ElleResult extends CheckResult {
  /** The types of anomalies that were found, sorted. */
  readonly anomalyTypes: readonly string[];
  /** The facts of the cases of each type that are kept. */
  readonly anomalies: Readonly<Record<string, readonly unknown[]>>;
  /** How many cases there are of each type. */
  readonly anomalyCounts?: Readonly<Record<string, number | undefined>> | undefined;
  /** The weakest models that do not hold. */
  readonly not?: readonly string[] | undefined;
  /** The stronger models that do not hold either. */
  readonly alsoNot?: readonly string[] | undefined;
  /** Why the history cannot be checked. */
  readonly error?: string | undefined;
}

/** What transactions read and write, and what can be concluded from it. */
export interface Datatype<Order> {
  readonly write: Transactions["write"];
  /** The verdicts on anomalies that no model forbids; one that is true is not reported. */
  readonly inconclusive: Readonly<Record<Inconclusive, Validity>>;
  /** What is known of the order of each key's values. */
  order(all: Transactions): Order;
  /** Why the history cannot be judged at all. */
  refusals(all: Transactions, order: Order): readonly (Refusal | undefined)[];
  /** The anomalies that are not cycles of transactions. */
  anomalies(all: Transactions, order: Order): Iterable<Anomaly>;
  /** Links transactions by what they read and wrote. */
  link(graph: GraphBuilder, all: Transactions, order: Order): void;
  /** Explains the links. */
  explain(order: Order): Explain;
}

type Inconclusive = "empty-transaction-graph" | "cycle-search-timeout";

/** The anomalies of a history by their type: how many, and the first few. */
type Found = ReadonlyMap<string, { count: number; readonly first: Anomaly[] }>;

/**
 * Checks transactions.
 *
 * @param datatype what they read and write.
 * @param effort how long to search for cycles.
 * @throws {Error} if a model is unknown.
 */
export function checkTxns<Order>(
  datatype: Datatype<Order>,
  history: History,
  { consistencyModels }: ElleOptions,
  effort?: Effort,
): ElleResult {
  const models = consistencyModels.map(canonicalModel);
  const all = readTransactions(history, datatype.write);
  const warnings = [...differentReplies(all), ...unwrittenReads(all)];
  const found = collect(anomaliesOf(datatype, all, models, effort));
  return verdict(all, found, warnings, models, datatype.inconclusive);
}

/** The cycles of a history that are among the first anomalies of their types, explained. */
export function explainCycles<Order>(
  datatype: Datatype<Order>,
  history: History,
  { consistencyModels }: ElleOptions,
): ExplainedCycle[] {
  const models = consistencyModels.map(canonicalModel);
  const all = readTransactions(history, datatype.write);
  const found = collect(anomaliesOf(datatype, all, models));
  return [...found.values()].flatMap(({ first }) =>
    first.flatMap((anomaly) => "dependencies" in anomaly ? [explainCycle(all, anomaly)] : [])
  );
}

function* anomaliesOf<Order>(
  datatype: Datatype<Order>,
  all: Transactions,
  models: readonly string[],
  effort?: Effort,
): Generator<Anomaly> {
  const order = datatype.order(all);
  const refusals = datatype.refusals(all, order).filter((each) => each !== undefined);
  yield* refusals;
  if (refusals.length > 0) return;
  yield* dirtyReads(all);
  yield* datatype.anomalies(all, order);
  yield* lostUpdates(all);
  const graph = new GraphBuilder(all.txns.length);
  datatype.link(graph, all, order);
  const explain = datatype.explain(order);
  yield* dependencyCycles(all, graph, explain, orderNeeded(models), effort);
}

function collect(anomalies: Iterable<Anomaly>): Found {
  const found = new Map<string, { count: number; first: Anomaly[] }>();
  for (const anomaly of anomalies) {
    const known = found.get(anomaly.type);
    if (known === undefined) found.set(anomaly.type, { count: 1, first: [anomaly] });
    else if (known.count++ < MAX_FINDINGS) known.first.push(anomaly);
  }
  return found;
}

function verdict(
  all: Transactions,
  found: Found,
  warnings: readonly Warning[],
  models: readonly string[],
  inconclusive: Readonly<Record<string, Validity>>,
): ElleResult {
  const first = (type: string) => found.get(type)?.first ?? [];
  const refusals = REFUSALS.flatMap(first);
  const types = reported(found, prohibitedBy(models), inconclusive);
  const valid = worst(types.map((type) => inconclusive[type] ?? false));
  const shown = [...refusals, ...inTurns(types.toSorted((a, b) => rank(a) - rank(b)).map(first))]
    .slice(0, MAX_FINDINGS);
  const findings = shown.map((anomaly): Finding => ({
    anomaly: anomaly.type,
    what: describe(all, anomaly).what,
    ops: opsOf(anomaly),
  }));
  const ruledOut = types.length > 0 ? modelsRuledOut(found.keys()) : new Set<string>();
  const weakest = weakestModels(ruledOut);
  const [refusal] = refusals;
  return {
    valid: refusal === undefined ? valid : "unknown",
    anomalyTypes: types,
    anomalies: byType(types, (type) => first(type).map((each) => describe(all, each).facts)),
    anomalyCounts: byType(types, (type) => found.get(type)?.count),
    not: weakest,
    alsoNot: [...ruledOut].filter((model) => !weakest.includes(model)),
    ...(refusal && { error: describe(all, refusal).what }),
    ...(findings.length > 0 && { findings }),
    ...(warnings.length > 0 && { warnings: warnings.map((each) => describeWarning(all, each)) }),
  };
}

/** Refusals, the one that decides first. */
const REFUSALS: readonly Refusal["type"][] = [
  "malformed-txn",
  "mixed-key-types",
  "duplicate-writes",
  "duplicate-appends",
  "unwritten-element",
];

/** The types to report, sorted: of `-cycle-exists`, only what the others do not imply. */
function reported(
  found: Found,
  prohibited: ReadonlySet<string>,
  inconclusive: Readonly<Record<string, Validity>>,
): string[] {
  const types = [...found.keys()].filter((type) =>
    prohibited.has(type) || (inconclusive[type] ?? true) !== true
  );
  const shown = modelsRuledOut(types.filter((type) => !EXISTENCE_TYPES.has(type)));
  return types.filter((type) => !shown.has(EXISTENCE_TYPES.get(type) ?? "")).sort();
}

/** The first of each list, then the second of each, and so on. */
function inTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const turns = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: turns }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1)))
    .flat();
}

/** A type's place among findings: cycles in the order of their search, inconclusive types last. */
function rank(type: string): number {
  if (EXISTENCE_TYPES.has(type)) return CYCLE_TYPES.length;
  if (type === "empty-transaction-graph" || type === "cycle-search-timeout") {
    return CYCLE_TYPES.length + 1;
  }
  return CYCLE_TYPES.indexOf(type);
}

function byType<T>(types: readonly string[], value: (type: string) => T): Record<string, T> {
  return Object.fromEntries(types.map((type) => [type, value(type)]));
}

/** Operations that are no transactions of this workload. */
export function malformedTxn({ malformed: [first, ...others] }: Transactions): Refusal | undefined {
  return first && { type: "malformed-txn", malformed: [first, ...others] };
}

/** Ok replies whose micro-operations are not those of the request. */
function differentReplies({ txns }: Transactions): Warning[] {
  const found = new Map<Difference, { txn: Txn; count: number }>();
  for (const txn of txns) {
    if (txn.type !== "ok" || txn.request === undefined) continue;
    const difference = differenceOf(txn.request, txn.mops);
    if (difference === undefined) continue;
    const known = found.get(difference);
    if (known === undefined) found.set(difference, { txn, count: 1 });
    else known.count++;
  }
  return [...found].map(([difference, seen]) => ({ type: "reply-differs", difference, ...seen }));
}

function differenceOf(request: readonly Mop[], reply: readonly Mop[]): Difference | undefined {
  if (reply.length === 0 && request.length > 0) return "empty";
  if (reply.length !== request.length) return "length";
  for (const [i, { read, key, version }] of request.entries()) {
    const mop = reply[i];
    if (mop?.read !== read) return "function";
    if (mop.key !== key) return "key";
    if (!read && mop.version !== version) return "value";
  }
}

/** Reads of ok transactions that found a value which no transaction, of any outcome, wrote. */
function unwrittenReads({ txns, names }: Transactions): Warning[] {
  const written = new Uint8Array(names.values.length);
  for (const { mops, request = [] } of txns) {
    for (const mop of mops) if (!mop.read) written[mop.version] = 1;
    for (const mop of request) if (!mop.read) written[mop.version] = 1;
  }
  const reads: { txn: Txn; mop: Mop; value: number }[] = [];
  for (const txn of txns) {
    if (txn.type !== "ok") continue;
    for (const mop of txn.mops) {
      const value = mop.read ? valuesOf(mop).find((each) => written[each] === 0) : undefined;
      // A register's null is what it holds before it is written.
      if (value === undefined || (mop.list === undefined && names.values[value] === null)) continue;
      reads.push({ txn, mop, value });
    }
  }
  const [first] = reads;
  return first === undefined ? [] : [{ type: "unwritten-read", count: reads.length, ...first }];
}

/** The values that a read found. */
function valuesOf({ list, version }: Mop): readonly number[] {
  return list === undefined ? [version] : list ?? [];
}

/** Reads of what a failed transaction wrote, and of states within a transaction. */
function* dirtyReads({ txns, names }: Transactions): Generator<Anomaly> {
  /** For each value the failed transaction that wrote it, and the one that overwrote its own. */
  const failed = new Int32Array(names.values.length).fill(NONE);
  const overwritten = new Int32Array(names.values.length).fill(NONE);
  for (const { id, type, mops } of txns) {
    const last = new Map<number, number>();
    for (const { read, key, version } of mops) {
      if (read) continue;
      if (type === "fail") failed[version] = id;
      const before = last.get(key);
      if (before !== undefined) overwritten[before] = id;
      last.set(key, version);
    }
  }
  for (const txn of txns) {
    if (txn.type !== "ok") continue;
    for (const mop of txn.mops) {
      if (!mop.read) continue;
      for (const value of valuesOf(mop)) {
        const writer = failed[value] ?? NONE;
        if (writer !== NONE) yield { type: "G1a", txns: [txn, txns.at(writer)], mop, value };
      }
      const writer = overwritten[mop.version] ?? NONE;
      if (writer === NONE || writer === txn.id) continue;
      yield { type: "G1b", txns: [txn, txns.at(writer)], mop, value: mop.version };
    }
  }
}

/** No transaction. */
const NONE = -1;

/** Ok transactions that read the same version of a key and then wrote to it. */
function* lostUpdates({ txns }: Transactions): Generator<Anomaly> {
  const hashes = new Hashes();
  for (const txn of txns) for (const read of replacedReads(txn)) hashes.push(hashOf(stateOf(read)));
  // Hardly any state is replaced twice: only those that may be are looked at by their texts.
  const suspects = repeated(hashes.all());
  if (suspects.size === 0) return;
  const groups = new Map<string, { mop: Mop; txns: Txn[] }>();
  for (const txn of txns) {
    for (const read of replacedReads(txn)) {
      const state = stateOf(read);
      if (!suspects.has(hashOf(state))) continue;
      const group = groups.get(state);
      if (group === undefined) groups.set(state, { mop: read, txns: [txn] });
      else group.txns.push(txn);
    }
  }
  for (const { mop, txns: [one, two, ...others] } of groups.values()) {
    if (one === undefined || two === undefined) continue;
    yield { type: "lost-update", txns: [one, two, ...others], mop };
  }
}

/** The first reads of the keys that an ok transaction wrote to after it read them. */
function replacedReads({ type, mops }: Txn): Mop[] {
  const found: Mop[] = [];
  if (type !== "ok" || mops.length < 2) return found;
  const first = new Map<number, Mop>();
  const written = new Set<number>();
  for (const mop of mops) {
    if (mop.read) {
      if (!first.has(mop.key)) first.set(mop.key, mop);
      continue;
    }
    const read = first.get(mop.key);
    if (read === undefined || written.has(mop.key)) continue;
    written.add(mop.key);
    found.push(read);
  }
  return found;
}

/** The state of a key that a read found. */
function stateOf(read: Mop): string {
  // A list that is not there and an empty one are the same state, whatever a node calls it.
  return `${read.key}:${valuesOf(read).join()}`;
}
