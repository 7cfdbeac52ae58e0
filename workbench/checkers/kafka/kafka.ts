/**
 * The checker of the kafka workload.
 *
 * @module
 */

import { canonical, isJsonObject, isRawNumber, type Json, parseJson } from "@eddy/maelstrom";
import {
  type CheckResult,
  type Finding,
  MAX_FINDINGS,
  type Op,
  type Validity,
} from "../../history.ts";
import { inOrder, resultOf, show, Warnings, whoAndWhen } from "../checker.ts";
import { cyclicComponents, shortestCycle, type Successors } from "../graph.ts";
import { checkCommits, checkOrder, type Lag, worstLag } from "./reads.ts";
import {
  checkLost,
  checkPlaces,
  checkReads,
  checkUnseen,
  type Log,
  readLogs,
  type Unseen,
} from "./writes.ts";

/** The verdict on logs. */
export interface KafkaResult extends CheckResult {
  /** How often each anomaly occurred, and the worst cases of it. */
  readonly anomalies: Readonly<Record<string, AnomalyFigures>>;
  /** What was acknowledged and never polled. */
  readonly unseen?: Unseen | undefined;
  readonly worstRealtimeLag: Lag;
  /** The anomalies that make the run invalid. */
  readonly badErrorTypes: readonly string[];
  readonly errorTypes: readonly string[];
  /** Why operations ended unknown. */
  readonly infoTxnCauses: readonly string[];
}

interface AnomalyFigures {
  readonly count: number;
  readonly errs: readonly Case["err"][];
}

/**
 * Checks that logs kept what was sent to them, and that clients saw them in order and without gaps.
 *
 * The anomalies are those of `jepsen.tests.kafka` 0.3.7 as Maelstrom sets it up, each under its
 * name as `{count, errs}` with the worst cases; operations in `errs` go by their index. A message
 * that was polled but never sent leaves Maelstrom without a verdict, and so the result is unknown
 * unless something else is wrong. It takes time near linear in what was sent and polled.
 *
 * @example
 * ```ts
 * import { checkKafka } from "./kafka.ts";
 * import type { Op } from "../../history.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { process: 0, f: "send" } as const;
 * const history: Op[] = [
 *   { ...op, index: 0, time: 0, type: "invoke", value: [["send", "k", 1]] },
 *   { ...op, index: 1, time: 1, type: "ok", value: [["send", "k", [0, 1]]] },
 *   { ...op, index: 2, time: 2, type: "invoke", f: "poll", value: [["poll"]] },
 *   { ...op, index: 3, time: 3, type: "ok", f: "poll", value: [["poll", {}]] },
 * ];
 * assertEquals(checkKafka(history).badErrorTypes, ["unseen"]);
 * ```
 */
export function checkKafka(history: readonly Op[]): KafkaResult {
  const warnings = new Warnings();
  const cases = new Cases();
  const read = readActs(history, warnings);
  const { acts } = read;
  const logs = readLogs(read);
  for (const log of logs.values()) checkPlaces(log, cases);
  checkReads(read, logs, cases);
  checkAllLost(read, logs, cases, warnings);
  const unseen = checkUnseen(read, logs, cases);
  checkOrder(acts, logs, cases, warnings);
  checkCycles(acts, cases);
  checkCommits(acts, logs, warnings);
  const figures = {
    anomalies: cases.figures(),
    unseen,
    worstRealtimeLag: worstLag(acts),
    badErrorTypes: cases.badNames(),
    errorTypes: cases.names(),
    infoTxnCauses: infoCauses(acts),
  };
  return resultOf(verdict(cases), figures, cases.findings(), warnings);
}

function verdict(cases: Cases): Validity {
  if (cases.badNames().length > 0) return false;
  return cases.names().includes(NO_WRITER) ? "unknown" : true;
}

