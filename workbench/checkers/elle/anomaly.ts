/**
 * The anomalies of transactions as data, and the sentences that describe them.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Op } from "../../history.ts";
import { inOrder, plural, seconds, who } from "../checker.ts";
import type { CycleType, ExistenceType } from "./consistency_model.ts";
import { INITIAL, type MalformedValue, type Mop, type Transactions, type Txn } from "./txn.ts";

/**
 * Why one transaction comes before another: an edge of a cycle.
 *
 * The first transaction wrote or read `value`, the second read it or wrote `next` after it. Where
 * the values are lists, `read` is the read of the two.
 */
export type Dependency = Readonly<
  | { type: "wr"; key: number; value: number; read?: Mop }
  | { type: "ww" | "rw"; key: number; value: number; next: number; evidence: Evidence; read?: Mop }
  | { type: "process" }
  | { type: "realtime" }
>;

/**
 * How it is known that one value is later than another: a list was read with both; the later was
 * never read, the earlier is the last that was; the earlier is a register's `null`; the second
 * transaction read the earlier and wrote the later, or another transaction did.
 */
type Evidence = "list" | "unread" | "initial" | "second" | "other";

/** Gives the reason why `a` comes before `b`, if there is one. */
export type Explain = (a: Txn, b: Txn) => Dependency | undefined;

/** Transactions of which each comes before the next, and the last before the first. */
export interface Cycle {
  readonly type: CycleType;
  readonly txns: readonly Txn[];
  /** Why each transaction comes before the next, and the last before the first. */
  readonly dependencies: readonly Dependency[];
}

/** An anomaly; `mop` is the read that shows it. */
export type Anomaly =
  | Cycle
  | Refusal
  | Readonly<
    // The reader and the writer of a value that should not have been read.
    | { type: "G1a" | "G1b"; txns: readonly [Txn, Txn]; mop: Mop; value: number }
    | { type: "duplicate-elements" | "future-read"; txns: readonly [Txn]; mop: Mop; value: number }
    // A register's value or a list, of which only the end is known if `isSuffix`.
    | {
      type: "internal";
      txns: readonly [Txn];
      mop: Mop;
      expected: readonly number[];
      isSuffix?: boolean;
    }
    // A reader, and the reader of the key's longest list, which is `other`.
    | { type: "incompatible-order"; txns: readonly [Txn, Txn]; mop: Mop; other: Mop }
    // A failed transaction's value, the ok one's that follows it, and a reader of both.
    | {
      type: "dirty-update";
      txns: readonly [Txn, Txn, Txn];
      mop: Mop;
      values: readonly [number, number];
    }
    | { type: "lost-update"; txns: readonly [Txn, Txn, ...Txn[]]; mop: Mop }
    // Those that replaced one of the values with another.
    | { type: "cyclic-versions"; txns: readonly Txn[]; key: number; values: readonly number[] }
    | { type: ExistenceType; model: string; txns: readonly Txn[] }
    | { type: "cycle-search-timeout"; size: number; unfinished: readonly string[] }
    | { type: "empty-transaction-graph" }
  >;

/** Why a history cannot be judged. */
export type Refusal = Readonly<
  | { type: "malformed-txn"; malformed: readonly [MalformedValue, ...MalformedValue[]] }
  | { type: "mixed-key-types"; keyTypes: readonly string[] }
  | { type: "duplicate-appends" | "duplicate-writes"; txns: readonly Txn[]; value: number }
  // The read that found the value, or the requested append that the reply left out.
  | { type: "unwritten-element"; txns: readonly [Txn]; mop: Mop; value: number }
>;

/** What Maelstrom does not check: how often it was seen, and the first example. */
export type Warning = Readonly<
  | { type: "reply-differs"; difference: Difference; count: number; txn: Txn }
  | { type: "unwritten-read"; count: number; txn: Txn; mop: Mop; value: number }
>;

/** How a reply differs from its request. */
export type Difference = keyof typeof differences;

const differences = {
  empty: "the reply is empty",
  length: "the number of micro-operations differs",
  function: "a micro-operation's function differs",
  key: "a micro-operation's key differs",
  value: "a written value differs",
};

