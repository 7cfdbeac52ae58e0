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

import {
  at,
  cyclicComponents,
  type Graph,
  type GraphBuilder,
  nonadjacent,
  PROCESS,
  REALTIME,
  RW,
  subgraph,
  THROUGH,
  WR,
  WW,
} from "../graph.ts";
import type { Anomaly, Cycle, Dependency, Explain } from "./anomaly.ts";
import {
  canonicalModel,
  CYCLE_TYPES,
  type CycleType,
  existences,
  impliedAnomalies,
  impossibleModels,
  prohibitedBy,
} from "./consistency_model.ts";
import { findCycle, SHAPES } from "./search.ts";
import type { Transactions, Txn, Txns } from "./txn.ts";

/** How long to search. */
export interface Effort {
  /** Steps per component and kind of cycle. */
  readonly perSearch: number;
  /** Steps in all. */
  readonly total: number;
}

/** About a second's work per large component, and a few seconds' in all. */
const DEFAULT_EFFORT: Effort = { perSearch: 4_000_000, total: 100_000_000 };

const dependencies = WW | WR;
const everything = dependencies | RW | PROCESS | REALTIME;

/**
 * Finds the cycles in a graph of transactions.
 *
 * @param graph the edges of the data; those of `order` are added to it.
 * @param explain the reasons for the edges of the data.
 * @param order the order of time to take into account: `PROCESS`, `REALTIME`, or 0 for neither.
 */
export function* dependencyCycles(
  all: Transactions,
  graph: GraphBuilder,
  explain: Explain,
  order: number,
  { perSearch, total }: Effort = DEFAULT_EFFORT,
): Generator<Anomaly> {
  if (order === REALTIME) linkRealtime(graph, all);
  if (order === PROCESS) linkProcesses(graph, all);
  // Without any order there is nothing that could be wrong.
  if (graph.edges === 0) yield { type: "empty-transaction-graph" };
  const explainOrder = order === REALTIME ? explainRealtime(all) : explainProcess;
  const explainAny: Explain = order === 0 ? explain : (a, b) => explain(a, b) ?? explainOrder(a, b);
  const built = graph.take();
  const left = { steps: total };
  for (const nodes of cyclicComponents(built, everything)) {
    const ids = nodes.filter((node) => node < all.txns.length);
    yield* new Component(subgraph(built, nodes), all.txns, { ids, explain: explainAny })
      .search(perSearch, left);
  }
}

/** Transactions that are all before each other. */
class Component {
  readonly #graph: Graph;
  readonly #txns: Txns;
  /** The transactions that it has; they are the graph's first nodes. */
  readonly #ids: readonly number[];
  readonly #explain: Explain;
  /** The kinds of edges there are. */
  readonly #present: number;

  constructor(
    graph: Graph,
    txns: Txns,
    { ids, explain }: { readonly ids: readonly number[]; readonly explain: Explain },
  ) {
    this.#graph = graph;
    this.#txns = txns;
    this.#ids = ids;
    this.#explain = explain;
    this.#present = graph.kind.reduce((all, kind) => all | kind, 0);
  }

