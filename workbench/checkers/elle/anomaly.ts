/**
 * The anomalies of transactions as data, and the sentences that describe them.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Op } from "../../history.ts";
import { inOrder, plural, seconds, who } from "../checker.ts";
import type { CycleType, ExistenceType } from "./consistency_model.ts";
import { INITIAL, type Malformed, type Mop, type Transactions, type Txn } from "./txn.ts";

/** Why one transaction comes before another: an edge of a cycle. */
export type Dependency =
  | {
    readonly type: "wr";
    readonly key: number;
    readonly value: number;
    /** The second transaction's read, if the values are lists. */
    readonly read?: Mop;
  }
  | {
    readonly type: "ww" | "rw";
    readonly key: number;
    /** What the first transaction wrote or read. */
    readonly value: number;
    /** What the second transaction wrote, later than `value`. */
    readonly next: number;
    /**
     * How the order of the two values is known: a list was read with both of them; `next` was
     * never read, so it is after the last that was; `value` is a register's `null`; the second
     * transaction, or another one, read `value` before it wrote `next`.
     */
    readonly evidence: "list" | "unread" | "initial" | "second" | "other";
    /** The first transaction's read, if the values are lists. */
    readonly read?: Mop;
  }
  | { readonly type: "process" }
  | { readonly type: "realtime" };

/** Gives the reason why `a` comes before `b`, if there is one. */
export type Explain = (a: Txn, b: Txn) => Dependency | undefined;

/** Transactions of which each comes before the next, and the last before the first. */
export interface Cycle {
  readonly type: CycleType;
  readonly txns: readonly Txn[];
  /** Why each transaction comes before the next, and the last before the first. */
  readonly dependencies: readonly Dependency[];
}

/** A read of what a failed transaction wrote, or of a state within a transaction. */
interface DirtyRead {
  readonly type: "G1a" | "G1b";
  /** The reader and the writer. */
  readonly txns: readonly [Txn, Txn];
  readonly mop: Mop;
  readonly value: number;
}

/** An anomaly; where it is one of a read, that read is `mop`. */
export type Anomaly =
  | Cycle
  | DirtyRead
  | {
    readonly type: "duplicate-elements" | "future-read";
    readonly txns: readonly [Txn];
    readonly mop: Mop;
    readonly value: number;
  }
  | {
    readonly type: "internal";
    readonly txns: readonly [Txn];
    readonly mop: Mop;
    /** What the transaction should have read: a register's value, or a list. */
    readonly expected: readonly number[];
    /** Whether only the end of the expected list is known. */
    readonly isSuffix?: boolean;
  }
  | {
    /** The reader, and the reader of the longest list of the key, which is `other`. */
    readonly type: "incompatible-order";
    readonly txns: readonly [Txn, Txn];
    readonly mop: Mop;
    readonly other: Mop;
  }
  | {
    /** The failed transaction, the ok one whose append follows, and a reader of both. */
    readonly type: "dirty-update";
    readonly txns: readonly [Txn, Txn, Txn];
    readonly mop: Mop;
    readonly values: readonly [number, number];
  }
  | {
    readonly type: "lost-update";
    readonly txns: readonly [Txn, Txn, ...Txn[]];
    readonly mop: Mop;
  }
  | {
    readonly type: "cyclic-versions";
    /** Those that replaced one of the values with another. */
    readonly txns: readonly Txn[];
    readonly key: number;
    readonly values: readonly number[];
  }
  | { readonly type: ExistenceType; readonly model: string; readonly txns: readonly Txn[] }
  | {
    readonly type: "cycle-search-timeout";
    /** How many transactions are all before each other. */
    readonly size: number;
    readonly unfinished: readonly string[];
  }
  | { readonly type: "empty-transaction-graph" }
  | Refusal;