/** Why sends and polls ended without anybody knowing what became of them. */
function infoCauses(acts: readonly Act[]): string[] {
  const causes = new Set<string>();
  for (const act of acts) {
    if (act.type !== "info" || !isTransaction(act)) continue;
    const { text } = act.op.error ?? {};
    causes.add(text ?? "nothing was heard");
  }
  return [...causes];
}

function checkAllLost(
  { acts, messages }: Acts,
  logs: ReadonlyMap<string, Log>,
  cases: Cases,
  warnings: Warnings,
): void {
  const polled = new Set<string>();
  for (const act of acts) {
    if (act.type === "ok") { for (const key of act.reads.keys()) polled.add(key); }
  }
  const none: Log = { key: "", slots: [], indexes: new Map(), places: new Map() };
  for (const key of polled) {
    const isBounded = checkLost(logs.get(key) ?? none, messages.get(key)?.values() ?? [], cases);
    if (isBounded) continue;
    warnings.add(
      "Key polled but never with a message at an offset, at which Maelstrom's checker stops with an " +
        "IndexOutOfBoundsException and leaves the run without a verdict",
      () => JSON.stringify(key),
    );
  }
}

/** One anomaly: as figures for machines, as a sentence for people, and the operations showing it. */
export interface Case {
  readonly err: Readonly<Record<string, unknown>>;
  readonly what: string;
  readonly ops: Iterable<Op | undefined>;
}

/** How many cases of an anomaly are told as figures. */
const MAX_CASES = 8;

/** How many of them are told as findings; more of the same teach nothing. */
const MAX_TOLD = 3;

/** What Maelstrom reports without calling the run invalid. */
const allowed: readonly string[] = [
  "int-send-skip",
  "G0",
  "G0-process",
  "G0-realtime",
  "PL-1-cycle-exists",
  "strong-PL-1-cycle-exists",
];

/** What Maelstrom's own checker trips over, leaving the run without a verdict. */
export const NO_WRITER = "no-writer-of-value";

/** The order in which anomalies are told, causes before their consequences. */
const severity: readonly string[] = [
  "inconsistent-offsets",
  "duplicate",
  "lost-write",
  "unseen",
  "G1a",
  "G1c",
  "G1c-realtime",
  "precommitted-read",
  NO_WRITER,
  "int-nonmonotonic-poll",
  "int-poll-skip",
  "nonmonotonic-poll",
  "poll-skip",
  "int-nonmonotonic-send",
  "nonmonotonic-send",
  "empty-transaction-graph",
];

interface Tally {
  count: number;
  /** The worst so far, worst first. */
  readonly worst: { readonly badness: number; readonly told: Case }[];
}

/** Collects cases, however many there are, and keeps the worst of each anomaly. */
export class Cases {
  readonly #tallies = new Map<string, Tally>();

  /**
   * Notes a case.
   *
   * @param badness the higher the worse; of equals the earlier is kept
   * @param tell makes the case; called only if it is among the worst so far
   */
  add(anomaly: string, badness: number, tell: () => Case): void {
    let tally = this.#tallies.get(anomaly);
    if (tally === undefined) this.#tallies.set(anomaly, tally = { count: 0, worst: [] });
    tally.count++;
    const { worst } = tally;
    const last = worst[MAX_CASES - 1];
    if (last !== undefined && last.badness >= badness) return;
    const place = worst.findIndex((other) => other.badness < badness);
    worst.splice(place < 0 ? worst.length : place, 0, { badness, told: tell() });
    worst.length = Math.min(worst.length, MAX_CASES);
  }

