/**
 * Whether each key behaves like one register that does one thing at a time: the checker of lin-kv.
 *
 * @module
 */

import { canonical, ErrorCode, type Json } from "@eddy/maelstrom";
import {
  type CheckResult,
  type Finding,
  type History,
  type Op,
  type Validity,
  worst,
} from "../history.ts";
import { type OpReader, readerOf } from "../op_reader.ts";
import {
  anyOf,
  endsOf,
  isOk,
  jsonOrder,
  keyOf,
  killsOf,
  Pairs,
  type PlacedPair,
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
  NEVER,
  type RegisterCall,
  RegisterCalls,
  searchOrder,
  type SearchOutcome,
} from "./linearizable_search.ts";

/** How many placings are tried for a key, however few operations it has. */
const MAX_STEPS = 5_000_000;

/** How hard to try. */
interface LinearizableOptions {
  /**
   * How many placings of an operation to try for each key before calling it unknown.
   *
   * @default five million, or four for each operation of the key if that is more
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
  written: History,
  options: LinearizableOptions = {},
): LinearizableResult {
  const warnings = new Warnings();
  const pairs = new Pairs(keyedHistory(written), warnings);
  const keys = new PairsByKey(pairs, warnings);
  warnOfVanished(pairs, killsOf(written)[0] ?? Infinity, warnings);
  // One after the other, so that memory holds the operations of one.
  const checked = Array.from(keys.histories(), (key) => {
    return checkKey(key, options.maxSteps ?? Math.max(MAX_STEPS, 4 * key.known.length));
  });
  const failed = checked.filter(({ result }) => result.valid === false);
  const figures = {
    results: Object.fromEntries(checked.map(({ key, result }) => [canonical(key), result])),
    failures: failed.map(({ key }) => key),
  };
  if (keys.oddCount > 0) {
    return resultOf("unknown", figures, [oddOperations(keys.oddCount)], warnings);
  }
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
  written: History,
  failures: readonly Json[],
  { maxKeys, maxSteps }: { readonly maxKeys: number; readonly maxSteps: number },
): { readonly orders: OrderedRegister[]; readonly keyCount: number } {
  const all = [...new PairsByKey(new Pairs(keyedHistory(written)), new Warnings()).histories()];
  const failed = new Set(failures.map((key) => canonical(key)));
  const weight = ({ key, known }: RegisterHistory) =>
    failed.has(canonical(key)) ? Infinity : known.length;
  const keys = all.filter((key) => weight(key) > 0)
    .sort((a, b) => weight(b) === weight(a) ? 0 : weight(b) - weight(a));
  const orders = keys.slice(0, maxKeys).map((key) => orderOf(key, maxSteps));
  return { orders, keyCount: all.length };
}

function orderOf(history: RegisterHistory, maxSteps: number): OrderedRegister {
  const { pairs, key, known, unknown } = history;
  const outcome = searchOrder(known, unknown, maxSteps);
  const all = new Map([...known, ...unknown].map(({ pair }) => [pair, pairs.at(pair)]));
  const order = outcome.order().flatMap(({ pair }) => all.get(pair) ?? []);
  const placed = new Set(order);
  const left = [...all.values()].filter((pair) => !placed.has(pair));
  const { finding } = verdictOf(history, outcome, maxSteps);
  const call = outcome.stuck?.call.pair;
  const pair = call === undefined ? left.find(isOk) : all.get(call);
  return {
    key,
    valid: outcome.verdict,
    order,
    left: left.sort((a, b) => a.invokedAt - b.invokedAt),
    stuck: finding && pair && { pair, why: finding.what },
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
  const op = history.pairs.at(stuck.call.pair).completion;
  const result = { ...figures, op, possibleValues: possible };
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
  const { invoke, completion = invoke } = history.pairs.at(call.pair);
  const required = show(history.values[call.requires]);
  const when = `from ${seconds(invoke)} to ${seconds(completion)}`;
  const did = invoke.f === "read"
    ? `read ${required} from key ${show(history.key)} (${when})`
    : `changed key ${show(history.key)} from ${required} to ` +
      `${show(history.values[call.leaves])} (${when})`;
  const writes = (other: RegisterCall) =>
    other.pair !== call.pair && other.leaves === call.requires &&
    other.requires !== other.leaves && other.invokedAt < call.completedAt;
  const writer = latest([history.known, history.unknown], writes);
  const failed = latest([history.failed], writes);
  const why = writer !== undefined
    ? `but by then it can only have held ${anyOf(possible.toSorted(jsonOrder).map(show))}`
    : failed !== undefined
    ? `but the write of ${required} had ended with a definite error`
    : `but no operation had written ${required}`;
  return {
    anomaly: "nonlinearizable",
    what: `${capital(who(completion))} ${did}, ${why}`,
    ops: window(history, call, writer ?? failed),
    about: invoke === completion ? undefined : completion.index,
  };
}

/** Of some operations the one that completed last; of equals the first. */
function latest(
  all: readonly RegisterCalls[],
  isWanted: (call: RegisterCall) => boolean,
): RegisterCall | undefined {
  let last: RegisterCall | undefined;
  for (const calls of all) {
    for (const call of calls) {
      if (isWanted(call) && (last === undefined || call.completedAt > last.completedAt)) {
        last = call;
      }
    }
  }
  return last;
}

/** The last that wrote the value, the last write before, and what went on meanwhile. */
function window(
  { pairs, known, unknown }: RegisterHistory,
  call: RegisterCall,
  writer: RegisterCall | undefined,
): Finding["ops"] {
  const changes = ({ requires, leaves }: RegisterCall) => requires !== leaves;
  const isBefore = ({ completedAt }: RegisterCall) => completedAt < call.invokedAt;
  const concurrent = [known, unknown].flatMap((calls) =>
    Iterator.from(calls).filter((other) =>
      other.invokedAt < call.completedAt && other.completedAt > call.invokedAt && changes(other)
    ).toArray()
  );
  const shown = [
    writer,
    latest([known], isBefore),
    latest([known], (other) => isBefore(other) && changes(other)),
    ...concurrent.sort((a, b) => b.invokedAt - a.invokedAt).slice(0, MAX_CONCURRENT_SHOWN),
    call,
  ];
  return endsOf(shown.map((one) => one && pairs.at(one.pair)));
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
  readonly pairs: Pairs;
  readonly key: Json;
  /** How many operations there were, whatever came of them. */
  readonly operationCount: number;
  /** The operations that happened, in the order of invocation. */
  readonly known: RegisterCalls;
  /** The operations that may have happened, at any time since, in the order of invocation. */
  readonly unknown: RegisterCalls;
  /** The operations that failed, so did not happen; only findings name them. */
  readonly failed: RegisterCalls;
  /** The values by number. */
  readonly values: Json[];
}

/** The operations of a history by key, of which each makes sense on a register. */
class PairsByKey {
  readonly #pairs: Pairs;
  readonly #keys: Json[] = [];
  /** The pairs in the order of their keys, and of one key in the order of invocation. */
  readonly #order: Int32Array;
  /** Where each key's pairs end in that order. */
  readonly #ends: Int32Array;
  /** How many operations make no sense on a register. */
  readonly oddCount: number;