/** Why a history cannot be judged. */
export type Refusal =
  | { readonly type: "malformed-txn"; readonly malformed: readonly [Malformed, ...Malformed[]] }
  | { readonly type: "mixed-key-types"; readonly keyTypes: readonly string[] }
  | { readonly type: "duplicate-writes"; readonly txns: readonly Txn[]; readonly value: number }
  | { readonly type: "duplicate-appends"; readonly txns: readonly Txn[]; readonly value: number }
  | {
    readonly type: "unwritten-element";
    readonly txns: readonly [Txn];
    /** The read that found the value, or the requested append that the reply left out. */
    readonly mop: Mop;
    readonly value: number;
  };

/** How a reply differs from its request. */
export type Difference = keyof typeof differences;

const differences = {
  empty: "the reply is empty",
  length: "the number of micro-operations differs",
  function: "a micro-operation's function differs",
  key: "a micro-operation's key differs",
  value: "a written value differs",
};

/** What Maelstrom does not check: how often it was seen, and an example. */
export type Warning =
  | {
    readonly type: "reply-differs";
    readonly difference: Difference;
    readonly count: number;
    readonly txn: Txn;
  }
  | {
    readonly type: "unwritten-read";
    readonly count: number;
    readonly txn: Txn;
    readonly mop: Mop;
    readonly value: number;
  };

/** How many transactions of a cycle are shown. */
const MAX_SHOWN_TXNS = 12;

/** Describes an anomaly or a warning: a sentence without its final period; a cycle takes several lines. */
export function describe(all: Transactions, found: Anomaly | Warning): string {
  const key = (mop: Mop) => keyText(all, mop.key);
  const value = (version: number) => valueText(all, version);
  switch (found.type) {
    case "G1a":
    case "G1b":
      return dirtyReadText(all, found);
    case "duplicate-elements": {
      const [txn] = found.txns;
      return `${readText(all, txn, found.mop)}, with ${value(found.value)} more than once`;
    }
    case "future-read": {
      const [txn] = found.txns;
      return `${readText(all, txn, found.mop)}, with ${
        value(found.value)
      }, which the same transaction appended only later (${txnText(all, txn)})`;
    }
    case "internal": {
      const [txn] = found.txns;
      const [expected = INITIAL] = found.expected;
      const text = all.write === "append"
        ? `${readText(all, txn, found.mop)}, though its own transaction had made that ${
          expectedText(all, found)
        }`
        : `${whose(txn)} read ${value(found.mop.version)} from key ${key(found.mop)}, ` +
          `though its own transaction had last read or written ${value(expected)}`;
      return `${text} (${txnText(all, txn)})`;
    }
    case "incompatible-order": {
      const [reader, other] = found.txns;
      return `Key ${key(found.mop)} was ${foundText(all, found.mop)} to ${whose(reader)} and ${
        foundText(all, found.other)
      } to ${whose(other)}: the first is no beginning of the second`;
    }
    case "dirty-update": {
      const [failed, txn] = found.txns;
      const [dirty, next] = found.values;
      return `${whose(txn)} appended ${value(next)} to key ${key(found.mop)} on top of ${
        value(dirty)
      }, which a failed transaction had appended (${txnText(all, failed)})`;
    }
    case "lost-update": {
      const [one, two] = found.txns;
      return `${found.txns.length} transactions read key ${key(found.mop)} as ${
        foundText(all, found.mop)
      } and then wrote to it, so that one of them did not see what another wrote (${
        txnText(all, one)
      }; ${txnText(all, two)})`;
    }
    case "cyclic-versions":
      return `Values ${found.values.slice(0, MAX_VALUES).map(value).join(", ")} of key ${
        keyText(all, found.key)
      } each replaced another of them in a circle, so there is no order in which they came (${
        txnTexts(all, found.txns, 4)
      })`;
    case "cycle-search-timeout":
      return `The search among ${found.size} transactions that are all before each other ended ` +
        `early, so there may or may not be a cycle that is ${found.unfinished.join(" or ")}`;
    case "empty-transaction-graph":
      return "No transaction can be told to come before another, so there was nothing to judge";
    case "malformed-txn": {
      const [{ op, mop }, ...others] = found.malformed;
      const why = mop === undefined
        ? "its value is not a list of micro-operations"
        : `it has the micro-operation ${shorten(mop)}`;
      const more = others.length === 0 ? "" : `, and ${others.length} more`;
      return `Operation ${op.index} (${op.type}) is no transaction of "r" and "${all.write}": ` +
        `${why}${more}`;
    }
    case "mixed-key-types":
      return `Keys are of several types (${found.keyTypes.join(", ")}), which Elle does not judge`;
    case "duplicate-writes":
      return `Key ${keyText(all, all.names.keyOf[found.value] ?? 0)} had value ${
        value(found.value)
      } written by more than one op, so there is no telling which a read saw (${
        txnTexts(all, found.txns, 3)
      })`;
    case "duplicate-appends":
      return `Value ${value(found.value)} was appended to key ${
        keyText(all, all.names.keyOf[found.value] ?? 0)
      } twice`;
    case "unwritten-element": {
      const [txn] = found.txns;
      const [name, element] = [key(found.mop), value(found.value)];
      const why = found.mop.read
        ? `${readText(all, txn, found.mop)}, but no transaction appended ${element} to it`
        : `${whose(txn)} was to append ${element} to key ${name}, but the reply does not say so ` +
          `(${txnText(all, txn)})`;
      return `No transaction wrote ${name} ${element}: ${why}`;
    }
    case "reply-differs": {
      const { txn, count, difference } = found;
      return `${
        count === 1 ? "1 reply does" : `${count} replies do`
      } not fit the transaction that was sent: ${differences[difference]}, as in operation ` +
        `${txn.op.index}, where ${whose(txn)} sent ${mopsText(all, txn.request ?? [])} and got ${
          mopsText(all, txn.mops)
        }; Maelstrom does not check this`;
    }
    case "unwritten-read":
      return `${plural(found.count, "read")} found what no transaction wrote: ${
        readText(all, found.txn, found.mop)
      }, but nobody wrote ${value(found.value)}; Maelstrom may overlook this`;
    default:
      return "dependencies" in found ? cycleText(all, found) : existenceText(all, found);
  }
}

