/**
 * Whether operations of the kafka workload depend on themselves.
 *
 * @module
 */

import {
  cyclicComponents,
  type Graph,
  GraphBuilder,
  REALTIME,
  shortestCycle,
  WR,
} from "../graph.ts";
import type { Anomaly, Step } from "./anomalies.ts";
import {
  isTransaction,
  type KafkaHistory,
  type LogMessage,
  type Operation,
  SENDER,
} from "./operations.ts";

/** From how many of a component's operations a shortest cycle is looked for. */
const MAX_STARTS = 16;

/**
 * Finds operations that depend on themselves: by messages alone (`G1c`), or by messages and by real
 * time (`G1c-realtime`), once for each set of operations that all depend on each other.
 */
export function* transferCycles(history: KafkaHistory): Generator<Anomaly> {
  if (history.length === 0) return;
  const nodes = new TransactionNodes(history);
  const builder = new GraphBuilder(nodes.count);
  linkReads(builder, history, nodes);
  linkRealtime(builder, history, nodes);
  const graph = builder.take();
  if (builder.edges === 0) {
    yield { type: "empty-transaction-graph" };
    return;
  }
  const byMessages = new Map<number, number[]>();
  for (const component of cyclicComponents(graph, WR)) {
    for (const member of component) byMessages.set(member, component);
  }
  for (const component of cyclicComponents(graph, WR | REALTIME)) {
    const narrow = component.map((member) => byMessages.get(member)).find((found) => found);
    const cycle = narrow === undefined
      ? shortOf(graph, WR | REALTIME, component)
      : shortOf(graph, WR, narrow);
    if (cycle === undefined) continue;
    const type = narrow === undefined ? "G1c-realtime" : "G1c";
    yield { type, steps: stepsOf(cycle.map((node) => nodes.operationOf(node))) };
  }
}

/** The operations that send or poll, as the nodes of a graph. */
class TransactionNodes {
  readonly #history: KafkaHistory;
  /** For each operation its node; -1 where it has none. */
  readonly nodes: Int32Array;
  readonly #ids: Int32Array;
  readonly count: number;

  constructor(history: KafkaHistory) {
    this.#history = history;
    this.nodes = new Int32Array(history.length).fill(-1);
    this.#ids = new Int32Array(history.length);
    let count = 0;
    for (const operation of history) {
      if (!isTransaction(operation)) continue;
      this.nodes[operation.id] = count;
      this.#ids[count++] = operation.id;
    }
    this.count = count;
  }

  operationOf(node: number): Operation {
    return this.#history.at(this.#ids[node] ?? 0);
  }
}

/** Links the sender of a message to those who polled it. */
function linkReads(graph: GraphBuilder, history: KafkaHistory, { nodes }: TransactionNodes): void {
  for (const { id, reads } of history) {
    const reader = nodes[id] ?? -1;
    if (reader < 0) continue;
    for (const list of reads.values()) {
      for (const { message } of list) {
        const sender = nodes[history.roleIdOf(message.id, SENDER)] ?? -1;
        if (sender >= 0) graph.link(sender, reader, WR);
      }
    }
  }
}

/**
 * Links an acknowledged operation to those begun after it, until one of them is acknowledged: what
 * begins after that one is implied (Elle's reduction).
 */
function linkRealtime(
  graph: GraphBuilder,
  history: KafkaHistory,
  { nodes }: TransactionNodes,
): void {
  /** Of each operation under way, what came before it. */
  const implied = new Map<number, readonly number[]>();
  const latest = new Set<number>();
  for (const { id, begins } of events(history)) {
    const node = nodes[id] ?? -1;
    if (node < 0) continue;
    if (begins) {
      for (const before of latest) graph.link(before, node, REALTIME);
      implied.set(node, [...latest]);
      continue;
    }
    if (history.typeOf(id) === "ok") {
      for (const before of implied.get(node) ?? []) latest.delete(before);
      latest.add(node);
    }
    implied.delete(node);
  }
}

/** Where operations that ended began and ended, in order. */
function* events(history: KafkaHistory): Generator<{ id: number; begins: boolean }> {
  // By position: the operation, plus 1, that begins there, or the complement of one that ends.
  const at = new Int32Array(history.positionCount);
  for (let id = 0; id < history.length; id++) {
    const [begin, end] = [history.beginOf(id), history.endPositionOf(id)];
    if (end === Infinity) continue;
    if (begin >= 0) at[begin] = id + 1;
    at[end] = ~id;
  }
  for (const event of at) {
    if (event !== 0) {
      yield event > 0 ? { id: event - 1, begins: true } : { id: ~event, begins: false };
    }
  }
}

/** The shortest of the cycles through some members of a component. */
function shortOf(graph: Graph, kinds: number, component: readonly number[]): number[] | undefined {
  const members = new Set(component);
  let shortest: number[] | undefined;
  for (const start of component.slice(0, MAX_STARTS)) {
    const cycle = shortestCycle(graph, kinds, start, (vertex) => members.has(vertex));
    if (cycle === undefined) continue;
    if (shortest === undefined || cycle.length < shortest.length) shortest = cycle;
    if (shortest.length === 2) break;
  }
  return shortest;
}

/** The steps of a cycle, a message's first; successive ones by real time make one. */
function stepsOf(cycle: readonly Operation[]): Step[] {
  const at = (i: number) => cycle[i % cycle.length];
  const first = Math.max(0, cycle.findIndex((_, i) => messageBetween(at(i), at(i + 1))));
  const steps: Step[] = [];
  for (let n = 0; n < cycle.length; n++) {
    const [from, to] = [at(first + n), at(first + n + 1)];
    if (from === undefined || to === undefined) continue;
    const message = messageBetween(from, to);
    const last = steps.at(-1);
    if (last !== undefined && last.message === undefined && message === undefined) {
      steps[steps.length - 1] = { ...last, to };
    } else steps.push({ from, to, message });
  }
  return steps;
}

/** The message of `from` that `to` polled, if there is one. */
function messageBetween(from?: Operation, to?: Operation): LogMessage | undefined {
  if (from === undefined || to === undefined) return undefined;
  for (const list of to.reads.values()) {
    const read = list.find(({ message }) => message.sender?.id === from.id);
    if (read !== undefined) return read.message;
  }
  return undefined;
}