/** An anomaly in words and in data. */
interface Description {
  /** One sentence, without its final period; for a cycle several lines. */
  readonly what: string;
  /** Its data under Elle's names; transactions by the index of their operation. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** How many values of a circle are shown. */
const MAX_VALUES = 16;

/** Describes an anomaly. */
export function describe(all: Transactions, found: Anomaly): Description {
  const text = new Text(all);
  const { keys, values } = all.names;
  const lists = all.write === "append";
  const read = (txn: Txn, mop: Mop, more: Record<string, unknown>) => ({
    key: keys[mop.key],
    op: txn.op.index,
    ...more,
  });
  switch (found.type) {
    case "G1a":
    case "G1b": {
      const { txns: [reader, writer], mop, value } = found;
      const element = lists ? "element" : "value";
      const dirty = found.type === "G1a";
      const facts = read(reader, mop, { [element]: values[value], writer: writer.op.index });
      const seen = lists
        ? `${text.read(reader, mop)}, ${dirty ? "with" : "but"} ${text.value(value)}`
        : `${whose(reader)} read ${text.value(value)} from key ${text.key(mop.key)}`;
      const why = dirty
        ? `, which a failed transaction had ${lists ? "appended" : "written"}`
        : lists
        ? " was not the last that its transaction appended"
        : ", which was not the last that its transaction wrote";
      return { what: `${seen}${why} (${text.txn(writer)})`, facts };
    }
    case "duplicate-elements":
    case "future-read": {
      const { type, txns: [txn], mop, value } = found;
      const how = type === "duplicate-elements"
        ? " more than once"
        : `, which the same transaction appended only later (${text.txn(txn)})`;
      return {
        what: `${text.read(txn, mop)}, with ${text.value(value)}${how}`,
        facts: read(txn, mop, { element: values[value] }),
      };
    }
    case "internal": {
      const { txns: [txn], mop, expected: [value = INITIAL], isSuffix } = found;
      if (!lists) {
        const what =
          `${whose(txn)} read ${text.value(mop.version)} from key ${text.key(mop.key)}, ` +
          `though its own transaction had last read or written ${text.value(value)} ` +
          `(${text.txn(txn)})`;
        return { what, facts: read(txn, mop, { expected: values[value] }) };
      }
      const expected = `${isSuffix ? "a list that ends in " : ""}${text.list(found.expected)}`;
      const what = `${text.read(txn, mop)}, though its own transaction had made that ` +
        `${expected} (${text.txn(txn)})`;
      return { what, facts: read(txn, mop, { expected }) };
    }
    case "incompatible-order": {
      const { txns: [reader, other], mop } = found;
      return {
        what: `Key ${text.key(mop.key)} was ${text.found(mop)} to ${whose(reader)} and ` +
          `${text.found(found.other)} to ${whose(other)}: the first is no beginning of the second`,
        facts: read(reader, mop, { other: other.op.index }),
      };
    }
    case "dirty-update": {
      const { txns: [failed, txn], mop, values: [dirty, next] } = found;
      return {
        what: `${whose(txn)} appended ${text.value(next)} to key ${text.key(mop.key)} on top of ` +
          `${text.value(dirty)}, which a failed transaction had appended (${text.txn(failed)})`,
        facts: read(txn, mop, { values: [values[dirty], values[next]] }),
      };
    }
    case "lost-update": {
      const { txns, mop } = found;
      return {
        what: `${txns.length} transactions read key ${text.key(mop.key)} as ${text.found(mop)} ` +
          `and then wrote to it, so that one of them did not see what another wrote ` +
          `(${text.txns(txns, 2)})`,
        facts: { key: keys[mop.key], txns: indices(txns.slice(0, 16)) },
      };
    }
    case "cyclic-versions": {
      const shown = found.values.slice(0, MAX_VALUES);
      return {
        what: `Values ${shown.map((value) => text.value(value)).join(", ")} of key ` +
          `${text.key(found.key)} each replaced another of them in a circle, so there is no ` +
          `order in which they came (${text.txns(found.txns, 4)})`,
        facts: {
          key: keys[found.key],
          scc: shown.map((value) => values[value]),
          sources: ["initial-state", "wfr-keys"],
        },
      };
    }
    case "cycle-search-timeout": {
      const { size, unfinished } = found;
      return {
        what: `The search among ${size} transactions that are all before each other ended ` +
          `early, so there may or may not be a cycle that is ${unfinished.join(" or ")}`,
        facts: { "anomaly-spec-type": unfinished[0], unfinished, "scc-size": size },
      };
    }
    case "empty-transaction-graph": {
      const what =
        "No transaction can be told to come before another, so there was nothing to judge";
      return { what, facts: {} };
    }
    case "malformed-txn":
    case "mixed-key-types":
    case "duplicate-appends":
    case "duplicate-writes":
    case "unwritten-element":
      return { what: text.refusal(found), facts: {} };
    default:
      return "model" in found ? describeExistence(text, found) : describeCycle(text, all, found);
  }
}

/** Describes a warning, in one sentence. */
export function describeWarning(all: Transactions, warning: Warning): string {
  const text = new Text(all);
  const { txn, count } = warning;
  if (warning.type === "unwritten-read") {
    return `${plural(count, "read")} found what no transaction wrote: ` +
      `${text.read(txn, warning.mop)}, but no transaction wrote ${text.value(warning.value)}; ` +
      `Maelstrom may overlook this`;
  }
  return `${count === 1 ? "1 reply does" : `${count} replies do`} not fit the transaction that ` +
    `was sent: ${differences[warning.difference]}, as in operation ${txn.op.index}, where ` +
    `${whose(txn)} sent ${text.mops(txn.request ?? [])} and got ${text.mops(txn.mops)}; ` +
    `Maelstrom does not check this`;
}

/** The operations that show an anomaly, in the history's order; few. */
export function opsOf(anomaly: Anomaly): Op[] {
  if ("malformed" in anomaly) return anomaly.malformed.slice(0, 4).map(({ op }) => op);
  if (!("txns" in anomaly)) return [];
  // By their ids, for a transaction may be made anew each time.
  return inOrder(new Map(anomaly.txns.slice(0, 16).map(({ id, op }) => [id, op])).values());
}

function indices(txns: readonly Txn[]): number[] {
  return txns.map(({ op }) => op.index);
}

function describeExistence(
  text: Text,
  { model, txns }: Extract<Anomaly, { model: string }>,
): Description {
  return {
    what: `Some cycle among these ${txns.length} transactions breaks ${model}, but it was not ` +
      `found which (${text.txns(txns, 3)}${txns.length > 3 ? "; ..." : ""})`,
    facts: { "not": model, "scc-size": txns.length, "scc": indices(txns.slice(0, 32)) },
  };
}

/** How many transactions of a cycle are shown, and how many its facts have. */
const MAX_TXNS = 12;
const MAX_STEPS = 64;

function describeCycle(text: Text, all: Transactions, cycle: Cycle): Description {
  const { txns } = cycle;
  const steps = stepsOf(cycle);
  const shown = steps.slice(0, MAX_TXNS);
  const more = txns.length - shown.length;
  const lines = [
    `${txns.length} transactions each come before the next and the last before the first, so no ` +
    `order explains them: ${shown.map(({ a }) => `${a} -> `).join("")}${
      more > 0 ? "... -> " : ""
    }T1`,
    ...shown.map(({ from, a }) => `${a} = ${text.txn(from)}`),
    ...shown.map((step) => `${step.a} before ${step.b} (${step.why.type}): ${text.step(step)}`),
    ...more > 0 ? [`and ${more} more`] : [],
  ];
  return {
    what: lines.join("\n  "),
    facts: {
      cycle: indices([...txns, ...txns.slice(0, 1)].slice(0, MAX_STEPS)),
      steps: steps.slice(0, MAX_STEPS).map((step) => stepFacts(all, step)),
    },
  };
}

function stepsOf({ txns, dependencies }: Cycle): Step[] {
  const name = (i: number) => `T${i % txns.length + 1}`;
  return txns.flatMap((from, i) => {
    const [to, why] = [txns[(i + 1) % txns.length], dependencies[i]];
    return to === undefined || why === undefined
      ? []
      : [{ from, to, why, a: name(i), b: name(i + 1) }];
  });
}

/** A cycle as plain data: what is in its transactions, and why each comes before the next. */
export interface ExplainedCycle {
  readonly type: CycleType;
  /** The first of them, named T1, T2 and so on. */
  readonly txns: readonly ExplainedTxn[];
  /** Why each of them comes before the next, and the last before the first. */
  readonly steps: readonly ExplainedStep[];
  /** How many transactions follow that are not listed. */
  readonly more: number;
}

/** A transaction of a cycle. */
export interface ExplainedTxn {
  /** The index of its completion, or of its invocation if it has none; and when that was, in ms. */
  readonly op: number;
  readonly atMs: number;
  /** Who ran it, and when. */
  readonly when: string;
  /** Its micro-operations, `r 9 [1 2]`. */
  readonly mops: readonly string[];
}

/** A dependency of a cycle. */
export interface ExplainedStep {
  readonly type: Dependency["type"];
  /** The reason as a sentence. */
  readonly why: string;
  /** The places of the micro-operations that it is about; undefined where it is about none. */
  readonly fromMop?: number | undefined;
  readonly toMop?: number | undefined;
}

/** Explains a cycle. */
export function explainCycle(all: Transactions, cycle: Cycle): ExplainedCycle {
  const text = new Text(all);
  const steps = stepsOf(cycle).slice(0, MAX_TXNS);
  return {
    type: cycle.type,
    txns: steps.map(({ from }) => ({
      op: from.op.index,
      atMs: from.op.time / 1e6,
      when: text.when(from),
      mops: from.mops.map((mop) => text.mop(mop)),
    })),
    steps: steps.map((step) => ({ type: step.why.type, why: text.step(step), ...mopsOf(step) })),
    more: cycle.txns.length - steps.length,
  };
}

/** Which micro-operations of its two transactions a dependency is about. */
function mopsOf({ from, to, why }: Step): Pick<ExplainedStep, "fromMop" | "toMop"> {
  if (!("key" in why)) return {};
  const find = ({ mops }: Txn, read: boolean, version: number) => {
    const own = read ? mops.findIndex((mop) => mop === why.read) : -1;
    const place = own !== -1
      ? own
      : mops.findLastIndex((mop) =>
        mop.read === read && mop.key === why.key && mop.version === version
      );
    return place === -1 ? undefined : place;
  };
  return why.type === "wr"
    ? { fromMop: find(from, false, why.value), toMop: find(to, true, why.value) }
    : { fromMop: find(from, why.type === "rw", why.value), toMop: find(to, false, why.next) };
}

/** A dependency of a cycle, and the names of its two transactions. */
interface Step {
  readonly from: Txn;
  readonly to: Txn;
  readonly why: Dependency;
  readonly a: string;
  readonly b: string;
}

function stepFacts({ names }: Transactions, { from, to, why }: Step): Record<string, unknown> {
  const { type } = why;
  if (type === "process") return { type, process: from.op.process };
  if (type === "realtime") {
    return { type, completed: from.op.index, invoked: to.invoke?.index };
  }
  const value = why.value === INITIAL ? null : names.values[why.value];
  const next = type === "wr" ? {} : { "value'": names.values[why.next] };
  return { type, key: names.keys[why.key], value, ...next };
}

/** The process that ran a transaction, and its node: `process 3 on n1`. */
function whose({ op, invoke }: Txn): string {
  return who(op.node === undefined ? invoke ?? op : op);
}

/** How many characters of a value are shown. */
const MAX_SHOWN = 60;

/** A value's text, without its middle if it is long. */
function shorten(value: Json): string {
  const text = JSON.stringify(value) ?? "undefined";
  if (text.length <= MAX_SHOWN) return text;
  return `${text.slice(0, MAX_SHOWN / 2)}...${text.slice(-MAX_SHOWN / 2)}`;
}

/** How many elements of a list, and how many micro-operations of a transaction, are shown. */
const MAX_LISTED = 8;

/** The parts of sentences about some transactions. */
class Text {
  readonly #all: Transactions;