  /** The anomalies that occurred, in alphabetical order. */
  names(): string[] {
    return [...this.#tallies.keys()].sort();
  }

  /** Those of them that make a run invalid. */
  badNames(): string[] {
    return this.names().filter((name) => !allowed.includes(name) && name !== NO_WRITER);
  }

  /** For each anomaly its count, and the worst cases as figures. */
  figures(): Record<string, AnomalyFigures> {
    const entries = this.names().map((name) => {
      const tally = this.#tallies.get(name);
      const errs = tally?.worst.map(({ told }) => told.err) ?? [];
      return [name, { count: tally?.count ?? 0, errs }] as const;
    });
    return Object.fromEntries(entries);
  }

  /** The worst case of each anomaly that is not allowed, then the second worst of each, and so on. */
  findings(): Finding[] {
    const bad = this.names().filter((name) => !allowed.includes(name))
      .sort((a, b) => severity.indexOf(a) - severity.indexOf(b));
    const findings: Finding[] = [];
    for (let rank = 0; rank < MAX_TOLD; rank++) {
      for (const anomaly of bad) {
        const told = this.#tallies.get(anomaly)?.worst[rank]?.told;
        if (told === undefined) continue;
        findings.push({ anomaly, what: told.what, ops: inOrder(told.ops) });
        if (findings.length === MAX_FINDINGS) return findings;
      }
    }
    return findings;
  }
}

/** `Message 5 of key "1"`. */
export function nameOf({ key, value }: Message): string {
  return `Message ${show(value)} of key ${show(key)}`;
}

/** `Message 5 of key "1" at offset 4`. */
export function at({ message, offset }: Placed): string {
  return offset === undefined ? nameOf(message) : `${nameOf(message)} at offset ${offset}`;
}

/** `message 5 at offset 4`, where the key is known. */
export function briefly({ message, offset }: Placed): string {
  const name = `message ${show(message.value)}`;
  return offset === undefined ? name : `${name} at offset ${offset}`;
}

/** `its send by process 3 on n1 at 1.234 s`. */
export function sentBy(act: Act): string {
  return `its send by ${whoAndWhen(act.op)}`;
}

/** A message's place in its key's log. Beyond 2^53 a bigint; the two compare and sort together. */
export type Offset = number | bigint;

/** Everything known of one message of one key. */
export interface Message {
  readonly key: string;
  readonly value: Json;
  /** The last operation that tried to send it. */
  sender?: Act;
  /** A send of it that certainly did not happen. */
  failed?: Act;
  /** A send of it that was acknowledged. */
  acked?: Act;
  /** The first poll, acknowledged, that returned it. */
  reader?: Act;
  /** The first poll of any outcome that returned it. */
  seenBy?: Act;
}

/** A message at the offset that an operation gave it; undefined when it gave none, or no offset. */
export interface Placed {
  readonly message: Message;
  readonly offset: Offset | undefined;
}

/** One operation: its completion, and what that says was done. */
export interface Act {
  /** The completion, or the invocation if none ever came. */
  readonly op: Op;
  readonly invoke: Op | undefined;
  /** Position in the history of the invocation; -1 if it has none. */
  readonly invokedAt: number;
  /** Position in the history of the completion; Infinity if it has none. */
  readonly endedAt: number;
  readonly type: "ok" | "fail" | "info";
  readonly sends: readonly Placed[];
  /** Key to what was returned for it, in order; empty for an empty list. */
  readonly reads: ReadonlyMap<string, readonly Placed[]>;
  /** The keys of an `assign`; undefined for anything else. */
  readonly assigned: readonly string[] | undefined;
}

/** The operations of a history, in the order of their ends, and its messages. */
export interface Acts {
  readonly acts: readonly Act[];
  /** Key to every message anybody sent to it or polled from it. */
  readonly messages: ReadonlyMap<string, ReadonlyMap<MessageId, Message>>;
}

/** What tells messages of a key apart: a number as it is, the rest by their canonical text. */
type MessageId = number | string;

/** The operations that hold sends and polls. */
const transactions: readonly string[] = ["send", "poll", "txn"];

/** Whether an operation sends or polls, rather than assigns or crashes. */
export function isTransaction({ op }: Act): boolean {
  return transactions.includes(op.f);
}

/**
 * Reads a history. What is odd in it is left out and warned of.
 *
 * An operation that never came back counts as indefinite.
 */
export function readActs(history: readonly Op[], warnings: Warnings): Acts {
  const reader = new ActReader(warnings);
  const acts: Act[] = [];
  const open = new Map<Op["process"], number>();
  const orphans: number[] = [];
  for (const [position, op] of history.entries()) {
    if (op.process === "nemesis") continue;
    const invokedAt = open.get(op.process);
    if (op.type === "invoke") {
      if (invokedAt !== undefined) orphans.push(invokedAt);
      open.set(op.process, position);
    } else {
      open.delete(op.process);
      const invoke = invokedAt === undefined ? undefined : history[invokedAt];
      acts.push(reader.read(op, op.type, invoke, invokedAt ?? -1, position));
    }
  }
  orphans.push(...open.values());
  for (const position of orphans.sort((a, b) => a - b)) {
    const op = history[position];
    if (op !== undefined) acts.push(reader.read(op, "info", op, position, Infinity));
  }
  return { acts, messages: reader.messages };
}

class ActReader {
  readonly messages = new Map<string, Map<MessageId, Message>>();
  readonly #warnings: Warnings;

