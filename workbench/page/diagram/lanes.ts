/**
 * The columns of a diagram: clients, nodes, services.
 *
 * @module
 */

import { isClient } from "@eddy/maelstrom/message";
import type { ReportData } from "../../report_data.ts";
import type { OpTraffic } from "./ops.ts";

/** A column. */
export interface Lane {
  readonly kind: "setup" | "client" | "node" | "service";
  readonly name: string;
  /** Those who share it. */
  readonly endpoints: readonly string[];
}

/** The lanes from left to right, and who has which, by their places. */
export interface Lanes {
  readonly lanes: readonly Lane[];
  readonly laneOf: ReadonlyMap<string, number>;
  readonly laneOfThread: ReadonlyMap<number, number>;
}

/**
 * Gives each thread of clients a lane, and each node and service; those clients that did no
 * operation share one.
 *
 * @param nodes the names of the nodes, in their order
 */
export function makeLanes(
  { messages, observations }: Pick<ReportData, "messages" | "observations">,
  nodes: readonly string[],
  traffic: readonly OpTraffic[],
): Lanes {
  const clients = new Map<number, Set<string>>();
  const processes = new Map<number, Set<string>>();
  for (const { thread, client, pair: { invoke } } of traffic) {
    const mine = clients.get(thread) ?? new Set();
    clients.set(thread, mine);
    if (client !== undefined) mine.add(client);
    const all = processes.get(thread) ?? new Set();
    processes.set(thread, all.add(String(invoke.process)));
  }
  const named = new Set(messages.flatMap(({ src, dest }) => [src, dest]));
  for (const name of [...nodes, ...[...clients.values()].flatMap((each) => [...each])]) {
    named.delete(name);
  }
  const rest = [...named].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const setup = rest.filter(isClient);
  const lanes: Lane[] = [];
  if (setup.length > 0) lanes.push({ kind: "setup", name: "setup", endpoints: setup });
  const laneOfThread = new Map<number, number>();
  for (const [thread, own] of [...clients].sort(([a], [b]) => a - b)) {
    laneOfThread.set(thread, lanes.length);
    const endpoints = [...own];
    const [first, ...more] = endpoints.length > 0
      ? endpoints
      : [...processes.get(thread) ?? []].map((process) => `process ${process}`);
    const name = more.length > 0 ? `${first} +${more.length}` : first ?? "";
    lanes.push({ kind: "client", name, endpoints });
  }
  if (messages.length + observations.length > 0) {
    for (const name of nodes) lanes.push({ kind: "node", name, endpoints: [name] });
  }
  for (const name of rest.filter((each) => !isClient(each))) {
    lanes.push({ kind: "service", name, endpoints: [name] });
  }
  const laneOf = new Map(
    lanes.flatMap(({ endpoints }, lane) => endpoints.map((name) => [name, lane] as const)),
  );
  return { lanes, laneOf, laneOfThread };
}
