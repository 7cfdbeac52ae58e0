/**
 * Whether each key behaves like one register that does one thing at a time: the checker of lin-kv.
 *
 * @module
 */

import { canonical, ErrorCode, type Json } from "@eddy/maelstrom";
import { type CheckResult, type Finding, type Op, type Validity, worst } from "../history.ts";
import {
  anyOf,
  type CompletedPair,
  endsOf,
  isOk,
  jsonOrder,
  keyOf,
  killsOf,
  type PlacedPair,
  placedPairs,
  plural,
  resultOf,
  seconds,
  show,
  valueOf,
  Warnings,
  who,
  whoAndWhen,
} from "./checker.ts";
import {
  ANY,
  INITIAL,
  type RegisterCall,
  searchOrder,
  type SearchOutcome,
} from "./linearizable_search.ts";

/** How hard to try. */
interface LinearizableOptions {
  /**
   * How many placings of an operation to try for each key before calling it unknown.
   *
   * @default 5_000_000
   */
  readonly maxSteps?: number;
}

/** The verdict on registers. */
export interface LinearizableResult extends CheckResult {
  /** Each key's own, by the key's text. */
  readonly results: Readonly<Record<string, RegisterResult>>;
  /** The keys that no order accounts for. */
  readonly failures: readonly Json[];
}

/** The verdict on one key. */
export interface RegisterResult {
  /** Whether some order accounts for all of the key's operations. */
  readonly valid: Validity;
  /** How many operations the key had. */
  readonly opCount: number;
  /** How many configurations the search took. */
  readonly configurations: number;
  /** Without an order: the first completion that none accounts for. */
  readonly op?: Op | undefined;
  /** What the register can have held by then. */
  readonly possibleValues?: readonly Json[] | undefined;
}

/**
 * Checks that every key's operations can have taken effect one at a time, each between its
 * invocation and its completion, on a register that starts out `null`.
 *
 * What failed did not happen; what ended unknown may have, at any time since, or never. A
 * read of `null` is always right. The search is bounded: a key that takes more is `unknown`. A
 * history of one register, whose values have no keys, is taken for one of a key `"register"`.
 */
export function checkLinearizable(
  written: readonly Op[],
  options: LinearizableOptions = {},
): LinearizableResult {
  const { maxSteps = 5_000_000 } = options;
  const history = isUnkeyed(written) ? written.map(keyed) : written;
  const warnings = new Warnings();
  const pairs = placedPairs(history, warnings);
  const { byKey, oddCount } = registerHistories(pairs, warnings);
  warnOfVanished(pairs, killsOf(history)[0] ?? Infinity, warnings);
  const checked = [...byKey.values()].map((key) => checkKey(key, maxSteps));
  const failed = checked.filter(({ result }) => result.valid === false);
  const figures = {
    results: Object.fromEntries(checked.map(({ key, result }) => [canonical(key), result])),
    failures: failed.map(({ key }) => key),
  };
  if (oddCount > 0) return resultOf("unknown", figures, [oddOperations(oddCount)], warnings);
  const valid = worst(checked.map(({ result }) => result.valid));
  const findings = checked.flatMap(({ result, finding }) =>
    result.valid === valid ? finding ?? [] : []
  );
  return resultOf(valid, figures, findings, warnings);
}

/** A key's operations in an order in which they can have taken effect, as far as there is one. */
export interface OrderedRegister {
  readonly key: Json;
  readonly valid: Validity;
  /** Those in the order; with an order for all, no known operation is left out. */
  readonly order: readonly PlacedPair[];
  /** The others, in the order of invocation: known ones, and ones that may not have happened. */
  readonly left: readonly PlacedPair[];
  /** Without an order for all: the first operation that none accounts for, and why, as a sentence. */
  readonly stuck?: { readonly pair: PlacedPair; readonly why: string } | undefined;
}

/**
 * The orders of some keys: of those that have none for all operations first, then of others by how
 * much was done to them.
 *
 * @param failures the keys that have none, as {@linkcode checkLinearizable} lists them
 * @param limits how many keys there are to be at most, and how hard to try for each
 */
