/**
 * The anomalies that are cycles of transactions: each before the next, and the last before the
 * first, so that no order can explain them.
 *
 * First it is settled which kinds of cycles exist, by strongly connected components alone, which
 * is cheap and certain; only then are examples searched for, a short one of each kind in each
 * component.
 *
 * @module
 */

import { seconds } from "../checker.ts";
import {
  apart,
  at,
  components,
  cycles,
  type Graph,
  type GraphBuilder,
  linkProcesses,
  linkRealtime,
  part,
  PROCESS,
  REALTIME,
  RW,
  WR,
  WW,
} from "../graph.ts";
import {
  canonicalModel,
  CYCLE_TYPES,
  existences,
  EXISTS,
  impliedAnomalies,
  impossibleModels,
  orderNeeded,
  prohibitedBy,
} from "./consistency_model.ts";
import { findCycle, SHAPES } from "./search.ts";
import { type Cases, opsOf, type Transactions, type Txn, txnText, whose } from "./txn.ts";

/** How long to search. */
export interface Effort {
  /** Steps per component and kind of cycle. */
  readonly perSearch: number;
  /** Steps in all. */
  readonly total: number;
}

/** About a second's work per large component, and a few seconds' in all. */
export const DEFAULT_EFFORT: Effort = { perSearch: 4_000_000, total: 100_000_000 };

const dependencies = WW | WR;
const everything = dependencies | RW | PROCESS | REALTIME;

/** Finds the anomalies that are cycles. */
export function cycleAnomalies(
  all: Transactions,
  graph: Graph,
  explain: Explain,
  cases: Cases,
  { perSearch, total }: Effort = DEFAULT_EFFORT,
): void {
  const scratch = new Int32Array(graph.size).fill(-1);
  const left = { steps: total };
  for (const nodes of cycles(components(graph, everything))) {
    const txns = nodes.flatMap((node) => all.txns[node] ?? []);
    new Component(all, part(graph, nodes, scratch), txns, explain, cases).search(perSearch, left);
  }
}

/** A cycle with its reasons, and the anomaly that it is. */
interface Explained {
  readonly type: string;
  readonly txns: readonly Txn[];
  /** Why each transaction comes before the next, and the last before the first. */
  readonly reasons: readonly Reason[];
}

class Component {
  readonly #all: Transactions;
  readonly #graph: Graph;
  readonly #txns: readonly Txn[];
  readonly #explain: Explain;
  readonly #cases: Cases;
  /** The kinds of edges there are. */
  readonly #present: number;

  constructor(
    all: Transactions,
    graph: Graph,
    txns: readonly Txn[],
    explain: Explain,
    cases: Cases,
  ) {
    this.#all = all;
    this.#graph = graph;
    this.#txns = txns;
    this.#explain = explain;
    this.#cases = cases;
    this.#present = graph.kind.reduce((all, kind) => all | kind, 0);
  }