function dirtyReadText(
  all: Transactions,
  { type, txns: [reader, writer], mop, value }: DirtyRead,
): string {
  const shown = valueText(all, value);
  const by = `(${txnText(all, writer)})`;
  if (all.write === "append") {
    const read = readText(all, reader, mop);
    return type === "G1a"
      ? `${read}, with ${shown}, which a failed transaction had appended ${by}`
      : `${read}, but ${shown} was not the last that its transaction appended ${by}`;
  }
  const read = `${whose(reader)} read ${shown} from key ${keyText(all, mop.key)}`;
  return type === "G1a"
    ? `${read}, which a failed transaction had written ${by}`
    : `${read}, which was not the last that its transaction wrote ${by}`;
}

function existenceText(all: Transactions, { model, txns }: Extract<Anomaly, { model: string }>) {
  return `Some cycle among these ${txns.length} transactions breaks ${model}, but it was not ` +
    `found which (${txnTexts(all, txns, 3)}${txns.length > 3 ? "; ..." : ""})`;
}

function cycleText(all: Transactions, { txns, dependencies }: Cycle): string {
  const name = (i: number) => `T${i % txns.length + 1}`;
  const shown = txns.slice(0, MAX_SHOWN_TXNS);
  const ring = shown.map((_, i) => name(i)).join(" -> ");
  const more = txns.length - shown.length;
  const lines = [
    `${txns.length} transactions each come before the next and the last before the first, so no ` +
    `order explains them: ${ring} -> ${more > 0 ? "... -> " : ""}T1`,
    ...shown.map((txn, i) => `${name(i)} = ${txnText(all, txn)}`),
    ...shown.flatMap((txn, i) => {
      const dependency = dependencies[i];
      const next = txns[(i + 1) % txns.length];
      if (dependency === undefined || next === undefined) return [];
      const why = dependencyText(all, dependency, [txn, name(i)], [next, name(i + 1)]);
      return `${name(i)} before ${name(i + 1)} (${dependency.type}): ${why}`;
    }),
  ];
  if (more > 0) lines.push(`and ${more} more`);
  return lines.join("\n  ");
}