  constructor(warnings: Warnings) {
    this.#warnings = warnings;
  }

  read(
    op: Op,
    type: Act["type"],
    invoke: Op | undefined,
    invokedAt: number,
    endedAt: number,
  ): Act {
    const sends: Placed[] = [];
    const reads = new Map<string, Placed[]>();
    const assigned = op.f === "assign" || op.f === "subscribe" ? this.#keys(op) : undefined;
    const act = { op, invoke, invokedAt, endedAt, type, sends, reads, assigned };
    if (!isTransaction(act)) return act;
    if (Array.isArray(op.value)) {
      for (const step of op.value) this.#step(act, step, sends, reads);
    } else this.#odd(op, op.value);
    return act;
  }

  #keys(op: Op): string[] {
    const keys = new Set<string>();
    for (const name of Array.isArray(op.value) ? op.value : [op.value]) {
      const key = keyOf(name);
      if (key === undefined) this.#odd(op, name);
      else keys.add(key);
    }
    return [...keys];
  }

  /** One micro-operation: `["send", k, v]`, `["send", k, [offset, v]]`, `["poll", {k: [...]}]`. */
  #step(act: Act, step: Json, sends: Placed[], reads: Map<string, Placed[]>): void {
    const [kind, first, second] = Array.isArray(step) ? step : [];
    if (kind === "send") {
      const key = keyOf(first);
      if (key === undefined || second === undefined) this.#odd(act.op, step);
      else sends.push(this.#sent(act, key, second));
    } else if (kind === "poll" && isJsonObject(first)) {
      for (const [key, list] of Object.entries(first)) this.#polled(act, key, list, reads);
    } else if (kind !== "poll" || (first ?? null) !== null) this.#odd(act.op, step);
  }

  #sent(act: Act, key: string, sent: Json): Placed {
    const [offset, value] = Array.isArray(sent) ? sent : [undefined, sent];
    const message = this.#message(key, value ?? null);
    if (message.sender === undefined || act.endedAt < Infinity) message.sender = act;
    if (act.type === "ok") message.acked ??= act;
    if (act.type === "fail") message.failed ??= act;
    return { message, offset: this.#offset(act, key, offset) };
  }

  #polled(act: Act, key: string, list: Json, reads: Map<string, Placed[]>): void {
    const placed = reads.get(key) ?? [];
    reads.set(key, placed);
    if (!Array.isArray(list)) {
      if (list !== null) this.#odd(act.op, list);
      return;
    }
    for (const pair of list) {
      if (!Array.isArray(pair) || pair[1] === undefined) {
        this.#odd(act.op, pair);
        continue;
      }
      const message = this.#message(key, pair[1]);
      message.seenBy ??= act;
      if (act.type === "ok") message.reader ??= act;
      placed.push({ message, offset: this.#offset(act, key, pair[0]) });
    }
  }

  #message(key: string, value: Json): Message {
    let ofKey = this.messages.get(key);
    if (ofKey === undefined) this.messages.set(key, ofKey = new Map());
    const id = typeof value === "number" ? value : canonical(value);
    let message = ofKey.get(id);
    if (message === undefined) ofKey.set(id, message = { key, value });
    return message;
  }