export function registerOrders(
  written: readonly Op[],
  failures: readonly Json[],
  { maxKeys, maxSteps }: { readonly maxKeys: number; readonly maxSteps: number },
): { readonly orders: OrderedRegister[]; readonly keyCount: number } {
  const history = isUnkeyed(written) ? written.map(keyed) : written;
  const { byKey } = registerHistories(placedPairs(history), new Warnings());
  const failed = new Set(failures.map((key) => canonical(key)));
  const weight = ([name, { known }]: [string, RegisterHistory]) =>
    failed.has(name) ? Infinity : known.length;
  const keys = [...byKey].filter((key) => weight(key) > 0)
    .sort((a, b) => weight(b) === weight(a) ? 0 : weight(b) - weight(a));
  const orders = keys.slice(0, maxKeys).map(([, key]) => orderOf(key, maxSteps));
  return { orders, keyCount: byKey.size };
}

function orderOf(history: RegisterHistory, maxSteps: number): OrderedRegister {
  const { key, known, unknown } = history;
  const outcome = searchOrder(known, unknown, maxSteps);
  const order = outcome.order().map(({ pair }) => pair);
  const placed = new Set(order);
  const left = [...known, ...unknown].map(({ pair }) => pair).filter((pair) => !placed.has(pair));
  const { finding } = verdictOf(history, outcome, maxSteps);
  const call = outcome.stuck?.call ?? known.find(({ pair }) => !placed.has(pair));
  return {
    key,
    valid: outcome.verdict,
    order,
    left: left.sort((a, b) => a.invokedAt - b.invokedAt),
    stuck: finding && call && { pair: call.pair, why: finding.what },
  };
}

interface CheckedKey {
  readonly key: RegisterHistory["key"];
  readonly result: RegisterResult;
  readonly finding?: Finding;
}

function checkKey(history: RegisterHistory, maxSteps: number): CheckedKey {
  const { known, unknown } = history;
  return verdictOf(history, searchOrder(known, unknown, maxSteps), maxSteps);
}

function verdictOf(
  history: RegisterHistory,
  { verdict, configurations, stuck }: SearchOutcome,
  maxSteps: number,
): CheckedKey {
  const { key, values, operationCount } = history;
  const figures = { valid: verdict, opCount: operationCount, configurations };
  if (verdict === "unknown") {
    return { key, result: figures, finding: searchLimit(history, maxSteps) };
  }
  if (stuck === undefined) return { key, result: figures };
  const possible = stuck.possible.map((value) => values[value] ?? null);
  const result = { ...figures, op: stuck.call.pair.completion, possibleValues: possible };
  return { key, result, finding: nonlinearizable(history, stuck.call, possible) };
}

function oddOperations(count: number): Finding {
  return {
    anomaly: "unreadable-operation",
    what: `${plural(count, "operation")} make no sense on a register, so the verdict says nothing`,
    ops: [],
  };
}

/** How many of the operations concurrent with the failing one a finding shows. */
const MAX_CONCURRENT_SHOWN = 6;

/**
 * Describes the first operation that cannot have happened as it did.
 *
 * Everything up to just before its completion can be put in order, and nothing up to its
 * completion can: so the history up to there is the shortest that is wrong.
 *
 * @param call the operation; always a read or a cas, for a write can always come last.
 * @param possible what the register can have held by then.
 */
function nonlinearizable(
  history: RegisterHistory,
  call: RegisterCall,
  possible: readonly Json[],
): Finding {
  const { invoke, completion = invoke } = call.pair;
  const required = show(history.values[call.requires]);
  const when = `from ${seconds(invoke)} to ${seconds(completion)}`;
  const did = invoke.f === "read"
    ? `read ${required} from key ${show(history.key)} (${when})`
    : `changed key ${show(history.key)} from ${required} to ` +
      `${show(history.values[call.leaves])} (${when})`;
  const writes = (other: RegisterCall) =>
    other !== call && other.leaves === call.requires && other.requires !== other.leaves &&
    other.invokedAt < call.completedAt;
  const writers = [...history.known, ...history.unknown].filter(writes);
  const failed = history.failed.filter(writes);
  const why = writers.length > 0
    ? `but by then it can only have held ${anyOf(possible.toSorted(jsonOrder).map(show))}`
    : failed.length > 0
    ? `but the write of ${required} had ended with a definite error`
    : `but no operation had written ${required}`;
  return {
    anomaly: "nonlinearizable",
    what: `${capital(who(completion))} ${did}, ${why}`,
    ops: window(history, call, writers.length > 0 ? writers : failed),
    about: call.pair.completion?.index,
  };
}