  search(perSearch: number, left: { steps: number }): void {
    const skip = this.#existence();
    const unfinished: string[] = [];
    let found = false;
    for (const type of CYCLE_TYPES) {
      const shape = SHAPES.get(type);
      if (skip.has(type) || shape === undefined) continue;
      if (!(shape.first & this.#present) || (shape.need & ~this.#present) !== 0) continue;
      const budget = { steps: Math.min(perSearch, left.steps) };
      const before = budget.steps;
      const result = findCycle(this.#graph, shape, budget, (nodes) => this.#accept(type, nodes));
      left.steps -= before - budget.steps;
      if (result.cycle !== undefined) {
        found = true;
        this.#add(result.cycle);
        for (const weaker of impliedAnomalies([type])) skip.add(weaker);
      } else if (result.exhausted) unfinished.push(type);
    }
    if (unfinished.length > 0) this.#timeout(unfinished, found);
  }

  /** Reports which models some cycle breaks; returns the cycles that therefore cannot be there. */
  #existence(): Set<string> {
    const broken = new Set<string>();
    const intact: string[] = [];
    for (const { name, kinds, apart: spaced } of existences) {
      const model = canonicalModel(name);
      if (broken.has(model)) continue;
      // Without the order it adds, it would be as intact as the model it strengthens.
      const orders = kinds & (PROCESS | REALTIME);
      if (orders !== 0 && !(orders & this.#present)) {
        intact.push(name);
        continue;
      }
      const graph = spaced ? apart(this.#graph, kinds) : this.#graph;
      const [smallest] = cycles(components(graph, kinds));
      if (smallest === undefined) {
        intact.push(name);
        continue;
      }
      for (const stronger of impossibleModels([name])) broken.add(stronger);
      this.#addExistence(name, model, [
        ...new Set(smallest.map((node) => node % this.#graph.size)),
      ]);
    }
    const impossible = prohibitedBy(intact);
    return new Set(CYCLE_TYPES.filter((type) => impossible.has(type)));
  }

  #addExistence(name: string, model: string, nodes: readonly number[]): void {
    const txns = nodes.flatMap((node) => this.#txns[node] ?? []);
    this.#cases.add(name + EXISTS, () => ({
      what: `Some cycle among these ${txns.length} transactions breaks ${model}, but it was not ` +
        `found which (${txns.slice(0, 3).map((txn) => txnText(this.#all, txn)).join("; ")}${
          txns.length > 3 ? "; ..." : ""
        })`,
      ops: opsOf(txns),
      facts: {
        "not": model,
        "scc-size": txns.length,
        "scc": txns.slice(0, 32).map(({ op }) => op.index),
      },
    }));
  }

  /** A cycle of the kind looked for; where only dependencies are, whatever kind it turns out. */
  #accept(type: string, nodes: readonly number[]): Explained | undefined {
    const explained = this.#explained(nodes);
    const free = type.startsWith("G0") || type.startsWith("G1c");
    return explained !== undefined && (free || explained.type === type) ? explained : undefined;
  }

  #explained(nodes: readonly number[]): Explained | undefined {
    const txns = nodes.flatMap((node) => this.#txns[node] ?? []);
    const reasons: Reason[] = [];
    for (const [i, txn] of txns.entries()) {
      const reason = this.#explain(txn, txns[(i + 1) % txns.length] ?? txn);
      if (reason === undefined) return undefined;
      reasons.push(reason);
    }
    const type = classify(reasons.map((reason) => reason.type));
    return type === undefined ? undefined : { type, txns, reasons };
  }

  #add({ type, txns, reasons }: Explained): void {
    this.#cases.add(type, () => ({
      what: cycleText(this.#all, txns, reasons),
      ops: opsOf(txns),
      facts: {
        cycle: [...txns, ...txns.slice(0, 1)].slice(0, 64).map(({ op }) => op.index),
        steps: reasons.slice(0, 64).map((reason) => ({ type: reason.type, ...reason.facts })),
      },
    }));
  }

  #timeout(unfinished: readonly string[], found: boolean): void {
    const txns = this.#txns;
    this.#cases.add("cycle-search-timeout", () => ({
      what: `The search among ${txns.length} transactions that are all before each other ended ` +
        `early, so there may or may not be a cycle that is ${unfinished.join(" or ")}`,
      ops: [],
      facts: { "anomaly-spec-type": unfinished[0], unfinished, "scc-size": txns.length },
    }));
    if (!found) this.#fallback();
  }

  /** Any cycle at all, of the gravest kind there is. */
  #fallback(): void {
    const edges = at(this.#graph.start, this.#graph.size);
    for (const kinds of [WW, dependencies, dependencies | RW, everything]) {
      const shape = { rels: kinds, rw: "any", first: kinds, need: 0 } as const;
      // The first start that lies on a cycle finds it, at the cost of each edge once.
      const budget = { steps: 4 * edges + 1000 };
      const { cycle } = findCycle(this.#graph, shape, budget, (nodes) => this.#explained(nodes));
      if (cycle !== undefined) return this.#add(cycle);
    }
  }
}

/** The anomaly that a cycle is, given why each of its transactions comes before the next. */
export function classify(types: readonly Reason["type"][]): string | undefined {
  const has = (type: Reason["type"]) => types.includes(type);
  const rws = types.filter((type) => type === "rw").length;
  const together = types.some((type, i) => type === "rw" && types.at(i - 1) === "rw");
  const data = rws === 1
    ? "G-single-item"
    : rws > 1
    ? (together ? "G2-item" : "G-nonadjacent-item")
    : has("wr")
    ? "G1c"
    : has("ww")
    ? "G0"
    : undefined;
  if (data === undefined) return undefined;
  return data + (has("realtime") ? "-realtime" : has("process") ? "-process" : "");
}