function dependencyText(
  all: Transactions,
  dependency: Dependency,
  [from, a]: readonly [Txn, string],
  [to, b]: readonly [Txn, string],
): string {
  if (dependency.type === "process") return `${whose(from)} ran ${a}, then ${b}`;
  if (dependency.type === "realtime") {
    return `${a} completed at ${seconds(from.op)}, before ${b} was invoked at ${
      seconds(to.invoke ?? to.op)
    }`;
  }
  const { type, read } = dependency;
  const key = keyText(all, dependency.key);
  const value = valueText(all, dependency.value);
  const wrote = all.write === "append" ? "appended" : "wrote";
  if (type === "wr") {
    return `${a} ${wrote} ${value} to key ${key}, and ${b} read ${
      read === undefined ? "it" : foundText(all, read)
    }`;
  }
  const next = valueText(all, dependency.next);
  if (read !== undefined) {
    return `${a} read key ${key} as ${foundText(all, read)}, without ${next}, which ${b} appended`;
  }
  const first = type === "ww" ? `${a} ${wrote} ${value} to` : `${a} read ${value} from`;
  switch (dependency.evidence) {
    case "list":
      return `${first} key ${key}, and ${b} appended ${next} right after it`;
    case "unread":
      return `${first} key ${key}, the last that was ever read, and ${b} appended ${next}, which ` +
        `never was`;
    case "initial":
      return `${first} key ${key}, and ${b} wrote ${next}; a key is null only before it is first ` +
        `written`;
    case "second":
      return `${first} key ${key}, and ${b} wrote ${next}, having read ${value} itself`;
    case "other":
      return `${first} key ${key}, and ${b} wrote ${next}, and a transaction that read ${value} ` +
        `wrote ${next}`;
  }
}

/** How many values of a circle are shown. */
const MAX_VALUES = 16;

/** An anomaly's facts for programs, under Elle's names; operations by their index. */
export function factsOf(all: Transactions, anomaly: Anomaly): Record<string, unknown> {
  const { keys, values } = all.names;
  const element = all.write === "append" ? "element" : "value";
  const indices = (txns: readonly Txn[]) => txns.map(({ op }) => op.index);
  const readOf = (txn: Txn, mop: Mop) => ({ key: keys[mop.key], op: txn.op.index });
  switch (anomaly.type) {
    case "G1a":
    case "G1b": {
      const [reader, writer] = anomaly.txns;
      return {
        ...readOf(reader, anomaly.mop),
        [element]: values[anomaly.value],
        writer: writer.op.index,
      };
    }
    case "duplicate-elements":
    case "future-read":
      return { ...readOf(anomaly.txns[0], anomaly.mop), element: values[anomaly.value] };
    case "internal": {
      const [expected = INITIAL] = anomaly.expected;
      return {
        ...readOf(anomaly.txns[0], anomaly.mop),
        expected: all.write === "append" ? expectedText(all, anomaly) : values[expected],
      };
    }
    case "incompatible-order":
      return { ...readOf(anomaly.txns[0], anomaly.mop), other: anomaly.txns[1].op.index };
    case "dirty-update":
      return {
        ...readOf(anomaly.txns[1], anomaly.mop),
        values: anomaly.values.map((value) => values[value]),
      };
    case "lost-update":
      return { key: keys[anomaly.mop.key], txns: indices(anomaly.txns.slice(0, 16)) };
    case "cyclic-versions":
      return {
        key: keys[anomaly.key],
        scc: anomaly.values.slice(0, MAX_VALUES).map((value) => values[value]),
        sources: ["initial-state", "wfr-keys"],
      };
    case "cycle-search-timeout":
      return {
        "anomaly-spec-type": anomaly.unfinished[0],
        "unfinished": anomaly.unfinished,
        "scc-size": anomaly.size,
      };
    case "empty-transaction-graph":
    case "malformed-txn":
    case "mixed-key-types":
    case "duplicate-writes":
    case "duplicate-appends":
    case "unwritten-element":
      return {};
    default: {
      const { txns } = anomaly;
      if ("model" in anomaly) {
        return {
          "not": anomaly.model,
          "scc-size": txns.length,
          "scc": indices(txns.slice(0, 32)),
        };
      }
      return {
        cycle: indices([...txns, ...txns.slice(0, 1)].slice(0, 64)),
        steps: anomaly.dependencies.slice(0, 64).map((each, i) =>
          dependencyFacts(all, each, txns[i], txns[(i + 1) % txns.length])
        ),
      };
    }
  }
}