/** The last that wrote the value, the last write before, and what went on meanwhile. */
function window(
  { known, unknown }: RegisterHistory,
  call: RegisterCall,
  writers: readonly RegisterCall[],
): Finding["ops"] {
  const before = known.filter(({ completedAt }) => completedAt < call.invokedAt);
  const changes = before.filter(({ requires, leaves }) => requires !== leaves);
  const concurrent = [...known, ...unknown].filter((other) =>
    other.invokedAt < call.completedAt && other.completedAt > call.invokedAt &&
    other.requires !== other.leaves
  );
  const latest = (calls: readonly RegisterCall[]) =>
    calls.reduce<RegisterCall | undefined>(
      (last, one) => last === undefined || one.completedAt > last.completedAt ? one : last,
      undefined,
    );
  const shown = [
    latest(writers),
    latest(before),
    latest(changes),
    ...concurrent.sort((a, b) => b.invokedAt - a.invokedAt).slice(0, MAX_CONCURRENT_SHOWN),
    call,
  ];
  return endsOf(shown.map((one) => one?.pair));
}

/** Describes a key that took too long. */
function searchLimit({ key, known, unknown }: RegisterHistory, maxSteps: number): Finding {
  return {
    anomaly: "search-limit",
    what: `Key ${show(key)} is undecided: ${plural(known.length, "operation")} and ` +
      `${unknown.length} that may have happened took more than ${maxSteps} steps to put in order`,
    ops: [],
  };
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** What happened to one key. */
interface RegisterHistory {
  readonly key: Json;
  /** How many operations there were, whatever came of them. */
  operationCount: number;
  /** The operations that happened, in the order of invocation. */
  readonly known: RegisterCall[];
  /** The operations that may have happened, at any time since, in the order of invocation. */
  readonly unknown: RegisterCall[];
  /** The operations that failed, so did not happen; only findings name them. */
  readonly failed: RegisterCall[];
  /** The values by number. */
  readonly values: Json[];
}

/**
 * Splits a history by key, and counts the operations that make no sense on a register.
 *
 * What constrains nothing is dropped: a read that was not acknowledged, one that returned `null`,
 * and an unknown cas to the value it is from.
 */
function registerHistories(
  pairs: readonly PlacedPair[],
  warnings: Warnings,
): { byKey: ReadonlyMap<string, RegisterHistory>; oddCount: number } {
  const byKey = new Map<string, RegisterHistory & { numbers: Map<number | string, number> }>();
  let oddCount = 0;
  for (const pair of pairs) {
    const asked = keyAndValue(pair.invoke);
    const requirement = asked && requirementOf(pair, asked);
    if (asked === undefined || requirement === undefined) {
      oddCount += 1;
      warnings.add(
        "Operation that makes no sense on a register",
        () =>
          `${pair.invoke.f} of ${show((pair.completion ?? pair.invoke).value)}, ` +
          `by ${whoAndWhen(pair.invoke)}`,
      );
      continue;
    }
    const name = canonical(asked[0]);
    let history = byKey.get(name);
    if (history === undefined) {
      history = {
        key: asked[0],
        operationCount: 0,
        known: [],
        unknown: [],
        failed: [],
        values: [null],
        numbers: new Map([[keyOf(null), INITIAL]]),
      };
      byKey.set(name, history);
    }
    history.operationCount += 1;
    if (requirement === "nothing") continue;
    const { values, numbers } = history;
    const numberOf = (value: Json): number => {
      const number = numbers.get(keyOf(value)) ?? values.length;
      if (number === values.length) {
        numbers.set(keyOf(value), number);
        values.push(value);
      }
      return number;
    };
    const call = {
      pair,
      requires: requirement.from === undefined ? ANY : numberOf(requirement.from),
      leaves: numberOf(requirement.to),
      invokedAt: pair.invokedAt,
      completedAt: isOk(pair) ? pair.completedAt : Infinity,
    };
    if (pair.completion?.type === "fail") history.failed.push(call);
    else (isOk(pair) ? history.known : history.unknown).push(call);
  }
  return { byKey, oddCount };
}

/** Whether a history is of one register: where reads and writes have no pair, there is no key. */
function isUnkeyed(history: readonly Op[]): boolean {
  const values = history.filter(({ process, f }) =>
    process !== "nemesis" && (f === "read" || f === "write")
  ).map(valueOf);
  return values.some((value) => value !== null) &&
    values.every((value) => !Array.isArray(value) || value.length !== 2);
}

function keyed(op: Op): Op {
  return op.process === "nemesis" ? op : { ...op, value: ["register", valueOf(op)] };
}

/** Operations' values are pairs of key and value. */
function keyAndValue(op: Op): [key: Json, value: Json] | undefined {
  const value = valueOf(op);
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  return [value[0] ?? null, value[1] ?? null];
}

/** What an operation needs to find, if it needs that, and what it leaves; nothing for nonsense. */
function requirementOf(
  pair: PlacedPair,
  [key, value]: [Json, Json],
): { from?: Json; to: Json } | "nothing" | undefined {
  switch (pair.invoke.f) {
    case "read": {
      if (!isOk(pair)) return "nothing";
      const got = keyAndValue(pair.completion);
      if (got === undefined || canonical(got[0]) !== canonical(key)) return undefined;
      return got[1] === null ? "nothing" : { from: got[1], to: got[1] };
    }
    case "write":
      return { to: value };
    case "cas": {
      if (!Array.isArray(value) || value.length !== 2) return undefined;
      const [from, to] = [value[0] ?? null, value[1] ?? null];
      return !isOk(pair) && canonical(from) === canonical(to) ? "nothing" : { from, to };
    }
    default:
      return undefined;
  }
}

/**
 * Warns of keys that were said to be missing after they were known to hold a value: no operation
 * removes one.
 *
 * Maelstrom overlooks it, because what failed did not happen, and a read of `null` is always right.
 * Nothing is said of the time after a node was killed: a cluster that has only its memory may then
 * have lost what it acknowledged, and disagree on it for the rest of the run.
 */
function warnOfVanished(
  pairs: readonly PlacedPair[],
  firstKill: number,
  warnings: Warnings,
): void {
  /** The operation of each key that was the first to end with the key in place. */
  const holders = new Map<string, CompletedPair>();
  const completed = pairs.filter((pair): pair is CompletedPair => pair.completion !== undefined);
  for (const pair of completed.toSorted((a, b) => a.completedAt - b.completedAt)) {
    if (pair.completedAt > firstKill) return;
    const { invoke, completion } = pair;
    const [key, value] = keyAndValue(completion.type === "ok" ? completion : invoke) ?? [];
    if (key === undefined) continue;
    const name = canonical(key);
    const holder = holders.get(name);
    if (isMissing(pair, value)) {
      if (holder === undefined || holder.completedAt > pair.invokedAt) continue;
      // Whoever writes null may read it.
      if (completion.type === "ok" && pairs.some((other) => writesNull(other, name))) continue;
      warnings.add(
        "Key that was missing after it held a value, which Maelstrom overlooks",
        () =>
          `key ${show(key)} held a value at the ${holder.invoke.f} by ` +
          `${whoAndWhen(holder.completion)}, but was missing at the ${pair.invoke.f} by ` +
          whoAndWhen(pair.invoke),
      );
    } else if (completion.type === "ok" && holder === undefined) holders.set(name, pair);
  }
}

function isMissing({ invoke, completion }: CompletedPair, value: Json | undefined): boolean {
  if (completion.type !== "ok") return completion.error?.code === ErrorCode.keyDoesNotExist;
  return invoke.f === "read" && value === null;
}

function writesNull({ invoke }: PlacedPair, key: string): boolean {
  const [written = null, value = null] = keyAndValue(invoke) ?? [];
  const isWrite = invoke.f === "write" && value === null;
  const isCas = invoke.f === "cas" && Array.isArray(value) && value[1] === null;
  return (isWrite || isCas) && canonical(written) === key;
}