  constructor(pairs: Pairs, warnings: Warnings) {
    this.#pairs = pairs;
    const keyOfPair = new Int32Array(pairs.length);
    const numbers = new Map<string, number>();
    let oddCount = 0;
    for (let pair = 0; pair < pairs.length; pair++) {
      const key = keyAskedFor(pairs, pair);
      if (key === undefined) {
        oddCount += 1;
        warnings.add("Operation that makes no sense on a register", () => odd(pairs.at(pair)));
      }
      const name = key === undefined ? undefined : canonical(key);
      let number = name === undefined ? -1 : numbers.get(name) ?? this.#keys.length;
      if (key !== undefined && name !== undefined && number === this.#keys.length) {
        number = this.#keys.push(key) - 1;
        numbers.set(name, number);
      }
      keyOfPair[pair] = number;
    }
    this.oddCount = oddCount;
    [this.#order, this.#ends] = sortedBy(keyOfPair, this.#keys.length);
  }

  /** What happened to each key, in the order of their first operations. */
  *histories(): Generator<RegisterHistory> {
    let begin = 0;
    for (const [number, key] of this.#keys.entries()) {
      const end = this.#ends[number] ?? 0;
      yield registerHistory(this.#pairs, key, this.#order.subarray(begin, end));
      begin = end;
    }
  }
}

/** The indices of some numbers in the order of these, and where each number's end; -1 is left out. */
function sortedBy(numbers: Int32Array, count: number): [order: Int32Array, ends: Int32Array] {
  const starts = new Int32Array(count + 1);
  for (const number of numbers) if (number >= 0) starts[number + 1] = (starts[number + 1] ?? 0) + 1;
  for (let i = 0; i < count; i++) starts[i + 1] = (starts[i + 1] ?? 0) + (starts[i] ?? 0);
  const order = new Int32Array(starts[count] ?? 0);
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] ?? -1;
    if (number < 0) continue;
    const place = starts[number] ?? 0;
    order[place] = i;
    starts[number] = place + 1;
  }
  return [order, starts];
}

function odd({ invoke, completion = invoke }: PlacedPair): string {
  return `${invoke.f} of ${show(completion.value)}, by ${whoAndWhen(invoke)}`;
}

/**
 * Reads the operations of one key.
 *
 * What constrains nothing is dropped: a read that was not acknowledged, one that returned `null`,
 * and an unknown cas to the value it is from.
 */
function registerHistory(pairs: Pairs, key: Json, some: Int32Array): RegisterHistory {
  const history: RegisterHistory = {
    pairs,
    key,
    operationCount: some.length,
    known: new RegisterCalls(some.length),
    unknown: new RegisterCalls(some.length),
    failed: new RegisterCalls(some.length),
    values: [null],
  };
  const { values } = history;
  const numbers = new Map([[keyOf(null), INITIAL]]);
  const numberOf = (value: Json): number => {
    const number = numbers.get(keyOf(value)) ?? values.length;
    if (number === values.length) {
      numbers.set(keyOf(value), number);
      values.push(value);
    }
    return number;
  };
  for (const number of some) {
    const requirement = requirementOf(pairs, number);
    if (requirement === undefined || requirement === "nothing") continue;
    const type = pairs.endOf(number);
    const call = {
      pair: number,
      requires: requirement.from === undefined ? ANY : numberOf(requirement.from),
      leaves: numberOf(requirement.to),
      invokedAt: pairs.invokedAt[number] ?? 0,
      completedAt: type === "ok" ? pairs.completion(number) : NEVER,
    };
    if (type === "fail") history.failed.push(call);
    else (type === "ok" ? history.known : history.unknown).push(call);
  }
  return history;
}

/** A history of one register, whose values have no keys, with a key; any other as it is. */
function keyedHistory(history: History): History {
  return isUnkeyed(readerOf(history)) ? Array.from(history, keyed) : history;
}

/** Whether a history is of one register: where reads and writes have no pair, there is no key. */
function isUnkeyed(ops: OpReader): boolean {
  let isAnyPlain = false;
  for (let position = 0; position < ops.length; position++) {
    if (ops.processAt(position) === "nemesis") continue;
    const f = ops.fAt(position);
    if (f !== "read" && f !== "write") continue;
    const value = ops.valueAt(position);
    if (Array.isArray(value) && value.length === 2) return false;
    if (value !== null) isAnyPlain = true;
  }
  return isAnyPlain;
}

function keyed(op: Op): Op {
  return op.process === "nemesis" ? op : { ...op, value: ["register", valueOf(op)] };
}

/** Operations' values are pairs of key and value. */
function keyAndValue(value: Json): [key: Json, value: Json] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  return [value[0] ?? null, value[1] ?? null];
}