function dependencyFacts({ names }: Transactions, dependency: Dependency, from?: Txn, to?: Txn) {
  const { type } = dependency;
  if (type === "process") return { type, process: from?.op.process };
  if (type === "realtime") {
    return { type, completed: from?.op.index, invoked: to?.invoke?.index };
  }
  const key = names.keys[dependency.key];
  const value = dependency.value === INITIAL ? null : names.values[dependency.value];
  if (type === "wr") return { type, key, value };
  return { type, key, value, "value'": names.values[dependency.next] };
}

/** The operations that show an anomaly, in the history's order; few. */
export function opsOf(anomaly: Anomaly): Op[] {
  if ("malformed" in anomaly) return anomaly.malformed.slice(0, 4).map(({ op }) => op);
  return "txns" in anomaly ? inOrder(anomaly.txns.slice(0, 16).map(({ op }) => op)) : [];
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

function keyText({ names }: Transactions, key: number): string {
  return shorten(names.keys[key] ?? null);
}

function valueText({ names }: Transactions, version: number): string {
  return shorten(names.values[version] ?? null);
}

/** A list's text, `[1 2 3]`; a long one's end. */
function listText(all: Transactions, list: readonly number[]): string {
  const shown = list.slice(-MAX_LISTED).map((version) => valueText(all, version));
  if (list.length > MAX_LISTED) shown.unshift("...");
  return `[${shown.join(" ")}]`;
}

/** What a read found. */
function foundText(all: Transactions, mop: Mop): string {
  if (mop.list === undefined) return valueText(all, mop.version);
  return mop.list === null ? "null" : listText(all, mop.list);
}

function readText(all: Transactions, txn: Txn, mop: Mop): string {
  return `${whose(txn)} read key ${keyText(all, mop.key)} as ${foundText(all, mop)}`;
}

function expectedText(
  all: Transactions,
  { expected, isSuffix }: Extract<Anomaly, { type: "internal" }>,
): string {
  return `${isSuffix ? "a list that ends in " : ""}${listText(all, expected)}`;
}

function mopText(all: Transactions, mop: Mop): string {
  const key = keyText(all, mop.key);
  return mop.read
    ? `r ${key} ${foundText(all, mop)}`
    : `${all.write} ${key} ${valueText(all, mop.version)}`;
}

/** Micro-operations, `r 9 [1 2], append 9 3`. */
function mopsText(all: Transactions, mops: readonly Mop[]): string {
  if (mops.length === 0) return "nothing";
  const shown = mops.slice(0, MAX_LISTED).map((mop) => mopText(all, mop));
  if (mops.length > MAX_LISTED) shown.push(`and ${mops.length - MAX_LISTED} more`);
  return shown.join(", ");
}

/** The process that ran a transaction, and its node: `process 3 on n1`. */
function whose({ op, invoke }: Txn): string {
  return who(op.node === undefined ? invoke ?? op : op);
}

/** A transaction in one line: its process and node, its time, its outcome, its micro-operations. */
function txnText(all: Transactions, txn: Txn): string {
  const { op, invoke, type } = txn;
  const from = invoke === undefined ? "" : `${seconds(invoke)} to `;
  const to = op === invoke ? "the end" : seconds(op);
  const how = type === "ok" ? "" : type === "fail" ? ", failed" : ", outcome unknown";
  return `${whose(txn)}, ${from}${to}${how}: ${mopsText(all, txn.mops)}`;
}

function txnTexts(all: Transactions, txns: readonly Txn[], max: number): string {
  return txns.slice(0, max).map((txn) => txnText(all, txn)).join("; ");
}
