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
import { isTransaction, type LogMessage, type Operation } from "./log.ts";

/** From how many of a component's operations a shortest cycle is looked for. */
const MAX_STARTS = 16;

/**
 * Finds operations that depend on themselves: by messages alone (`G1c`), or by messages and by real
 * time (`G1c-realtime`), once for each set of operations that all depend on each other.
 */
export function* transferCycles(all: readonly Operation[]): Generator<Anomaly> {
  if (all.length === 0) return;
  const operations = all.filter(isTransaction);
  const builder = new GraphBuilder(operations.length);
  linkReads(builder, operations);
  linkRealtime(builder, operations);
  const graph = builder.build();
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
    yield { type, steps: stepsOf(cycle, operations) };
  }
}

/** Links the sender of a message to those who polled it. */
function linkReads(graph: GraphBuilder, operations: readonly Operation[]): void {
  const numbers = new Map(operations.map((operation, i) => [operation, i]));
  for (const [reader, operation] of operations.entries()) {
    for (const list of operation.reads.values()) {
      for (const { message } of list) {
        const sender = message.sender === undefined ? undefined : numbers.get(message.sender);
        if (sender !== undefined) graph.link(sender, reader, WR);
      }
    }
  }
}

/**
 * Links an acknowledged operation to those begun after it, until one of them is acknowledged: what
 * begins after that one is implied (Elle's reduction).
 */
function linkRealtime(graph: GraphBuilder, operations: readonly Operation[]): void {
  const implied: number[][] = operations.map(() => []);
  const latest = new Set<number>();
  for (const { number, operation, begins } of events(operations)) {
    if (begins) {
      if (operation.endedAt === Infinity) continue;
      for (const before of latest) {
        graph.link(before, number, REALTIME);
        implied[number]?.push(before);
      }
    } else if (operation.type === "ok") {
      for (const before of implied[number] ?? []) latest.delete(before);
      latest.add(number);
    }
  }
}

function events(
  operations: readonly Operation[],
): { number: number; operation: Operation; begins: boolean }[] {
  const all = operations.flatMap((operation, number) => [
    { number, operation, begins: true, at: operation.invokedAt },
    { number, operation, begins: false, at: operation.endedAt },
  ]);
  return all.filter(({ at }) => at >= 0 && at < Infinity).sort((a, b) => a.at - b.at);
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
function stepsOf(cycle: readonly number[], operations: readonly Operation[]): Step[] {
  const at = (i: number) => operations[cycle[i % cycle.length] ?? -1];
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
    const read = list.find(({ message }) => message.sender === from);
    if (read !== undefined) return read.message;
  }
  return undefined;
}