  #offset(act: Act, key: string, offset: Json | undefined): Offset | undefined {
    if (typeof offset === "number" && Number.isInteger(offset) && offset >= 0) return offset;
    if (isRawNumber(offset) && /^\d+$/.test(offset.rawJSON)) return BigInt(offset.rawJSON);
    // Only what was acknowledged must have an offset.
    if (offset !== undefined || act.type === "ok") {
      this.#warnings.add(
        "Offset that is no integer from 0 up, not looked at",
        () => `${show(offset)} for key ${show(key)}, ${whoAndWhen(act.op)}`,
      );
    }
    return undefined;
  }

  #odd(op: Op, value: Json | undefined): void {
    this.#warnings.add(
      `Odd value in ${op.f}, not looked at`,
      () => `${show(value)}, ${whoAndWhen(op)}`,
    );
  }
}

/** An offset as JSON has it. */
export function offsetJson(offset: Offset): Json {
  return typeof offset === "number" ? offset : parseJson(String(offset));
}

/** Keys are strings on the wire; Jepsen's own histories may hold integers. */
function keyOf(key: Json | undefined): string | undefined {
  if (typeof key === "string") return key;
  if (typeof key === "number") return String(key);
  return isRawNumber(key) ? key.rawJSON : undefined;
}

/** From how many of a component's operations a shortest cycle is looked for. */
const MAX_STARTS = 16;

/** How many steps of a cycle an error or a sentence tells. */
const MAX_STEPS = 16;

interface Edges {
  /** From the sender of a message to those who polled it. */
  readonly wr: Successors;
  /** From an acknowledged operation to those begun after it, as far as none of them implies it. */
  readonly realtime: Successors;
}

/**
 * Finds operations that depend on themselves: by messages alone (`G1c`), or by messages and by real
 * time (`G1c-realtime`), once for each set of operations that all depend on each other.
 */
export function checkCycles(all: readonly Act[], cases: Cases): void {
  if (all.length === 0) return;
  const acts = all.filter(isTransaction);
  const edges = { wr: wrEdges(acts), realtime: realtimeEdges(acts) };
  const graph = edges.wr.map((readers, i) => [...readers, ...edges.realtime[i] ?? []]);
  if (graph.every((successors) => successors.length === 0)) {
    cases.add("empty-transaction-graph", 1, () => ({
      err: {},
      what: "No send or poll came after another or returned its message, so nothing is ordered",
      ops: [],
    }));
    return;
  }
  const byMessages = new Map<number, number[]>();
  for (const component of cyclicComponents(edges.wr)) {
    for (const member of component) byMessages.set(member, component);
  }
  for (const component of cyclicComponents(graph)) {
    const narrow = component.map((member) => byMessages.get(member)).find((found) => found);
    const cycle = narrow === undefined ? shortOf(graph, component) : shortOf(edges.wr, narrow);
    if (cycle === undefined) continue;
    const anomaly = narrow === undefined ? "G1c-realtime" : "G1c";
    cases.add(anomaly, -cycle.length, () => cycleCase(cycle, acts, edges));
  }
}

function wrEdges(acts: readonly Act[]): Successors {
  const numbers = new Map(acts.map((act, i) => [act, i]));
  const edges: number[][] = acts.map(() => []);
  for (const [reader, act] of acts.entries()) {
    for (const list of act.reads.values()) {
      for (const { message } of list) {
        const sender = message.sender === undefined ? undefined : numbers.get(message.sender);
        if (sender !== undefined && sender !== reader) edges[sender]?.push(reader);
      }
    }
  }
  return edges;
}