/** How many of a cycle's transactions are told. */
const TOLD = 12;

function cycleText(
  all: Transactions,
  txns: readonly Txn[],
  reasons: readonly Reason[],
): string {
  const name = (i: number) => `T${i % txns.length + 1}`;
  const shown = txns.slice(0, TOLD);
  const ring = shown.map((_, i) => name(i)).join(" -> ");
  const lines = [
    `${txns.length} transactions each come before the next and the last before the first, so no ` +
    `order explains them: ${ring} -> ${txns.length > TOLD ? "... -> " : ""}T1`,
    ...shown.map((txn, i) => `${name(i)} = ${txnText(all, txn)}`),
    ...reasons.slice(0, TOLD).map((reason, i) =>
      `${name(i)} before ${name(i + 1)} (${reason.type}): ${reason.say(name(i), name(i + 1))}`
    ),
  ];
  if (txns.length > TOLD) lines.push(`and ${txns.length - TOLD} more`);
  return lines.join("\n  ");
}

/**
 * Finds the cycles in a graph of transactions, once it has the order that the models speak of.
 *
 * @param graph what the data says; it is added to.
 * @param explanations why the data says so, the reason to be preferred first.
 */
export function dependencyCycles(
  all: Transactions,
  graph: GraphBuilder,
  explanations: readonly Explain[],
  models: readonly string[],
  cases: Cases,
  effort?: Effort,
): void {
  const kind = orderNeeded(models);
  if (kind === REALTIME) linkRealtime(graph, all);
  if (kind === PROCESS) linkProcesses(graph, all);
  if (graph.edges === 0) noteEmpty(cases);
  const explain = firstOf(...explanations, explainOrder(all, kind));
  cycleAnomalies(all, graph.build(), explain, cases, effort);
}

/** A history that shows nothing proves nothing. */
function noteEmpty(cases: Cases): void {
  cases.add("empty-transaction-graph", () => ({
    what: "No transaction can be told to come before another, so there was nothing to judge",
    ops: [],
    facts: {},
  }));
}

/** Why one transaction comes before another. */
export interface Reason {
  readonly type: "ww" | "wr" | "rw" | "process" | "realtime";
  /** The key and values that show it, under Elle's names. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The reason in words, given what the transactions are called. */
  say(a: string, b: string): string;
}

/** Tells why `a` comes before `b`, if it does. */
export type Explain = (a: Txn, b: Txn) => Reason | undefined;

/** The first reason that any of several explanations gives. */
export function firstOf(...explanations: readonly Explain[]): Explain {
  return (a, b) => {
    for (const explain of explanations) {
      const reason = explain(a, b);
      if (reason !== undefined) return reason;
    }
  };
}

/**
 * Explains the order of time.
 *
 * @param kind {@linkcode PROCESS}, {@linkcode REALTIME}, or 0 for neither.
 */
export function explainOrder(transactions: Transactions, kind: number): Explain {
  if (kind === PROCESS) return explainProcess;
  return kind === REALTIME ? explainRealtime(transactions) : () => undefined;
}

function explainProcess(a: Txn, b: Txn): Reason | undefined {
  if (a.type !== "ok" || b.type !== "ok" || a.op.process !== b.op.process || a.id >= b.id) return;
  return {
    type: "process",
    facts: { process: a.op.process },
    say: (first, second) => `${whose(a)} ran ${first}, then ${second}`,
  };
}

function explainRealtime({ events, txns }: Transactions): Explain {
  const completed = new Int32Array(txns.length).fill(-1);
  const invoked = new Int32Array(txns.length).fill(-1);
  events.forEach((event, i) => {
    if (event < 0) completed[~event] = i;
    else invoked[event] = i;
  });
  return (a, b) => {
    const end = completed[a.id] ?? -1;
    if (end < 0 || end >= (invoked[b.id] ?? -1) || b.invoke === undefined) return;
    const invoke = b.invoke;
    return {
      type: "realtime",
      facts: { completed: a.op.index, invoked: invoke.index },
      say: (first, second) =>
        `${first} completed at ${seconds(a.op)}, before ${second} was invoked at ${
          seconds(invoke)
        }`,
    };
  };
}