  constructor(all: Transactions) {
    this.#all = all;
  }

  key(key: number): string {
    return shorten(this.#all.names.keys[key] ?? null);
  }

  value(version: number): string {
    return shorten(this.#all.names.values[version] ?? null);
  }

  /** A list, `[1 2 3]`; a long one's end. */
  list(list: readonly number[]): string {
    const shown = list.slice(-MAX_LISTED).map((version) => this.value(version));
    if (list.length > MAX_LISTED) shown.unshift("...");
    return `[${shown.join(" ")}]`;
  }

  /** What a read found. */
  found({ list, version }: Mop): string {
    if (list === undefined) return this.value(version);
    return list === null ? "null" : this.list(list);
  }

  /** A micro-operation, `r 9 [1 2]`. */
  mop(mop: Mop): string {
    const [f, value] = mop.read
      ? ["r", this.found(mop)]
      : [this.#all.write, this.value(mop.version)];
    return `${f} ${this.key(mop.key)} ${value}`;
  }

  /** Micro-operations, `r 9 [1 2], append 9 3`. */
  mops(mops: readonly Mop[]): string {
    if (mops.length === 0) return "nothing";
    const shown = mops.slice(0, MAX_LISTED).map((mop) => this.mop(mop));
    if (mops.length > MAX_LISTED) shown.push(`and ${mops.length - MAX_LISTED} more`);
    return shown.join(", ");
  }

  /** A transaction in one line: its process and node, time, outcome and micro-operations. */
  txn(txn: Txn): string {
    return `${this.when(txn)}: ${this.mops(txn.mops)}`;
  }

  /** Who ran a transaction, when, and how it ended if not well. */
  when(txn: Txn): string {
    const { op, invoke, type } = txn;
    const from = invoke === undefined ? "" : `${seconds(invoke)} to `;
    const to = op === invoke ? "the end" : seconds(op);
    const how = type === "ok" ? "" : type === "fail" ? ", failed" : ", outcome unknown";
    return `${whose(txn)}, ${from}${to}${how}`;
  }

  txns(txns: readonly Txn[], max: number): string {
    return txns.slice(0, max).map((txn) => this.txn(txn)).join("; ");
  }

  read(txn: Txn, mop: Mop): string {
    return `${whose(txn)} read key ${this.key(mop.key)} as ${this.found(mop)}`;
  }

  refusal(refusal: Refusal): string {
    switch (refusal.type) {
      case "malformed-txn": {
        const [{ op, mop }, ...others] = refusal.malformed;
        const why = mop === undefined
          ? "its value is not a list of micro-operations"
          : `it has the micro-operation ${shorten(mop)}`;
        const more = others.length === 0 ? "" : `, and ${others.length} more`;
        return `Operation ${op.index} (${op.type}) is no transaction of "r" and ` +
          `"${this.#all.write}": ${why}${more}`;
      }
      case "mixed-key-types": {
        const types = refusal.keyTypes.join(", ");
        return `Keys are of several types (${types}), which Elle does not judge`;
      }
      case "unwritten-element": {
        const { txns: [txn], mop } = refusal;
        const [key, value] = [this.key(mop.key), this.value(refusal.value)];
        const why = mop.read
          ? `${this.read(txn, mop)}, but no transaction appended ${value} to it`
          : `${whose(txn)} was to append ${value} to key ${key}, but the reply does not say so ` +
            `(${this.txn(txn)})`;
        return `No transaction wrote ${key} ${value}: ${why}`;
      }
    }
    const { type, txns } = refusal;
    const value = this.value(refusal.value);
    const key = this.key(this.#all.names.keyOf.at(refusal.value));
    if (type === "duplicate-appends") return `Value ${value} was appended to key ${key} twice`;
    return `Key ${key} had value ${value} written by more than one op, so there is no telling ` +
      `which a read saw (${this.txns(txns, 3)})`;
  }

  /** Why one transaction of a cycle comes before the next. */
  step({ from, to, why, a, b }: Step): string {
    if (why.type === "process") return `${whose(from)} ran ${a}, then ${b}`;
    if (why.type === "realtime") {
      return `${a} completed at ${seconds(from.op)}, before ${b} was invoked at ` +
        seconds(to.invoke ?? to.op);
    }
    const [key, value] = [this.key(why.key), this.value(why.value)];
    const lists = this.#all.write === "append";
    const wrote = `${a} ${lists ? "appended" : "wrote"} ${value} to key ${key}`;
    if (why.type === "wr") {
      return `${wrote}, and ${b} read ${why.read === undefined ? "it" : this.found(why.read)}`;
    }
    const next = this.value(why.next);
    if (why.read !== undefined) {
      return `${a} read key ${key} as ${
        this.found(why.read)
      }, without ${next}, which ${b} appended`;
    }
    const first = why.type === "ww" ? wrote : `${a} read ${value} from key ${key}`;
    switch (why.evidence) {
      case "list":
        return `${first}, and ${b} appended ${next} right after it`;
      case "unread":
        return `${first}, the last that was ever read, and ${b} appended ${next}, which never was`;
      case "initial":
        return `${first}, and ${b} wrote ${next}; a key is null only before it is first written`;
      case "second":
        return `${first}, and ${b} wrote ${next}, having read ${value} itself`;
      case "other":
        return `${first}, and ${b} wrote ${next}, and a transaction that read ${value} wrote ${next}`;
    }
  }
}