/** The key of an operation that makes sense on a register. */
function keyAskedFor(pairs: Pairs, number: number): Json | undefined {
  return requirementOf(pairs, number) === undefined
    ? undefined
    : keyAndValue(pairs.valueOf(number))?.[0];
}

/** What an operation needs to find, if it needs that, and what it leaves; nothing for nonsense. */
function requirementOf(
  pairs: Pairs,
  number: number,
): { from?: Json; to: Json } | "nothing" | undefined {
  const asked = keyAndValue(pairs.valueOf(number));
  if (asked === undefined) return undefined;
  const [key, value] = asked;
  const isKnown = pairs.endOf(number) === "ok";
  switch (pairs.fOf(number)) {
    case "read": {
      if (!isKnown) return "nothing";
      const got = keyAndValue(pairs.resultOf(number));
      if (got === undefined || canonical(got[0]) !== canonical(key)) return undefined;
      return got[1] === null ? "nothing" : { from: got[1], to: got[1] };
    }
    case "write":
      return { to: value };
    case "cas": {
      if (!Array.isArray(value) || value.length !== 2) return undefined;
      const [from, to] = [value[0] ?? null, value[1] ?? null];
      return !isKnown && canonical(from) === canonical(to) ? "nothing" : { from, to };
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
function warnOfVanished(pairs: Pairs, firstKill: number, warnings: Warnings): void {
  /** The operation of each key that was the first to end with the key in place. */
  const holders = new Map<string, number>();
  const numbers = pairs.numbers();
  let nulls: ReadonlySet<string> | undefined;
  for (let position = 0; position < numbers.length && position <= firstKill; position++) {
    const number = numbers[position] ?? -1;
    if (number < 0 || pairs.completion(number) !== position) continue;
    const isKnown = pairs.endOf(number) === "ok";
    const [key, value] = keyAndValue(isKnown ? pairs.resultOf(number) : pairs.valueOf(number)) ??
      [];
    if (key === undefined) continue;
    const name = canonical(key);
    const holder = holders.get(name);
    if (isMissing(pairs, number, value)) {
      if (holder === undefined || pairs.completion(holder) > (pairs.invokedAt[number] ?? 0)) {
        continue;
      }
      // Whoever writes null may read it.
      if (isKnown && (nulls ??= keysSetToNull(pairs)).has(name)) continue;
      warnings.add("Key that was missing after it held a value, which Maelstrom overlooks", () => {
        const [held, missed] = [pairs.at(holder), pairs.at(number)];
        return `key ${show(key)} held a value at the ${held.invoke.f} by ` +
          `${whoAndWhen(held.completion ?? held.invoke)}, but was missing at the ` +
          `${missed.invoke.f} by ${whoAndWhen(missed.invoke)}`;
      });
    } else if (isKnown && holder === undefined) holders.set(name, number);
  }
}

function isMissing(pairs: Pairs, number: number, value: Json | undefined): boolean {
  if (pairs.endOf(number) === "ok") return pairs.fOf(number) === "read" && value === null;
  const { error } = pairs.ops.opAt(pairs.completion(number));
  return error?.code === ErrorCode.keyDoesNotExist;
}

/** The keys that some operation set to `null`, or may have. */
function keysSetToNull(pairs: Pairs): Set<string> {
  const keys = new Set<string>();
  for (let number = 0; number < pairs.length; number++) {
    const [key = null, value = null] = keyAndValue(pairs.valueOf(number)) ?? [];
    const f = pairs.fOf(number);
    const isWrite = f === "write" && value === null;
    const isCas = f === "cas" && Array.isArray(value) && value[1] === null;
    if (isWrite || isCas) keys.add(canonical(key));
  }
  return keys;
}