/** Elle's reduction: an acknowledged operation counts until one that began after it is acknowledged. */
function realtimeEdges(acts: readonly Act[]): Successors {
  const edges: number[][] = acts.map(() => []);
  const implied: number[][] = acts.map(() => []);
  const latest = new Set<number>();
  for (const { number, act, begins } of events(acts)) {
    if (begins) {
      if (act.endedAt === Infinity) continue;
      for (const before of latest) {
        edges[before]?.push(number);
        implied[number]?.push(before);
      }
    } else if (act.type === "ok") {
      for (const before of implied[number] ?? []) latest.delete(before);
      latest.add(number);
    }
  }
  return edges;
}

function events(acts: readonly Act[]): { number: number; act: Act; begins: boolean }[] {
  const all = acts.flatMap((act, number) => [
    { number, act, begins: true, at: act.invokedAt },
    { number, act, begins: false, at: act.endedAt },
  ]);
  return all.filter(({ at }) => at >= 0 && at < Infinity).sort((a, b) => a.at - b.at);
}

/** The shortest of the cycles through some members of a component. */
function shortOf(graph: Successors, component: readonly number[]): number[] | undefined {
  const members = new Set(component);
  let shortest: number[] | undefined;
  for (const start of component.slice(0, MAX_STARTS)) {
    const cycle = shortestCycle(graph, start, (vertex) => members.has(vertex));
    if (cycle === undefined) continue;
    if (shortest === undefined || cycle.length < shortest.length) shortest = cycle;
    if (shortest.length === 2) break;
  }
  return shortest;
}

/** One dependency of a cycle; by real time, when no message is given. */
interface Step {
  readonly from: Act;
  readonly to: Act;
  readonly message: Message | undefined;
}

function cycleCase(cycle: readonly number[], acts: readonly Act[], edges: Edges): Case {
  const steps = stepsOf(cycle, acts, edges).slice(0, MAX_STEPS);
  return {
    err: {
      cycle: steps.map(({ from }) => from.op.index),
      steps: steps.map(({ message }) =>
        message === undefined
          ? { type: "realtime" }
          : { type: "wr", key: message.key, value: message.value }
      ),
    },
    what: steps.map(tellStep).join("; "),
    ops: steps.flatMap(({ from }) => [from.invoke, from.op]),
  };
}

/** The steps of a cycle, a message's first; successive ones by real time make one. */
function stepsOf(cycle: readonly number[], acts: readonly Act[], { wr }: Edges): Step[] {
  const isRead = (i: number) => {
    const next = cycle[(i + 1) % cycle.length];
    return next !== undefined && (wr[cycle[i] ?? -1]?.includes(next) ?? false);
  };
  const first = Math.max(0, cycle.findIndex((_, i) => isRead(i)));
  const steps: Step[] = [];
  for (let n = 0; n < cycle.length; n++) {
    const i = (first + n) % cycle.length;
    const from = acts[cycle[i] ?? -1];
    const to = acts[cycle[(i + 1) % cycle.length] ?? -1];
    if (from === undefined || to === undefined) continue;
    const message = isRead(i) ? messageBetween(from, to) : undefined;
    const last = steps.at(-1);
    if (last !== undefined && last.message === undefined && message === undefined) {
      steps[steps.length - 1] = { ...last, to };
    } else steps.push({ from, to, message });
  }
  return steps;
}

function messageBetween(from: Act, to: Act): Message | undefined {
  for (const list of to.reads.values()) {
    const read = list.find(({ message }) => message.sender === from);
    if (read !== undefined) return read.message;
  }
  return undefined;
}

function tellStep({ from, to, message }: Step, i: number): string {
  if (message === undefined) {
    const begun = to.invoke ?? to.op;
    return `the ${from.op.f} of ${whoAndWhen(from.op)} ended before the ${to.op.f} of ` +
      `${whoAndWhen(begun)} began`;
  }
  const name = briefly({ message, offset: undefined });
  return `${i === 0 ? "Key" : "key"} ${show(message.key)}: ${name}, sent by ` +
    `${whoAndWhen(from.op)}, was polled by ${whoAndWhen(to.op)}`;
}