  *search(perSearch: number, left: { steps: number }): Generator<Anomaly> {
    const { broken, impossible } = this.#existences();
    yield* broken;
    const skip = new Set(impossible);
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
        yield result.cycle;
        for (const weaker of impliedAnomalies([type])) skip.add(weaker);
      } else if (result.exhausted) unfinished.push(type);
    }
    if (unfinished.length === 0) return;
    yield { type: "cycle-search-timeout", size: this.#ids.length, unfinished };
    const any = found ? undefined : this.#anyCycle();
    if (any !== undefined) yield any;
  }

  /** The models that some cycle breaks, and the anomalies that can therefore not be there. */
  #existences(): { broken: Anomaly[]; impossible: Set<string> } {
    const broken: Anomaly[] = [];
    const models = new Set<string>();
    const unbroken: string[] = [];
    for (const { name, kinds, isNonadjacent } of existences) {
      const model = canonicalModel(name);
      if (models.has(model)) continue;
      const smallest = this.#smallestCyclic(kinds, isNonadjacent);
      if (smallest === undefined) {
        unbroken.push(name);
        continue;
      }
      for (const stronger of impossibleModels([name])) models.add(stronger);
      const nodes = new Set(smallest.map((node) => node % this.#graph.size));
      broken.push({ type: `${name}-cycle-exists`, model, txns: this.#txnsOf([...nodes]) });
    }
    return { broken, impossible: prohibitedBy(unbroken) };
  }

  /** The nodes of the smallest component of some kinds of edges, if it has any cycle. */
  #smallestCyclic(kinds: number, isNonadjacent: boolean): number[] | undefined {
    // Where the order of time has no edges, the cycles are those of the model without it.
    const order = kinds & (PROCESS | REALTIME);
    if (order !== 0 && !(order & this.#present)) return undefined;
    const graph = isNonadjacent ? nonadjacent(this.#graph, kinds) : this.#graph;
    return cyclicComponents(graph, kinds)[0];
  }

  #txnsOf(nodes: readonly number[]): Txn[] {
    return nodes.flatMap((node) => {
      const id = this.#ids[node];
      return id === undefined ? [] : [this.#txns.at(id)];
    });
  }

  /** A cycle of the type looked for; where only dependencies are, of whatever type it is. */
  #accept(type: string, nodes: readonly number[]): Cycle | undefined {
    const cycle = this.#cycle(nodes);
    const free = type.startsWith("G0") || type.startsWith("G1c");
    return free || cycle?.type === type ? cycle : undefined;
  }

  #cycle(nodes: readonly number[]): Cycle | undefined {
    const txns = this.#txnsOf(nodes);
    const dependencies: Dependency[] = [];
    for (const [i, txn] of txns.entries()) {
      const dependency = this.#explain(txn, txns[(i + 1) % txns.length] ?? txn);
      if (dependency === undefined) return undefined;
      dependencies.push(dependency);
    }
    const type = classify(dependencies.map((dependency) => dependency.type));
    return type && { type, txns, dependencies };
  }

  /** A cycle of any type, from as few kinds of edges as there are cycles of. */
  #anyCycle(): Cycle | undefined {
    const edges = at(this.#graph.start, this.#graph.size);
    for (const kinds of [WW, dependencies, dependencies | RW, everything]) {
      const shape = { rels: kinds, rw: "any", first: kinds, need: 0 } as const;
      // The first start that lies on a cycle finds it, at the cost of each edge once.
      const budget = { steps: 4 * edges + 1000 };
      const { cycle } = findCycle(this.#graph, shape, budget, (nodes) => this.#cycle(nodes));
      if (cycle !== undefined) return cycle;
    }
  }
}

/** The anomaly that a cycle is, given why each of its transactions comes before the next. */
export function classify(types: readonly Dependency["type"][]): CycleType | undefined {
  const order = types.includes("realtime")
    ? "-realtime"
    : types.includes("process")
    ? "-process"
    : "";
  const rws = types.filter((type) => type === "rw").length;
  const together = types.some((type, i) => type === "rw" && types.at(i - 1) === "rw");
  if (rws === 1) return `G-single-item${order}`;
  if (rws > 1) return together ? `G2-item${order}` : `G-nonadjacent-item${order}`;
  if (types.includes("wr")) return `G1c${order}`;
  return types.includes("ww") ? `G0${order}` : undefined;
}

/** Links each process's successive ok transactions. */
function linkProcesses(graph: GraphBuilder, { txns }: Transactions): void {
  const last = new Map<unknown, number>();
  for (let id = 0; id < txns.length; id++) {
    if (txns.typeOf(id) !== "ok") continue;
    const process = txns.processOf(id);
    const before = last.get(process);
    if (before !== undefined) graph.link(before, id, PROCESS);
    last.set(process, id);
  }
}

const explainProcess: Explain = (a, b) =>
  a.type === "ok" && b.type === "ok" && a.op.process === b.op.process && a.id < b.id
    ? { type: "process" }
    : undefined;

/**
 * Links each ok transaction to every one invoked after its completion.
 *
 * A chain of waypoints stands for time, one for each stretch of invocations: completions lead
 * into the next, and each leads to the invocations of its stretch and to the waypoint after it.
 * That is all of the order, in a number of edges linear in the history's length.
 */
export function linkRealtime(graph: GraphBuilder, { events }: Transactions): void {
  let completed: number[] = [];
  let now = -1;
  for (const event of events) {
    if (event < 0) {
      completed.push(~event);
      continue;
    }
    if (completed.length > 0) {
      const next = graph.waypoint();
      if (now >= 0) graph.link(now, next, THROUGH);
      for (const id of completed) graph.link(id, next, REALTIME);
      completed = [];
      now = next;
    }
    if (now >= 0) graph.link(now, event, THROUGH);
  }
}

function explainRealtime({ events, txns }: Transactions): Explain {
  const completed = new Int32Array(txns.length).fill(-1);
  const invoked = new Int32Array(txns.length).fill(-1);
  for (let i = 0; i < events.length; i++) {
    const event = events.at(i);
    if (event < 0) completed[~event] = i;
    else invoked[event] = i;
  }
  return (a, b) => {
    const end = completed[a.id] ?? -1;
    return end >= 0 && end < (invoked[b.id] ?? -1) ? { type: "realtime" } : undefined;
  };
}
